/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The budget: keeps monitoring below what the user allows it to cost.
 *
 * Theory of operation
 * -------------------
 * Two token buckets decide what the next plan may cause:
 *   fires  traps_per_second a second, or fewer when that many would cost more
 *          than FIRE_SHARE of the guest's budget at the measured cost;
 *   arms   nanoseconds of arming, ARM_SHARE of the budget of whoever pays
 *          (the vCPUs when arming runs on them, else the worker).
 * Tokens are fractional and a quarter of a second's worth can be saved up.
 * What really happened is charged afterwards, so a bucket can go below zero:
 * then nothing that costs is planned until it is repaid.
 *
 * A feedback loop looks at what was spent in all: guest time (fires at their
 * estimated cost, plus time taken from vCPU threads) against budget_bp, and
 * worker CPU time against twice that, both smoothed over a second. Above the
 * budget the sampling interval is stretched, up to 16 times; below 80 % of it
 * the stretch is taken back in proportion, at most 30 % a step, so that a short
 * disturbance is forgotten soon. Steps are a quarter of a second apart. The
 * interval is also stretched until the fixed cost of a batch of arms is at
 * most BATCH_SHARE of the payer's budget: else batches would eat the arms.
 *
 * A tick whose thread lost its CPU to somebody else can seem to take a hundred
 * times longer than others. It counts with at most OUTLIER times what ticks
 * usually take; when ticks really get dearer, that follows within a few. The
 * first FIRST_TICKS only tell, by their minimum, what is usual: believing a
 * first tick of 50 ms would slow monitoring down 16 times for seconds.
 *
 * Limits: a fire of a page armed for an earlier check that was silent, and
 * that no check asks about again, is not seen, so not charged. There is at
 * most one for each arm, so arms bound them. An estimator that leaves pages
 * armed on purpose says how many fires that will be, vh_budget_owe().
 *
 * Pages left armed cost the worker when they are asked about. ASK_SHARE of its
 * budget is for that, at ASK_NS each.
 *
 * Pure arithmetic on the times it is given.
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include "vmheat/estimator.h"
#include "vmheat/monitor.h"

#define VH_STRETCH_MAX 16.0

/**
 * struct VhCosts - what was spent since the monitor began
 * @primitive: the primitive's counters and measured costs
 * @worker_ns: CPU time of ticks
 * @other_ns: CPU time the worker spent on something else
 * @batch: VhCaps::batch of the primitive: it keeps to the fires it is allowed
 *         by itself, in bursts, and no interval has to be stretched for them
 */
typedef struct VhCosts {
    VhPrimitiveStats primitive;
    uint64_t worker_ns;
    uint64_t other_ns;
    bool batch;
} VhCosts;

/**
 * struct VhBudget - state of the budget; read with the functions below
 * @guest_share: allowed guest time, as a share of wall time
 * @traps: allowed fires a second, before looking at their cost
 * @fires: tokens: fires that may happen now
 * @arm_ns: tokens: nanoseconds of arming that may happen now
 * @arm_room: most @arm_ns that can be saved
 * @batch_ns: measured cost of one batch of arms
 * @one_arm_ns: measured cost of one arm
 * @on_vcpus: arming takes its time from vCPU threads
 * @guest_load: smoothed guest time, as a share of wall time
 * @worker_load: smoothed worker time, as a share of wall time
 * @stretch: factor on the sampling interval, 1 .. VH_STRETCH_MAX
 * @guest_ns: guest time spent and not in @guest_load yet
 * @worker_ns: worker time spent and not in @worker_load yet
 * @usual_tick_ns: what a tick usually costs the worker, smoothed
 * @first_ticks: ticks so far, up to FIRST_TICKS
 * @last_ns: time of the last update
 * @stepped_ns: time of the last change of @stretch
 * @seen: costs at the last update
 */
typedef struct VhBudget {
    double guest_share;
    double traps;
    double fires;
    double arm_ns;
    double arm_room;
    double batch_ns;
    double one_arm_ns;
    bool on_vcpus;
    double guest_load;
    double worker_load;
    double stretch;
    double guest_ns;
    double worker_ns;
    double usual_tick_ns;
    unsigned first_ticks;
    uint64_t last_ns;
    uint64_t stepped_ns;
    VhCosts seen;
} VhBudget;

/** vh_budget_init() - full buckets at @now_ns */
void vh_budget_init(VhBudget *b, const VhLimits *limits, bool nested,
                    uint64_t now_ns);

/** vh_budget_set_limits() - from now on; what is owed stays owed */
void vh_budget_set_limits(VhBudget *b, const VhLimits *limits, bool nested);

/**
 * vh_budget_update() - time went by and this was spent
 * @now_ns: not before the last update; an equal time only charges
 * @sampling_ns: sampling interval the user asked for
 * @costs: totals so far
 */
void vh_budget_update(VhBudget *b, uint64_t now_ns, uint64_t sampling_ns,
                      const VhCosts *costs);

/** vh_budget_owe() - @fires will happen that no statistics will tell */
void vh_budget_owe(VhBudget *b, double fires);

/** vh_budget_plan() - fill in max_fires and max_arms */
void vh_budget_plan(const VhBudget *b, VhPlanBudget *out);

#endif
