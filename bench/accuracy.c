/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accuracy: how well and how soon the monitor finds hot memory, at what cost.
 *
 * A simulator with a virtual clock: the real monitor, budget and estimator
 * drive a simulated primitive on a guest whose hot pages are known. Nothing
 * is measured on the machine it runs on; equal seeds give equal results.
 *
 * A region counts as hot when 2 * nr_accesses >= max_nr_accesses; precision
 * and recall are by bytes. detect_ms is the time of the first snapshot from
 * which on both stay >= 0.95 until the end; first_ms that of the first
 * snapshot where both are; good_pct the share of good snapshots since then.
 *
 * Model: every hot page is touched after an exponentially distributed time
 * (mean --touch), cold pages never. All pages are mapped at the start. An
 * arm unmaps the page, the next touch maps it again and is a fire. Costs are
 * those measured on a nested KVM host, see struct Costs.
 */
#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vmheat/monitor.h"

#define GOOD 0.95
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Nanoseconds; what the work charges to whom. */
static const struct {
    uint64_t batch, arm, fire, tick, check;
} cost = { 60000, 3000, 45000, 60000, 1500 };

typedef struct Options {
    char *pattern;
    char *estimator;
    int64_t size_mib;
    int64_t seed;
    int seeds;
    int sampling_ms;
    int aggregation_ms;
    int min;
    int max;
    int traps;
    int budget;
    int touch_us;
    int require_ms;
    double seconds;
    gboolean json;
    gboolean series;
} Options;

typedef struct Page {
    bool hot;
    bool mapped;
} Page;

typedef struct Sim {
    const Options *o;
    uint64_t now_ns;
    uint64_t cpu_ns;
    VhRng rng;
    uint64_t size;
    uint64_t hot_bytes;
    Page *pages;
    VhPrimitiveStats stats;
} Sim;

typedef struct Result {
    double precision;
    double recall;
    double f1;
    double first_ms;
    double detect_ms;
    double good_pct;
    double checks_s;
    double arms_s;
    double fires_s;
    double ticks_s;
    double guest_pct;
    double worker_pct;
    double regions;
} Result;

/* ---- the simulated guest ---- */

static void set_hot(Sim *s, uint64_t start, uint64_t bytes)
{
    for (uint64_t p = start / VH_PAGE_SIZE;
         p < (start + bytes) / VH_PAGE_SIZE && p < s->size / VH_PAGE_SIZE;
         p++) {
        s->hot_bytes += s->pages[p].hot ? 0 : VH_PAGE_SIZE;
        s->pages[p].hot = true;
    }
}

static uint64_t random_start(Sim *s, uint64_t slot, uint64_t bytes)
{
    return vh_rng_below(&s->rng, (slot - bytes) / VH_PAGE_SIZE) * VH_PAGE_SIZE;
}

static bool make_pattern(Sim *s)
{
    uint64_t slot = s->size / 26;

    if (!strcmp(s->o->pattern, "block")) {
        set_hot(s, random_start(s, s->size, s->size / 20), s->size / 20);
        return true;
    }
    if (!strcmp(s->o->pattern, "scattered") && slot > 16 * MIB) {
        for (int i = 0; i < 26; i++) {
            set_hot(s, i * slot + random_start(s, slot, 8 * MIB), 8 * MIB);
        }
        return true;
    }
    return false;
}

/* ---- clocks and primitive ---- */

static uint64_t sim_now(void *opaque)
{
    return ((Sim *)opaque)->now_ns;
}

/* Read at the begin and at the end of a tick: each adds half its cost. */
static uint64_t sim_cpu(void *opaque)
{
    return ((Sim *)opaque)->cpu_ns += cost.tick / 2;
}

static void *sim_open(const VhHost *host, char **why)
{
    return host->opaque;
}

static bool sim_set_map(void *p, VhMap *map, char **why)
{
    return true;
}

static void sim_arm(void *p, VhCheck *checks, size_t n)
{
    Sim *s = p;

    for (size_t i = 0; i < n; i++) {
        Page *page = &s->pages[checks[i].gpa / VH_PAGE_SIZE];

        checks[i].state = VH_CHECK_ARMED;
        checks[i].granule = VH_PAGE_SIZE;
        checks[i].present = page->mapped;
        s->stats.arms += page->mapped;
        s->stats.arms_free += !page->mapped;
        s->stats.vcpu_ns += page->mapped ? cost.arm : 0;
        page->mapped = false;
    }
    s->stats.vcpu_ns += cost.batch;
    s->cpu_ns += n * cost.check;
}

static double silent_chance(const Sim *s)
{
    /* the shortest interval there can be: pessimistic */
    return exp(-(double)s->o->sampling_ms * 1000 / s->o->touch_us);
}

