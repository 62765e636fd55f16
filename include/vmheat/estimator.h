/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of an estimator: it decides which pages are worth checking and
 * turns the answers into regions.
 *
 * The monitor drives it, all from one thread:
 *   each sampling interval:
 *     observe(checks that were planned last time, now answered)
 *     aggregate()       when the aggregation interval is over
 *     set_ranges()      when the update interval is over and the map changed
 *     plan(budget)      fills the checks for the coming interval
 */
#ifndef VMHEAT_ESTIMATOR_H
#define VMHEAT_ESTIMATOR_H

#include "vmheat/primitive.h"
#include "vmheat/snapshot.h"
#include "vmheat/types.h"

/**
 * struct VhPlanBudget - what one plan() may cause
 * @max_checks: room in the output array
 * @max_arms: most checks that may be planned on pages believed mapped
 * @max_fires: most checks that may be expected to fire. Checks of pages
 *             believed cold are not counted.
 * @write: plan checks for writes only (VhCheck::write); answers to these tell
 *         nr_writes
 * @persistent: a page that was armed and found silent is still armed, so that
 *              it can be asked about again with a check in state ARMED
 * @fires_per_s: what @max_fires grows by in a second
 * @asks_per_s: checks a second of pages left armed that the worker can afford
 */
typedef struct VhPlanBudget {
    size_t max_checks;
    size_t max_arms;
    double max_fires;
    bool write;
    bool persistent;
    double fires_per_s;
    double asks_per_s;
} VhPlanBudget;

/**
 * struct VhEstimatorOps - one estimator
 * @name: as in the ``estimator`` property
 * @summary: one line for humans
 * @create: a new state for @attrs; @rng is copied
 * @destroy: frees it
 * @set_attrs: use @attrs from now on; existing regions are kept and their
 *             nr_accesses and age rescaled as DAMON does on online updates
 * @set_ranges: watch these sorted ranges, none of which touches another;
 *              regions outside are cut off, those inside keep their history
 * @restart: forget what was observed since the last aggregate(): time went by
 *           in which nobody looked
 * @tick: a tick begins, at this time of the monitor's clock; comes before what
 *        else is done in it. May be NULL.
 * @shorter: called after all plan()s of a tick: how many times shorter than the
 *           sampling interval the coming interval is to be, 1 for no change. May
 *           be NULL.
 * @plan: fill @out with checks, returns how many. First those to arm, in state
 *        VH_CHECK_NEW. Then, with VhPlanBudget::persistent only, those that
 *        were armed in an earlier interval and left armed, in state
 *        VH_CHECK_ARMED: they are not armed again, only collected, and their
 *        answer speaks for the time since they were last armed or found
 *        silent. Each needs the granule that arm() said. A page stays armed
 *        while nobody asks about it; not after an answer other than SILENT,
 *        set_ranges() or restart().
 * @owed: called after each plan(): how many fires are to be expected, since it
 *        was called last, of pages that were left armed and that nobody will
 *        ask about. May be NULL.
 * @observe: learn from answered checks; unknown and SKIPPED/LOST ones are
 *           ignored
 * @aggregate: close the aggregation interval; returns a new snapshot with
 *             regions filled in (the monitor sets sequence and times)
 * @reset_age: memory in this range begins a new age; may split regions that
 *             reach beyond it. Checks under way stay good. May be NULL.
 * @bytes: memory it holds, for VhMonitorStats; may be NULL
 */
typedef struct VhEstimatorOps {
    const char *name;
    const char *summary;
    void *(*create)(const VhAttrs *attrs, const VhRng *rng);
    void (*destroy)(void *e);
    void (*set_attrs)(void *e, const VhAttrs *attrs);
    void (*set_ranges)(void *e, const VhRange *ranges, size_t n);
    void (*restart)(void *e);
    void (*tick)(void *e, uint64_t now_ns);
    unsigned (*shorter)(void *e);
    size_t (*plan)(void *e, const VhPlanBudget *budget, VhCheck *out);
    double (*owed)(void *e);
    void (*observe)(void *e, const VhCheck *checks, size_t n);
    VhSnapshot *(*aggregate)(void *e);
    void (*reset_age)(void *e, VhRange r);
    size_t (*bytes)(const void *e);
} VhEstimatorOps;

/** vh_estimators() - all estimators, default first, NULL terminated */
const VhEstimatorOps *const *vh_estimators(void);

/** vh_estimator_find() - by name; NULL when unknown */
const VhEstimatorOps *vh_estimator_find(const char *name);

#endif
