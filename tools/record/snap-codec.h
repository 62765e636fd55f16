/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots in a record: written as what differs from the one before.
 *
 * Theory of operation
 * -------------------
 * From one snapshot to the next most regions stay as they are and become
 * older. So each region is predicted from the one of the snapshot before that
 * covers its first address: it ends there, has as many accesses and the same
 * rates, and is as much older, and idle for as much longer, as time went by.
 * Only what turns out otherwise is written, told by a byte of flags; and
 * regions that turn out as predicted, one after another, are a zero and their
 * number. Prediction is from what a reader will have, so errors of rounding do
 * not add up.
 *
 * A snapshot is
 *
 *   flags        VH_SNAP_*, a byte
 *   intervals    sampling, aggregation (us), largest nr_accesses; only with
 *                VH_SNAP_INTERVALS, else those of the snapshot before
 *   sequence     less that of the one before
 *   start, end   ns; less the end of the one before, less the start
 *   working set  bytes, less that of the one before
 *   total        the same
 *   nr_regions   how many there were; less those that follow
 *   nr           regions that follow
 *   regions      nr of
 *     flags      VH_REGION_*, a byte; 0: as predicted, and a number of how many
 *                more are, and nothing else
 *     start      less what was predicted
 *     end        the same
 *     ...        in the order of the flags
 *
 * in the numbers of codes.h. Addresses are in pages of 4 KiB, or bytes with
 * VH_SNAP_BYTES. Kept exactly: addresses, nr_accesses, nr_writes, age. Rates to
 * 1.1 %, idle times to 0.8 % or 1 ms.
 */
#ifndef TOOLS_RECORD_SNAP_CODEC_H
#define TOOLS_RECORD_SNAP_CODEC_H

#include "codes.h"
#include "model.h"

#define VH_SNAP_REGIONS_MAX (1u << 20)

enum {
    VH_SNAP_WRITES = 1 << 0,      /* VhSnapshot::has_writes */
    VH_SNAP_RATES = 1 << 1,       /* has_rates */
    VH_SNAP_WRITE_RATES = 1 << 2, /* has_write_rates */
    VH_SNAP_TRUNCATED = 1 << 3,
    VH_SNAP_INTERVALS = 1 << 4,
    VH_SNAP_BYTES = 1 << 5,
    VH_SNAP_ALL = (1 << 6) - 1,
};

enum {
    VH_REGION_START = 1 << 0,
    VH_REGION_END = 1 << 1,
    VH_REGION_ACCESSES = 1 << 2,
    VH_REGION_AGE = 1 << 3,
    VH_REGION_WRITES = 1 << 4,     /* nr_writes */
    VH_REGION_RATES = 1 << 5,      /* rate, rate_low, rate_high */
    VH_REGION_WRITE_RATE = 1 << 6, /* write_rate */
    VH_REGION_IDLE = 1 << 7,
};

/**
 * struct VhCodedRegion - a region as a reader has it
 * @start: as VhRegion::start
 * @end: as VhRegion::end
 * @idle_ms: as VhRegion::idle_us
 * @nr_accesses: as VhRegion::nr_accesses
 * @nr_writes: as VhRegion::nr_writes
 * @age: as VhRegion::age
 * @rates: codes of rate, rate_low, rate_high, write_rate
 */
typedef struct VhCodedRegion {
    uint64_t start;
    uint64_t end;
    uint64_t idle_ms;
    uint32_t nr_accesses;
    uint32_t nr_writes;
    uint32_t age;
    uint16_t rates[4];
} VhCodedRegion;

/**
 * struct VhSnapCodec - the snapshot before, for writing and for reading
 * @regions: its regions, of VhCodedRegion
 * @next: scratch: those of the one being worked at
 * @head: what else it had; without regions
 * @bytes: addresses are in bytes, VH_SNAP_BYTES
 * @values: of each code
 */
typedef struct VhSnapCodec {
    GArray *regions;
    GArray *next;
    VhSnapshot head;
    bool bytes;
    double values[VH_CODES];
} VhSnapCodec;

/** vh_snap_codec_new() - there is no snapshot before */
VhSnapCodec *vh_snap_codec_new(void);

/** vh_snap_codec_free() - NULL is fine */
void vh_snap_codec_free(VhSnapCodec *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhSnapCodec, vh_snap_codec_free)

/** vh_snap_codec_reset() - forget the snapshot before */
void vh_snap_codec_reset(VhSnapCodec *c);

/**
 * vh_snap_encode() - append @s to @out
 *
 * Returns NULL, or what of @s cannot be written; then @out is as it was.
 */
const char *vh_snap_encode(VhSnapCodec *c, const VhSnapshot *s,
                           GByteArray *out);

/**
 * vh_snap_decode() - the next snapshot in @b
 * @s: set; its regions are kept in memory of @s that is used again: give one
 *     that was zeroed, or decoded before
 *
 * Returns false when @b holds none that could have been written.
 */
bool vh_snap_decode(VhSnapCodec *c, VhBytes *b, VhSnapshot *s);

#endif
