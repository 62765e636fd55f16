/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run; see run.h. */
#include <glib.h>
#include <math.h>
#include <stdio.h>

#include "patterns.h"
#include "quantile.h"
#include "run.h"
#include "sim-primitive.h"
#include "trace.h"
#include "vmheat/monitor.h"

#define NS_PER_S 1e9
#define NS_PER_MS 1e6
#define TRACE_SECONDS_AFTER 10 /* simulated after a trace's last line */

/* Kept apart from that of the monitor and that of the pattern. */
#define SIM_SEED 1000000

typedef struct Run {
    const Options *o;
    const Judge *judge;
    const Workload *truth; /* what can be seen of it: in granules */
    Sim sim;
    VhMonitor *m;
    uint64_t end_ns;

    uint64_t seen;     /* sequence of the latest snapshot */
    size_t nr_changes; /* of the workload that have begun */
    uint64_t change_ns;
    bool detected; /* the latest change */
    GArray *detect_ms;
    GArray *scores; /* at the scoring times */
    GArray *by_half, *by_rate, *by_write;
    uint64_t next_score_ns;

    uint64_t snapshots, good;
    double first_ms, settled_ms;
    uint64_t real_ns;
    uint64_t bytes;
} Run;

VhAttrs run_attrs(const Options *o)
{
    VhAttrs a = VH_ATTRS_DEFAULT;

    if (o->unlimited) {
        a = (VhAttrs){ 5000, 100000, 1000000, 10, 1000 };
    }
    a.sampling_us = o->sampling_ms ? o->sampling_ms * 1000ULL : a.sampling_us;
    a.aggregation_us =
        o->aggregation_ms ? o->aggregation_ms * 1000ULL : a.aggregation_us;
    a.update_us = MAX(a.update_us, a.aggregation_us);
    a.min_regions = o->min ? (uint32_t)o->min : a.min_regions;
    a.max_regions = o->max ? (uint32_t)o->max : a.max_regions;
    return a;
}

/* @writes: only those. The interval is the one query-vmheat shows. */
static Exam exam(const Run *r, Rule rule, bool writes, uint64_t now_ns)
{
    VhMonitorStats st;

    vh_monitor_stats(r->m, &st);
    return (Exam){ .work = r->truth,
                   .judge = r->judge,
                   .rule = rule,
                   .hot_hz = r->o->threshold_hz,
                   .interval_s = st.effective_sampling_us / 1e6,
                   .now_ns = now_ns,
                   .writes = writes };
}

/* What never was detected until now counts as never. */
static void end_change(Run *r)
{
    double never = INFINITY;

    if (!r->detected) {
        g_array_append_val(r->detect_ms, never);
    }
}

/* Notes changes of what is hot up to @now_ns. */
static void follow_changes(Run *r, uint64_t now_ns)
{
    const Workload *w = r->truth;

    for (; r->nr_changes < w->nr_changes && w->changes[r->nr_changes] <= now_ns;
         r->nr_changes++) {
        uint64_t at = w->changes[r->nr_changes];
        Exam e = exam(r, r->o->rule, false, at);

        if (hot_changed(&e)) {
            end_change(r);
            r->change_ns = at;
            r->detected = false;
        }
    }
}

static void detect(Run *r, const Score *s)
{
    double ms = (r->sim.now_ns - r->change_ns) / NS_PER_MS;

    if (!r->detected && s->f1 >= DETECTED) {
        r->detected = true;
        g_array_append_val(r->detect_ms, ms);
    }
}

static void count_good(Run *r, const Score *s)
{
    bool ok = s->precision >= GOOD && s->recall >= GOOD;
    double ms = r->sim.now_ns / NS_PER_MS;

    r->first_ms = ok ? MIN(r->first_ms, ms) : r->first_ms;
    r->settled_ms = !ok ? INFINITY : MIN(r->settled_ms, ms);
    r->snapshots += !isinf(r->first_ms);
    r->good += ok;
}

static void look_at_snapshot(Run *r, const VhSnapshot *snap)
{
    Exam e = exam(r, r->o->rule, false, r->sim.now_ns);
    Score s = score(&e, snap);

    follow_changes(r, r->sim.now_ns);
    detect(r, &s);
    count_good(r, &s);
    if (r->o->series) {
        printf("%8.0f ms  precision %.3f  recall %.3f  f1 %.3f  best %.3f  "
               "%zu regions\n",
               r->sim.now_ns / NS_PER_MS, s.precision, s.recall, s.f1,
               s.f1_best, snap->nr_regions);
    }
}

static void append_score(Run *r, GArray *to, const VhSnapshot *snap, Rule rule,
                         bool writes)
{
    Exam e = exam(r, rule, writes, r->next_score_ns);
    Score s = score(&e, snap);

    g_array_append_val(to, s);
}

