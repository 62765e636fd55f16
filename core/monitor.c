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
 *   plan, arm  for the coming interval, within the budget; pages that the
 *              estimator left armed earlier are only collected next time
 * and returns when it wants to be called again. A call before that time does
 * nothing; a late call makes one long interval, never several made-up ones.
 * An aggregation in which throttling left no answer at all is extended.
 *
 * Nothing is allocated in a tick except the snapshot: checks are kept in an
 * array made at the start.
 *
 * Threads: one thread calls everything, except vh_monitor_snapshot(),
 * vh_monitor_ranges() and vh_monitor_stats(), which any thread may call at any
 * time. They only take
 * @lock, which is held for a copy and never across a call elsewhere. It is a
 * pthread mutex, not glib's, because thread sanitizers understand that one.
 *
 * With a second primitive, for writes, all of it is done twice: each primitive
 * has its own checks and half of the budget; the estimator gets both answers.
 *
 * A region provider replaces the estimator: what it delivers is published as it
 * is. A primitive for writes is of no use beside it.
 *
 * The update interval is the owner's: it looks at the guest memory map when
 * it wants and calls vh_monitor_set_map().
 */
#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "budget.h"
#include "vmheat/monitor.h"

#define CHECKS_LEAST 1024

enum { ACCESSES, WRITES, SENSORS };

/* A primitive at work, with its share of the budget. */
typedef struct Sensor {
    VhSensor use; /* ops is NULL when there is none */
    void *state;
    VhBudget budget;
    VhCheck *checks; /* planned for the running interval */
    size_t nr_checks;
    size_t room;
    VhPrimitiveStats stats;
} Sensor;

struct VhMonitor {
    VhAttrs attrs;
    VhLimits limits;
    const VhEstimatorOps *estimator;
    const VhHost *host;
    VhClock cpu;
    void *est;
    VhMap *map;
    Sensor sensors[SENSORS];
    char *lost_writes; /* why the second primitive was given up, untold yet */

    bool started; /* false: the next tick starts an aggregation */
    uint64_t last_tick_ns;
    unsigned shorter;        /* the running interval is, so many times */
    uint64_t aggregation_ns; /* when the aggregation began */
    uint64_t answered;       /* checks in this aggregation */
    VhMonitorStats now;      /* the ticking thread's own */

    pthread_mutex_t lock; /* protects what follows */
    VhSnapshot *snapshot;
    VhRange *ranges;
    size_t nr_ranges;
    VhMonitorStats stats;
};

static bool used(const Sensor *s)
{
    return s->use.ops != NULL;
}

/* An estimator may want more checks in an interval than it has regions. */
static size_t most_checks(const VhMonitor *m)
{
    return MAX(m->attrs.max_regions, CHECKS_LEAST);
}

static void reserve_checks(VhMonitor *m, Sensor *s)
{
    if (most_checks(m) > s->room) {
        s->room = most_checks(m);
        s->checks = g_renew(VhCheck, s->checks, s->room);
    }
}

/* The interval is stretched as far as the most expensive primitive needs. */
static double stretch(const VhMonitor *m)
{
    double most = 1;

    for (size_t i = 0; i < SENSORS; i++) {
        if (used(&m->sensors[i])) {
            most = MAX(most, m->sensors[i].budget.stretch);
        }
    }
    return most;
}

static uint64_t sampling_ns(const VhMonitor *m)
{
    return m->attrs.sampling_us * 1000 * stretch(m);
}

/* When the running interval ends. */
static uint64_t due_ns(const VhMonitor *m)
{
    return m->last_tick_ns + sampling_ns(m) / MAX(m->shorter, 1);
}

/* What each primitive may cost: two share evenly. */
static VhLimits limits_each(const VhMonitor *m)
{
    VhLimits l = m->limits;

    if (used(&m->sensors[WRITES])) {
        uint32_t traps = l.traps_per_second ? l.traps_per_second
                         : m->host->nested  ? VH_TRAPS_NESTED
                                            : VH_TRAPS_BARE;

        l.traps_per_second = MAX(1, traps / 2);
        l.budget_bp = MAX(1, l.budget_bp / 2);
    }
    return l;
}

static void close_sensor(Sensor *s)
{
    if (used(s)) {
        s->use.ops->release(s->state);
    }
    g_free(s->checks);
    *s = (Sensor){ 0 };
}

