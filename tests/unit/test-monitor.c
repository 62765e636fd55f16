/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor, driven by a scripted primitive on a virtual clock. */
#include "scripted.h"

typedef struct Fixture {
    Scripted s;
    VhMonitor *m;
} Fixture;

static void start(Fixture *f, VhMonitorConfig cfg, VhRange range)
{
    g_autofree char *why = NULL;
    VhMap *map = scripted_map(&range, 1);

    f->m = vh_monitor_new(&cfg, &why);
    g_assert_nonnull(f->m);
    g_assert_true(vh_monitor_set_map(f->m, map, &why));
    vh_map_unref(map);
}

static void stop(Fixture *f)
{
    vh_monitor_free(f->m);
    g_assert_cmpint(f->s.releases, ==, f->s.opens);
}

/* Ticks on time for @ns. */
static void run(Fixture *f, uint64_t ns)
{
    uint64_t end = f->s.now_ns + ns;

    while (f->s.now_ns < end) {
        uint64_t next = vh_monitor_tick(f->m);

        g_assert_cmpuint(next, >, f->s.now_ns);
        f->s.now_ns = next;
    }
}

static VhMonitorStats stats(Fixture *f)
{
    VhMonitorStats st;

    vh_monitor_stats(f->m, &st);
    return st;
}

/* Bytes of [hot] in regions called hot, and bytes called hot. */
static void judge(const VhSnapshot *s, VhRange hot, double *precision,
                  double *recall)
{
    uint64_t called = 0, right = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        const VhSnapRegion *r = &s->regions[i];
        uint64_t from = MAX(r->start, hot.start), to = MIN(r->end, hot.end);

        if (2 * r->nr_accesses >= s->max_nr_accesses) {
            called += r->end - r->start;
            right += to > from ? to - from : 0;
        }
    }
    *precision = called ? (double)right / called : 0;
    *recall = (double)right / (hot.end - hot.start);
}

static void assert_finds_block(Fixture *f)
{
    VhSnapshot *s = vh_monitor_snapshot(f->m);
    double precision, recall;

    g_assert_nonnull(s);
    judge(s, f->s.hot, &precision, &recall);
    g_assert_cmpfloat(precision, >=, 0.95);
    g_assert_cmpfloat(recall, >=, 0.95);
    g_assert_cmpuint(vh_snapshot_total(s), ==, 1024 * MIB);
    vh_snapshot_unref(s);
}

static void test_finds_hot_block(void)
{
    Fixture f = { .s.hot = { 700 * MIB, 752 * MIB } };

    start(&f, scripted_config(&f.s), (VhRange){ 0, 1024 * MIB });
    run(&f, 3000 * MS);
    assert_finds_block(&f);
    stop(&f);
}

static void test_finds_hot_block_on_budget(void)
{
    Fixture f = { .s.hot = { 700 * MIB, 752 * MIB } };
    VhMonitorConfig cfg = scripted_config(&f.s);

    cfg.attrs = VH_ATTRS_DEFAULT;
    cfg.limits.traps_per_second = 100;
    start(&f, cfg, (VhRange){ 0, 1024 * MIB });
    run(&f, 5000 * MS);
    assert_finds_block(&f);
    /* a quarter second's worth was saved up at the start */
    g_assert_cmpuint(f.s.stats.fires, <=, 525 + 25);
    g_assert_cmpuint(f.s.stats.fires, >=, 200);
    stop(&f);
}

static void test_follows_a_moving_block(void)
{
    Fixture f = { .s.hot = { 100 * MIB, 152 * MIB } };

    start(&f, scripted_config(&f.s), (VhRange){ 0, 1024 * MIB });
    run(&f, 3000 * MS);
    f.s.hot = (VhRange){ 600 * MIB, 652 * MIB };
    run(&f, 3000 * MS);
    assert_finds_block(&f);
    stop(&f);
}

