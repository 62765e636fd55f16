/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token buckets and self-throttling, on invented times. */
#include <glib.h>

#include "budget.h"

#define MS 1000000ULL
#define S (1000 * MS)

static const VhLimits one_percent = { .traps_per_second = 100,
                                      .budget_bp = 100 };

static double fires(const VhBudget *b)
{
    VhPlanBudget p;

    vh_budget_plan(b, &p);
    return p.max_fires;
}

static size_t arms(const VhBudget *b)
{
    VhPlanBudget p;

    vh_budget_plan(b, &p);
    return p.max_arms;
}

static void assert_near(double got, double expected)
{
    g_assert_cmpfloat_with_epsilon(got, expected, expected * 0.001 + 1e-9);
}

static void test_defaults(void)
{
    VhLimits l = { .budget_bp = 50 };
    VhCosts c = { 0 };
    VhBudget b;

    vh_budget_init(&b, &l, true, 0);
    assert_near(fires(&b), VH_TRAPS_NESTED / 4.0);
    vh_budget_init(&b, &l, false, 0);
    assert_near(fires(&b), VH_TRAPS_BARE / 4.0);
    l.traps_per_second = 1; /* a bucket always holds one whole fire */
    vh_budget_init(&b, &l, false, 0);
    assert_near(fires(&b), 1);
    vh_budget_update(&b, 10 * S, 20 * MS, &c);
    assert_near(fires(&b), 1);
}

static void test_bucket_refills_and_owes(void)
{
    VhCosts c = { 0 };
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    c.primitive.fires = 20;
    vh_budget_update(&b, 0, 20 * MS, &c);
    assert_near(fires(&b), 5);
    vh_budget_update(&b, 15 * MS, 20 * MS, &c);
    assert_near(fires(&b), 6.5); /* 100/s: fractions count */
    c.primitive.fires = 120;     /* far more than planned */
    vh_budget_update(&b, 15 * MS, 20 * MS, &c);
    assert_near(fires(&b), 0);
    vh_budget_update(&b, 915 * MS, 20 * MS, &c);
    assert_near(fires(&b), 0); /* 93.5 owed, 90 repaid */
    vh_budget_update(&b, 960 * MS, 20 * MS, &c);
    assert_near(fires(&b), 1);
    vh_budget_update(&b, 60 * S, 20 * MS, &c);
    assert_near(fires(&b), 25); /* no more than a quarter second saved */
}

/* What was left behind armed is paid for like a fire that was seen. */
static void test_owed(void)
{
    VhCosts c = { 0 };
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    vh_budget_owe(&b, 5.5);
    assert_near(fires(&b), 19.5);
    vh_budget_owe(&b, 0);
    assert_near(fires(&b), 19.5);
    vh_budget_owe(&b, 39.5); /* more than there are */
    assert_near(fires(&b), 0);
    vh_budget_update(&b, 200 * MS, 20 * MS, &c);
    assert_near(fires(&b), 0); /* 20 owed, just repaid */
    vh_budget_update(&b, 210 * MS, 20 * MS, &c);
    assert_near(fires(&b), 1);
}

/* What a plan is told of a second: fires at their cost, asks of the worker. */
static void test_per_second(void)
{
    VhCosts c = { 0 };
    VhPlanBudget p;
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    vh_budget_plan(&b, &p);
    assert_near(p.fires_per_s, 100);
    assert_near(p.asks_per_s, 0.02 * 0.07 / 1500e-9);
    c.primitive.fire_ns = 1000000; /* 6 ms a second are for fires */
    vh_budget_update(&b, 20 * MS, 20 * MS, &c);
    vh_budget_plan(&b, &p);
    assert_near(p.fires_per_s, 6);
}

static void test_slow_sampling_keeps_an_interval(void)
{
    VhCosts c = { 0 };
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    vh_budget_update(&b, 10 * S, 500 * MS, &c);
    assert_near(fires(&b), 50);
    vh_budget_update(&b, 10000 * S, 3600 * S, &c);
    assert_near(fires(&b), 100); /* but never more than a second's */
}

static void test_fires_limited_by_cost(void)
{
    VhCosts c = { .primitive.fire_ns = 1000000 };
    VhBudget b;

    /* 60 % of 1 % of a second is 6 ms: six fires of 1 ms */
    vh_budget_init(&b, &one_percent, true, 0);
    c.primitive.fires = 25;
    vh_budget_update(&b, 0, 20 * MS, &c);
    c.primitive.fires = 25;
    vh_budget_update(&b, S / 6, 20 * MS, &c);
    assert_near(fires(&b), 1);
}