/* Accesses can be seen without it. Takes @why. */
static void give_up_writes(VhMonitor *m, char *why)
{
    close_sensor(&m->sensors[WRITES]);
    g_free(m->lost_writes);
    m->lost_writes = why;
}

static void close_sensors(VhMonitor *m)
{
    for (size_t i = 0; i < SENSORS; i++) {
        close_sensor(&m->sensors[i]);
    }
}

static void tell_attrs(const VhMonitor *m, Sensor *s)
{
    if (s->use.ops->attrs) {
        s->use.ops->attrs(s->state, &m->attrs);
    }
}

static bool open_sensor(VhMonitor *m, Sensor *s, const VhSensor *use,
                        char **why)
{
    s->state = use->ops->open(m->host, why);
    if (!s->state) {
        return false;
    }
    s->use = *use;
    reserve_checks(m, s);
    tell_attrs(m, s);
    return true;
}

static bool open_sensors(VhMonitor *m, const VhSensor *primitive,
                         const VhSensor *writes, char **why)
{
    VhLimits limits;
    char *lost = NULL;

    g_clear_pointer(&m->lost_writes, g_free);
    if (!open_sensor(m, &m->sensors[ACCESSES], primitive, why)) {
        return false;
    }
    if (writes->ops && !open_sensor(m, &m->sensors[WRITES], writes, &lost)) {
        give_up_writes(m, lost);
    }
    limits = limits_each(m);
    for (size_t i = 0; i < SENSORS; i++) {
        vh_budget_init(&m->sensors[i].budget, &limits, m->host->nested,
                       vh_clock_now(&m->host->clock));
    }
    return true;
}

VhMonitor *vh_monitor_new(const VhMonitorConfig *cfg, char **why)
{
    VhMonitor *m = g_new0(VhMonitor, 1);
    VhRng rng;

    m->attrs = cfg->attrs;
    m->limits = cfg->limits;
    m->estimator = cfg->estimator;
    m->host = cfg->host;
    m->cpu = cfg->cpu;
    if (!open_sensors(m, &cfg->primitive, &cfg->writes, why)) {
        g_free(m);
        return NULL;
    }
    vh_rng_seed(&rng, cfg->seed);
    m->est = m->estimator->create(&m->attrs, &rng);
    pthread_mutex_init(&m->lock, NULL);
    m->now.effective_sampling_us = m->attrs.sampling_us;
    m->stats = m->now;
    return m;
}

void vh_monitor_free(VhMonitor *m)
{
    if (!m) {
        return;
    }
    close_sensors(m);
    g_free(m->lost_writes);
    m->estimator->destroy(m->est);
    vh_map_unref(m->map);
    vh_snapshot_unref(m->snapshot);
    g_free(m->ranges);
    pthread_mutex_destroy(&m->lock);
    g_free(m);
}

static void publish_stats(VhMonitor *m)
{
    m->now.effective_sampling_us = sampling_ns(m) / 1000;
    m->now.throttled = stretch(m) > 1;
    m->now.primitive = m->sensors[ACCESSES].stats;
    m->now.writes = m->sensors[WRITES].stats;
    m->now.estimator_bytes =
        m->estimator->bytes ? m->estimator->bytes(m->est) : 0;
    pthread_mutex_lock(&m->lock);
    m->stats = m->now;
    pthread_mutex_unlock(&m->lock);
}

void vh_monitor_set_attrs(VhMonitor *m, const VhAttrs *attrs,
                          const VhLimits *limits)
{
    VhLimits each;

    m->attrs = *attrs;
    m->limits = *limits;
    m->estimator->set_attrs(m->est, attrs);
    each = limits_each(m);
    for (size_t i = 0; i < SENSORS; i++) {
        if (used(&m->sensors[i])) {
            vh_budget_set_limits(&m->sensors[i].budget, &each, m->host->nested);
            reserve_checks(m, &m->sensors[i]);
            tell_attrs(m, &m->sensors[i]);
        }
    }
    publish_stats(m);
}

static void forget_checks(VhMonitor *m)
{
    for (size_t i = 0; i < SENSORS; i++) {
        m->sensors[i].nr_checks = 0;
    }
}

static void drop_map(VhMonitor *m)
{
    vh_map_unref(m->map);
    m->map = NULL;
    forget_checks(m);
    m->started = false;
}

