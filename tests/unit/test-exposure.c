/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estimator exposure, by itself. */
#include <stdlib.h>

#include "exposure-lab.h"

#define GIB (1024 * MIB)

static void hot_block(Lab *l, uint64_t from, uint64_t to, double hz)
{
    lab_settle(l);
    l->hot[0] = (LabHot){ { from, to }, hz, 0 };
}

static void test_finds_hot_block(void)
{
    Lab l;

    lab_begin(&l, GIB, 1);
    hot_block(&l, 700 * MIB, 752 * MIB, 10);
    lab_run(&l, 5);
    g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 10), >, 0.9);
    g_assert_cmpfloat(lab_region(&l, 300 * MIB)->rate, <, 0.1);
    g_assert_cmpfloat(lab_region(&l, 900 * MIB)->rate, <, 0.1);
    lab_end(&l);
}

static void test_not_persistent(void)
{
    Lab l;

    lab_begin(&l, GIB, 1);
    l.budget.persistent = false;
    hot_block(&l, 700 * MIB, 752 * MIB, 10);
    lab_run(&l, 10);
    g_assert_cmpuint(l.asks, ==, 0);
    g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 10), >, 0.8);
    lab_end(&l);
}

/* Each primitive is taken for what it is. */
static void test_writes_not_persistent(void)
{
    uint64_t alone;
    Lab l;

    lab_begin(&l, 64 * MIB, 1);
    lab_run(&l, 5);
    alone = l.asks;
    lab_end(&l);
    lab_begin(&l, 64 * MIB, 1);
    l.writes = l.writes_once = true;
    lab_run(&l, 5);
    g_assert_cmpuint(l.asks, >, alone / 2);
    g_assert_cmpfloat(l.e->fields[0].fires_per_s, ==, l.budget.fires_per_s);
    lab_end(&l);
}

/* Silent pages are asked about, again and again: cheaper than new ones. */
static void test_asks(void)
{
    Lab l;

    lab_begin(&l, 64 * MIB, 1);
    lab_run(&l, 1);
    g_assert_cmpuint(l.asks, >, 100);
    lab_end(&l);
}

static void test_large_granules(void)
{
    Lab l;

    lab_begin(&l, 4 * GIB, 1);
    l.granule = 2 * MIB;
    hot_block(&l, 1024 * MIB, 1536 * MIB, 0.02); /* 10 a granule */
    lab_run(&l, 5);
    g_assert_cmpuint(l.e->fields[0].wires.nr, >, 200);
    for (size_t i = 0; i < l.e->fields[0].wires.nr; i++) {
        const VhWire *w = &l.e->fields[0].wires.v[i];

        if (w->nr || w->from != w->asked) {
            g_assert_cmpuint(w->order, ==, 9);
            g_assert_cmpuint(w->page % 512, ==, 0);
        }
    }
    g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 512 * 0.02), >, 0.9);
    lab_end(&l);
}

static void test_no_arms(void)
{
    Lab l;

    lab_begin(&l, GIB, 1);
    l.budget.max_arms = 0;
    lab_run(&l, 1);
    g_assert_cmpuint(l.news, ==, 0);
    l.budget.max_arms = 7; /* each time; lab_check_plan() counts them */
    lab_run(&l, 1);
    g_assert_cmpuint(l.news, >, 7 * 15);
    l.news = l.asks = 0;
    l.budget.max_arms = 0;
    lab_run(&l, 1);
    g_assert_cmpuint(l.news, ==, 0);
    g_assert_cmpuint(l.asks, >, 0);
    lab_end(&l);
}

static void test_no_checks(void)
{
    Lab l;

    lab_begin(&l, GIB, 1);
    lab_run(&l, 1);
    l.news = l.asks = 0;
    l.budget.max_checks = 0;
    lab_run(&l, 1);
    g_assert_cmpuint(l.news + l.asks, ==, 0);
    lab_end(&l);
}

