/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: DAMON's kdamond loop without a thread of its own. Whoever owns
 * it (hw/worker.c, a test, a simulator) calls vh_monitor_tick() when the time
 * it returned has come. Time and randomness are injected.
 */
#ifndef VMHEAT_MONITOR_H
#define VMHEAT_MONITOR_H

#include "vmheat/estimator.h"
#include "vmheat/limits.h"
#include "vmheat/primitive.h"
#include "vmheat/snapshot.h"

/**
 * struct VhSensor - a primitive to use
 * @ops: the primitive; NULL: none
 * @caps: what its probe said
 */
typedef struct VhSensor {
    const VhPrimitiveOps *ops;
    VhCaps caps;
} VhSensor;

/**
 * struct VhMonitorConfig - what a monitor is made from
 * @attrs: monitoring attributes, already checked
 * @limits: cost limits, already checked
 * @estimator: estimator to use
 * @primitive: what to see accesses with
 * @writes: what to see writes with, apart from other accesses; may be none
 * @host: surroundings; must outlive the monitor
 * @cpu: CPU time of the calling thread, for the budget; now_ns may be NULL
 * @seed: of the random number source
 */
typedef struct VhMonitorConfig {
    VhAttrs attrs;
    VhLimits limits;
    const VhEstimatorOps *estimator;
    VhSensor primitive;
    VhSensor writes;
    const VhHost *host;
    VhClock cpu;
    uint64_t seed;
} VhMonitorConfig;

/**
 * struct VhMonitorStats - counters since vh_monitor_new()
 * @ticks: sampling intervals done
 * @aggregations: snapshots published
 * @checks: access checks planned
 * @skipped: checks that could not be armed
 * @nr_regions: of the latest snapshot
 * @worker_ns: CPU time used by ticks
 * @other_ns: CPU time that vh_monitor_charge() was told of
 * @effective_sampling_us: sampling interval after self-throttling
 * @throttled: the budget, not the user, sets the sampling interval
 * @primitive: the primitive's own figures
 * @writes: those of the primitive for writes
 * @estimator_bytes: memory the estimator held at the latest tick; 0 when it
 *                   doesn't say
 */
typedef struct VhMonitorStats {
    uint64_t ticks;
    uint64_t aggregations;
    uint64_t checks;
    uint64_t skipped;
    uint64_t nr_regions;
    uint64_t worker_ns;
    uint64_t other_ns;
    uint64_t effective_sampling_us;
    bool throttled;
    VhPrimitiveStats primitive;
    VhPrimitiveStats writes;
    uint64_t estimator_bytes;
} VhMonitorStats;

typedef struct VhMonitor VhMonitor;

/** vh_monitor_new() - opens the primitives; NULL and @why when it cannot */
VhMonitor *vh_monitor_new(const VhMonitorConfig *cfg, char **why);

/**
 * vh_monitor_set_primitives() - use these from now on
 *
 * Regions stay; the map is let go of. The counters of the statistics that are
 * the primitives' begin anew. False and @why when @primitive cannot be opened:
 * then there is none, and only this function, idle, free and what other threads
 * may call may be called. @writes may fail: see vh_monitor_broken().
 */
bool vh_monitor_set_primitives(VhMonitor *m, const VhSensor *primitive,
                               const VhSensor *writes, char **why);

/**
 * vh_monitor_broken() - has a primitive stopped working?
 * @writes: out: it is the one for writes, which was given up; monitoring goes
 *          on without it, and the next call says nothing of it
 *
 * Returns a sentence why (g_free), or NULL.
 */
char *vh_monitor_broken(VhMonitor *m, bool *writes);

/** vh_monitor_free() - releases the primitive and everything else */
void vh_monitor_free(VhMonitor *m);

/** vh_monitor_set_attrs() - both already checked; from the next tick on */
void vh_monitor_set_attrs(VhMonitor *m, const VhAttrs *attrs,
                          const VhLimits *limits);

/**
 * vh_monitor_set_map() - watch @map from now on
 *
 * Takes its own reference. False and @why when the primitive refuses; the
 * monitor then has no map and ticks do nothing until a map is accepted.
 */
bool vh_monitor_set_map(VhMonitor *m, VhMap *map, char **why);

/**
 * vh_monitor_pause() - there will be no tick for a while
 *
 * Checks under way are forgotten and the next tick begins a new aggregation;
 * the map, the primitive's hold on it, and the regions stay.
 */
void vh_monitor_pause(VhMonitor *m);

/** vh_monitor_idle() - let go of the map until the next vh_monitor_set_map() */
void vh_monitor_idle(VhMonitor *m);

/**
 * vh_monitor_tick() - do one sampling interval
 *
 * Returns the clock time in ns at which it wants to be called again. Being
 * called late is fine: intervals stretch, nothing is made up.
 */
uint64_t vh_monitor_tick(VhMonitor *m);

/**
 * vh_monitor_charge() - the ticking thread spent CPU time on something else
 *
 * It counts against the budget, and shows in the statistics at once.
 */
void vh_monitor_charge(VhMonitor *m, uint64_t cpu_ns);

/**
 * vh_monitor_reset_age() - memory in @r begins a new age
 *
 * A scheme's action was tried on it. Does nothing while a primitive delivers
 * whole regions, which are not the monitor's to change.
 */
void vh_monitor_reset_age(VhMonitor *m, VhRange r);

/** vh_monitor_snapshot() - latest snapshot with a new reference, or NULL */
VhSnapshot *vh_monitor_snapshot(VhMonitor *m);

/** vh_monitor_ranges() - watched ranges, a copy for g_free(); any thread */
VhRange *vh_monitor_ranges(VhMonitor *m, size_t *n);

/** vh_monitor_stats() - copy of the counters */
void vh_monitor_stats(VhMonitor *m, VhMonitorStats *out);

#endif
