/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns, priorities, the feedback loop and watermarks: numbers. */
#include "goals.h"
#include "pattern.h"
#include "quota.h"
#include "scheme-lab.h"
#include "watermarks.h"

static const VhSnapRegion region = { 4 * MIB, 12 * MIB, 7, 30, 0 };

static bool matches(VhPattern p)
{
    VhSnapshot *s = snap_of(&region, 1);
    bool yes = vh_pattern_match(&p, s, &s->regions[0]);

    vh_snapshot_unref(s);
    return yes;
}

/* @value is what the region has; just below and just above it must not do. */
static void assert_edges(VhPattern *p, VhBounds *b, uint64_t value)
{
    *b = (VhBounds){ value, value };
    g_assert_true(matches(*p));
    *b = (VhBounds){ value + 1, UINT64_MAX };
    g_assert_false(matches(*p));
    *b = (VhBounds){ 0, value - 1 };
    g_assert_false(matches(*p));
    *b = (VhBounds){ 0, UINT64_MAX };
    g_assert_true(matches(*p));
}

static void test_pattern_edges(void)
{
    VhPattern p = VH_PATTERN_ANY;

    assert_edges(&p, &p.size, 8 * MIB);
    assert_edges(&p, &p.nr_accesses, 7);
    assert_edges(&p, &p.age, 30);
    p.age_is_time = true;
    assert_edges(&p, &p.age, 30 * 100000);
}

static void test_pattern_rate(void)
{
    VhPattern p = VH_PATTERN_ANY;
    VhSnapshot *s = snap_of(&region, 1);

    g_assert_cmpfloat(vh_region_rate(s, 7), ==, 70);
    vh_snapshot_unref(s);
    p.by_rate = true;
    p.nr_accesses = (VhBounds){ 100, 100 }; /* not looked at */
    p.rate_min = p.rate_max = 70;
    g_assert_true(matches(p));
    p.rate_max = 69.9;
    p.rate_min = 0;
    g_assert_false(matches(p));
    p.rate_min = 70.1;
    p.rate_max = 1000;
    g_assert_false(matches(p));
    p.by_rate = false;
    g_assert_false(matches(p));
}

static unsigned score(const VhActionOps *action, VhQuota q, VhSnapRegion r)
{
    VhScheme s = any(action);
    VhSnapshot *snap = snap_of(&r, 1);
    unsigned x;

    s.quota = q;
    x = vh_scheme_score(&s, snap, &r);
    vh_snapshot_unref(snap);
    return x;
}

static unsigned hot(uint32_t wa, uint32_t wage, uint32_t nr, uint32_t age)
{
    VhQuota q = { .weight_accesses = wa, .weight_age = wage };
    VhSnapRegion r = { 0, MIB, nr, age, 0 };
    unsigned h = score(&fake_hot, q, r);

    g_assert_cmpuint(score(&fake_cold, q, r), ==, 99 - h);
    g_assert_cmpuint(score(&fake_flat, q, r), ==, 99);
    return h;
}

/* Worked out by hand from damon_hot_score(). */
static void test_scores(void)
{
    /* only nr_accesses: nr * 100 / 20, * 99 / 100 */
    g_assert_cmpuint(hot(1, 0, 20, 0), ==, 99);
    g_assert_cmpuint(hot(1, 0, 10, 0), ==, 49);
    g_assert_cmpuint(hot(1, 0, 1, 0), ==, 4);
    g_assert_cmpuint(hot(1, 0, 0, 1000), ==, 0);
    /* more than there can be */
    g_assert_cmpuint(hot(1, 0, 21, 0), ==, 99);
    /* only age: 0 s is the middle; 1 s: (32 +- 1) * 100 / 32 / 2 */
    g_assert_cmpuint(hot(0, 1, 5, 9), ==, 49);
    g_assert_cmpuint(hot(0, 1, 5, 10), ==, 50);  /* 51 * 99 / 100 */
    g_assert_cmpuint(hot(0, 1, 0, 10), ==, 47);  /* 48 * 99 / 100 */
    g_assert_cmpuint(hot(0, 1, 0, 80), ==, 42);  /* 8 s: 28: 43 */
    g_assert_cmpuint(hot(0, 1, 20, 80), ==, 55); /* 36: 56 */
    /* both: (3 * 50 + 1 * 51) / 4 = 50: 49 */
    g_assert_cmpuint(hot(3, 1, 10, 10), ==, 49);
    /* (1 * 100 + 3 * 56) / 4 = 67: 66 */
    g_assert_cmpuint(hot(1, 3, 20, 80), ==, 66);
    g_assert_cmpuint(hot(0, 0, 20, 80), ==, 0);
    /* weights as large as can be do not overflow */
    g_assert_cmpuint(hot(UINT32_MAX, UINT32_MAX, 20, 80), ==, 77);
}