/* Nothing that is likely to fire is armed when no fire may be. */
static void test_no_fires(void)
{
    Lab l;
    uint64_t before;

    lab_begin(&l, GIB, 1);
    hot_block(&l, 256 * MIB, 512 * MIB, 50);
    lab_run(&l, 5);
    before = l.news_hot;
    g_assert_cmpuint(before, >, 100);
    l.budget.max_fires = 0;
    lab_run(&l, 0.1);
    l.news_hot = l.news = 0;
    lab_run(&l, 5);
    g_assert_cmpuint(l.news_hot, ==, 0);
    lab_end(&l);
}

/* Few fires a plan: they are not exceeded by much, on average. */
static void test_few_fires(void)
{
    Lab l;

    lab_begin(&l, GIB, 1);
    hot_block(&l, 256 * MIB, 512 * MIB, 50);
    l.budget.max_fires = 2;
    l.budget.fires_per_s = 40;
    lab_run(&l, 10);
    l.news_hot = 0;
    lab_run(&l, 10);
    g_assert_cmpuint(l.news_hot, <, 2 * 200 * 1.3);
    g_assert_cmpuint(l.news_hot, >, 10); /* so that a change would be seen */
    lab_end(&l);
}

/* Share of a block that is told of 1.75 s after it became hot. */
static double told_soon(double hz, uint64_t seed)
{
    double share;
    Lab l;

    lab_begin(&l, GIB, seed);
    l.budget.max_fires = 5;
    l.budget.fires_per_s = 100;
    lab_run(&l, 20);
    hot_block(&l, 256 * MIB, 512 * MIB, hz);
    lab_run(&l, 1.75);
    share = lab_right(&l, l.hot[0].at, hz);
    lab_end(&l);
    return share;
}

/* Where a change is certain, its neighbours need not be confirmed one by one.
 */
static void test_sudden_heat(void)
{
    double sum = 0;

    for (uint64_t seed = 1; seed <= 4; seed++) {
        sum += told_soon(5, seed);
    }
    g_test_message("%.2f", sum / 4);
    g_assert_cmpfloat(sum / 4, >, 0.6);
}

static void test_ranges(void)
{
    const VhRange parts[] = { { 128 * MIB, 300 * MIB },
                              { 600 * MIB, 720 * MIB } };
    Lab l;

    lab_begin(&l, GIB, 1);
    hot_block(&l, 200 * MIB, 700 * MIB, 20);
    lab_run(&l, 5);
    lab_set_ranges(&l, parts, 2);
    for (size_t i = 0; i < l.e->fields[0].wires.nr; i++) {
        g_assert_true(lab_watched(&l, l.e->fields[0].wires.v[i].page * PAGE));
    }
    lab_aggregate(&l);
    g_assert_cmpfloat(lab_right(&l, (VhRange){ 200 * MIB, 300 * MIB }, 20), >,
                      0.9);
    g_assert_cmpfloat(lab_right(&l, (VhRange){ 600 * MIB, 700 * MIB }, 20), >,
                      0.9);
    g_assert_cmpfloat(lab_region(&l, 150 * MIB)->rate, <, 0.1);
    g_assert_cmpfloat(lab_region(&l, 710 * MIB)->rate, <, 0.1);
    lab_run(&l, 2);
    lab_set_ranges(&l, NULL, 0);
    g_assert_cmpuint(l.e->fields[0].wires.nr, ==, 0);
    lab_run(&l, 1);
    g_assert_cmpuint(l.snap->nr_regions, ==, 0);
    lab_end(&l);
}

/* A new block of memory, far away, is looked at as well. */
static void test_new_range(void)
{
    const VhRange parts[] = { { 0, 256 * MIB }, { 4096 * MIB, 4352 * MIB } };
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    l.hot[0] = (LabHot){ { 64 * MIB, 128 * MIB }, 20, 0 };
    l.hot[1] = (LabHot){ { 4096 * MIB, 4160 * MIB }, 20, 0 };
    lab_run(&l, 5);
    lab_set_ranges(&l, parts, 2);
    lab_aggregate(&l);
    g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 20), >, 0.9);
    g_assert_cmpuint(lab_region(&l, 200 * MIB)->idle_ms, >, 4000);
    lab_run(&l, 5);
    g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 20), >, 0.9);
    g_assert_cmpfloat(lab_right(&l, l.hot[1].at, 20), >, 0.9);
    lab_end(&l);
}