static void test_arms(void)
{
    VhCosts c = { .primitive = { .arm_ns = 3000, .arm_batch_ns = 60000 } };
    VhBudget b;

    /* on vCPUs: 60 % of 1 %, a quarter second saved: 1.5 ms */
    vh_budget_init(&b, &one_percent, true, 0);
    c.primitive.vcpu_ns = 1;
    vh_budget_update(&b, 10 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 480);
    c.primitive.vcpu_ns += 10 * MS; /* measured, whatever was estimated */
    vh_budget_update(&b, 10 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 0);
    vh_budget_update(&b, 12 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), >, 0);
}

static void test_arms_by_worker(void)
{
    VhCosts c = { .primitive = { .arm_ns = 100000 } };
    VhBudget b;

    /* the worker may use twice the budget: 3 ms, 30 arms */
    vh_budget_init(&b, &one_percent, true, 0);
    vh_budget_update(&b, 10 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 30);
    c.primitive.arms = 20;
    vh_budget_update(&b, 10 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 10);
    c.primitive.arm_ns = 100 * MS; /* dearer than the bucket: one at a time */
    vh_budget_update(&b, 60 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 1);
}

/* The primitive has measured anew, and arms no longer on vCPUs. */
static void test_arms_move_to_the_worker(void)
{
    VhCosts c = { .primitive = { .arm_ns = 100000 } };
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    c.primitive.vcpu_ns = 1;
    vh_budget_update(&b, 10 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 15);
    c.primitive.arms = 1;
    vh_budget_update(&b, 20 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 30);
    c.primitive.arms += 20;
    vh_budget_update(&b, 20 * S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, 10);
}

static void test_free_arms_unlimited(void)
{
    VhCosts c = { 0 };
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    vh_budget_update(&b, S, 20 * MS, &c);
    g_assert_cmpuint(arms(&b), ==, SIZE_MAX);
}

/* @worker_ns and @vcpu_ns are spent in each of @n ticks of 20 ms x stretch. */
static uint64_t spend(VhBudget *b, uint64_t now, int n, uint64_t worker_ns,
                      uint64_t vcpu_ns, VhCosts *c)
{
    for (int i = 0; i < n; i++) {
        now += 20 * MS * b->stretch;
        c->worker_ns += worker_ns;
        c->primitive.vcpu_ns += vcpu_ns;
        vh_budget_update(b, now, 20 * MS, c);
    }
    return now;
}

static void test_throttle_worker(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now, busy;

    /* 2 ms in 20 ms is 10 %; 2 % is allowed: five times as slow */
    vh_budget_init(&b, &one_percent, true, 0);
    now = spend(&b, 0, 200, 2 * MS, 0, &c);
    g_assert_cmpfloat(b.stretch, >=, 4.5);
    g_assert_cmpfloat(b.stretch, <=, 7);
    busy = c.worker_ns;
    g_assert_cmpfloat((double)(spend(&b, now, 200, 2 * MS, 0, &c) - now) *
                          0.021,
                      >=, c.worker_ns - busy);
    /* cheap again: back to what the user asked for */
    spend(&b, now, 500, 10000, 0, &c);
    assert_near(b.stretch, 1);
}

/* What the worker does besides is no outlier of a tick: all of it counts. */
static void test_throttle_worker_other(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now;

    vh_budget_init(&b, &one_percent, true, 0);
    now = spend(&b, 0, 100, 10000, 0, &c);
    assert_near(b.stretch, 1);
    for (int i = 0; i < 10; i++) { /* 100 ms in two seconds is 5 % of 2 % */
        c.other_ns += 10 * MS;
        now = spend(&b, now, 10, 10000, 0, &c);
    }
    g_assert_cmpfloat(b.stretch, >=, 1.5);
    spend(&b, now, 500, 10000, 0, &c);
    assert_near(b.stretch, 1);
}

static void test_throttle_guest(void)
{
    VhCosts c = { .primitive.fire_ns = 50000 };
    VhBudget b;
    uint64_t now = 0;

    vh_budget_init(&b, &one_percent, true, 0);
    for (int i = 0; i < 200; i++) { /* 10 fires of 50 us in 20 ms: 2.5 % */
        now += 20 * MS * b.stretch;
        c.primitive.fires += 10;
        vh_budget_update(&b, now, 20 * MS, &c);
    }
    g_assert_cmpfloat(b.stretch, >, 2);
    g_assert_cmpfloat(b.stretch, <, 4);
}

static void test_throttle_limit(void)
{
    VhCosts c = { 0 };
    VhBudget b;

    vh_budget_init(&b, &one_percent, true, 0);
    spend(&b, 0, 200, 400 * MS, 0, &c);
    assert_near(b.stretch, VH_STRETCH_MAX);
}

static void test_steady_inside_band(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now;
    double before;

    vh_budget_init(&b, &one_percent, true, 0);
    now = spend(&b, 0, 500, 2 * MS, 0, &c);
    before = b.stretch;
    g_assert_cmpfloat(before, >, 4);
    spend(&b, now, 500, 2 * MS, 0, &c);
    assert_near(b.stretch, before);
}

