/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes the snapshots of a coarser level: means of windows of time.
 *
 * A snapshot that lasts three quarters of a window or more is its own mean. Of
 * others the first of a window is only kept, and summed up when there is a
 * second.
 */
#ifndef TOOLS_HISTORY_FOLD_H
#define TOOLS_HISTORY_FOLD_H

#include "level.h"
#include "merge.h"

/**
 * struct VhFold - a mean that is being made
 * @step_us: of windows; they begin at multiples of it
 * @merge: regions
 * @only: VhCodedRegion array, of the one snapshot that there is; not in @merge
 * @done: the same, of the window before
 * @only_us: time of the latest snapshot
 * @peak: most regions that @only had
 * @head: of the last snapshot
 * @entry: its values are sums
 * @known: time for which values are known, us
 * @nr: snapshots
 */
typedef struct VhFold {
    int64_t step_us;
    VhMerge *merge;
    GArray *only;
    GArray *done;
    double only_us;
    size_t peak;
    VhSnapHead head;
    VhEntry entry;
    double sums[VH_VALUES];
    double known[VH_VALUES];
    unsigned nr;
} VhFold;

/** vh_fold_init() - nothing was added */
void vh_fold_init(VhFold *f, int64_t step_us, size_t regions);

/** vh_fold_clear() - free what it holds */
void vh_fold_clear(VhFold *f);

/** vh_fold_forget() - nothing was added */
void vh_fold_forget(VhFold *f);

/** vh_fold_bytes() - memory that it takes */
size_t vh_fold_bytes(const VhFold *f);

/** vh_fold_is_due() - does a snapshot belong to another mean? */
bool vh_fold_is_due(const VhFold *f, const VhSnapHead *head, const VhEntry *e);

/**
 * vh_fold_is_mean() - does a snapshot last about as long as a window?
 *
 * Then it is a mean by itself. Which it is depends on how long it lasts, not on
 * where windows begin, so that what comes regularly is always the same.
 */
bool vh_fold_is_mean(const VhFold *f, size_t nr, const VhEntry *e);

/** vh_fold_add() - the next snapshot */
void vh_fold_add(VhFold *f, const VhSnapHead *head,
                 const VhCodedRegion *regions, size_t nr, const VhEntry *e);

/**
 * vh_fold_end() - the mean; then nothing was added
 * @f: has some
 * @entry: set
 *
 * Returns: regions, of VhCodedRegion; @f's until the next call.
 */
const GArray *vh_fold_end(VhFold *f, VhEntry *entry);

#endif