static void test_snapshot_fields(void)
{
    Fixture f = { .s.now_ns = 5000 * MS };
    VhSnapshot *s;

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    g_assert_null(vh_monitor_snapshot(f.m));
    run(&f, 100 * MS);
    g_assert_null(vh_monitor_snapshot(f.m)); /* the last answers are out */
    run(&f, 10 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 1);
    g_assert_cmpuint(s->start_ns, ==, 5000 * MS);
    g_assert_cmpuint(s->end_ns, ==, 5100 * MS);
    g_assert_cmpuint(s->max_nr_accesses, ==, 10);
    g_assert_cmpuint(s->attrs.sampling_us, ==, 10000);
    run(&f, 100 * MS);
    g_assert_cmpuint(s->sequence, ==, 1); /* never changes */
    vh_snapshot_unref(s);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 2);
    g_assert_cmpuint(s->start_ns, ==, 5100 * MS);
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_stats(void)
{
    Fixture f = { .s.tick_cpu_ns = 1000 };
    VhMonitorStats st;

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    run(&f, 110 * MS);
    st = stats(&f);
    g_assert_cmpuint(st.ticks, ==, 11);
    g_assert_cmpuint(st.aggregations, ==, 1);
    g_assert_cmpuint(st.checks, ==, 10 * 10 + 20); /* the last after a split */
    g_assert_cmpuint(st.skipped, ==, 0);
    g_assert_cmpuint(st.nr_regions, ==, 10);
    g_assert_cmpuint(st.worker_ns, ==, 11 * 1000);
    g_assert_cmpuint(st.effective_sampling_us, ==, 10000);
    g_assert_false(st.throttled);
    g_assert_cmpuint(st.primitive.arms, ==, f.s.stats.arms);
    g_assert_cmpstr(st.primitive.detail, ==, "scripted");
    stop(&f);
}

static void test_early_tick_does_nothing(void)
{
    Fixture f = { 0 };

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    g_assert_cmpuint(vh_monitor_tick(f.m), ==, 10 * MS);
    f.s.now_ns = 4 * MS;
    g_assert_cmpuint(vh_monitor_tick(f.m), ==, 10 * MS);
    g_assert_cmpuint(stats(&f).ticks, ==, 1);
    stop(&f);
}

static void test_late_ticks_stretch(void)
{
    Fixture f = { .s.hot = { 0, 64 * MIB } };
    VhSnapshot *s;

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    vh_monitor_tick(f.m);
    f.s.now_ns = 730 * MS; /* the worker slept through seven aggregations */
    g_assert_cmpuint(vh_monitor_tick(f.m), ==, 740 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 1);
    g_assert_cmpuint(s->end_ns, ==, 730 * MS);
    g_assert_cmpuint(s->regions[0].nr_accesses, ==, 10); /* 1 of 1 */
    g_assert_cmpuint(stats(&f).ticks, ==, 2);
    vh_snapshot_unref(s);
    stop(&f);
}

