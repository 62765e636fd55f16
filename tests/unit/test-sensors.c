/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two primitives, other primitives, and region providers. */
#include "scripted.h"

#define RAM (1024 * MIB)

typedef struct Fixture {
    Scripted s;
    Scripted writes;
    VhMonitorConfig cfg;
    VhMonitor *m;
} Fixture;

static void give_map(Fixture *f)
{
    VhMap *map = scripted_map(&(VhRange){ 0, RAM }, 1);
    char *why = NULL;

    g_assert_true(vh_monitor_set_map(f->m, map, &why));
    vh_map_unref(map);
}

static void start(Fixture *f, bool with_writes)
{
    g_autofree char *why = NULL;

    f->s.writes = &f->writes;
    f->s.hot = (VhRange){ 256 * MIB, 384 * MIB };
    f->writes.hot = (VhRange){ 256 * MIB, 320 * MIB };
    f->cfg = scripted_config(&f->s);
    if (with_writes) {
        f->cfg.writes.ops = &scripted_writes;
    }
    f->m = vh_monitor_new(&f->cfg, &why);
    g_assert_nonnull(f->m);
    give_map(f);
}

static void stop(Fixture *f)
{
    vh_monitor_free(f->m);
    g_assert_cmpint(f->s.releases, ==, f->s.opens);
    g_assert_cmpint(f->writes.releases, ==, f->writes.opens);
}

static void run(Fixture *f, uint64_t ns)
{
    uint64_t end = f->s.now_ns + ns;

    while (f->s.now_ns < end) {
        f->s.now_ns = vh_monitor_tick(f->m);
    }
}

/* Part of [start, end) in regions with at least half of all writes. */
static double written(const VhSnapshot *s, uint64_t start, uint64_t end)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        const VhSnapRegion *r = &s->regions[i];
        uint64_t from = MAX(r->start, start), to = MIN(r->end, end);

        if (2 * r->nr_writes >= s->max_nr_accesses && to > from) {
            sum += to - from;
        }
    }
    return (double)sum / (end - start);
}

