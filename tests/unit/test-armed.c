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
 */
typedef struct Keeper {
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
    .plan = keeper_plan,
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/armed/left", test_left_armed);
    g_test_add_func("/armed/skipped", test_skipped);
    g_test_add_func("/armed/not-persistent", test_not_persistent);
    g_test_add_func("/armed/bytes", test_bytes);
    return g_test_run();
}