static double age_s(const Lab *l, uint64_t at)
{
    return lab_region(l, at)->age * l->attrs.aggregation_us / 1e6;
}

/* What is known a little better only is no change. */
static void test_age_of_noise(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    l.budget.max_fires = 1;
    l.budget.fires_per_s = 5;
    hot_block(&l, 64 * MIB, 128 * MIB, 8);
    lab_run(&l, 60);
    g_assert_cmpfloat(age_s(&l, 96 * MIB), >, 40);
    lab_end(&l);
}

static void test_age(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    hot_block(&l, 64 * MIB, 128 * MIB, 100);
    lab_run(&l, 30);
    g_assert_cmpfloat(age_s(&l, 96 * MIB), >, 20);
    g_assert_cmpfloat(age_s(&l, 200 * MIB), >, 20);
    g_assert_cmpfloat(age_s(&l, 200 * MIB), <=, 30.1);
    hot_block(&l, 64 * MIB, 128 * MIB, 0.001);
    lab_run(&l, 5);
    g_assert_cmpfloat(age_s(&l, 96 * MIB), <=, 5.1);
    g_assert_cmpfloat(age_s(&l, 200 * MIB), >, 20);
    hot_block(&l, 192 * MIB, 256 * MIB, 100);
    lab_run(&l, 10);
    g_assert_cmpfloat(age_s(&l, 224 * MIB), <=, 10.1);
    g_assert_cmpfloat(age_s(&l, 224 * MIB), >=, 3);
    lab_end(&l);
}

/* The second primitive broke: nobody keeps room for it, or shows it. */
static void test_writes_given_up(void)
{
    size_t room;
    Lab l;

    lab_begin(&l, GIB, 1);
    l.hot[0] = (LabHot){ { 64 * MIB, 128 * MIB }, 20, 1 };
    l.writes = true;
    lab_run(&l, 10);
    room = l.e->fields[0].wires.room;
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->nr_writes, >, 0);
    l.writes = false;
    lab_run(&l, 20);
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->nr_writes, ==, 0);
    g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 20), >, 0.9);
    g_assert_cmpuint(l.e->fields[0].wires.room, >, room);
    l.writes = true;
    lab_run(&l, 10);
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->nr_writes, >, 0);
    lab_end(&l);
}

/* The same, told in checks of other intervals, is no change. */
static void test_age_of_other_intervals(void)
{
    VhAttrs attrs;
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    hot_block(&l, 64 * MIB, 128 * MIB, 400);
    lab_run(&l, 30);
    attrs = l.attrs;
    attrs.sampling_us = 5000;
    attrs.aggregation_us = 1000000;
    l.attrs = attrs;
    lab_ops->set_attrs(l.e, &attrs);
    lab_run(&l, 3);
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->nr_accesses, >, 100);
    g_assert_cmpfloat(age_s(&l, 96 * MIB), >, 20);
    g_assert_cmpfloat(age_s(&l, 200 * MIB), >, 20);
    lab_end(&l);
}

static void test_reset_age(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    hot_block(&l, 64 * MIB, 128 * MIB, 100);
    lab_run(&l, 30);
    lab_ops->reset_age(l.e, (VhRange){ 160 * MIB, 256 * MIB });
    lab_ops->reset_age(l.e, (VhRange){ 64 * MIB, 128 * MIB });
    lab_run(&l, 2);
    g_assert_cmpfloat(age_s(&l, 96 * MIB), <=, 4);
    g_assert_cmpfloat(age_s(&l, 208 * MIB), <, 15); /* of all that is cold */
    g_assert_cmpfloat(age_s(&l, 32 * MIB), >, 20);
    g_assert_cmpfloat(lab_region(&l, 96 * MIB)->rate, >, 30);
    lab_end(&l);
}

/* What was armed and never answered is no sign of an access. */
static void test_idle_after_pause(void)
{
    Lab l;

    lab_begin(&l, 64 * MIB, 1);
    lab_run(&l, 30);
    for (int i = 0; i < 10; i++) {
        lab_pause(&l, 1);
        lab_aggregate(&l);
        g_assert_cmpuint(lab_region(&l, 32 * MIB)->idle_ms, >, 20000);
        lab_run(&l, 0.1);
    }
    lab_end(&l);
}

