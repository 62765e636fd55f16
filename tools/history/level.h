/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A level of a history: blocks of snapshots; theory of operation: history.h. */
#ifndef TOOLS_HISTORY_LEVEL_H
#define TOOLS_HISTORY_LEVEL_H

#include "history.h"
#include "report/heat-axis.h"
#include "vmheat/snap-codec.h"

/**
 * struct VhEntry - a snapshot without its regions
 * @start_us: of the time that it stands for, wall clock
 * @end_us: of that
 * @values: VhHistoryValue; NAN: not known
 */
typedef struct VhEntry {
    int64_t start_us, end_us;
    float values[VH_VALUES];
} VhEntry;

/**
 * struct VhHistoryBlock - snapshots, which never change
 * @refs: atomic
 * @nr: snapshots
 * @stored: bytes of @data
 * @unpacked: bytes of what it is packed from; @stored: it is not packed
 * @nr_spans: as it says
 * @entries: @nr of
 * @spans: addresses of all of them
 * @data: as in vmheat/snap-codec.h; packed with zlib, or not yet
 */
typedef struct VhHistoryBlock {
    int refs;
    unsigned nr;
    size_t stored, unpacked;
    size_t nr_spans;
    VhEntry *entries;
    VhRamSpan *spans;
    uint8_t *data;
} VhHistoryBlock;

/** vh_history_block_ref() - one more; any thread */
VhHistoryBlock *vh_history_block_ref(VhHistoryBlock *b);

/** vh_history_block_unref() - one less; any thread */
void vh_history_block_unref(VhHistoryBlock *b);

/** vh_history_block_bytes() - memory that it takes */
size_t vh_history_block_bytes(const VhHistoryBlock *b);

/** vh_history_block_start() - time of its first snapshot */
static inline int64_t vh_history_block_start(const VhHistoryBlock *b)
{
    return b->entries[0].start_us;
}

/** vh_history_block_end() - time of its last one */
static inline int64_t vh_history_block_end(const VhHistoryBlock *b)
{
    return b->entries[b->nr - 1].end_us;
}

/**
 * vh_history_block_data() - what it is packed from
 * @b: the block
 * @buffer: for that
 * @bytes: set
 */
void vh_history_block_data(const VhHistoryBlock *b, GByteArray *buffer,
                           VhBytes *bytes);

/**
 * struct VhLevel - blocks, and snapshots that are not in one yet
 * @blocks: VhHistoryBlock queue, oldest first
 * @bytes: of all of them
 * @nr_plain: so many of them, the latest, were not packed yet
 * @plain: bytes of their data
 * @block_bytes: so much makes a block
 * @codec: knows the snapshot before
 * @raw: those not in a block
 * @entries: VhEntry array, the same
 * @axis: addresses of these
 * @last: addresses of the last
 * @regions_peak: most regions that @codec had
 * @raw_peak: most bytes that @raw had
 */
typedef struct VhLevel {
    GQueue blocks;
    uint64_t bytes;
    unsigned nr_plain;
    uint64_t plain;
    size_t block_bytes;
    VhSnapCodec *codec;
    GByteArray *raw;
    GArray *entries;
    VhHeatAxis axis;
    VhHeatAxis last;
    size_t regions_peak;
    size_t raw_peak;
} VhLevel;

/** vh_level_init() - nothing in it */
void vh_level_init(VhLevel *l, size_t block_bytes);

/** vh_level_clear() - free what it holds */
void vh_level_clear(VhLevel *l);

/** vh_level_add() - the next snapshot; returns false when it is none */
bool vh_level_add(VhLevel *l, const VhSnapHead *head,
                  const VhCodedRegion *regions, size_t nr, const VhEntry *e);

/** vh_level_seal() - a block of what is not in one yet */
void vh_level_seal(VhLevel *l);

/** vh_level_pack() - pack the oldest block that is not; @l->nr_plain is not 0
 */
void vh_level_pack(VhLevel *l);

/** vh_level_open() - a copy of what is not in a block yet; NULL: nothing */
VhHistoryBlock *vh_level_open(const VhLevel *l);

/** vh_level_drop() - the oldest block goes; returns false: there is none */
bool vh_level_drop(VhLevel *l);

/** vh_level_drop_from() - blocks that end later go */
void vh_level_drop_from(VhLevel *l, int64_t us);

/** vh_level_bytes() - memory besides its blocks */
size_t vh_level_bytes(const VhLevel *l);

#endif