static void test_relaxes_below_80_percent(void)
{
    static const struct {
        double load, stretch;
    } cases[] = { { 0.85, 5 }, { 0.95, 5 }, { 0.75, 4.6875 }, { 0.1, 3.5 } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double share = 0.02 * cases[i].load; /* of the worker's 2 % */
        VhCosts c = { 0 };
        VhBudget b;

        vh_budget_init(&b, &one_percent, true, 0);
        b.stretch = 5;
        b.worker_load = share;
        b.usual_tick_ns = 100 * MS * share; /* long under way */
        b.first_ticks = G_MAXUINT;
        spend(&b, 0, 3, 100 * MS * share, 0, &c);
        assert_near(b.stretch, cases[i].stretch);
    }
}

/* One tick of 200 ms among ticks of 0.1 ms: forgotten, not believed. */
static void test_outlier_tick(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now;

    vh_budget_init(&b, &one_percent, true, 0);
    now = spend(&b, 0, 100, MS / 10, 0, &c);
    now = spend(&b, now, 1, 200 * MS, 0, &c);
    spend(&b, now, 50, MS / 10, 0, &c);
    assert_near(b.stretch, 1);
}

/* The same as the very first tick, before anything is known to be usual. */
static void test_outlier_at_first(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now;

    vh_budget_init(&b, &one_percent, true, 0);
    now = spend(&b, 0, 1, 200 * MS, 0, &c);
    spend(&b, now, 50, MS / 10, 0, &c);
    assert_near(b.stretch, 1);
}

/* Ticks that stay ten times dearer are believed. */
static void test_dearer_ticks(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now;

    vh_budget_init(&b, &one_percent, true, 0);
    now = spend(&b, 0, 100, MS / 5, 0, &c);
    assert_near(b.stretch, 1);
    spend(&b, now, 500, 2 * MS, 0, &c);
    g_assert_cmpfloat(b.stretch, >=, 4.5);
}

static void test_batches_set_the_pace(void)
{
    VhCosts c = { .primitive = { .arm_batch_ns = 100000, .arm_ns = 10 } };
    VhBudget b;

    /* a quarter of 1 %, at 100 us a batch: 25 batches a second */
    vh_budget_init(&b, &one_percent, true, 0);
    spend(&b, 0, 100, 0, 1, &c);
    assert_near(b.stretch, 2);
    /* the worker may spend twice that */
    c.primitive = (VhPrimitiveStats){ .arm_batch_ns = 120000, .arm_ns = 10 };
    vh_budget_init(&b, &one_percent, true, 0);
    spend(&b, 0, 100, 0, 0, &c);
    assert_near(b.stretch, 1.2);
}

static void test_spent_inside_a_tick_counts(void)
{
    VhCosts c = { 0 };
    VhBudget b;
    uint64_t now = 0;

    vh_budget_init(&b, &one_percent, true, 0);
    for (int i = 0; i < 200; i++) {
        now += 20 * MS * b.stretch;
        vh_budget_update(&b, now, 20 * MS, &c);
        c.worker_ns += 2 * MS; /* charged with no time gone by */
        vh_budget_update(&b, now, 20 * MS, &c);
    }
    g_assert_cmpfloat(b.stretch, >=, 4.5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/budget/defaults", test_defaults);
    g_test_add_func("/budget/bucket", test_bucket_refills_and_owes);
    g_test_add_func("/budget/owed", test_owed);
    g_test_add_func("/budget/per-second", test_per_second);
    g_test_add_func("/budget/slow-sampling",
                    test_slow_sampling_keeps_an_interval);
    g_test_add_func("/budget/fire-cost", test_fires_limited_by_cost);
    g_test_add_func("/budget/arms", test_arms);
    g_test_add_func("/budget/arms-by-worker", test_arms_by_worker);
    g_test_add_func("/budget/arms-move", test_arms_move_to_the_worker);
    g_test_add_func("/budget/arms-free", test_free_arms_unlimited);
    g_test_add_func("/budget/throttle/worker", test_throttle_worker);
    g_test_add_func("/budget/throttle/worker-other",
                    test_throttle_worker_other);
    g_test_add_func("/budget/throttle/guest", test_throttle_guest);
    g_test_add_func("/budget/throttle/limit", test_throttle_limit);
    g_test_add_func("/budget/throttle/outlier", test_outlier_tick);
    g_test_add_func("/budget/throttle/outlier-first", test_outlier_at_first);
    g_test_add_func("/budget/throttle/dearer", test_dearer_ticks);
    g_test_add_func("/budget/throttle/steady", test_steady_inside_band);
    g_test_add_func("/budget/throttle/relax", test_relaxes_below_80_percent);
    g_test_add_func("/budget/throttle/batches", test_batches_set_the_pace);
    g_test_add_func("/budget/throttle/in-tick",
                    test_spent_inside_a_tick_counts);
    return g_test_run();
}