static void sim_collect(void *p, VhCheck *checks, size_t n)
{
    Sim *s = p;
    double silent = silent_chance(s);

    for (size_t i = 0; i < n; i++) {
        Page *page = &s->pages[checks[i].gpa / VH_PAGE_SIZE];
        double dice = vh_rng_below(&s->rng, 1 << 30) / (double)(1 << 30);

        if (!page->hot || dice < silent) {
            checks[i].state = VH_CHECK_SILENT;
            continue;
        }
        checks[i].state = VH_CHECK_FIRED;
        page->mapped = true;
        s->stats.fires++;
    }
}

static void sim_release(void *p)
{
}

static void sim_stats(void *p, VhPrimitiveStats *out)
{
    *out = ((Sim *)p)->stats;
}

static const VhPrimitiveOps sim_primitive = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "simulated",
    .open = sim_open,
    .set_map = sim_set_map,
    .arm = sim_arm,
    .collect = sim_collect,
    .release = sim_release,
    .stats = sim_stats,
};

/* ---- one run ---- */

static void judge(const Sim *s, const VhSnapshot *snap, Result *r)
{
    uint64_t called_hot = 0, right = 0;

    for (size_t i = 0; i < snap->nr_regions; i++) {
        const VhSnapRegion *g = &snap->regions[i];

        if (2 * g->nr_accesses < snap->max_nr_accesses) {
            continue;
        }
        called_hot += g->end - g->start;
        for (uint64_t p = g->start; p < g->end; p += VH_PAGE_SIZE) {
            right += s->pages[p / VH_PAGE_SIZE].hot ? VH_PAGE_SIZE : 0;
        }
    }
    r->precision = called_hot ? (double)right / called_hot : 0;
    r->recall = (double)right / s->hot_bytes;
    r->f1 = right ? 2.0 * right / (called_hot + s->hot_bytes) : 0;
}

static void follow(Sim *s, VhMonitor *m, Result *r)
{
    uint64_t end = s->o->seconds * 1e9, seen = 0, good = 0, after = 0;

    r->first_ms = r->detect_ms = -1;
    while (s->now_ns < end) {
        uint64_t next = vh_monitor_tick(m);
        VhSnapshot *snap = vh_monitor_snapshot(m);
        double ms = s->now_ns / 1e6;

        if (snap && snap->sequence != seen) {
            bool ok;

            seen = snap->sequence;
            judge(s, snap, r);
            ok = r->precision >= GOOD && r->recall >= GOOD;
            r->first_ms = ok && r->first_ms < 0 ? ms : r->first_ms;
            r->detect_ms = !ok ? -1 : r->detect_ms < 0 ? ms : r->detect_ms;
            after += r->first_ms >= 0;
            good += ok;
            if (s->o->series) {
                printf("%8.0f ms  precision %.3f  recall %.3f  f1 %.3f  "
                       "%zu regions\n",
                       ms, r->precision, r->recall, r->f1, snap->nr_regions);
            }
        }
        vh_snapshot_unref(snap);
        s->now_ns = next;
    }
    r->good_pct = after ? 100.0 * good / after : 0;
}

static VhMap *make_map(const Sim *s)
{
    VhMapSection *sec = g_new0(VhMapSection, 1);

    sec->size = s->size;
    sec->page_size = VH_PAGE_SIZE;
    sec->name = g_strdup("ram");
    return vh_map_new(sec, 1);
}

static void measure_costs(const Sim *s, VhMonitor *m, Result *r)
{
    double sec = s->now_ns / 1e9;
    VhMonitorStats st;

    vh_monitor_stats(m, &st);
    r->checks_s = st.checks / sec;
    r->arms_s = s->stats.arms / sec;
    r->fires_s = s->stats.fires / sec;
    r->ticks_s = st.ticks / sec;
    r->guest_pct = (s->stats.fires * cost.fire + s->stats.vcpu_ns) / 1e7 / sec;
    r->worker_pct = s->cpu_ns / 1e7 / sec;
    r->regions = st.nr_regions;
}

static VhAttrs attrs_of(const Options *o)
{
    VhAttrs a = VH_ATTRS_DEFAULT;

    a.sampling_us = o->sampling_ms * 1000ULL;
    a.aggregation_us = o->aggregation_ms * 1000ULL;
    a.update_us = MAX(a.update_us, a.aggregation_us);
    a.min_regions = o->min;
    a.max_regions = o->max;
    return a;
}

