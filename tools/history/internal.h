/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the history share; theory of operation: history.h. */
#ifndef TOOLS_HISTORY_INTERNAL_H
#define TOOLS_HISTORY_INTERNAL_H

#include "history.h"
#include "level.h"
#include "ranges.h"
#include "source.h"

#define VH_LEVELS 4
#define VH_SECOND_US G_GINT64_CONSTANT(1000000)

/**
 * struct VhHistoryView - what there was at a moment
 * @step_us: of each level; 0: as given
 * @blocks: of each level, VhHistoryBlock, oldest first
 * @ranges: VhRanges, oldest first
 * @source: the record; NULL: none
 */
struct VhHistoryView {
    int64_t step_us[VH_LEVELS];
    GPtrArray *blocks[VH_LEVELS];
    GPtrArray *ranges;
    VhSource *source;
};

/**
 * struct VhPart - from where a time is read
 * @from_us: of the time
 * @to_us: end of it
 * @level: of the view; VH_LEVELS: the record
 */
typedef struct VhPart {
    int64_t from_us, to_us;
    unsigned level;
} VhPart;

/**
 * vh_plan() - from where a time is to be read
 * @v: the view
 * @from_us: of the time
 * @to_us: end of it
 * @level: preferred; where it has nothing finer ones are taken, where they have
 *     nothing either coarser ones, and the record before the first of all
 *
 * Returns: VhPart array, ascending; not all of the time need be in it.
 */
GArray *vh_plan(const VhHistoryView *v, int64_t from_us, int64_t to_us,
                unsigned level);

/**
 * vh_plan_level() - the coarsest level that is not coarser than that
 * @v: the view
 * @step_us: that
 */
unsigned vh_plan_level(const VhHistoryView *v, int64_t step_us);

/**
 * struct VhPiece - a snapshot that is read
 * @start_us: of the time that it stands for, as far as it is wanted
 * @end_us: of that
 * @entry: NULL: of a record
 * @codec: has its head and regions
 */
typedef struct VhPiece {
    int64_t start_us, end_us;
    const VhEntry *entry;
    const VhSnapCodec *codec;
} VhPiece;

typedef void VhPieceFunc(void *opaque, const VhPiece *p);

/**
 * vh_walk() - read all snapshots of a time, in order
 * @v: the view
 * @parts: vh_plan()
 * @from_us: of the time
 * @to_us: end of it
 * @func: called with each
 * @opaque: for it
 */
void vh_walk(const VhHistoryView *v, const GArray *parts, int64_t from_us,
             int64_t to_us, VhPieceFunc *func, void *opaque);

/**
 * vh_walk_last() - the same, of what a level has before a time
 * @level: of the view; VH_LEVELS: the record
 * @end_us: that time; the snapshot that ends there is the last one told
 */
void vh_walk_last(const VhHistoryView *v, unsigned level, int64_t end_us,
                  VhPieceFunc *func, void *opaque);

/** vh_values_of() - what a snapshot tells, and @p; NAN: not known */
void vh_values_of(const VhSnapshot *s, const VhHistoryPoint *p,
                  float out[static VH_VALUES]);

/** vh_history_block_at() - the first block that ends behind @us; or length */
guint vh_history_block_at(const GPtrArray *blocks, int64_t us);

/** vh_history_entry_at() - the first snapshot that ends behind @us; or number
 */
unsigned vh_history_entry_at(const VhHistoryBlock *b, int64_t us);

/**
 * vh_stands_since() - where the time begins that a snapshot stands for
 * @s: the snapshot
 * @before: the one before; its end_ns is 0: there is none
 *
 * Returns: ns, at most s->start_ns.
 */
uint64_t vh_stands_since(const VhSnapHead *s, const VhSnapHead *before);

#endif