static void assert_no_answer_no_snapshot(VhCheckState outcome)
{
    Fixture f = { .s.hot = { 0, 64 * MIB } };
    VhSnapshot *s;

    f.s.outcome = outcome;
    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    run(&f, 500 * MS);
    g_assert_null(vh_monitor_snapshot(f.m)); /* extended, nothing invented */
    g_assert_cmpuint(stats(&f).skipped, ==,
                     outcome == VH_CHECK_SKIPPED ? stats(&f).checks : 0);
    f.s.outcome = VH_CHECK_NEW;
    run(&f, 30 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 1);
    g_assert_cmpuint(s->start_ns, ==, 0);
    g_assert_cmpuint(s->end_ns, >=, 500 * MS);
    g_assert_cmpuint(s->regions[0].nr_accesses, ==, 10);
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_lost(void)
{
    assert_no_answer_no_snapshot(VH_CHECK_LOST);
}

static void test_skipped(void)
{
    assert_no_answer_no_snapshot(VH_CHECK_SKIPPED);
}

static void test_open_refused(void)
{
    Scripted s = { .refuse_open = true };
    VhMonitorConfig cfg = scripted_config(&s);
    g_autofree char *why = NULL;

    g_assert_null(vh_monitor_new(&cfg, &why));
    g_assert_cmpstr(why, ==, "no such luck");
    vh_monitor_free(NULL);
}

static void test_map_refused(void)
{
    Fixture f = { 0 };
    VhRange range = { 0, 64 * MIB };
    VhMap *map = scripted_map(&range, 1);
    char *why = NULL;
    size_t n;

    start(&f, scripted_config(&f.s), range);
    run(&f, 200 * MS);
    f.s.refuse = true;
    g_assert_false(vh_monitor_set_map(f.m, map, &why));
    g_assert_cmpstr(why, ==, "this map is not to my taste");
    g_assert_cmpint(map->refs, ==, 1);
    g_free(why);
    g_free(vh_monitor_ranges(f.m, &n));
    g_assert_cmpuint(n, ==, 0); /* nothing is watched now */
    f.s.batches = 0;
    run(&f, 100 * MS);
    g_assert_cmpint(f.s.batches, ==, 0);
    f.s.refuse = false;
    g_assert_true(vh_monitor_set_map(f.m, map, &why));
    run(&f, 100 * MS);
    g_assert_cmpint(f.s.batches, ==, 10);
    vh_map_unref(map);
    stop(&f);
}

static void test_ticks_before_any_map(void)
{
    Fixture f = { 0 };
    VhMonitorConfig cfg = scripted_config(&f.s);
    char *why = NULL;

    f.m = vh_monitor_new(&cfg, &why);
    g_assert_cmpuint(vh_monitor_tick(f.m), ==, 10 * MS);
    g_assert_cmpuint(stats(&f).ticks, ==, 0);
    vh_monitor_idle(f.m);
    g_assert_cmpint(f.s.idles, ==, 0);
    stop(&f);
}

static void test_idle(void)
{
    Fixture f = { .s.hot = { 0, 32 * MIB } };
    VhRange range = { 0, 64 * MIB };
    VhMap *map = scripted_map(&range, 1);
    VhSnapshot *s;
    char *why = NULL;

    start(&f, scripted_config(&f.s), range);
    run(&f, 210 * MS);
    vh_monitor_idle(f.m);
    g_assert_cmpint(f.s.idles, ==, 1);
    f.s.batches = 0;
    run(&f, 1000 * MS);
    g_assert_cmpint(f.s.batches, ==, 0);
    s = vh_monitor_snapshot(f.m); /* stays readable */
    g_assert_cmpuint(s->sequence, ==, 2);
    vh_snapshot_unref(s);
    g_assert_true(vh_monitor_set_map(f.m, map, &why));
    run(&f, 110 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 3);
    g_assert_cmpuint(s->start_ns, >=, 1210 * MS); /* the pause is no time */
    vh_snapshot_unref(s);
    vh_map_unref(map);
    stop(&f);
}

/* What was seen before a pause says nothing about the time after it. */
static void test_pause_forgets(void)
{
    Fixture f = { .s.hot = { 0, 64 * MIB } };
    VhSnapshot *s;

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    run(&f, 80 * MS); /* no snapshot yet */
    g_assert_cmpint(f.s.rests, ==, 0);
    vh_monitor_pause(f.m);
    g_assert_cmpint(f.s.rests, ==, 1);
    f.s.hot = (VhRange){ 0, 0 };
    f.s.now_ns += 3600 * 1000 * MS;
    run(&f, 110 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 1);
    for (size_t i = 0; i < s->nr_regions; i++) {
        g_assert_cmpuint(s->regions[i].nr_accesses, ==, 0);
    }
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_map_changes(void)
{
    Fixture f = { .s.hot = { 0, 16 * MIB } };
    VhRange plugged[] = { { 0, 32 * MIB },
                          { 32 * MIB, 64 * MIB },
                          { 128 * MIB, 160 * MIB } };
    VhMap *map = scripted_map(plugged, 3);
    VhSnapshot *s;
    char *why = NULL;

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    run(&f, 530 * MS);
    g_assert_true(vh_monitor_set_map(f.m, map, &why));
    vh_map_unref(map);
    run(&f, 100 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->sequence, ==, 6); /* the aggregation went on */
    g_assert_cmpuint(vh_snapshot_total(s), ==, 96 * MIB);
    for (size_t i = 0; i < s->nr_regions; i++) {
        g_assert_false(s->regions[i].start < 64 * MIB &&
                       s->regions[i].end > 64 * MIB);
    }
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_touching_sections_are_one_range(void)
{
    Fixture f = { 0 };
    VhRange halves[] = { { 0, 32 * MIB }, { 32 * MIB, 64 * MIB } };
    VhMap *map = scripted_map(halves, 2);
    VhMonitorConfig cfg = scripted_config(&f.s);
    VhSnapshot *s;
    char *why = NULL;

    cfg.attrs.min_regions = 3;
    f.m = vh_monitor_new(&cfg, &why);
    g_assert_true(vh_monitor_set_map(f.m, map, &why));
    vh_map_unref(map);
    run(&f, 110 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->nr_regions, ==, 3); /* two ranges would get 2 + 2 */
    g_assert_cmpuint(s->regions[1].start, <, 32 * MIB);
    g_assert_cmpuint(s->regions[1].end, >, 32 * MIB);
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_fires_are_charged_at_once(void)
{
    Fixture f = { .s.hot = { 0, 64 * MIB } };
    VhMonitorConfig cfg = scripted_config(&f.s);

    cfg.limits.traps_per_second = 100;
    cfg.attrs.min_regions = 100;
    start(&f, cfg, (VhRange){ 0, 64 * MIB });
    run(&f, 10 * MS);
    /* nobody knows them: half are expected to fire, but all do */
    g_assert_cmpuint(stats(&f).checks, ==, 50);
    run(&f, 10 * MS);
    g_assert_cmpuint(f.s.stats.fires, ==, 50);
    g_assert_cmpuint(stats(&f).checks, ==, 50); /* 25 owed: nothing new */
    stop(&f);
}

static void test_set_attrs(void)
{
    Fixture f = { .s.hot = { 0, 16 * MIB } };
    VhAttrs finer = { 5000, 100000, 1000000, 20, 5000 };
    VhLimits same = { VH_TRAPS_MAX, VH_BUDGET_BP_MAX };
    VhSnapshot *s;

    start(&f, scripted_config(&f.s), (VhRange){ 0, 64 * MIB });
    run(&f, 210 * MS);
    vh_monitor_set_attrs(f.m, &finer, &same);
    g_assert_cmpuint(stats(&f).effective_sampling_us, ==, 5000);
    run(&f, 210 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->max_nr_accesses, ==, 20);
    g_assert_cmpuint(s->attrs.max_regions, ==, 5000);
    g_assert_cmpuint(s->regions[0].nr_accesses, ==, 20);
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_throttles(void)
{
    Fixture f = { .s = { .hot = { 0, 16 * MIB }, .tick_cpu_ns = 2 * MS } };
    VhMonitorConfig cfg = scripted_config(&f.s);
    VhMonitorStats st;

    cfg.limits.budget_bp = 100; /* 2 % for the worker, which needs 20 % */
    start(&f, cfg, (VhRange){ 0, 64 * MIB });
    run(&f, 5000 * MS);
    st = stats(&f);
    g_assert_true(st.throttled);
    g_assert_cmpuint(st.effective_sampling_us, >=, 80000);
    g_assert_cmpuint(st.effective_sampling_us, <=, 160000);
    g_assert_cmpuint(st.aggregations, >, 10);
    f.s.tick_cpu_ns = 1000;
    run(&f, 20000 * MS);
    g_assert_false(stats(&f).throttled);
    stop(&f);
}

/* Least and greatest age in [start, end) of the latest snapshot. */
static void ages(Fixture *f, uint64_t start, uint64_t end, uint32_t *least,
                 uint32_t *most)
{
    VhSnapshot *s = vh_monitor_snapshot(f->m);

    *least = UINT32_MAX;
    *most = 0;
    for (size_t i = 0; i < s->nr_regions; i++) {
        if (s->regions[i].end > start && s->regions[i].start < end) {
            *least = MIN(*least, s->regions[i].age);
            *most = MAX(*most, s->regions[i].age);
        }
    }
    vh_snapshot_unref(s);
}

static void test_reset_age(void)
{
    Fixture f = { 0 };
    VhMonitorConfig cfg = scripted_config(&f.s);
    uint32_t least, most;

    cfg.attrs.min_regions = 64; /* of 1 MiB: they do not merge with others */
    start(&f, cfg, (VhRange){ 0, 64 * MIB });
    run(&f, 2000 * MS);
    ages(&f, 0, 64 * MIB, &least, &most);
    g_assert_cmpuint(least, >=, 15);
    vh_monitor_reset_age(f.m, (VhRange){ 0, 32 * MIB });
    run(&f, 100 * MS); /* one more */
    ages(&f, 0, 31 * MIB, &least, &most);
    g_assert_cmpuint(most, <=, 1);
    ages(&f, 33 * MIB, 64 * MIB, &least, &most);
    g_assert_cmpuint(least, >=, 16);
    stop(&f);
}

static VhSnapshot *no_regions(void *p)
{
    return NULL;
}

/* What a region provider delivers is not the monitor's to change. */
static void test_reset_age_provider(void)
{
    Fixture f = { 0 };
    VhPrimitiveOps provider_ops = scripted_primitive;
    VhSensor provider = { .ops = &provider_ops }, none = { 0 };
    VhSensor scripted = { .ops = &scripted_primitive };
    VhRange range = { 0, 64 * MIB };
    VhMap *map = scripted_map(&range, 1);
    uint32_t least, most;
    char *why = NULL;

    provider_ops.regions = no_regions;
    start(&f, scripted_config(&f.s), range);
    run(&f, 2000 * MS);
    g_assert_true(vh_monitor_set_primitives(f.m, &provider, &none, &why));
    vh_monitor_reset_age(f.m, range);
    g_assert_true(vh_monitor_set_primitives(f.m, &scripted, &none, &why));
    g_assert_true(vh_monitor_set_map(f.m, map, &why));
    vh_map_unref(map);
    run(&f, 210 * MS);
    ages(&f, 0, 64 * MIB, &least, &most);
    g_assert_cmpuint(least, >=, 15);
    vh_monitor_reset_age(f.m, range); /* it can be, else */
    run(&f, 110 * MS);
    ages(&f, 0, 64 * MIB, &least, &most);
    g_assert_cmpuint(most, <=, 2);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/monitor/finds/block", test_finds_hot_block);
    g_test_add_func("/monitor/finds/budget", test_finds_hot_block_on_budget);
    g_test_add_func("/monitor/finds/moving", test_follows_a_moving_block);
    g_test_add_func("/monitor/snapshot", test_snapshot_fields);
    g_test_add_func("/monitor/stats", test_stats);
    g_test_add_func("/monitor/early", test_early_tick_does_nothing);
    g_test_add_func("/monitor/late", test_late_ticks_stretch);
    g_test_add_func("/monitor/lost", test_lost);
    g_test_add_func("/monitor/skipped", test_skipped);
    g_test_add_func("/monitor/open-refused", test_open_refused);
    g_test_add_func("/monitor/map-refused", test_map_refused);
    g_test_add_func("/monitor/pause-forgets", test_pause_forgets);
    g_test_add_func("/monitor/no-map", test_ticks_before_any_map);
    g_test_add_func("/monitor/idle", test_idle);
    g_test_add_func("/monitor/map-changes", test_map_changes);
    g_test_add_func("/monitor/touching", test_touching_sections_are_one_range);
    g_test_add_func("/monitor/charged", test_fires_are_charged_at_once);
    g_test_add_func("/monitor/set-attrs", test_set_attrs);
    g_test_add_func("/monitor/throttles", test_throttles);
    g_test_add_func("/monitor/reset-age", test_reset_age);
    g_test_add_func("/monitor/reset-age-provider", test_reset_age_provider);
    return g_test_run();
}