static bool run_one(const Options *o, uint64_t seed, Result *r, char **why)
{
    Sim s = { .o = o, .size = o->size_mib * MIB };
    VhHost host = {
        .kvm = true, .nested = true, .clock = { sim_now, &s }, .opaque = &s
    };
    VhMonitorConfig cfg = {
        .attrs = attrs_of(o),
        .limits = { .traps_per_second = o->traps, .budget_bp = o->budget },
        .estimator = vh_estimator_find(o->estimator),
        .primitive = { .ops = &sim_primitive },
        .host = &host,
        .cpu = { sim_cpu, &s },
        .seed = seed,
    };
    VhMonitor *m;
    VhMap *map;

    if (!vh_attrs_check(&cfg.attrs, why) ||
        !vh_limits_check(&cfg.limits, why)) {
        return false;
    }
    s.stats = (VhPrimitiveStats){ .arm_ns = cost.arm,
                                  .arm_batch_ns = cost.batch,
                                  .fire_ns = cost.fire };
    vh_rng_seed(&s.rng, seed + 1000000);
    s.pages = g_new0(Page, s.size / VH_PAGE_SIZE);
    for (uint64_t p = 0; p < s.size / VH_PAGE_SIZE; p++) {
        s.pages[p].mapped = true;
    }
    if (!make_pattern(&s)) {
        *why = g_strdup_printf("--pattern %s needs to be 'block', or "
                               "'scattered' with --size of 1024 at least",
                               o->pattern);
        g_free(s.pages);
        return false;
    }
    m = vh_monitor_new(&cfg, why);
    map = make_map(&s);
    vh_monitor_set_map(m, map, why);
    vh_map_unref(map);
    follow(&s, m, r);
    measure_costs(&s, m, r);
    vh_monitor_free(m);
    g_free(s.pages);
    return true;
}

/* ---- many runs ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Quantile @q of the field at @offset; -1 (never) counts as infinite. */
static double quantile(const Result *r, int n, size_t offset, double q)
{
    g_autofree double *v = g_new(double, n);

    for (int i = 0; i < n; i++) {
        v[i] = *(const double *)((const char *)&r[i] + offset);
        v[i] = v[i] < 0 ? INFINITY : v[i];
    }
    qsort(v, n, sizeof(*v), by_value);
    return v[(int)(q * (n - 1) + 0.5)];
}

#define Q(field, q) quantile(r, n, G_STRUCT_OFFSET(Result, field), q)

static double or_never(double ms)
{
    return isinf(ms) ? -1 : ms;
}

static void print_json(const Options *o, const Result *r, int n)
{
    printf("{\"bench\":\"accuracy\",\"pattern\":\"%s\",\"estimator\":\"%s\","
           "\"size_mib\":%" PRId64 ",\"seeds\":%d,\"sampling_ms\":%d,"
           "\"aggregation_ms\":%d,\"min_regions\":%d,\"max_regions\":%d,"
           "\"traps\":%d,\"budget_bp\":%d,",
           o->pattern, o->estimator, o->size_mib, n, o->sampling_ms,
           o->aggregation_ms, o->min, o->max, o->traps, o->budget);
    printf("\"precision\":%.4f,\"precision_worst\":%.4f,\"recall\":%.4f,"
           "\"recall_worst\":%.4f,\"f1\":%.4f,\"f1_worst\":%.4f,"
           "\"first_ms\":%.0f,\"first_ms_worst\":%.0f,\"detect_ms\":%.0f,"
           "\"detect_ms_worst\":%.0f,\"good_pct\":%.1f,"
           "\"good_pct_worst\":%.1f,",
           Q(precision, 0.5), Q(precision, 0), Q(recall, 0.5), Q(recall, 0),
           Q(f1, 0.5), Q(f1, 0), or_never(Q(first_ms, 0.5)),
           or_never(Q(first_ms, 1)), or_never(Q(detect_ms, 0.5)),
           or_never(Q(detect_ms, 1)), Q(good_pct, 0.5), Q(good_pct, 0));
    printf("\"checks_s\":%.1f,\"arms_s\":%.1f,\"fires_s\":%.1f,"
           "\"ticks_s\":%.1f,\"guest_pct\":%.3f,\"worker_pct\":%.3f,"
           "\"regions\":%.0f}\n",
           Q(checks_s, 0.5), Q(arms_s, 0.5), Q(fires_s, 0.5), Q(ticks_s, 0.5),
           Q(guest_pct, 0.5), Q(worker_pct, 0.5), Q(regions, 0.5));
}

static void print_text(const Options *o, const Result *r, int n)
{
    printf("%s %" PRId64 " MiB, %d/%d ms, %d..%d regions, %d traps/s, "
           "budget %d bp, %d seeds\n",
           o->pattern, o->size_mib, o->sampling_ms, o->aggregation_ms, o->min,
           o->max, o->traps, o->budget, n);
    printf("             median    worst\n");
    printf("precision  %8.3f %8.3f\n", Q(precision, 0.5), Q(precision, 0));
    printf("recall     %8.3f %8.3f\n", Q(recall, 0.5), Q(recall, 0));
    printf("f1         %8.3f %8.3f\n", Q(f1, 0.5), Q(f1, 0));
    printf("first ms   %8.0f %8.0f\n", Q(first_ms, 0.5), Q(first_ms, 1));
    printf("detect ms  %8.0f %8.0f\n", Q(detect_ms, 0.5), Q(detect_ms, 1));
    printf("good %%     %8.1f %8.1f\n", Q(good_pct, 0.5), Q(good_pct, 0));
    printf("per second: %.0f checks, %.0f arms, %.0f fires, %.0f ticks; "
           "guest %.2f %%, worker %.2f %%; %.0f regions\n",
           Q(checks_s, 0.5), Q(arms_s, 0.5), Q(fires_s, 0.5), Q(ticks_s, 0.5),
           Q(guest_pct, 0.5), Q(worker_pct, 0.5), Q(regions, 0.5));
}