static void test_score_size(void)
{
    VhQuota only = { .weight_size = 1 };
    VhQuota half = { .weight_size = 1, .weight_accesses = 1 };
    VhSnapRegion r = { 0, PAGE, 20, 0, 0 };

    g_assert_cmpuint(score(&fake_hot, only, r), ==, 0);
    r.end = 2 * PAGE;
    g_assert_cmpuint(score(&fake_hot, only, r), ==, 4); /* 5 * 99 / 100 */
    g_assert_cmpuint(score(&fake_cold, only, r), ==, 4);
    r.end = PAGE << 10;
    g_assert_cmpuint(score(&fake_cold, only, r), ==, 49);
    g_assert_cmpuint(score(&fake_hot, half, r), ==, 74);  /* (99 + 49) / 2 */
    g_assert_cmpuint(score(&fake_cold, half, r), ==, 24); /* (0 + 49) / 2 */
    r.end = PAGE << 20;
    g_assert_cmpuint(score(&fake_cold, only, r), ==, 99);
    r.end = PAGE << 40;
    g_assert_cmpuint(score(&fake_cold, only, r), ==, 99);
}

/* Worked out by hand from damon_feed_loop_next_input(). */
static void test_feed_loop(void)
{
    g_assert_cmpuint(vh_feed_loop(900000, 10000), ==, 900000);
    g_assert_cmpuint(vh_feed_loop(900000, 0), ==, 1800000);
    g_assert_cmpuint(vh_feed_loop(900000, 200), ==, 1782000);
    g_assert_cmpuint(vh_feed_loop(900000, 5000), ==, 1350000);
    g_assert_cmpuint(vh_feed_loop(900000, 15000), ==, 450000);
    g_assert_cmpuint(vh_feed_loop(900000, 19999), ==, 10000); /* 90 */
    g_assert_cmpuint(vh_feed_loop(900000, 20000), ==, 10000);
    g_assert_cmpuint(vh_feed_loop(900000, UINT64_MAX), ==, 10000);
    /* 10001 * 1 / 10000 = 1 */
    g_assert_cmpuint(vh_feed_loop(10001, 9999), ==, 10002);
    /* does not overflow */
    g_assert_cmpuint(vh_feed_loop(UINT64_MAX, 0), ==, UINT64_MAX);
    g_assert_cmpuint(vh_feed_loop(UINT64_MAX / 4 * 3, 0), ==, UINT64_MAX);
    g_assert_cmpuint(vh_feed_loop(UINT64_MAX, 15000), ==,
                     UINT64_MAX - UINT64_MAX / 10000 * 5000);
}

static VhSchemesEnv metrics_env(Lab *l)
{
    return (VhSchemesEnv){ .metric = lab_metric,
                           .goal_reached = lab_goal_reached,
                           .opaque = l };
}

/* What @goals allow for, with a new state. */
static uint64_t goal_score(Lab *l, VhGoal *goals, size_t n)
{
    VhSchemesEnv env = metrics_env(l);
    VhScheme s = any(&fake_cold);
    VhGoals g = { 0 };
    uint64_t score;

    s.quota.goals = goals;
    s.quota.nr_goals = n;
    vh_goals_set(&g, NULL, &s.quota);
    vh_goals_size(&g, &s, &env);
    score = g.score;
    vh_goals_clear(&g);
    return score;
}

