/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that an estimator leaves armed and asks about again. */
#include <string.h>

#include "scripted.h"

#define PAGES 4
#define BYTES 4242

/*
 * An estimator that arms page 0 in the first tick, page 1 in the second, ...
 * and asks in each about those it armed before. Page i's region of a snapshot
 * has the number of answers about it as age, that of fires as nr_accesses.
 * If told to, it wants every third interval to be four times shorter.
 */
typedef struct Keeper {
    int ticks;
    size_t armed;
    uint32_t answers[PAGES];
    uint32_t fires[PAGES];
} Keeper;

static void *keeper_create(const VhAttrs *attrs, const VhRng *rng)
{
    return g_new0(Keeper, 1);
}

static void keeper_set_attrs(void *e, const VhAttrs *attrs)
{
}

static void keeper_set_ranges(void *e, const VhRange *ranges, size_t n)
{
}

static void keeper_restart(void *e)
{
}

/* What the test wants to know of it, and tells it. */
static struct {
    bool shortens;
    double owed;
    double max_fires;
    uint64_t now_ns;
    int plans, owes;
} told;

static void keeper_tick(void *e, uint64_t now_ns)
{
    ((Keeper *)e)->ticks++;
    told.now_ns = now_ns;
}

static unsigned keeper_shorter(void *e)
{
    return told.shortens && ((Keeper *)e)->ticks % 3 == 0 ? 4 : 1;
}

static double keeper_owed(void *e)
{
    told.owes++;
    g_assert_cmpint(told.owes, ==, told.plans);
    return told.owed;
}

static VhCheck check_of(size_t page, VhCheckState state)
{
    return (VhCheck){ .gpa = page * VH_PAGE_SIZE,
                      .granule = VH_PAGE_SIZE,
                      .state = state };
}

static size_t keeper_plan(void *e, const VhPlanBudget *budget, VhCheck *out)
{
    Keeper *k = e;
    size_t n = 0, before = k->armed;

    told.plans++;
    told.max_fires = budget->max_fires;
    if (k->armed < PAGES) {
        out[n++] = check_of(k->armed++, VH_CHECK_NEW);
    }
    for (size_t i = 0; i < before && budget->persistent; i++) {
        out[n++] = check_of(i, VH_CHECK_ARMED);
    }
    return n;
}

static void keeper_observe(void *e, const VhCheck *checks, size_t n)
{
    Keeper *k = e;

    for (size_t i = 0; i < n; i++) {
        size_t page = checks[i].gpa / VH_PAGE_SIZE;

        g_assert_true(checks[i].state == VH_CHECK_FIRED ||
                      checks[i].state == VH_CHECK_SILENT);
        k->answers[page]++;
        k->fires[page] += checks[i].state == VH_CHECK_FIRED;
    }
}

static VhSnapshot *keeper_aggregate(void *e)
{
    Keeper *k = e;
    VhSnapshot *s = vh_snapshot_new(PAGES);

    for (size_t i = 0; i < PAGES; i++) {
        s->regions[i].nr_accesses = k->fires[i];
        s->regions[i].age = k->answers[i];
    }
    return s;
}

static size_t keeper_bytes(const void *e)
{
    return BYTES;
}

static const VhEstimatorOps keeper = {
    .name = "keeper",
    .create = keeper_create,
    .destroy = g_free,
    .set_attrs = keeper_set_attrs,
    .set_ranges = keeper_set_ranges,
    .restart = keeper_restart,
    .tick = keeper_tick,
    .shorter = keeper_shorter,
    .plan = keeper_plan,
    .owed = keeper_owed,
    .observe = keeper_observe,
    .aggregate = keeper_aggregate,
    .bytes = keeper_bytes,
};

static VhMonitor *start(Scripted *s, bool persistent)
{
    VhMonitorConfig cfg = scripted_config(s);
    VhMap *map = scripted_map(&(VhRange){ 0, MIB }, 1);
    g_autofree char *why = NULL;
    VhMonitor *m;

    s->hot = (VhRange){ VH_PAGE_SIZE, 2 * VH_PAGE_SIZE }; /* page 1 */
    memset(&told, 0, sizeof(told));
    cfg.estimator = &keeper;
    cfg.primitive.caps.persistent = persistent;
    m = vh_monitor_new(&cfg, &why);
    g_assert_nonnull(m);
    g_assert_true(vh_monitor_set_map(m, map, &why));
    vh_map_unref(map);
    return m;
}

/* scripted_arm() checks that it gets none but new ones. */
static VhMonitorStats run(VhMonitor *m, Scripted *s, int ticks)
{
    VhMonitorStats st;

    for (int i = 0; i < ticks; i++) {
        s->now_ns = vh_monitor_tick(m);
    }
    vh_monitor_stats(m, &st);
    return st;
}