/* Stopped for longer than stamps reach. */
static void test_long_pause(void)
{
    for (int days = 1; days <= 9; days++) {
        Lab l;

        lab_begin(&l, 256 * MIB, 1);
        hot_block(&l, 64 * MIB, 128 * MIB, 20);
        lab_run(&l, 20);
        lab_pause(&l, days * 86400 * S);
        lab_run(&l, 0.5);
        g_assert_cmpuint(lab_region(&l, 200 * MIB)->idle_ms, >, 10000);
        g_assert_cmpfloat(age_s(&l, 200 * MIB), >, 10);
        lab_run(&l, 10);
        g_assert_cmpfloat(lab_right(&l, l.hot[0].at, 20), >, 0.9);
        lab_end(&l);
    }
}

/* Never touched: idle as long as it was watched. */
static void test_idle(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    hot_block(&l, 64 * MIB, 128 * MIB, 1);
    l.hot[1] = (LabHot){ { 192 * MIB, 256 * MIB }, 100, 0 };
    lab_run(&l, 60);
    g_assert_cmpuint(lab_region(&l, 32 * MIB)->idle_ms, >, 45000);
    g_assert_cmpuint(lab_region(&l, 32 * MIB)->idle_ms, <=, 60000);
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->idle_ms, >, 300);
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->idle_ms, <, 3000);
    g_assert_cmpuint(lab_region(&l, 224 * MIB)->idle_ms, <, 100);
    lab_end(&l);
}

/* All of it was in use until 20 s ago. */
static void test_idle_since(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    hot_block(&l, 0, 256 * MIB, 50);
    lab_run(&l, 10);
    hot_block(&l, 0, 0, 0);
    lab_run(&l, 20);
    for (size_t i = 0; i < l.snap->nr_regions; i++) {
        g_assert_cmpuint(l.snap->regions[i].idle_ms, >, 12000);
        g_assert_cmpuint(l.snap->regions[i].idle_ms, <, 21000);
    }
    lab_end(&l);
}

/* Share of memory that is idle for @ms. */
static double idle_share(const Lab *l, uint64_t ms)
{
    uint64_t idle = 0, all = 0;

    for (size_t i = 0; i < l->snap->nr_regions; i++) {
        const VhSnapRegion *r = &l->snap->regions[i];

        all += r->end - r->start;
        idle += r->idle_ms >= ms ? r->end - r->start : 0;
    }
    return (double)idle / all;
}

/* A third of cold memory is touched once, as by a guest that clears pages
 * before it gives them away: the rest does not become young by it. */
static void test_idle_of_most(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    lab_run(&l, 60);
    hot_block(&l, 0, 256 * MIB, 4);
    lab_run(&l, 0.1);
    hot_block(&l, 0, 0, 0);
    for (int i = 0; i < 80; i++) {
        lab_run(&l, 0.25);
        g_assert_cmpfloat(idle_share(&l, 40000), >, 0.5);
    }
    lab_end(&l);
}

static void test_writes(void)
{
    Lab l;

    lab_begin(&l, 512 * MIB, 1);
    l.writes = true;
    l.hot[0] = (LabHot){ { 64 * MIB, 128 * MIB }, 20, 0.0001 }; /* read */
    l.hot[1] = (LabHot){ { 256 * MIB, 320 * MIB }, 20, 1 };
    l.hot[2] = (LabHot){ { 400 * MIB, 464 * MIB }, 20, 0.25 };
    lab_run(&l, 10);
    g_assert_cmpfloat(lab_region(&l, 96 * MIB)->rate, >, 14);
    g_assert_cmpfloat(lab_region(&l, 96 * MIB)->write_rate, <, 0.1);
    g_assert_cmpuint(lab_region(&l, 96 * MIB)->nr_writes, ==, 0);
    g_assert_cmpfloat(lab_region(&l, 288 * MIB)->write_rate, >, 13);
    g_assert_cmpfloat(lab_region(&l, 288 * MIB)->write_rate, <, 28);
    g_assert_cmpfloat(lab_region(&l, 432 * MIB)->write_rate, >, 3);
    g_assert_cmpfloat(lab_region(&l, 432 * MIB)->write_rate, <, 9);
    g_assert_cmpfloat(lab_region(&l, 32 * MIB)->write_rate, <, 0.1);
    lab_end(&l);
}