/* All scoring times before @next_ns; the latest snapshot is @snap. */
static void score_until(Run *r, const VhSnapshot *snap, uint64_t next_ns)
{
    while (r->next_score_ns < next_ns && r->next_score_ns <= r->end_ns) {
        append_score(r, r->scores, snap, r->o->rule, false);
        append_score(r, r->by_half, snap, RULE_HALF, false);
        append_score(r, r->by_rate, snap, RULE_RATE, false);
        if (r->o->writes) {
            append_score(r, r->by_write, snap, r->o->rule, true);
        }
        r->next_score_ns += SCORE_EACH_NS;
    }
}

static uint64_t tick(Run *r)
{
    uint64_t start = r->sim.measure ? sim_real_cpu() : 0;
    uint64_t next = vh_monitor_tick(r->m);

    r->real_ns += r->sim.measure ? sim_real_cpu() - start : 0;
    return next;
}

static void note_bytes(Run *r)
{
    VhMonitorStats st;

    vh_monitor_stats(r->m, &st);
    r->bytes = MAX(r->bytes, st.estimator_bytes);
}

static void follow(Run *r)
{
    while (r->sim.now_ns <= r->end_ns) {
        uint64_t next = tick(r);
        VhSnapshot *snap = vh_monitor_snapshot(r->m);

        if (snap && snap->sequence != r->seen) {
            r->seen = snap->sequence;
            look_at_snapshot(r, snap);
        }
        score_until(r, snap, next);
        note_bytes(r);
        vh_snapshot_unref(snap);
        r->sim.now_ns = next;
    }
    r->sim.now_ns = r->end_ns;
    follow_changes(r, r->end_ns);
    end_change(r);
}

static VhMap *make_map(uint64_t size)
{
    VhMapSection *sec = g_new0(VhMapSection, 1);

    sec->size = size;
    sec->page_size = VH_PAGE_SIZE;
    sec->name = g_strdup("ram");
    return vh_map_new(sec, 1);
}

static VhLimits limits_of(const Options *o)
{
    if (o->unlimited) {
        return (VhLimits){ VH_TRAPS_MAX, VH_BUDGET_BP_MAX };
    }
    return (VhLimits){ o->traps, o->budget };
}

static VhMonitorConfig config(const Options *o, Sim *sim, const VhHost *host,
                              uint64_t seed)
{
    VhMonitorConfig cfg = {
        .attrs = run_attrs(o),
        .limits = limits_of(o),
        .estimator = vh_estimator_find(o->estimator),
        .primitive = { &sim_primitive, sim_caps(sim, false) },
        .host = host,
        .cpu = { sim_cpu, sim },
        .seed = seed,
    };

    if (o->writes) {
        cfg.writes = (VhSensor){ &sim_write_primitive, sim_caps(sim, true) };
    }
    return cfg;
}

static double median(GArray *scores, size_t offset)
{
    g_autofree double *v = g_new(double, scores->len + 1);

    for (size_t i = 0; i < scores->len; i++) {
        v[i] = *(double *)((char *)&g_array_index(scores, Score, i) + offset);
    }
    return quantile(v, scores->len, 0.5);
}

#define MEDIAN(scores, field) median(scores, G_STRUCT_OFFSET(Score, field))

static void conclude_scores(Run *r, Result *out)
{
    out->precision = MEDIAN(r->scores, precision);
    out->recall = MEDIAN(r->scores, recall);
    out->f1 = MEDIAN(r->scores, f1);
    out->f1_half = MEDIAN(r->by_half, f1);
    out->f1_rate = MEDIAN(r->by_rate, f1);
    out->f1_best = MEDIAN(r->scores, f1_best);
    out->wss_error = MEDIAN(r->scores, wss_error);
    out->rate_error = MEDIAN(r->scores, rate_error);
    out->write_f1 = MEDIAN(r->by_write, f1);
    out->detect_ms =
        quantile((double *)r->detect_ms->data, r->detect_ms->len, 0.5);
    out->first_ms = r->first_ms;
    out->settled_ms = r->settled_ms;
    out->good_pct = r->snapshots ? 100.0 * r->good / r->snapshots : 0;
}

/* After sim_finish(): all fires are known. */
static void conclude_costs(const Run *r, const VhMonitorStats *st, Result *out)
{
    const Sim *s = &r->sim;
    double sec = r->end_ns / NS_PER_S;

    out->checks_per_s = st->checks / sec;
    out->checks_share = NAN;
    out->arms_per_s = (s->accesses.stats.arms + s->writes.stats.arms) / sec;
    out->fires_per_s = (s->accesses.fires + s->writes.fires) / sec;
    out->unseen_per_s = (s->accesses.unseen + s->writes.unseen) / sec;
    out->ticks_per_s = st->ticks / sec;
    out->guest_pct = sim_guest_ns(s) / 1e7 / sec;
    out->worker_pct = s->cpu_ns / 1e7 / sec;
    out->regions = st->nr_regions;
    out->cpu_ns_per_tick =
        s->measure ? (double)(r->real_ns - s->own_ns) / st->ticks : NAN;
    out->bytes = r->bytes;
    out->size = s->work->size;
    out->seconds = sec;
}

