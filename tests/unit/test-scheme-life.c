/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine with a real monitor, and through thick and thin. */
#include "scheme-lab.h"
#include "scripted.h"

typedef struct Guest {
    Lab *l;
    Scripted s;
    VhMonitor *m;
    uint64_t sequence;
} Guest;

static void reset_age(void *opaque, VhRange r)
{
    vh_monitor_reset_age(((Guest *)opaque)->m, r);
}

/* 64 MiB, of which 8 are hot; a monitor and an engine on the lab's clock. */
static void guest_start(Guest *g, VhScheme *scheme)
{
    VhSchemesEnv env = { .reset_age = reset_age, .opaque = g };
    VhMonitorConfig cfg = scripted_config(&g->s);
    VhRange range = { 0, 64 * MIB };
    VhMap *map = scripted_map(&range, 1);
    char *why = NULL;

    g->l = lab_new();
    vh_schemes_free(g->l->e);
    env.action = (VhActionEnv){ .clock = { lab_now, g->l }, .opaque = g->l };
    g->l->e = vh_schemes_new(&env);
    g->s.hot = (VhRange){ 16 * MIB, 24 * MIB };
    g->m = vh_monitor_new(&cfg, &why);
    g_assert_true(vh_monitor_set_map(g->m, map, &why));
    vh_schemes_set_map(g->l->e, map);
    vh_map_unref(map);
    vh_schemes_set(g->l->e, scheme, 1);
}

/* As the worker does: a tick, the new snapshot if any, work until the next. */
static void guest_tick(Guest *g)
{
    VhSnapshot *s;
    uint64_t next;

    g->s.now_ns = g->l->now;
    next = vh_monitor_tick(g->m);
    s = vh_monitor_snapshot(g->m);
    if (s && s->sequence != g->sequence) {
        g->sequence = s->sequence;
        vh_schemes_snapshot(g->l->e, s);
    }
    vh_snapshot_unref(s);
    lab_run(g->l, next - g->l->now);
    g->l->now = MAX(g->l->now, next);
}

static void guest_stop(Guest *g)
{
    vh_monitor_free(g->m);
    lab_free(g->l);
}

static uint64_t overlap(const Call *c, VhRange r)
{
    uint64_t from = MAX(c->at, r.start), to = MIN(c->at + c->size, r.end);

    return to > from ? to - from : 0;
}

/*
 * What was idle for ten aggregations is tried, and not again before it was for
 * ten more, as its age began anew; what is accessed never is.
 */
static void test_age_goes_around(void)
{
    const VhRange hot = { 17 * MIB, 23 * MIB };
    VhScheme s = any(&fake_flat);
    uint64_t tried = 0, cold = 56 * MIB;
    Guest g = { 0 };

    s.pattern.nr_accesses.max = 0;
    s.pattern.age.min = 10;
    guest_start(&g, &s);
    g.l->quantum = MIB;
    while (g.sequence < 220) {
        if (g.sequence == 20) { /* the monitor knows by now */
            g.l->nr_calls = 0;
        }
        guest_tick(&g);
    }
    for (size_t i = 0; i < g.l->nr_calls; i++) {
        g_assert_cmpuint(overlap(&g.l->calls[i], hot), ==, 0);
        tried += g.l->calls[i].size;
    }
    /* 200 aggregations: once in ten; merges of unlike ages blur that */
    g_assert_cmpuint(tried, >, cold * 18);
    g_assert_cmpuint(tried, <, cold * 21);
    guest_stop(&g);
}

/* stat: again and again. */
static void test_age_stays(void)
{
    VhScheme s = any(&fake_stat);
    Guest g = { 0 };

    s.pattern.nr_accesses.max = 0;
    s.pattern.age.min = 10;
    guest_start(&g, &s);
    while (g.sequence < 120) {
        guest_tick(&g);
    }
    g_assert_cmpuint(lab_stats(g.l, 0).sz_tried, >, 50 * MIB * 80);
    guest_stop(&g);
}

/* [64, 128) MiB is always busy; all else is idle, cut anywhere. */
static size_t random_regions(VhRng *rng, VhSnapRegion *v)
{
    uint64_t at = 0, end = 256 * MIB;
    size_t n = 0;

    while (at < end && n < 60) {
        uint64_t limit = at < 64 * MIB ? 64 : at < 128 * MIB ? 128 : 256;
        uint64_t pages = (limit * MIB - at) / PAGE;
        uint64_t size = (1 + vh_rng_below(rng, pages)) * PAGE;
        bool busy = limit == 128;

        v[n++] = (VhSnapRegion){ at, at + size, busy ? 5 : 0,
                                 vh_rng_below(rng, 5000), 0 };
        at += size;
    }
    return n;
}

static void random_map(Lab *l, VhRng *rng)
{
    VhMapSection v[4] = { 0 };
    uint64_t at = 0;

    for (size_t i = 0; i < 4; i++) {
        at += vh_rng_below(rng, 30 * MIB / PAGE) * PAGE;
        v[i].gpa = at;
        v[i].size = (1 + vh_rng_below(rng, 60 * MIB / PAGE)) * PAGE;
        v[i].hva = (uint8_t *)(uintptr_t)(vh_rng_below(rng, 64) * PAGE);
        v[i].flags = vh_rng_below(rng, 4) ? 0 : VH_SECTION_HUGETLB;
        at += v[i].size;
    }
    lab_map(l, v, 4);
}