static void test_few_regions(void)
{
    Lab l;

    lab_begin(&l, GIB, 1);
    l.attrs.min_regions = 10;
    l.attrs.max_regions = 20; /* what lab_check_snapshot() is about */
    lab_ops->set_attrs(l.e, &l.attrs);
    for (int i = 0; i < LAB_HOT; i++) {
        l.hot[i] = (LabHot){ { (i * 200 + 50) * MIB, (i * 200 + 90) * MIB },
                             pow(4, i),
                             0 };
    }
    lab_run(&l, 10);
    g_assert_cmpfloat(lab_right(&l, l.hot[2].at, 16), >, 0.8);
    lab_end(&l);
}

/* One page among many that never are accessed. */
static void test_single_page(void)
{
    const VhSnapRegion *r;
    Lab l;

    lab_begin(&l, 64 * MIB, 1);
    hot_block(&l, 5 * MIB, 5 * MIB + PAGE, 20);
    lab_run(&l, 30);
    r = lab_region(&l, 5 * MIB);
    g_assert_cmpfloat(r->rate, >, 5);
    g_assert_cmpuint(r->end - r->start, <=, 4 * PAGE);
    g_assert_cmpfloat(lab_region(&l, 5 * MIB - 16 * PAGE)->rate, <, 0.1);
    g_assert_cmpfloat(lab_region(&l, 5 * MIB + 16 * PAGE)->rate, <, 0.1);
    lab_end(&l);
}

/* One access to each page there is: that is no heat. */
static void test_single_fires(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    lab_run(&l, 20);
    hot_block(&l, 128 * MIB, 129 * MIB, 1000);
    lab_tick(&l, 50 * MS);
    hot_block(&l, 0, 0, 0);
    lab_run(&l, 3);
    for (size_t i = 0; i < l.snap->nr_regions; i++) {
        g_assert_cmpfloat(l.snap->regions[i].rate, <, 1);
    }
    lab_end(&l);
}

static uint64_t shorts(Lab *l, int ticks)
{
    uint64_t n = 0;

    for (int i = 0; i < ticks; i++) {
        unsigned shorter;

        lab_tick(l, l->attrs.sampling_us * 1000);
        shorter = lab_ops->shorter(l->e);
        g_assert_true(shorter == 1 || shorter == VH_SHORT_PART);
        n += shorter > 1;
    }
    return n;
}

/* Only where all intervals would see a fire is there a shorter one. */
static void test_shorter(void)
{
    Lab l;

    lab_begin(&l, 256 * MIB, 1);
    hot_block(&l, 64 * MIB, 128 * MIB, 10);
    lab_run(&l, 5);
    g_assert_cmpuint(shorts(&l, 80), ==, 0);
    hot_block(&l, 192 * MIB, 256 * MIB, 200);
    lab_run(&l, 5);
    g_assert_cmpuint(shorts(&l, 80), ==, 10);
    lab_end(&l);
}

/* What is left behind armed in memory that is accessed at times is charged. */
static void test_owed(void)
{
    Lab l;

    lab_begin(&l, 64 * MIB, 1);
    lab_run(&l, 5);
    g_assert_cmpfloat(l.owed, >, 0);
    l.owed = 0;
    g_assert_cmpfloat(lab_ops->owed(l.e), ==, 0); /* told once */
    lab_end(&l);
}

/* Where nothing stays armed, all fires are seen. */
static void test_owes_nothing(void)
{
    Lab l;

    lab_begin(&l, 64 * MIB, 1);
    l.budget.persistent = false;
    lab_run(&l, 5);
    g_assert_cmpfloat(l.owed, ==, 0);
    g_assert_cmpuint(l.news, >, 1000);
    lab_end(&l);
}