static void test_goal_scores(void)
{
    Lab l = { .metric = { [VH_METRIC_MEM_FREE] = 150,
                          [VH_METRIC_MEM_USED] = 850,
                          [VH_METRIC_GUEST_RSS] = 300 * MIB,
                          [VH_METRIC_GUEST_FREE] = 0 },
              .known = { [VH_METRIC_MEM_FREE] = true,
                         [VH_METRIC_MEM_USED] = true,
                         [VH_METRIC_GUEST_RSS] = true,
                         [VH_METRIC_GUEST_FREE] = true } };
    VhGoal g[] = { { VH_METRIC_USER_INPUT, 400, 100 },
                   { VH_METRIC_MEM_FREE, 200, 0 },
                   { VH_METRIC_MEM_USED, 500, 0 },
                   { VH_METRIC_GUEST_RSS, 100 * MIB, 0 },
                   { VH_METRIC_GUEST_FREE, 100, 0 } };

    g_assert_cmpuint(goal_score(&l, &g[0], 1), ==, 2500);
    g_assert_cmpuint(goal_score(&l, &g[1], 1), ==, 7500);
    g_assert_cmpuint(goal_score(&l, &g[2], 1), ==, 17000);
    g_assert_cmpuint(goal_score(&l, &g[3], 1), ==, 3333);
    g_assert_cmpuint(goal_score(&l, &g[4], 1), ==, 10000);
    l.metric[VH_METRIC_GUEST_FREE] = 400;
    g_assert_cmpuint(goal_score(&l, &g[4], 1), ==, 2500);
    /* the best counts */
    g_assert_cmpuint(goal_score(&l, g, 2), ==, 7500);
    g_assert_cmpuint(goal_score(&l, g, 3), ==, 17000);
    /* what is not known is left out */
    l.known[VH_METRIC_MEM_USED] = false;
    g_assert_cmpuint(goal_score(&l, g, 3), ==, 7500);
    /* products of large numbers */
    g[0] = (VhGoal){ VH_METRIC_USER_INPUT, UINT64_MAX, UINT64_MAX / 2 };
    g_assert_cmpuint(goal_score(&l, g, 1), ==, 4999);
    g[0] = (VhGoal){ VH_METRIC_USER_INPUT, 1, UINT64_MAX };
    g_assert_cmpuint(goal_score(&l, g, 1), ==, UINT64_MAX);
}

typedef struct Tuned {
    Lab lab;
    VhScheme s;
    VhGoals g;
    VhGoal goal;
} Tuned;

static void tuned(Tuned *t, VhTuner tuner, VhGoal goal)
{
    *t = (Tuned){ .s = any(&fake_cold), .goal = goal };
    t->s.quota.tuner = tuner;
    t->s.quota.goals = &t->goal;
    t->s.quota.nr_goals = 1;
    vh_goals_set(&t->g, NULL, &t->s.quota);
}

static uint64_t tuned_size(Tuned *t)
{
    VhSchemesEnv env = metrics_env(&t->lab);

    return vh_goals_size(&t->g, &t->s, &env);
}

static void test_goal_psi_total(void)
{
    Tuned t;

    tuned(&t, VH_TUNER_CONSIST, (VhGoal){ VH_METRIC_SOME_MEM_PSI_US, 1000 });
    t.lab.known[VH_METRIC_SOME_MEM_PSI_US] = true;
    t.lab.metric[VH_METRIC_SOME_MEM_PSI_US] = 7000000;
    g_assert_cmpuint(tuned_size(&t), ==, 1); /* the first look says nothing */
    g_assert_cmpuint(t.lab.reached, ==, 0);
    t.lab.metric[VH_METRIC_SOME_MEM_PSI_US] += 250;
    tuned_size(&t);
    g_assert_cmpuint(t.g.score, ==, 2500);
    g_assert_cmpuint(t.g.v[0].current, ==, 250);
    t.lab.metric[VH_METRIC_SOME_MEM_PSI_US] += 500;
    tuned_size(&t);
    g_assert_cmpuint(t.g.score, ==, 5000);
    t.lab.metric[VH_METRIC_SOME_MEM_PSI_US] = 3; /* began anew */
    tuned_size(&t);
    g_assert_cmpuint(t.g.score, ==, 0);
    vh_goals_clear(&t.g);
}

