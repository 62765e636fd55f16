/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: one sampling interval per tick.
 *
 * Theory of operation
 * -------------------
 * A tick does, in this order:
 *   collect    ask the primitive about the pages armed last time
 *   observe    hand the answers to the estimator
 *   aggregate  when the aggregation interval is over and at least one check
 *              was answered in it, publish a new snapshot
 *   plan, arm  for the coming interval, within the budget
 * and returns when it wants to be called again. A call before that time does
 * nothing; a late call makes one long interval, never several made-up ones.
 * An aggregation in which throttling left no answer at all is extended.
 *
 * Nothing is allocated in a tick except the snapshot: checks are kept in an
 * array made for max_regions.
 *
 * Threads: one thread calls everything, except vh_monitor_snapshot(),
 * vh_monitor_ranges() and vh_monitor_stats(), which any thread may call at any
 * time. They only take
 * @lock, which is held for a copy and never across a call elsewhere. It is a
 * pthread mutex, not glib's, because thread sanitizers understand that one.
 *
 * The update interval is the owner's: it looks at the guest memory map when
 * it wants and calls vh_monitor_set_map().
 */
#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "budget.h"
#include "vmheat/monitor.h"

struct VhMonitor {
    VhAttrs attrs;
    VhLimits limits;
    const VhEstimatorOps *estimator;
    const VhPrimitiveOps *primitive;
    const VhHost *host;
    VhClock cpu;
    void *est;
    void *prim;
    VhMap *map;

    VhCheck *checks; /* planned for the running interval */
    size_t nr_checks;
    size_t room;
    VhBudget budget;

    bool started; /* false: the next tick starts an aggregation */
    uint64_t last_tick_ns;
    uint64_t aggregation_ns; /* when the aggregation began */
    uint64_t answered;       /* checks in this aggregation */
    VhMonitorStats now;      /* the ticking thread's own */

    pthread_mutex_t lock; /* protects what follows */
    VhSnapshot *snapshot;
    VhRange *ranges;
    size_t nr_ranges;
    VhMonitorStats stats;
};

static void reserve_checks(VhMonitor *m)
{
    if (m->attrs.max_regions > m->room) {
        m->room = m->attrs.max_regions;
        m->checks = g_renew(VhCheck, m->checks, m->room);
    }
}

static uint64_t sampling_ns(const VhMonitor *m)
{
    return m->attrs.sampling_us * 1000 * m->budget.stretch;
}

VhMonitor *vh_monitor_new(const VhMonitorConfig *cfg, char **why)
{
    void *prim = cfg->primitive->open(cfg->host, why);
    VhMonitor *m;
    VhRng rng;

    if (!prim) {
        return NULL;
    }
    m = g_new0(VhMonitor, 1);
    m->attrs = cfg->attrs;
    m->limits = cfg->limits;
    m->estimator = cfg->estimator;
    m->primitive = cfg->primitive;
    m->host = cfg->host;
    m->cpu = cfg->cpu;
    m->prim = prim;
    vh_rng_seed(&rng, cfg->seed);
    m->est = m->estimator->create(&m->attrs, &rng);
    pthread_mutex_init(&m->lock, NULL);
    reserve_checks(m);
    vh_budget_init(&m->budget, &m->limits, m->host->nested,
                   vh_clock_now(&m->host->clock));
    m->now.effective_sampling_us = m->attrs.sampling_us;
    m->stats = m->now;
    return m;
}

void vh_monitor_free(VhMonitor *m)
{
    if (!m) {
        return;
    }
    m->primitive->release(m->prim);
    m->estimator->destroy(m->est);
    vh_map_unref(m->map);
    vh_snapshot_unref(m->snapshot);
    g_free(m->ranges);
    pthread_mutex_destroy(&m->lock);
    g_free(m->checks);
    g_free(m);
}

static void publish_stats(VhMonitor *m)
{
    m->now.effective_sampling_us = sampling_ns(m) / 1000;
    m->now.throttled = m->budget.stretch > 1;
    pthread_mutex_lock(&m->lock);
    m->stats = m->now;
    pthread_mutex_unlock(&m->lock);
}

void vh_monitor_set_attrs(VhMonitor *m, const VhAttrs *attrs,
                          const VhLimits *limits)
{
    m->attrs = *attrs;
    m->limits = *limits;
    m->estimator->set_attrs(m->est, attrs);
    vh_budget_set_limits(&m->budget, limits, m->host->nested);
    reserve_checks(m);
    publish_stats(m);
}

static void drop_map(VhMonitor *m)
{
    vh_map_unref(m->map);
    m->map = NULL;
    m->nr_checks = 0;
    m->started = false;
}

static bool covers(const VhMonitor *m, const VhMapSection *s)
{
    return s->size &&
           (!m->primitive->covers || m->primitive->covers(m->prim, s));
}

/* What the primitive can check of the map: touching sections merged. */
static size_t merged_ranges(const VhMonitor *m, const VhMap *map, VhRange *out)
{
    size_t n = 0;

    for (size_t i = 0; i < map->nr; i++) {
        const VhMapSection *s = &map->sections[i];

        if (!covers(m, s)) {
            continue;
        }
        if (n && out[n - 1].end == s->gpa) {
            out[n - 1].end += s->size;
        } else {
            out[n++] = (VhRange){ s->gpa, s->gpa + s->size };
        }
    }
    return n;
}