static void random_schemes(Lab *l, VhRng *rng)
{
    static const VhActionOps *const actions[] = { &fake_cold, &fake_hot,
                                                  &fake_flat, &fake_stat };
    VhFilter f = { .type = VH_FILTER_YOUNG, .matching = true };
    VhGoal goal = { VH_METRIC_USER_INPUT, 100, vh_rng_below(rng, 200) };
    size_t n = vh_rng_below(rng, 4);
    VhScheme v[4];

    for (size_t i = 0; i <= n; i++) {
        v[i] = any(actions[i]);
        v[i].pattern.nr_accesses.max = 0;
        v[i].quota.size = vh_rng_below(rng, 3) * 20000000;
        v[i].quota.time_us = vh_rng_below(rng, 2) * 100;
        v[i].quota.weight_size = vh_rng_below(rng, 3);
        v[i].quota.goals = &goal;
        v[i].quota.nr_goals = vh_rng_below(rng, 2);
        v[i].quota.tuner = vh_rng_below(rng, 2);
        v[i].apply_us = vh_rng_below(rng, 2) * 300000;
        v[i].filters = &f;
        v[i].nr_filters = vh_rng_below(rng, 2);
        v[i].back_off.refault_permille = 500;
    }
    vh_schemes_set(l->e, v, n + 1);
}

static void check_life(Lab *l, const VhSchemeStats *before, uint64_t *charged)
{
    size_t n;
    VhSchemeStatus *st = vh_schemes_status(l->e, &n);

    for (size_t i = 0; i < n; i++) {
        const VhSchemeStats *s = &st[i].stats;

        g_assert_cmpuint(s->sz_applied, <=, s->sz_filter_passed);
        g_assert_cmpuint(s->sz_filter_passed, <=, s->sz_tried);
        g_assert_cmpuint(s->nr_applied, <=, s->nr_tried);
        /* a quota may be made smaller than what was charged already, but
         * nothing more is charged then */
        if (st[i].charged_size > st[i].effective_size) {
            g_assert_cmpuint(st[i].charged_size, <=, charged[i]);
        }
        charged[i] = st[i].charged_size;
    }
    g_assert_cmpuint(st[0].stats.sz_tried, >=, before->sz_tried);
    vh_schemes_status_free(st, n);
    for (size_t i = 0; i < l->nr_calls; i++) {
        VhRange busy = { 64 * MIB, 128 * MIB };

        g_assert_cmpuint(overlap(&l->calls[i], busy), ==, 0);
    }
    l->nr_calls = l->nr_aged = l->nr_told = 0;
}

static void random_event(Lab *l, VhRng *rng)
{
    switch (vh_rng_below(rng, 12)) {
    case 0:
        random_map(l, rng);
        break;
    case 1:
        vh_schemes_set_map(l->e, NULL);
        break;
    case 2:
        vh_schemes_pause(l->e);
        break;
    case 3:
        random_schemes(l, rng);
        break;
    case 4:
        l->error = ENOMEM;
        l->bad = vh_rng_below(rng, 256) * MIB;
        break;
    case 5:
        l->young.start = vh_rng_below(rng, 256 * MIB);
        l->young.end = l->young.start + vh_rng_below(rng, 64 * MIB);
        break;
    case 6:
        l->refaults[0] += vh_rng_below(rng, 64) * MIB;
        break;
    default:
        l->error = 0;
    }
    l->quantum = vh_rng_below(rng, 8 * MIB);
    l->cost_ns = vh_rng_below(rng, 3 * MS);
    l->wait_ns = vh_rng_below(rng, 2) * MS;
    l->applied_half = vh_rng_below(rng, 2);
}

static void test_random_life(const void *page)
{
    Lab *l = lab_new_on(GPOINTER_TO_SIZE(page));
    uint64_t charged[VH_SCHEMES_MAX] = { 0 };
    VhRng rng;

    vh_rng_seed(&rng, 11);
    random_schemes(l, &rng);
    for (int i = 0; i < 3000; i++) {
        VhSchemeStats before = lab_stats(l, 0);
        VhSnapRegion v[60];

        random_event(l, &rng);
        lab_snapshot(l, v, random_regions(&rng, v));
        lab_run(l, 100 * MS);
        l->now += 100 * MS;
        check_life(l, &before, charged);
    }
    g_assert_cmpuint(lab_stats(l, 0).back_offs, >, 0);
    g_assert_cmpuint(lab_stats(l, 0).qt_exceeds, >, 0);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, >, 0);
    g_assert_cmpuint(l->ends, >, 100);
    lab_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/life/age-goes-around", test_age_goes_around);
    g_test_add_func("/life/age-stays", test_age_stays);
    g_test_add_data_func("/life/random", GSIZE_TO_POINTER(PAGE),
                         test_random_life);
    g_test_add_data_func("/life/random/16-kib-pages",
                         GSIZE_TO_POINTER(4 * PAGE), test_random_life);
    g_test_add_data_func("/life/random/64-kib-pages",
                         GSIZE_TO_POINTER(16 * PAGE), test_random_life);
    return g_test_run();
}