static void test_goal_reached(void)
{
    Tuned t;

    tuned(&t, VH_TUNER_CONSIST, (VhGoal){ VH_METRIC_USER_INPUT, 100, 99 });
    tuned_size(&t);
    g_assert_cmpuint(t.lab.reached, ==, 0);
    t.goal.current = 101;
    tuned_size(&t);
    g_assert_cmpuint(t.lab.reached, ==, 1);
    g_assert_cmpuint(t.lab.reached_score, ==, 10100);
    tuned_size(&t); /* still is */
    g_assert_cmpuint(t.lab.reached, ==, 1);
    t.goal.current = 99;
    tuned_size(&t);
    t.goal.current = 100;
    tuned_size(&t);
    g_assert_cmpuint(t.lab.reached, ==, 2);
    vh_goals_clear(&t.g);
}

static void test_unknown_goals(void)
{
    Tuned t;

    tuned(&t, VH_TUNER_TEMPORAL, (VhGoal){ VH_METRIC_MEM_FREE, 100 });
    g_assert_cmpuint(tuned_size(&t), ==, 0);
    g_assert_cmpuint(t.lab.reached, ==, 0);
    vh_goals_clear(&t.g);
    tuned(&t, VH_TUNER_CONSIST, (VhGoal){ VH_METRIC_MEM_FREE, 100 });
    t.g.esz_bp = 5000 * 10000;
    g_assert_cmpuint(tuned_size(&t), ==, 5000);
    g_assert_cmpuint(t.lab.reached, ==, 0);
    vh_goals_clear(&t.g);
}

static void test_temporal(void)
{
    Tuned t;

    tuned(&t, VH_TUNER_TEMPORAL, (VhGoal){ VH_METRIC_USER_INPUT, 100, 99 });
    g_assert_cmpuint(tuned_size(&t), ==, UINT64_MAX);
    t.s.quota.size = 3 * MIB;
    g_assert_cmpuint(tuned_size(&t), ==, 3 * MIB);
    t.goal.current = 100;
    g_assert_cmpuint(tuned_size(&t), ==, 0);
    t.goal.current = 99;
    g_assert_cmpuint(tuned_size(&t), ==, 3 * MIB);
    vh_goals_clear(&t.g);
}

/*
 * A plant: each interval some memory is freed in proportion to the quota, and
 * the same amount is used up again. Its level follows slowly.
 */
static void test_consist_converges(void)
{
    const double right = 24.0 * MIB; /* quota at which the goal is met */
    double level = 0;
    uint64_t size = 0;
    Tuned t;

    tuned(&t, VH_TUNER_CONSIST, (VhGoal){ VH_METRIC_USER_INPUT, 100000, 0 });
    for (int i = 0; i < 400; i++) {
        t.goal.current = level;
        size = tuned_size(&t);
        level += (100000 * size / right - level) * 0.8;
    }
    g_assert_cmpfloat(size, >, right * 0.95);
    g_assert_cmpfloat(size, <, right * 1.05);
    g_assert_cmpuint(t.g.score, >, 9500);
    g_assert_cmpuint(t.g.score, <, 10500);
    vh_goals_clear(&t.g);
}

/* What the limits come to, with the score of the goal at 0. */
static uint64_t effective(VhQuota q, VhCharge *c)
{
    VhScheme s = any(&fake_cold);
    VhSnapshot *snap = snap_of(&region, 1);
    VhGoal goal = { VH_METRIC_USER_INPUT, 100, 0 };
    Lab l = { 0 };
    VhSchemesEnv env = metrics_env(&l);
    VhGoals g = { .esz_bp = 20 * MIB * 10000 };
    uint64_t exceeds = 0;

    q.reset_us = VH_QUOTA_RESET_US_DEFAULT;
    q.goals = &goal;
    s.quota = q;
    vh_goals_set(&g, NULL, &s.quota);
    vh_charge_begin(c, &g, &s, snap, &env, (VhWeigher){ 0 }, SECOND, &exceeds);
    vh_goals_clear(&g);
    vh_snapshot_unref(snap);
    return c->esz;
}