static bool late(const Result *r, int n, double ms)
{
    if (Q(first_ms, 1) <= ms) {
        return false;
    }
    fprintf(stderr,
            "accuracy: the slowest of %d runs took longer than %.0f "
            "ms\n",
            n, ms);
    return true;
}

static void parse(int *argc, char ***argv, Options *o)
{
    GOptionEntry e[] = {
        { "pattern", 0, 0, G_OPTION_ARG_STRING, &o->pattern,
          "block (5 % contiguous) or scattered (26 x 8 MiB)", "NAME" },
        { "estimator", 0, 0, G_OPTION_ARG_STRING, &o->estimator,
          "estimator to use", "NAME" },
        { "size", 0, 0, G_OPTION_ARG_INT64, &o->size_mib, "guest size", "MIB" },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &o->seed, "first seed", "N" },
        { "seeds", 0, 0, G_OPTION_ARG_INT, &o->seeds, "runs", "N" },
        { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->seconds,
          "virtual seconds of each run", "S" },
        { "sampling", 0, 0, G_OPTION_ARG_INT, &o->sampling_ms, "", "MS" },
        { "aggregation", 0, 0, G_OPTION_ARG_INT, &o->aggregation_ms, "", "MS" },
        { "min", 0, 0, G_OPTION_ARG_INT, &o->min, "min-regions", "N" },
        { "max", 0, 0, G_OPTION_ARG_INT, &o->max, "max-regions", "N" },
        { "traps", 0, 0, G_OPTION_ARG_INT, &o->traps,
          "traps per second; 0: safe default of a nested host", "N" },
        { "budget", 0, 0, G_OPTION_ARG_INT, &o->budget,
          "overhead budget, hundredths of a percent", "BP" },
        { "touch", 0, 0, G_OPTION_ARG_INT, &o->touch_us,
          "mean time between two touches of a hot page", "US" },
        { "require", 0, 0, G_OPTION_ARG_INT, &o->require_ms,
          "exit 1 when the worst first_ms is later than this", "MS" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &o->json, "one line of JSON", NULL },
        { "series", 0, 0, G_OPTION_ARG_NONE, &o->series,
          "print every snapshot's figures", NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) ctx = g_option_context_new(NULL);
    g_autoptr(GError) err = NULL;

    g_option_context_add_main_entries(ctx, e, NULL);
    if (!g_option_context_parse(ctx, argc, argv, &err)) {
        fprintf(stderr, "accuracy: %s\n", err->message);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    VhAttrs d = VH_ATTRS_DEFAULT;
    Options o = { .seed = 1,
                  .seeds = 1,
                  .sampling_ms = d.sampling_us / 1000,
                  .aggregation_ms = d.aggregation_us / 1000,
                  .min = d.min_regions,
                  .max = d.max_regions,
                  .budget = VH_BUDGET_BP_DEFAULT,
                  .touch_us = 1000,
                  .seconds = 10 };
    g_autofree Result *r = NULL;
    char *why = NULL;

    parse(&argc, &argv, &o);
    o.pattern = o.pattern ?: g_strdup("block");
    o.estimator = o.estimator ?: g_strdup(vh_estimators()[0]->name);
    o.size_mib = o.size_mib ?: !strcmp(o.pattern, "block") ? 1024 : 4096;
    if (argc > 1 || o.seeds < 1 || o.size_mib < 1 || o.size_mib > 1 << 20 ||
        o.sampling_ms < 1 || o.touch_us < 1 || o.seconds <= 0 ||
        !vh_estimator_find(o.estimator)) {
        fprintf(stderr, "accuracy: an option makes no sense; see --help\n");
        return 2;
    }
    r = g_new0(Result, o.seeds);
    for (int i = 0; i < o.seeds; i++) {
        if (!run_one(&o, o.seed + i, &r[i], &why)) {
            fprintf(stderr, "accuracy: %s\n", why);
            return 2;
        }
    }
    (o.json ? print_json : print_text)(&o, r, o.seeds);
    g_free(o.pattern);
    g_free(o.estimator);
    return o.require_ms && late(r, o.seeds, o.require_ms);
}