static void test_told_apart(void)
{
    Fixture f = { 0 };
    VhSnapshot *s;

    start(&f, true);
    run(&f, 20000 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_true(s->has_writes);
    g_assert_cmpfloat(written(s, 256 * MIB, 320 * MIB), >, 0.95);
    g_assert_cmpfloat(written(s, 320 * MIB, 384 * MIB), <, 0.05);
    g_assert_cmpfloat(written(s, 0, 256 * MIB), <, 0.01);
    vh_snapshot_unref(s);
    stop(&f);
}

static void test_alone(void)
{
    Fixture f = { 0 };
    VhSnapshot *s;

    start(&f, false);
    run(&f, 2000 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_false(s->has_writes);
    g_assert_cmpfloat(written(s, 0, RAM), ==, 0);
    g_assert_cmpint(f.writes.opens, ==, 0);
    vh_snapshot_unref(s);
    stop(&f);
}

/* Everything is accessed: each fires at most half as often as one alone may. */
static void test_share_the_budget(void)
{
    Fixture f = { 0 };
    VhLimits limits = { .traps_per_second = 100, .budget_bp = 10000 };

    start(&f, true);
    f.s.hot = f.writes.hot = (VhRange){ 0, RAM };
    vh_monitor_set_attrs(f.m, &f.cfg.attrs, &limits);
    run(&f, 20000 * MS);
    g_assert_cmpuint(f.s.stats.fires, <, 20 * 55);
    g_assert_cmpuint(f.writes.stats.fires, <, 20 * 55);
    g_assert_cmpuint(f.s.stats.fires + f.writes.stats.fires, >, 20 * 50);
    stop(&f);
}

static void assert_writes_lost(Fixture *f, const char *says)
{
    bool writes;
    g_autofree char *why = vh_monitor_broken(f->m, &writes);
    VhSnapshot *s;

    g_assert_cmpstr(why, ==, says);
    g_assert_true(writes);
    g_assert_null(vh_monitor_broken(f->m, &writes));
    g_assert_false(writes);
    run(f, 1000 * MS);
    s = vh_monitor_snapshot(f->m);
    g_assert_nonnull(s);
    g_assert_false(s->has_writes);
    vh_snapshot_unref(s);
}

static void test_writes_cannot_open(void)
{
    Fixture f = { .writes = { .refuse_open = true } };

    start(&f, true);
    assert_writes_lost(&f, "no such luck");
    stop(&f);
}

static void test_writes_refuse_map(void)
{
    Fixture f = { .writes = { .refuse = true } };

    start(&f, true);
    assert_writes_lost(&f, "this map is not to my taste");
    stop(&f);
}

static void test_writes_break(void)
{
    Fixture f = { 0 };

    start(&f, true);
    run(&f, 1000 * MS);
    f.writes.broken = "worn out";
    assert_writes_lost(&f, "worn out");
    g_assert_cmpint(f.writes.releases, ==, 1);
    stop(&f);
}

static void test_primitive_breaks(void)
{
    Fixture f = { 0 };
    bool writes;
    char *why;

    start(&f, true);
    run(&f, 1000 * MS);
    g_assert_null(vh_monitor_broken(f.m, &writes));
    f.s.broken = "worn out";
    why = vh_monitor_broken(f.m, &writes);
    g_assert_cmpstr(why, ==, "worn out");
    g_assert_false(writes);
    g_free(why);
    stop(&f);
}

/* Regions outlive the primitive; a failure leaves a monitor without one. */
static void test_other_primitive(void)
{
    Fixture f = { 0 };
    g_autofree char *why = NULL;
    VhSnapshot *before, *after;
    size_t ranges;

    start(&f, false);
    run(&f, 10000 * MS);
    before = vh_monitor_snapshot(f.m);
    f.s.refuse_open = true;
    g_assert_false(vh_monitor_set_primitives(f.m, &f.cfg.primitive,
                                             &f.cfg.writes, &why));
    g_assert_cmpstr(why, ==, "no such luck");
    g_assert_cmpint(f.s.releases, ==, 1);
    g_assert_null(vh_monitor_ranges(f.m, &ranges)); /* none is monitored */
    g_assert_cmpuint(ranges, ==, 0);
    vh_monitor_idle(f.m);
    f.s.refuse_open = false;
    g_clear_pointer(&why, g_free);
    g_assert_true(vh_monitor_set_primitives(f.m, &f.cfg.primitive,
                                            &f.cfg.writes, &why));
    give_map(&f);
    run(&f, 200 * MS);
    after = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(after->sequence, >, before->sequence);
    g_assert_cmpuint(after->nr_regions * 2, >, before->nr_regions);
    vh_snapshot_unref(before);
    vh_snapshot_unref(after);
    stop(&f);
}

/* In debt a primitive with costs of its own is still asked about all. */
static void test_batch(void)
{
    Fixture f = { 0 };
    VhLimits limits = { .traps_per_second = 1, .budget_bp = 100 };
    VhMonitorStats st;
    uint64_t checks;

    start(&f, false);
    f.s.stats.fire_ns = 1000000;
    f.cfg.primitive.caps.batch = true;
    g_assert_true(vh_monitor_set_primitives(f.m, &f.cfg.primitive,
                                            &f.cfg.writes, NULL));
    give_map(&f);
    vh_monitor_set_attrs(f.m, &f.cfg.attrs, &limits);
    run(&f, 2000 * MS);
    g_assert_cmpfloat(f.s.allowed, <, 0);
    vh_monitor_stats(f.m, &st);
    checks = st.checks;
    run(&f, 1000 * MS);
    vh_monitor_stats(f.m, &st);
    g_assert_cmpuint(st.checks - checks, >=, 100 * f.cfg.attrs.min_regions / 2);
    g_assert_false(st.throttled);
    stop(&f);
}

static VhSnapshot *two_regions(void *p)
{
    Scripted *s = p;
    VhSnapshot *out;

    if (s->now_ns % (500 * MS)) {
        return NULL;
    }
    out = vh_snapshot_new(2);
    out->max_nr_accesses = 20;
    out->regions[0] = (VhSnapRegion){ 0, 512 * MIB, 3, 1 };
    out->regions[1] = (VhSnapRegion){ 512 * MIB, RAM, 20, 7 };
    return out;
}

static void test_provider(void)
{
    VhPrimitiveOps provider = scripted_primitive;
    Fixture f = { 0 };
    VhSnapshot *s;

    provider.regions = two_regions;
    start(&f, false);
    f.cfg.primitive.ops = &provider;
    g_assert_true(vh_monitor_set_primitives(f.m, &f.cfg.primitive,
                                            &f.cfg.writes, NULL));
    give_map(&f);
    f.s.batches = 0;
    run(&f, 3000 * MS);
    s = vh_monitor_snapshot(f.m);
    g_assert_cmpuint(s->nr_regions, ==, 2);
    g_assert_cmpuint(s->regions[1].nr_accesses, ==, 20);
    g_assert_cmpuint(s->regions[1].age, ==, 7);
    g_assert_cmpuint(s->sequence, >=, 5);
    g_assert_cmpuint(s->sequence, <=, 7);
    g_assert_cmpint(f.s.batches, ==, 0);
    vh_snapshot_unref(s);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sensors/told-apart", test_told_apart);
    g_test_add_func("/sensors/alone", test_alone);
    g_test_add_func("/sensors/share-the-budget", test_share_the_budget);
    g_test_add_func("/sensors/writes-cannot-open", test_writes_cannot_open);
    g_test_add_func("/sensors/writes-refuse-map", test_writes_refuse_map);
    g_test_add_func("/sensors/writes-break", test_writes_break);
    g_test_add_func("/sensors/primitive-breaks", test_primitive_breaks);
    g_test_add_func("/sensors/other-primitive", test_other_primitive);
    g_test_add_func("/sensors/batch", test_batch);
    g_test_add_func("/sensors/provider", test_provider);
    return g_test_run();
}