/* Memory that is accessed so seldom that it is swept: not on credit. */
static void test_owes_what_it_may(void)
{
    const double fires_per_s = 20;
    Lab l;

    lab_begin(&l, 16 * GIB, 1);
    l.granule = 2 * MIB;
    hot_block(&l, 0, 16 * GIB, 6e-4 / 512);
    l.budget.fires_per_s = fires_per_s;
    l.budget.max_fires = fires_per_s * l.attrs.sampling_us / 1e6;
    lab_run(&l, 60);
    l.owed = 0;
    lab_run(&l, 60);
    g_assert_cmpfloat(l.owed, >, 0);
    g_assert_cmpfloat(l.owed, <=, 60 * fires_per_s);
    lab_end(&l);
}

/* Bytes, without the regions that are told. */
static size_t fixed_bytes(const Lab *l)
{
    size_t regions = l->e->fields[0].pieces->len + l->e->fields[1].pieces->len;

    return lab_ops->bytes(l->e) - regions * sizeof(VhPiece);
}

/* 0.02 % of memory, but what 512 wires of each kind need in any case. */
static void assert_bytes(uint64_t memory, bool writes)
{
    size_t least = sizeof(VhExposure) + (writes ? 2 : 1) * 32768, first;
    Lab l;

    lab_begin(&l, memory, 1);
    l.writes = writes;
    l.hot[0] = (LabHot){ { memory / 4, memory / 2 }, 20, 0.5 };
    lab_run(&l, 0.2);
    first = fixed_bytes(&l);
    g_assert_cmpuint(first, <=, MAX(memory / 5000, least) + 6000);
    if (memory >= GIB && memory <= 16 * GIB) {
        g_assert_cmpuint(first, >, memory / 5000 * 0.9);
    }
    lab_run(&l, 3);
    g_assert_cmpuint(fixed_bytes(&l), ==, first);
    lab_end(&l);
}

static void test_bytes(void)
{
    for (uint64_t memory = MIB; memory <= 1024 * GIB; memory *= 16) {
        assert_bytes(memory, false);
        assert_bytes(memory, true);
    }
    assert_bytes(GIB, true);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exposure/hot-block", test_finds_hot_block);
    g_test_add_func("/exposure/not-persistent", test_not_persistent);
    g_test_add_func("/exposure/writes-not-persistent",
                    test_writes_not_persistent);
    g_test_add_func("/exposure/asks", test_asks);
    g_test_add_func("/exposure/granules", test_large_granules);
    g_test_add_func("/exposure/no-arms", test_no_arms);
    g_test_add_func("/exposure/no-checks", test_no_checks);
    g_test_add_func("/exposure/no-fires", test_no_fires);
    g_test_add_func("/exposure/few-fires", test_few_fires);
    g_test_add_func("/exposure/ranges", test_ranges);
    g_test_add_func("/exposure/new-range", test_new_range);
    g_test_add_func("/exposure/age", test_age);
    g_test_add_func("/exposure/age-of-noise", test_age_of_noise);
    g_test_add_func("/exposure/sudden-heat", test_sudden_heat);
    g_test_add_func("/exposure/reset-age", test_reset_age);
    g_test_add_func("/exposure/idle", test_idle);
    g_test_add_func("/exposure/idle-since", test_idle_since);
    g_test_add_func("/exposure/idle-of-most", test_idle_of_most);
    g_test_add_func("/exposure/idle-after-pause", test_idle_after_pause);
    g_test_add_func("/exposure/writes", test_writes);
    g_test_add_func("/exposure/few-regions", test_few_regions);
    g_test_add_func("/exposure/single-page", test_single_page);
    g_test_add_func("/exposure/single-fires", test_single_fires);
    g_test_add_func("/exposure/shorter", test_shorter);
    g_test_add_func("/exposure/owed", test_owed);
    g_test_add_func("/exposure/owes-nothing", test_owes_nothing);
    g_test_add_func("/exposure/owes-what-it-may", test_owes_what_it_may);
    g_test_add_func("/exposure/long-pause", test_long_pause);
    g_test_add_func("/exposure/age-of-other-intervals",
                    test_age_of_other_intervals);
    g_test_add_func("/exposure/writes-given-up", test_writes_given_up);
    g_test_add_func("/exposure/bytes", test_bytes);
    return g_test_run();
}