static GArray *new_scores(void)
{
    return g_array_new(false, false, sizeof(Score));
}

static void run_begin(Run *r, const Workload *work, uint64_t seed)
{
    const Options *o = r->o;

    r->judge = judge_of(o->estimator);
    r->sim = (Sim){
        .work = work,
        .cost = o->host->cost,
        .granule = o->granule,
        .persistent = !o->non_persistent,
        .free = o->unlimited,
        .measure = !o->no_cpu,
    };
    r->sim.cost.arm = o->arm_ns;
    r->sim.cost.batch = o->batch_ns;
    r->sim.cost.fire = o->fire_ns;
    sim_begin(&r->sim, seed + SIM_SEED);
    r->next_score_ns = SCORE_FIRST_NS;
    r->first_ms = r->settled_ms = INFINITY;
    r->detected = true; /* nothing to detect yet */
    r->detect_ms = g_array_new(false, false, sizeof(double));
    r->scores = new_scores();
    r->by_half = new_scores();
    r->by_rate = new_scores();
    r->by_write = new_scores();
}

static void run_end(Run *r)
{
    g_array_unref(r->detect_ms);
    g_array_unref(r->scores);
    g_array_unref(r->by_half);
    g_array_unref(r->by_rate);
    g_array_unref(r->by_write);
}

static double seconds_of(const Options *o, const Workload *work)
{
    const Pattern *p = o->pattern ? pattern_find(o->pattern) : NULL;

    return o->seconds ? o->seconds
           : p        ? p->seconds
                      : work->changes[work->nr_changes - 1] / NS_PER_S +
                     TRACE_SECONDS_AFTER;
}

static Workload *make_work(const Options *o, uint64_t seed, char **why)
{
    const Pattern *p = pattern_find(o->pattern);
    PatternArgs a = { .size = o->size ?: p->size,
                      .seconds = seconds_of(o, NULL),
                      .hot_hz = o->hot_hz,
                      .cold_hz = o->cold_hz,
                      .seed = seed };

    return pattern_make(p, &a, why);
}

static void play(Run *r, VhMonitor *m, Result *out)
{
    VhMap *map = make_map(r->sim.work->size);
    VhMonitorStats st;
    char *why = NULL;

    r->m = m;
    vh_monitor_set_map(m, map, &why); /* ours takes every map */
    vh_map_unref(map);
    follow(r);
    vh_monitor_stats(m, &st);
    sim_finish(&r->sim);
    conclude_scores(r, out);
    conclude_costs(r, &st, out);
}

static bool run_work(const Options *o, const Workload *work,
                     const Workload *truth, uint64_t seed, Result *out,
                     char **why)
{
    Run r = { .o = o, .truth = truth };
    VhHost host = { .size = sizeof(host),
                    .kvm = true,
                    .nested = o->host->nested,
                    .clock = { sim_now, &r.sim },
                    .opaque = &r.sim };
    VhMonitorConfig cfg;
    VhMonitor *m;

    run_begin(&r, work, seed);
    r.end_ns = seconds_of(o, work) * NS_PER_S;
    cfg = config(o, &r.sim, &host, seed);
    m = vh_monitor_new(&cfg, why);
    if (m) {
        play(&r, m, out);
        vh_monitor_free(m);
    }
    run_end(&r);
    return m != NULL;
}

static bool check_config(const Options *o, char **why)
{
    VhAttrs attrs = run_attrs(o);
    VhLimits limits = limits_of(o);

    return vh_attrs_check(&attrs, why) && vh_limits_check(&limits, why);
}

bool run_one(const Options *o, const Workload *work, uint64_t seed, Result *out,
             char **why)
{
    Workload *own = NULL, *truth = NULL;
    bool ok = check_config(o, why);

    if (ok && !work) {
        work = own = make_work(o, seed, why);
    }
    if (ok && work) {
        truth = workload_coarsen(work, o->granule, why);
    }
    ok = truth && run_work(o, work, truth, seed, out, why);
    workload_free(truth);
    workload_free(own);
    return ok;
}

bool run_seeds(const Options *o, Result *r, char **why)
{
    Workload *work = o->trace ? trace_read(o->trace, o->size, why) : NULL;
    bool ok = work || !o->trace;

    for (int i = 0; i < o->seeds && ok; i++) {
        ok = run_one(o, work, o->seed + i, &r[i], why);
    }
    workload_free(work);
    return ok;
}

double run_quantile(const Result *r, int n, size_t offset, double q)
{
    g_autofree double *v = g_new(double, n);

    for (int i = 0; i < n; i++) {
        v[i] = *(const double *)((const char *)&r[i] + offset);
    }
    return quantile(v, n, q);
}
