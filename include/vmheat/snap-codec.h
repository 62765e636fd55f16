/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots as bytes: written as what differs from the one before.
 *
 * Records are made of these, and QMP's packed answers.
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
#ifndef VMHEAT_SNAP_CODEC_H
#define VMHEAT_SNAP_CODEC_H

#include "vmheat/codes.h"

#define VH_SNAP_REGIONS_MAX (1u << 20)

enum {
    VH_SNAP_WRITES = 1 << 0,      /* VhSnapHead::has_writes */
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
 * struct VhSnapHead - a snapshot without its regions
 * @sequence: its number
 * @start_ns: when it was begun
 * @end_ns: when it was finished
 * @sampling_us: interval in force
 * @aggregation_us: interval in force
 * @max_nr_accesses: largest nr_accesses possible
 * @working_set: bytes with accesses, of all regions
 * @total: bytes of all regions
 * @nr_regions: how many there were
 * @truncated: some were left out, because they were too many
 * @has_writes: regions have nr_writes
 * @has_rates: they have rates and idle times
 * @has_write_rates: they have a write rate
 */
typedef struct VhSnapHead {
    uint64_t sequence;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t sampling_us;
    uint64_t aggregation_us;
    uint64_t max_nr_accesses;
    uint64_t working_set;
    uint64_t total;
    uint64_t nr_regions;
    bool truncated;
    bool has_writes;
    bool has_rates;
    bool has_write_rates;
} VhSnapHead;

/** enum VhRateCode - which of VhCodedRegion::rates */
enum { VH_RATE, VH_RATE_LOW, VH_RATE_HIGH, VH_RATE_WRITE, VH_RATES };

/**
 * struct VhCodedRegion - a region
 * @start: its first byte
 * @end: one past its last
 * @idle_ms: since it was accessed; 0 without VhSnapHead::has_rates
 * @nr_accesses: as in a snapshot
 * @nr_writes: 0 without has_writes
 * @age: in aggregation intervals
 * @rates: codes; 0 of what is not there
 */
typedef struct VhCodedRegion {
    uint64_t start;
    uint64_t end;
    uint64_t idle_ms;
    uint32_t nr_accesses;
    uint32_t nr_writes;
    uint32_t age;
    uint16_t rates[VH_RATES];
} VhCodedRegion;

/**
 * struct VhSnapCodec - the snapshot before, for writing and for reading
 * @head: of it
 * @regions: of it, of VhCodedRegion, as a reader has them
 * @next: scratch: those of the one being worked at
 * @bytes: addresses are in bytes, VH_SNAP_BYTES
 * @codes: for rates
 */
typedef struct VhSnapCodec {
    VhSnapHead head;
    GArray *regions;
    GArray *next;
    bool bytes;
    VhCodes codes;
} VhSnapCodec;

/** vh_snap_codec_new() - there is no snapshot before */
VhSnapCodec *vh_snap_codec_new(void);

/** vh_snap_codec_free() - NULL is fine */
void vh_snap_codec_free(VhSnapCodec *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhSnapCodec, vh_snap_codec_free)

/** vh_snap_codec_reset() - forget the snapshot before */
void vh_snap_codec_reset(VhSnapCodec *c);

/**
 * vh_snap_encode() - append a snapshot to @out
 * @c: knows the one before; now this is it
 * @head: without regions
 * @regions: sorted by address
 * @nr: how many
 * @out: where to
 *
 * Returns: NULL, or what of it cannot be written; then @out and @c are as they
 * were.
 */
const char *vh_snap_encode(VhSnapCodec *c, const VhSnapHead *head,
                           const VhCodedRegion *regions, size_t nr,
                           GByteArray *out);

/**
 * vh_snap_decode() - the next snapshot in @b
 * @c: its head and regions are set
 * @b: where from
 *
 * Returns: false when @b holds none that could have been written.
 */
bool vh_snap_decode(VhSnapCodec *c, VhBytes *b);

#endif