static void test_smallest_rules(void)
{
    VhCharge c = VH_CHARGE_NEW;

    g_assert_cmpuint(effective((VhQuota){ 0 }, &c), ==, UINT64_MAX);
    g_assert_cmpuint(effective((VhQuota){ .size = 10000 }, &c), ==, 10000);
    c = VH_CHARGE_NEW; /* the goal: 20 MiB doubled */
    g_assert_cmpuint(effective((VhQuota){ .nr_goals = 1 }, &c), ==, 40 * MIB);
    c = VH_CHARGE_NEW; /* unmeasured: 4 MiB/ms */
    g_assert_cmpuint(effective((VhQuota){ .time_us = 5000 }, &c), ==, 20 * MIB);
    c = VH_CHARGE_NEW;
    g_assert_cmpuint(effective((VhQuota){ .time_us = 5000, .nr_goals = 1 }, &c),
                     ==, 20 * MIB);
    c = VH_CHARGE_NEW;
    g_assert_cmpuint(
        effective((VhQuota){ .time_us = 50000, .nr_goals = 1 }, &c), ==,
        40 * MIB);
    c = VH_CHARGE_NEW;
    g_assert_cmpuint(
        effective((VhQuota){ .time_us = 50000, .nr_goals = 1, .size = 3 * MIB },
                  &c),
        ==, 3 * MIB);
    /* measured: 10 MiB in 20 ms */
    c = VH_CHARGE_NEW;
    c.total_size = 10 * MIB;
    c.total_ns = 20 * MS;
    g_assert_cmpuint(effective((VhQuota){ .time_us = 4000 }, &c), ==, 2 * MIB);
    /* at least a page */
    c = VH_CHARGE_NEW;
    c.total_size = PAGE;
    c.total_ns = 60 * SECOND;
    g_assert_cmpuint(effective((VhQuota){ .time_us = 1 }, &c), ==, PAGE);
    c = VH_CHARGE_NEW;
    c.total_size = UINT64_MAX;
    c.total_ns = 1;
    g_assert_cmpuint(effective((VhQuota){ .time_us = UINT64_MAX }, &c), ==,
                     UINT64_MAX);
}

static void test_temporal_beats_time(void)
{
    VhScheme s = any(&fake_cold);
    VhSnapshot *snap = snap_of(&region, 1);
    VhGoal goal = { VH_METRIC_USER_INPUT, 100, 100 };
    Lab l = { 0 };
    VhSchemesEnv env = metrics_env(&l);
    VhGoals g = { 0 };
    VhCharge c = VH_CHARGE_NEW;
    uint64_t exceeds = 0;

    s.quota.goals = &goal;
    s.quota.nr_goals = 1;
    s.quota.tuner = VH_TUNER_TEMPORAL;
    s.quota.time_us = 1000;
    s.quota.size = MIB;
    vh_goals_set(&g, NULL, &s.quota);
    vh_charge_begin(&c, &g, &s, snap, &env, (VhWeigher){ 0 }, SECOND, &exceeds);
    g_assert_cmpuint(c.esz, ==, 0);
    g_assert_cmpuint(vh_charge_room(&c), ==, 0);
    /* nothing was used up */
    vh_charge_begin(&c, &g, &s, snap, &env, (VhWeigher){ 0 }, 2 * SECOND,
                    &exceeds);
    g_assert_cmpuint(exceeds, ==, 0);
    vh_goals_clear(&g);
    vh_snapshot_unref(snap);
}

/* One look each second at @value; is the scheme active then? */
static bool wmark(Lab *l, VhWatermarkState *st, uint64_t value)
{
    static const VhWatermarks w = { .used = true,
                                    .metric = VH_METRIC_MEM_FREE,
                                    .interval_us = 1000000,
                                    .high = 500,
                                    .mid = 400,
                                    .low = 200 };
    VhSchemesEnv env = metrics_env(l);

    l->known[VH_METRIC_MEM_FREE] = true;
    l->metric[VH_METRIC_MEM_FREE] = value;
    l->now += SECOND;
    return vh_watermarks_look(st, &w, &env, l->now);
}