static void assert_page(const VhSnapshot *s, size_t page, uint32_t answers,
                        uint32_t fires)
{
    g_assert_cmpuint(s->regions[page].age, ==, answers);
    g_assert_cmpuint(s->regions[page].nr_accesses, ==, fires);
}

static void test_left_armed(void)
{
    Scripted s = { 0 };
    VhMonitor *m = start(&s, true);
    VhMonitorStats st = run(m, &s, 11);
    VhSnapshot *snap = vh_monitor_snapshot(m);

    g_assert_cmpint(s.batches, ==, PAGES); /* later plans arm nothing */
    g_assert_cmpuint(s.stats.arms, ==, PAGES);
    g_assert_cmpuint(st.checks, ==, 1 + 2 + 3 + 8 * PAGES);
    g_assert_cmpuint(st.skipped, ==, 0);
    assert_page(snap, 0, 10, 0); /* ten intervals are over */
    assert_page(snap, 1, 9, 9);
    assert_page(snap, 3, 7, 0);
    vh_snapshot_unref(snap);
    vh_monitor_free(m);
}

/* What could not be armed is counted, what was armed before is not. */
static void test_skipped(void)
{
    Scripted s = { .outcome = VH_CHECK_SKIPPED };
    VhMonitor *m = start(&s, true);
    VhMonitorStats st = run(m, &s, 1);

    g_assert_cmpuint(st.checks, ==, 1);
    g_assert_cmpuint(st.skipped, ==, 1);
    vh_monitor_free(m);
}

static void test_not_persistent(void)
{
    Scripted s = { 0 };
    VhMonitor *m = start(&s, false);
    VhMonitorStats st = run(m, &s, 11);

    g_assert_cmpuint(st.checks, ==, PAGES);
    vh_monitor_free(m);
}

static void test_bytes(void)
{
    Scripted s = { 0 };
    VhMonitor *m = start(&s, true);

    g_assert_cmpuint(run(m, &s, 1).estimator_bytes, ==, BYTES);
    vh_monitor_free(m);
}

/* Each third interval is shorter, the others are as they were. */
static void test_shorter(void)
{
    Scripted s = { .now_ns = 1000 * MS };
    VhMonitor *m = start(&s, true);
    uint64_t next = 1000 * MS;

    told.shortens = true;
    for (int i = 1; i <= 12; i++) {
        uint64_t long_ns = 10 * MS, due = vh_monitor_tick(m);

        g_assert_cmpuint(told.now_ns, ==, next);
        next += i % 3 ? long_ns : long_ns / 4;
        g_assert_cmpuint(due, ==, next);
        s.now_ns = next - 1; /* too early: nothing is done */
        g_assert_cmpuint(vh_monitor_tick(m), ==, next);
        g_assert_cmpint(told.plans, ==, i);
        s.now_ns = next;
    }
    vh_monitor_free(m);
}

/* Users are told of the interval they asked for. */
static void test_shorter_is_no_attribute(void)
{
    Scripted s = { 0 };
    VhMonitor *m = start(&s, true);

    told.shortens = true;
    for (int i = 0; i < 6; i++) {
        g_assert_cmpuint(run(m, &s, 1).effective_sampling_us, ==, 10000);
    }
    vh_monitor_free(m);
}

/* The primitive does not tell of them, but the next plan has fewer fires. */
static void test_owed(void)
{
    Scripted s = { 0 };
    VhMonitor *m = start(&s, true);
    VhAttrs attrs = { 10000, 100000, 1000000, 10, 200 };
    VhLimits limits = { .traps_per_second = 100, .budget_bp = 10000 };

    s.hot = (VhRange){ 0 }; /* nothing fires */
    vh_monitor_set_attrs(m, &attrs, &limits);
    run(m, &s, 2);
    g_assert_cmpfloat(told.max_fires, ==, 25);
    told.owed = 20;
    run(m, &s, 1); /* asked after the plan */
    g_assert_cmpfloat(told.max_fires, ==, 25);
    told.owed = 0;
    run(m, &s, 1); /* one came back in 10 ms */
    g_assert_cmpfloat_with_epsilon(told.max_fires, 6, 1e-6);
    run(m, &s, 1);
    g_assert_cmpfloat_with_epsilon(told.max_fires, 7, 1e-6);
    vh_monitor_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/armed/left", test_left_armed);
    g_test_add_func("/armed/skipped", test_skipped);
    g_test_add_func("/armed/not-persistent", test_not_persistent);
    g_test_add_func("/armed/bytes", test_bytes);
    g_test_add_func("/armed/shorter", test_shorter);
    g_test_add_func("/armed/shorter-no-attribute",
                    test_shorter_is_no_attribute);
    g_test_add_func("/armed/owed", test_owed);
    return g_test_run();
}
