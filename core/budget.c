/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token buckets and self-throttling; theory of operation in budget.h. */
#include <glib.h>
#include <math.h>

#include "budget.h"

#define NS_PER_S 1e9
#define FIRE_SHARE 0.6
#define ARM_SHARE 0.6
#define BATCH_SHARE 0.25
#define WORKER_FACTOR 2.0
#define BURST_S 0.25
#define SMOOTH_S 1.0
#define STEP_S 0.25
#define RELAX_BELOW 0.8
#define RELAX_FACTOR_MIN 0.7
#define STRETCH_FACTOR_MAX 2.0
#define OUTLIER 4.0
#define FIRST_TICKS 3
#define USUAL_GAIN 0.125
#define ASK_SHARE 0.07
#define ASK_NS 1500.0 /* collecting an answer and learning from it */

void vh_budget_set_limits(VhBudget *b, const VhLimits *limits, bool nested)
{
    b->guest_share = limits->budget_bp / 10000.0;
    b->traps = limits->traps_per_second ? limits->traps_per_second
               : nested                 ? VH_TRAPS_NESTED
                                        : VH_TRAPS_BARE;
    b->fires = MIN(b->fires, MAX(1, b->traps * BURST_S));
}

void vh_budget_init(VhBudget *b, const VhLimits *limits, bool nested,
                    uint64_t now_ns)
{
    *b = (VhBudget){ .stretch = 1, .last_ns = now_ns, .stepped_ns = now_ns };
    vh_budget_set_limits(b, limits, nested);
    b->fires = MAX(1, b->traps * BURST_S);
    b->arm_room = b->guest_share * ARM_SHARE * BURST_S * NS_PER_S;
    b->arm_ns = b->arm_room;
}

/* Seconds' worth of tokens to keep: at least what comes in one interval. */
static double burst_s(const VhBudget *b, uint64_t sampling_ns)
{
    return CLAMP(sampling_ns / NS_PER_S * b->stretch, BURST_S, 1.0);
}

static double affordable_fires(const VhBudget *b, const VhPrimitiveStats *now)
{
    return now->fire_ns ? MIN(b->traps, b->guest_share * FIRE_SHARE * NS_PER_S /
                                            now->fire_ns)
                        : b->traps;
}

static void refill_fires(VhBudget *b, double dt, double burst,
                         const VhPrimitiveStats *now)
{
    double rate = affordable_fires(b, now);

    b->fires -= now->fires - b->seen.primitive.fires;
    b->fires = MIN(b->fires + rate * dt, MAX(1, rate * burst));
}

static void refill_arms(VhBudget *b, double dt, double burst,
                        const VhPrimitiveStats *now)
{
    uint64_t arms = now->arms - b->seen.primitive.arms;
    uint64_t vcpu_ns = now->vcpu_ns - b->seen.primitive.vcpu_ns;
    double rate = b->guest_share * ARM_SHARE * NS_PER_S;

    if (arms || vcpu_ns) {
        b->on_vcpus = vcpu_ns > 0; /* the latest batch: it can change */
    }
    rate *= b->on_vcpus ? 1 : WORKER_FACTOR;
    b->batch_ns = now->arm_batch_ns;
    b->one_arm_ns = now->arm_ns;
    b->arm_room = MAX(rate * burst, b->batch_ns + b->one_arm_ns);
    if (b->on_vcpus) {
        b->arm_ns -= vcpu_ns;
    } else if (arms) {
        b->arm_ns -= b->batch_ns + arms * b->one_arm_ns;
    }
    b->arm_ns = MIN(b->arm_ns + rate * dt, b->arm_room);
}

static void smooth(double *load, double *spent_ns, double dt)
{
    *load += (*spent_ns / NS_PER_S / dt - *load) * -expm1(-dt / SMOOTH_S);
    *spent_ns = 0;
}

/* @spent in one tick, but at most OUTLIER times what ticks usually take. */
static double without_outliers(VhBudget *b, double spent)
{
    if (!spent) {
        return 0;
    }
    if (b->first_ticks < FIRST_TICKS) {
        b->usual_tick_ns =
            b->first_ticks++ ? MIN(b->usual_tick_ns, spent) : spent;
        return 0;
    }
    spent = MIN(spent, b->usual_tick_ns * OUTLIER);
    b->usual_tick_ns += (spent - b->usual_tick_ns) * USUAL_GAIN;
    return spent;
}

/* How far above the budget: 1 is exactly at it. */
static double pressure(const VhBudget *b)
{
    return MAX(b->guest_load / b->guest_share,
               b->worker_load / (b->guest_share * WORKER_FACTOR));
}

/* Stretch at which the fixed cost of a batch is BATCH_SHARE of the budget. */
static double least_stretch(const VhBudget *b, uint64_t sampling_ns)
{
    double payer = b->guest_share * (b->on_vcpus ? 1 : WORKER_FACTOR);

    return b->batch_ns / (payer * BATCH_SHARE * sampling_ns);
}

static void step(VhBudget *b, uint64_t now_ns, uint64_t sampling_ns)
{
    double p = pressure(b);
    double least = CLAMP(least_stretch(b, sampling_ns), 1, VH_STRETCH_MAX);

    if (now_ns - b->stepped_ns < STEP_S * NS_PER_S) {
        return;
    }
    b->stepped_ns = now_ns;
    if (p > 1) {
        b->stretch *= MIN(p, STRETCH_FACTOR_MAX);
    } else if (p < RELAX_BELOW) {
        b->stretch *= MAX(p / RELAX_BELOW, RELAX_FACTOR_MIN);
    }
    b->stretch = CLAMP(b->stretch, least, VH_STRETCH_MAX);
}

void vh_budget_update(VhBudget *b, uint64_t now_ns, uint64_t sampling_ns,
                      const VhCosts *costs)
{
    const VhPrimitiveStats *now = &costs->primitive;
    double dt = (now_ns - b->last_ns) / NS_PER_S;
    double burst = burst_s(b, sampling_ns);

    if (!costs->batch) {
        b->guest_ns +=
            (double)(now->fires - b->seen.primitive.fires) * now->fire_ns;
    }
    b->guest_ns += now->vcpu_ns - b->seen.primitive.vcpu_ns;
    b->worker_ns += now->host_ns - b->seen.primitive.host_ns;
    b->worker_ns += costs->other_ns - b->seen.other_ns;
    b->worker_ns += without_outliers(b, costs->worker_ns - b->seen.worker_ns);
    refill_fires(b, dt, burst, now);
    refill_arms(b, dt, burst, now);
    if (dt > 0) {
        smooth(&b->guest_load, &b->guest_ns, dt);
        smooth(&b->worker_load, &b->worker_ns, dt);
        step(b, now_ns, sampling_ns);
    }
    b->last_ns = now_ns;
    b->seen = *costs;
}

void vh_budget_owe(VhBudget *b, double fires)
{
    b->fires -= fires;
}

void vh_budget_plan(const VhBudget *b, VhPlanBudget *out)
{
    double spare_ns = b->arm_ns - b->batch_ns;

    out->max_fires = MAX(b->fires, 0);
    out->fires_per_s = affordable_fires(b, &b->seen.primitive);
    out->asks_per_s =
        b->guest_share * WORKER_FACTOR * ASK_SHARE * NS_PER_S / ASK_NS;
    if (!b->one_arm_ns) {
        out->max_arms = b->arm_ns >= 0 ? SIZE_MAX : 0;
    } else {
        out->max_arms = spare_ns > 0 ? spare_ns / b->one_arm_ns : 0;
    }
}