static void test_watermarks(void)
{
    Lab l = { 0 };
    VhWatermarkState st = { .active = true };

    g_assert_true(wmark(&l, &st, 450)); /* between mid and high: as it was */
    g_assert_true(wmark(&l, &st, 500));
    g_assert_false(wmark(&l, &st, 501));
    g_assert_cmpstr(st.reason, ==,
                    "mem-free is 501, above the high watermark 500");
    g_assert_false(wmark(&l, &st, 500));
    g_assert_cmpstr(st.reason, ==,
                    "mem-free is 500, not yet below the middle watermark 400");
    g_assert_false(wmark(&l, &st, 400));
    g_assert_true(wmark(&l, &st, 399));
    g_assert_null(st.reason);
    g_assert_true(wmark(&l, &st, 450));
    g_assert_true(wmark(&l, &st, 200));
    g_assert_false(wmark(&l, &st, 199));
    g_assert_cmpstr(st.reason, ==,
                    "mem-free is 199, below the low watermark 200");
    g_assert_true(wmark(&l, &st, 200));
    g_assert_false(wmark(&l, &st, 0));
    g_assert_false(wmark(&l, &st, 450));
    g_free(st.reason);
}

static void test_watermarks_interval(void)
{
    Lab l = { .metric = { [VH_METRIC_SOME_MEM_PSI] = 9000 },
              .known = { [VH_METRIC_SOME_MEM_PSI] = true } };
    VhWatermarks w = { true, VH_METRIC_SOME_MEM_PSI, 5000000, 800, 400, 0 };
    VhWatermarkState st = { .active = true };
    VhSchemesEnv env = metrics_env(&l);

    g_assert_false(vh_watermarks_look(&st, &w, &env, 1));
    g_assert_cmpstr(st.reason, ==,
                    "some-mem-psi is 9000, above the high watermark 800");
    l.metric[VH_METRIC_SOME_MEM_PSI] = 0;
    g_assert_false(vh_watermarks_look(&st, &w, &env, 5 * SECOND));
    g_assert_true(vh_watermarks_look(&st, &w, &env, 5 * SECOND + 1));
    l.metric[VH_METRIC_SOME_MEM_PSI] = 9000;
    g_assert_true(vh_watermarks_look(&st, &w, &env, 10 * SECOND));
    g_assert_false(vh_watermarks_look(&st, &w, &env, 10 * SECOND + 1));
    /* not known any more, not used any more */
    l.known[VH_METRIC_SOME_MEM_PSI] = false;
    g_assert_true(vh_watermarks_look(&st, &w, &env, 20 * SECOND));
    l.known[VH_METRIC_SOME_MEM_PSI] = true;
    g_assert_false(vh_watermarks_look(&st, &w, &env, 30 * SECOND));
    w.used = false;
    g_assert_true(vh_watermarks_look(&st, &w, &env, 40 * SECOND));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/edges", test_pattern_edges);
    g_test_add_func("/pattern/rate", test_pattern_rate);
    g_test_add_func("/score/published", test_scores);
    g_test_add_func("/score/size", test_score_size);
    g_test_add_func("/goals/feed-loop", test_feed_loop);
    g_test_add_func("/goals/scores", test_goal_scores);
    g_test_add_func("/goals/psi-total", test_goal_psi_total);
    g_test_add_func("/goals/reached", test_goal_reached);
    g_test_add_func("/goals/unknown", test_unknown_goals);
    g_test_add_func("/goals/temporal", test_temporal);
    g_test_add_func("/goals/consist", test_consist_converges);
    g_test_add_func("/quota/smallest", test_smallest_rules);
    g_test_add_func("/quota/temporal-time", test_temporal_beats_time);
    g_test_add_func("/watermarks/hysteresis", test_watermarks);
    g_test_add_func("/watermarks/interval", test_watermarks_interval);
    return g_test_run();
}
