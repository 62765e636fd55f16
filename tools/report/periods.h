/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Periods in which there was enough of something. */
#ifndef VMHEAT_TOOLS_PERIODS_H
#define VMHEAT_TOOLS_PERIODS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* No snapshot for so many times what is mostly between two ends a period. */
#define VH_PERIOD_GAP 10

/**
 * struct VhPeriod - one of them
 * @begin: of the first snapshot, ns
 * @end: of the last one, ns
 * @nr: snapshots
 * @min: least bytes
 * @max: most bytes
 * @mean: bytes, by the time that each snapshot took
 */
typedef struct VhPeriod {
    uint64_t begin, end, nr, min, max;
    double mean;
} VhPeriod;

/**
 * struct VhPeriods - all of them
 * @list: of VhPeriod
 * @seen: ns that all snapshots took
 * @matched: ns that those in @list took
 * @min_size: bytes of enough
 * @open: the last one of @list may go on
 * @weight: ns that its snapshots took
 * @start: of the snapshot before, ns; 0: there was none
 * @step: ns from the one before it
 */
typedef struct VhPeriods {
    GArray *list;
    uint64_t seen, matched, min_size;
    bool open;
    uint64_t weight;
    uint64_t start, step;
} VhPeriods;

/** vh_periods_init() - none yet */
void vh_periods_init(VhPeriods *p, uint64_t min_size);

/** vh_periods_clear() - free what it holds */
void vh_periods_clear(VhPeriods *p);

/** vh_periods_add() - the next snapshot: from when to when, how many bytes */
void vh_periods_add(VhPeriods *p, uint64_t start, uint64_t end, uint64_t bytes);

#endif