static void publish_ranges(VhMonitor *m, VhRange *ranges, size_t n)
{
    VhRange *old;

    pthread_mutex_lock(&m->lock);
    old = m->ranges;
    m->ranges = ranges;
    m->nr_ranges = n;
    pthread_mutex_unlock(&m->lock);
    g_free(old);
}

bool vh_monitor_set_map(VhMonitor *m, VhMap *map, char **why)
{
    VhRange *ranges;
    size_t n;
    bool was_running = m->map && m->started;

    vh_map_ref(map);
    if (!m->primitive->set_map(m->prim, map, why)) {
        vh_map_unref(map);
        drop_map(m);
        publish_ranges(m, NULL, 0);
        return false;
    }
    drop_map(m);
    m->map = map;
    m->started = was_running; /* a new map does not end the aggregation */
    ranges = g_new(VhRange, map->nr + 1);
    n = merged_ranges(m, map, ranges);
    m->estimator->set_ranges(m->est, ranges, n);
    publish_ranges(m, ranges, n);
    return true;
}

void vh_monitor_pause(VhMonitor *m)
{
    m->nr_checks = 0;
    m->started = false;
}

void vh_monitor_idle(VhMonitor *m)
{
    if (m->map && m->primitive->idle) {
        m->primitive->idle(m->prim);
    }
    drop_map(m);
}

static void collect(VhMonitor *m)
{
    if (!m->nr_checks) {
        return;
    }
    m->primitive->collect(m->prim, m->checks, m->nr_checks);
    for (size_t i = 0; i < m->nr_checks; i++) {
        VhCheckState state = m->checks[i].state;

        m->answered += state == VH_CHECK_FIRED || state == VH_CHECK_SILENT;
    }
    m->estimator->observe(m->est, m->checks, m->nr_checks);
    m->nr_checks = 0;
}

static void publish_snapshot(VhMonitor *m, VhSnapshot *s)
{
    VhSnapshot *old;

    pthread_mutex_lock(&m->lock);
    old = m->snapshot;
    m->snapshot = s;
    pthread_mutex_unlock(&m->lock);
    vh_snapshot_unref(old);
}

static void aggregate(VhMonitor *m, uint64_t now)
{
    VhSnapshot *s;

    if (!m->answered ||
        now - m->aggregation_ns < m->attrs.aggregation_us * 1000) {
        return;
    }
    s = m->estimator->aggregate(m->est);
    s->sequence = ++m->now.aggregations;
    s->start_ns = m->aggregation_ns;
    s->end_ns = now;
    m->now.nr_regions = s->nr_regions;
    publish_snapshot(m, s);
    m->aggregation_ns = now;
    m->answered = 0;
}

static void plan_and_arm(VhMonitor *m)
{
    VhPlanBudget budget = { .max_checks = m->attrs.max_regions };

    vh_budget_plan(&m->budget, &budget);
    m->nr_checks = m->estimator->plan(m->est, &budget, m->checks);
    m->now.checks += m->nr_checks;
    if (!m->nr_checks) {
        return;
    }
    m->primitive->arm(m->prim, m->checks, m->nr_checks);
    for (size_t i = 0; i < m->nr_checks; i++) {
        m->now.skipped += m->checks[i].state == VH_CHECK_SKIPPED;
    }
}

static void charge(VhMonitor *m, uint64_t now)
{
    VhCosts costs;

    m->primitive->stats(m->prim, &m->now.primitive);
    if (m->now.primitive.detail) {
        /* readers may keep it: the few texts there are live for ever */
        m->now.primitive.detail = g_intern_string(m->now.primitive.detail);
    }
    costs = (VhCosts){ .primitive = m->now.primitive,
                       .worker_ns = m->now.worker_ns };
    vh_budget_update(&m->budget, now, m->attrs.sampling_us * 1000, &costs);
}

static uint64_t cpu_now(const VhMonitor *m)
{
    return m->cpu.now_ns ? vh_clock_now(&m->cpu) : 0;
}

static void sample(VhMonitor *m, uint64_t now)
{
    if (!m->started) {
        m->started = true;
        m->aggregation_ns = now;
        m->answered = 0;
        m->estimator->restart(m->est);
    }
    m->last_tick_ns = now;
    collect(m);
    aggregate(m, now);
    charge(m, now);
    plan_and_arm(m);
    m->now.ticks++;
}

uint64_t vh_monitor_tick(VhMonitor *m)
{
    uint64_t now = vh_clock_now(&m->host->clock), cpu;

    if (!m->map) {
        return now + sampling_ns(m);
    }
    if (m->started && now < m->last_tick_ns + sampling_ns(m)) {
        return m->last_tick_ns + sampling_ns(m);
    }
    cpu = cpu_now(m);
    sample(m, now);
    m->now.worker_ns += cpu_now(m) - cpu;
    charge(m, now);
    publish_stats(m);
    return now + sampling_ns(m);
}

VhSnapshot *vh_monitor_snapshot(VhMonitor *m)
{
    VhSnapshot *s;

    pthread_mutex_lock(&m->lock);
    s = vh_snapshot_ref(m->snapshot);
    pthread_mutex_unlock(&m->lock);
    return s;
}

VhRange *vh_monitor_ranges(VhMonitor *m, size_t *n)
{
    VhRange *copy;

    pthread_mutex_lock(&m->lock);
    *n = m->nr_ranges;
    copy = g_memdup2(m->ranges, m->nr_ranges * sizeof(*copy));
    pthread_mutex_unlock(&m->lock);
    return copy;
}

void vh_monitor_stats(VhMonitor *m, VhMonitorStats *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->stats;
    pthread_mutex_unlock(&m->lock);
}