static bool covers(const VhMonitor *m, const VhMapSection *section)
{
    const Sensor *s = &m->sensors[ACCESSES];

    return section->size &&
           (!s->use.ops->covers || s->use.ops->covers(s->state, section));
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

static void idle_sensors(VhMonitor *m)
{
    for (size_t i = 0; i < SENSORS; i++) {
        Sensor *s = &m->sensors[i];

        if (used(s) && s->use.ops->idle) {
            s->use.ops->idle(s->state);
        }
    }
}

static bool hand_map(VhMonitor *m, VhMap *map, char **why)
{
    Sensor *a = &m->sensors[ACCESSES], *w = &m->sensors[WRITES];
    char *lost = NULL;

    if (!map->nr) { /* what was watched is unplugged */
        idle_sensors(m);
        return true;
    }
    if (!a->use.ops->set_map(a->state, map, why)) {
        idle_sensors(m);
        return false;
    }
    if (used(w) && !w->use.ops->set_map(w->state, map, &lost)) {
        give_up_writes(m, lost);
    }
    return true;
}

bool vh_monitor_set_map(VhMonitor *m, VhMap *map, char **why)
{
    VhRange *ranges;
    size_t n;
    bool was_running = m->map && m->started;

    vh_map_ref(map);
    if (!hand_map(m, map, why)) {
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

bool vh_monitor_set_primitives(VhMonitor *m, const VhSensor *primitive,
                               const VhSensor *writes, char **why)
{
    vh_monitor_idle(m);
    close_sensors(m);
    if (!open_sensors(m, primitive, writes, why)) {
        publish_ranges(m, NULL, 0);
        publish_stats(m);
        return false;
    }
    publish_stats(m);
    return true;
}

static char *broken(Sensor *s)
{
    return used(s) && s->use.ops->broken ? s->use.ops->broken(s->state) : NULL;
}

char *vh_monitor_broken(VhMonitor *m, bool *writes)
{
    char *why = broken(&m->sensors[ACCESSES]);

    *writes = false;
    if (why) {
        return why;
    }
    why = broken(&m->sensors[WRITES]);
    if (why) {
        give_up_writes(m, why);
    }
    *writes = m->lost_writes != NULL;
    return g_steal_pointer(&m->lost_writes);
}

static void rest(Sensor *s)
{
    if (used(s) && s->use.ops->rest) {
        s->use.ops->rest(s->state);
    }
}

void vh_monitor_pause(VhMonitor *m)
{
    for (size_t i = 0; i < SENSORS; i++) {
        rest(&m->sensors[i]);
    }
    forget_checks(m);
    m->started = false;
}

void vh_monitor_idle(VhMonitor *m)
{
    if (m->map) {
        idle_sensors(m);
    }
    drop_map(m);
}

static void collect(VhMonitor *m, Sensor *s)
{
    if (!s->nr_checks) {
        return;
    }
    s->use.ops->collect(s->state, s->checks, s->nr_checks);
    for (size_t i = 0; i < s->nr_checks && s == &m->sensors[ACCESSES]; i++) {
        VhCheckState state = s->checks[i].state;

        m->answered += state == VH_CHECK_FIRED || state == VH_CHECK_SILENT;
    }
    m->estimator->observe(m->est, s->checks, s->nr_checks);
    s->nr_checks = 0;
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

/* The regions of the aggregation that is over now, or NULL. */
static VhSnapshot *take_regions(VhMonitor *m, uint64_t now)
{
    Sensor *s = &m->sensors[ACCESSES];

    if (s->use.ops->regions) {
        return s->use.ops->regions(s->state);
    }
    if (!m->answered ||
        now - m->aggregation_ns < m->attrs.aggregation_us * 1000) {
        return NULL;
    }
    return m->estimator->aggregate(m->est);
}

static void aggregate(VhMonitor *m, uint64_t now)
{
    VhSnapshot *s = take_regions(m, now);

    if (!s) {
        return;
    }
    s->sequence = ++m->now.aggregations;
    s->start_ns = m->aggregation_ns;
    s->end_ns = now;
    s->has_writes =
        used(&m->sensors[WRITES]) && !m->sensors[ACCESSES].use.ops->regions;
    m->now.nr_regions = s->nr_regions;
    publish_snapshot(m, s);
    m->aggregation_ns = now;
    m->answered = 0;
}

/* Arms those that are not; the estimator puts them first. */
static void arm_new(VhMonitor *m, Sensor *s)
{
    size_t n = 0;

    while (n < s->nr_checks && s->checks[n].state == VH_CHECK_NEW) {
        n++;
    }
    if (!n) {
        return;
    }
    s->use.ops->arm(s->state, s->checks, n);
    for (size_t i = 0; i < n; i++) {
        m->now.skipped += s->checks[i].state == VH_CHECK_SKIPPED;
    }
}

static void plan_and_arm(VhMonitor *m, Sensor *s)
{
    VhPlanBudget budget = { .max_checks = most_checks(m),
                            .write = s == &m->sensors[WRITES],
                            .persistent = s->use.caps.persistent };

    vh_budget_plan(&s->budget, &budget);
    if (s->use.ops->allow) {
        s->use.ops->allow(s->state, s->budget.fires);
    }
    if (s->use.caps.batch) {
        budget.max_fires = INFINITY;
        budget.fires_per_s = INFINITY;
        budget.max_arms = SIZE_MAX;
    }
    s->nr_checks = m->estimator->plan(m->est, &budget, s->checks);
    m->now.checks += s->nr_checks;
    if (m->estimator->owed) {
        double owed = m->estimator->owed(m->est);

        vh_budget_owe(&s->budget, s->use.caps.batch ? 0 : owed);
    }
    arm_new(m, s);
}

/* @worker_ns, @other_ns: its part of the worker's time, which cannot be told
 * apart */
static void charge(VhMonitor *m, Sensor *s, uint64_t now, uint64_t worker_ns,
                   uint64_t other_ns)
{
    VhCosts costs;

    s->use.ops->stats(s->state, &s->stats);
    if (s->stats.detail) {
        /* readers may keep it: the few texts there are live for ever */
        s->stats.detail = g_intern_string(s->stats.detail);
    }
    costs = (VhCosts){ .primitive = s->stats,
                       .worker_ns = worker_ns,
                       .other_ns = other_ns,
                       .batch = s->use.caps.batch };
    vh_budget_update(&s->budget, now, m->attrs.sampling_us * 1000, &costs);
}

static void charge_all(VhMonitor *m, uint64_t now)
{
    size_t n = used(&m->sensors[WRITES]) ? 2 : 1;

    for (size_t i = 0; i < n; i++) {
        charge(m, &m->sensors[i], now, m->now.worker_ns / n,
               m->now.other_ns / n);
    }
}

static uint64_t cpu_now(const VhMonitor *m)
{
    return m->cpu.now_ns ? vh_clock_now(&m->cpu) : 0;
}

static void sample(VhMonitor *m, uint64_t now)
{
    if (m->estimator->tick) {
        m->estimator->tick(m->est, now);
    }
    if (!m->started) {
        m->started = true;
        m->aggregation_ns = now;
        m->answered = 0;
        m->estimator->restart(m->est);
    }
    m->last_tick_ns = now;
    for (size_t i = 0; i < SENSORS; i++) {
        collect(m, &m->sensors[i]);
    }
    aggregate(m, now);
    charge_all(m, now);
    for (size_t i = 0; i < SENSORS && used(&m->sensors[i]); i++) {
        if (!m->sensors[i].use.ops->regions) {
            plan_and_arm(m, &m->sensors[i]);
        }
    }
    m->shorter = m->estimator->shorter ? m->estimator->shorter(m->est) : 1;
    m->now.ticks++;
}

uint64_t vh_monitor_tick(VhMonitor *m)
{
    uint64_t now = vh_clock_now(&m->host->clock), cpu;

    if (!m->map) {
        return now + sampling_ns(m);
    }
    if (m->started && now < due_ns(m)) {
        return due_ns(m);
    }
    cpu = cpu_now(m);
    sample(m, now);
    m->now.worker_ns += cpu_now(m) - cpu;
    charge_all(m, now);
    publish_stats(m);
    return due_ns(m);
}

void vh_monitor_charge(VhMonitor *m, uint64_t cpu_ns)
{
    m->now.other_ns += cpu_ns;
    publish_stats(m);
}

void vh_monitor_reset_age(VhMonitor *m, VhRange r)
{
    const VhPrimitiveOps *ops = m->sensors[ACCESSES].use.ops;

    if (!(ops && ops->regions) && m->estimator->reset_age) {
        m->estimator->reset_age(m->est, r);
    }
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
