/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine: setting schemes, backing off, and being asked from elsewhere. */
#include "scheme-lab.h"

static const VhSnapRegion all[] = { { 0, 1024 * MIB, 0, 50, 0 } };

static void step(Lab *l, uint64_t ns)
{
    l->now += ns;
    lab_snapshot(l, all, 1);
    lab_run(l, 0);
}

/* Everything a scheme can own. */
static VhScheme rich(void)
{
    static VhGoal goals[] = { { VH_METRIC_USER_INPUT, 100, 7 },
                              { VH_METRIC_MEM_FREE, 100, 0 } };
    static VhFilter filters[] = {
        { .type = VH_FILTER_BLOCK,
          .matching = true,
          .id = (char *)"ram0",
          .allow = true },
    };
    static VhNodeWeight nodes[] = { { 0, 1 }, { 1, 3 } };
    VhScheme s = any(&fake_nodes);

    s.quota.goals = goals;
    s.quota.nr_goals = 2;
    s.filters = filters;
    s.nr_filters = 1;
    s.args.nodes = nodes;
    s.args.nr_nodes = 2;
    return s;
}

static void test_copy(void)
{
    VhScheme s = rich(), copy;

    vh_scheme_copy(&copy, &s);
    g_assert_cmpstr(copy.name, ==, "nodes");
    g_assert_true(copy.name != s.name);
    g_assert_true(copy.filters != s.filters);
    g_assert_cmpstr(copy.filters[0].id, ==, "ram0");
    g_assert_true(copy.filters[0].id != s.filters[0].id);
    g_assert_true(copy.quota.goals != s.quota.goals);
    g_assert_cmpuint(copy.quota.goals[0].current, ==, 7);
    g_assert_cmpuint(copy.args.nodes[1].weight, ==, 3);
    vh_scheme_clear(&copy);
    g_assert_null(copy.name);
    g_assert_null(copy.filters);
}

static void test_nothing(void)
{
    Lab *l = lab_new();
    size_t n = 1;

    step(l, 0);
    vh_schemes_set(l->e, NULL, 0);
    vh_schemes_status_free(vh_schemes_status(l->e, &n), 0);
    g_assert_cmpuint(n, ==, 0);
    vh_schemes_pause(l->e);
    lab_free(l);
    vh_schemes_free(NULL);
}

static void test_names(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { any(&fake_cold), any(&fake_cold) };
    VhSchemeStatus *st;
    size_t n;

    v[1].name = NULL;
    vh_schemes_set(l->e, v, 2);
    st = vh_schemes_status(l->e, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(st[0].scheme.name, ==, "cold");
    g_assert_cmpstr(st[1].scheme.name, ==, "cold-1");
    vh_schemes_status_free(st, n);
    lab_free(l);
}

static void test_set_is_deep(void)
{
    Lab *l = lab_new();
    VhScheme s = rich(), mine;
    VhSchemeStatus *st;

    vh_scheme_copy(&mine, &s);
    vh_schemes_set(l->e, &mine, 1);
    vh_scheme_clear(&mine);
    step(l, 0);
    st = lab_status(l, 0);
    g_assert_cmpstr(st->scheme.filters[0].id, ==, "ram0");
    g_assert_cmpuint(st->goal_current[0], ==, 7);
    g_assert_cmpuint(st->goal_score, ==, 700);
    vh_schemes_status_free(st, 1);
    lab_free(l);
}

/* The scheme that stays keeps all; its action is not opened again. */
static void test_keeps(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { any(&fake_flat), any(&fake_cold) };
    VhSchemeStatus *st;

    v[1].quota.size = 100 * MIB;
    vh_schemes_set(l->e, &v[1], 1);
    step(l, 0);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    vh_schemes_set(l->e, v, 2);
    g_assert_cmpuint(l->opens, ==, 2);
    g_assert_cmpuint(l->closes, ==, 0);
    st = lab_status(l, 1);
    g_assert_cmpuint(st->stats.sz_applied, ==, 100 * MIB);
    g_assert_cmpuint(st->charged_size, ==, 100 * MIB);
    g_assert_cmpuint(st->effective_size, ==, 100 * MIB);
    g_assert_cmpuint(st->nr_tried, ==, 1);
    vh_schemes_status_free(st, 1);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 0);
    step(l, SECOND);
    /* goes on where the quota stopped it, under its new number */
    assert_call(l->calls[2], 100 * MIB, 100 * MIB);
    g_assert_cmpuint(l->calls[2].who, ==, 0);
    g_assert_cmpuint(l->told[1].who, ==, 1);
    g_assert_cmpuint(lab_stats(l, 1).qt_exceeds, ==, 1);
    lab_free(l);
}

static void test_forgets(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_cold);

    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    s.name = "other";
    vh_schemes_set(l->e, &s, 1);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 0);
    g_assert_cmpuint(l->closes, ==, 1);
    step(l, 0);
    s.action = &fake_flat; /* same name, another action */
    vh_schemes_set(l->e, &s, 1);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 0);
    g_assert_cmpuint(l->closes, ==, 2);
    g_assert_cmpuint(l->maps, ==, 3); /* each was told of the map */
    vh_schemes_set(l->e, NULL, 0);
    g_assert_cmpuint(l->closes, ==, 3);
    lab_free(l);
}

/* What may change of a scheme, and what its pass does then. */
static bool pass_goes_on(void (*change)(VhScheme *s))
{
    Lab *l = lab_new();
    VhScheme s;
    VhScheme r = rich();
    bool on;

    vh_scheme_copy(&s, &r);
    l->quantum = 10 * MIB;
    s.quota.nr_goals = 1;
    s.quota.tuner = VH_TUNER_TEMPORAL;
    s.apply_us = 3600000000;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, all, 1);
    vh_schemes_step(l->e);
    change(&s);
    vh_schemes_set(l->e, &s, 1);
    on = vh_schemes_step(l->e) != UINT64_MAX;
    if (!on) { /* and a changed scheme begins at once, where it was */
        lab_snapshot(l, all, 1);
        vh_schemes_step(l->e);
    }
    g_assert_cmpuint(l->opens, ==, 1);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 20 * MIB);
    assert_call(l->calls[1], 10 * MIB, 10 * MIB);
    vh_scheme_clear(&s);
    lab_free(l);
    return on;
}

static void change_nothing(VhScheme *s)
{
}
static void change_current(VhScheme *s)
{
    s->quota.goals[0].current = 9;
}
static void change_target(VhScheme *s)
{
    s->quota.goals[0].target = 9;
}
static void change_size(VhScheme *s)
{
    s->pattern.size.min = 1;
}
static void change_accesses(VhScheme *s)
{
    s->pattern.nr_accesses.max = 9;
}
static void change_age(VhScheme *s)
{
    s->pattern.age.min = 1;
}
static void change_unit(VhScheme *s)
{
    s->pattern.age_is_time = true;
}
static void change_limit(VhScheme *s)
{
    s->quota.size = 500 * MIB;
}
static void change_time(VhScheme *s)
{
    s->quota.time_us = 1000000;
}
static void change_reset(VhScheme *s)
{
    s->quota.reset_us = 1000;
}
static void change_weight(VhScheme *s)
{
    s->quota.weight_size = 1;
}
static void change_apply(VhScheme *s)
{
    s->apply_us = 0;
}
static void change_max(VhScheme *s)
{
    s->max_snapshots = 9;
}
static void change_node(VhScheme *s)
{
    s->args.nodes[0].node = 9;
}
static void change_nodes(VhScheme *s)
{
    s->args.nr_nodes = 1;
}
static void change_balloon(VhScheme *s)
{
    s->args.balloon.step = 9;
}
static void change_wmark(VhScheme *s)
{
    s->watermarks.mid = 9;
}
static void change_filter(VhScheme *s)
{
    s->filters[0].node = 9;
}
static void change_psi(VhScheme *s)
{
    s->back_off.psi = 9;
}
static void change_refault(VhScheme *s)
{
    s->back_off.refault_permille = 9;
}

static void change_block(VhScheme *s)
{
    s->filters[0].matching = false;
    s->filters[0].id[0] = 'x';
}

static void test_changes(void)
{
    void (*const other[])(VhScheme *) = {
        change_target, change_size,    change_accesses, change_age,
        change_unit,   change_limit,   change_time,     change_reset,
        change_weight, change_apply,   change_max,      change_node,
        change_nodes,  change_balloon, change_wmark,    change_filter,
        change_psi,    change_refault, change_block,
    };

    g_assert_true(pass_goes_on(change_nothing));
    g_assert_true(pass_goes_on(change_current));
    for (size_t i = 0; i < G_N_ELEMENTS(other); i++) {
        g_assert_false(pass_goes_on(other[i]));
    }
}

static void test_quota_removed(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);
    VhSchemeStatus *st;

    s.quota.size = 100 * MIB;
    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    s.quota.size = 0;
    vh_schemes_set(l->e, &s, 1);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->effective_size, ==, UINT64_MAX);
    vh_schemes_status_free(st, 1);
    step(l, 0);
    assert_call(l->calls[1], 100 * MIB, 924 * MIB);
    s.quota.size = 50 * MIB; /* and a new one is in force at once */
    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    assert_call(l->calls[2], 0, 50 * MIB);
    lab_free(l);
}

/* A goal that stays remembers its running total. */
static void test_goals_kept(void)
{
    Lab *l = lab_new();
    VhGoal goals[] = { { VH_METRIC_SOME_MEM_PSI_US, 1000, 0 },
                       { VH_METRIC_USER_INPUT, 1000, 0 } };
    VhScheme s = any(&fake_flat);
    VhSchemeStatus *st;

    l->known[VH_METRIC_SOME_MEM_PSI_US] = true;
    s.quota.goals = goals;
    s.quota.nr_goals = 1;
    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    s.quota.nr_goals = 2;
    vh_schemes_set(l->e, &s, 1);
    l->metric[VH_METRIC_SOME_MEM_PSI_US] = 300;
    step(l, SECOND);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->goal_current[0], ==, 300);
    g_assert_cmpuint(st->goal_score, ==, 3000);
    vh_schemes_status_free(st, 1);
    s.quota.nr_goals = 0;
    vh_schemes_set(l->e, &s, 1);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->goal_score, ==, 0);
    vh_schemes_status_free(st, 1);
    lab_free(l);
}

static void test_errors(void)
{
    static const uint64_t spans[] = { 1, 2, 4, 8, 16, 32, 64, 64 };
    Lab *l = lab_new();
    VhScheme s = any(&fake_cold);

    vh_schemes_set(l->e, &s, 1);
    l->error = ENOMEM;
    l->bad = 300 * MIB;
    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
        step(l, 0);
        g_assert_cmpuint(l->back_offs, ==, i + 1);
        g_assert_cmpuint(l->span, ==, spans[i] * SECOND);
        g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_BACK_OFF);
        assert_reason(l, 0, "the host refused cold: Cannot allocate memory");
        g_assert_cmpstr(l->why, ==,
                        "cold: the host refused cold: Cannot allocate memory");
        g_assert_cmpuint(vh_schemes_step(l->e), ==, UINT64_MAX);
        step(l, l->span - 1); /* not yet */
        g_assert_cmpuint(l->nr_calls, ==, i + 1);
        l->now++;
    }
    g_assert_cmpuint(lab_stats(l, 0).errors, ==, 8);
    g_assert_cmpuint(lab_stats(l, 0).back_offs, ==, 8);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 300 * MIB);
    g_assert_cmpuint(l->ends, ==, 0);
    assert_call(l->calls[0], 0, 300 * MIB);
    assert_call(l->calls[1], 300 * MIB, 0); /* there again */
    l->error = 0;
    step(l, 0);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    assert_reason(l, 0, NULL);
    assert_call(l->calls[8], 300 * MIB, 724 * MIB);
    /* a minute without: a second again; a little less is not enough */
    l->error = EAGAIN;
    l->bad = 0;
    step(l, 60 * SECOND - 1);
    g_assert_cmpuint(l->span, ==, 64 * SECOND);
    l->error = 0;
    step(l, 64 * SECOND);
    l->error = ENOSPC;
    step(l, 60 * SECOND);
    g_assert_cmpuint(l->span, ==, 1 * SECOND);
    lab_free(l);
}

/* An error in one scheme is none of the others' business. */
static void test_error_of_one(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { any(&fake_flat), any(&fake_hot) };

    l->error = ENOMEM;
    vh_schemes_set(l->e, v, 2);
    lab_snapshot(l, all, 1);
    vh_schemes_step(l->e);
    l->error = 0;
    lab_run_all(l);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_BACK_OFF);
    g_assert_cmpint(lab_state(l, 1), ==, VH_SCHEME_ACTIVE);
    g_assert_cmpuint(lab_stats(l, 1).sz_applied, ==, 1024 * MIB);
    lab_free(l);
}

static VhScheme refaulting(const VhActionOps *action, uint32_t permille)
{
    VhScheme s = any(action);

    s.back_off.refault_permille = permille;
    s.apply_us = 3600000000;
    return s;
}

static void test_refaults(void)
{
    Lab *l = lab_new();
    VhScheme s = refaulting(&fake_cold, 100);

    l->refaults[0] = 77 * MIB; /* of old; not ours */
    vh_schemes_set(l->e, &s, 1);
    step(l, 0); /* 1 GiB is applied */
    l->refaults[0] += 102 * MIB;
    step(l, SECOND);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    g_assert_cmpuint(lab_stats(l, 0).refaulted, ==, 102 * MIB);
    l->refaults[0] += MIB; /* 100.6 of 1000 */
    step(l, SECOND);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    l->refaults[0] += MIB;
    step(l, SECOND / 2); /* not looked at */
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    step(l, SECOND / 2);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_BACK_OFF);
    assert_reason(l, 0,
                  "for 1000 bytes paged out in the last minute 101 came back; "
                  "allowed are 100");
    g_assert_cmpuint(l->span, ==, SECOND);
    step(l, SECOND); /* it was within the last minute, still */
    g_assert_cmpuint(l->span, ==, 2 * SECOND);
    for (int i = 0; i < 61; i++) {
        step(l, SECOND);
    }
    g_assert_cmpuint(lab_stats(l, 0).back_offs, ==, 6); /* 1, 2, ... 32 */
    step(l, 2 * SECOND);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    lab_free(l);
}

/* Little says nothing; and neither do actions that do not take memory away. */
static void test_refaults_not_counted(void)
{
    Lab *l = lab_new();
    VhScheme s = refaulting(&fake_cold, 100);
    VhSnapRegion small = { 0, 4 * MIB - PAGE, 0, 0, 0 };

    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, &small, 1);
    lab_run_all(l);
    l->refaults[0] = 4 * MIB;
    step(l, SECOND);
    g_assert_cmpuint(l->back_offs, ==, 0);
    s = refaulting(&fake_flat, 100);
    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    l->refaults[0] += 900 * MIB;
    step(l, SECOND);
    step(l, SECOND);
    g_assert_cmpuint(l->back_offs, ==, 0);
    g_assert_cmpuint(lab_stats(l, 0).refaulted, ==, 0);
    g_assert_cmpuint(l->nr_told, ==, 1);
    s = refaulting(&fake_cold, 0);
    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    l->refaults[0] += 900 * MIB;
    step(l, SECOND);
    g_assert_cmpuint(l->back_offs, ==, 0);
    g_assert_cmpuint(lab_stats(l, 0).refaulted, ==, 900 * MIB);
    lab_free(l);
}

/* Refaults over more than a minute do not add up. */
static void test_refaults_of_a_minute(void)
{
    Lab *l = lab_new();
    VhScheme s = refaulting(&fake_cold, 100);
    VhSnapRegion some = { 0, 100 * MIB, 0, 0, 0 };

    s.apply_us = 0;
    vh_schemes_set(l->e, &s, 1);
    for (int i = 0; i < 300; i++) { /* 9 % */
        lab_snapshot(l, &some, 1);
        lab_run_all(l);
        l->now += SECOND;
        l->refaults[0] += 9 * MIB;
    }
    g_assert_cmpuint(l->back_offs, ==, 0);
    for (int i = 0; i < 10; i++) { /* 30 %: 12.5 % of the minute in the end */
        lab_snapshot(l, &some, 1);
        lab_run_all(l);
        l->now += SECOND;
        l->refaults[0] += 30 * MIB;
        g_assert_cmpuint(l->back_offs, ==, i > 3);
        if (i > 3) {
            break;
        }
    }
    lab_free(l);
}

/* What was applied more than a minute ago does not make up for anything. */
static void test_refaults_seldom_looked_at(void)
{
    Lab *l = lab_new();
    VhScheme s = refaulting(&fake_cold, 100);
    VhSnapRegion some = { 0, 100 * MIB, 0, 0, 0 };

    s.apply_us = 60000000;
    vh_schemes_set(l->e, &s, 1);
    step(l, 0); /* 1 GiB, none of which comes back */
    for (int i = 0; i < 6; i++) {
        l->now += 10 * SECOND;
        lab_snapshot(l, &some, 1);
        lab_run_all(l);
    }
    l->refaults[0] = 30 * MIB;
    l->now += 10 * SECOND;
    lab_snapshot(l, &some, 1);
    g_assert_cmpuint(l->back_offs, ==, 1);
    lab_free(l);
}

/* After a change of the list the totals may be others. */
static void test_refaults_after_set(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { any(&fake_flat), refaulting(&fake_cold, 100) };

    vh_schemes_set(l->e, &v[1], 1);
    step(l, 0);
    l->refaults[0] = 10 * MIB;
    step(l, SECOND);
    g_assert_cmpuint(lab_stats(l, 0).refaulted, ==, 10 * MIB);
    l->refaults[1] = 900 * MIB;
    vh_schemes_set(l->e, v, 2);
    step(l, SECOND);
    g_assert_cmpuint(lab_stats(l, 1).refaulted, ==, 10 * MIB);
    l->refaults[1] += MIB;
    step(l, SECOND);
    g_assert_cmpuint(lab_stats(l, 1).refaulted, ==, 11 * MIB);
    l->refaults[1] = 2 * MIB; /* began anew */
    step(l, SECOND);
    g_assert_cmpuint(lab_stats(l, 1).refaulted, ==, 13 * MIB);
    lab_free(l);
}

static void test_psi(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { any(&fake_cold), any(&fake_flat) };

    v[0].back_off.psi = v[1].back_off.psi = 2000;
    l->known[VH_METRIC_SOME_MEM_PSI] = true;
    l->metric[VH_METRIC_SOME_MEM_PSI] = 2000;
    vh_schemes_set(l->e, v, 2);
    step(l, 0);
    g_assert_cmpuint(l->back_offs, ==, 0);
    l->metric[VH_METRIC_SOME_MEM_PSI] = 2001;
    step(l, SECOND);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_BACK_OFF);
    assert_reason(l, 0,
                  "memory pressure of the host is 2001 of 10000; allowed are "
                  "2000");
    g_assert_cmpint(lab_state(l, 1), ==, VH_SCHEME_ACTIVE);
    g_assert_cmpuint(l->back_offs, ==, 1);
    g_assert_cmpuint(lab_stats(l, 0).nr_snapshots, ==, 1);
    l->metric[VH_METRIC_SOME_MEM_PSI] = 100;
    step(l, SECOND);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    l->metric[VH_METRIC_SOME_MEM_PSI] = 9000;
    l->known[VH_METRIC_SOME_MEM_PSI] = false;
    step(l, SECOND);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    lab_free(l);
}

/* Pressure in the middle of a pass ends it there. */
static void test_psi_in_a_pass(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_cold);

    s.back_off.psi = 2000;
    l->known[VH_METRIC_SOME_MEM_PSI] = true;
    l->quantum = 100 * MIB;
    l->cost_ns = 400 * MS;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, all, 1);
    vh_schemes_step(l->e);
    l->metric[VH_METRIC_SOME_MEM_PSI] = 5000;
    lab_run_all(l); /* until a second has passed */
    g_assert_cmpuint(l->nr_calls, ==, 3);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_BACK_OFF);
    l->metric[VH_METRIC_SOME_MEM_PSI] = 0;
    step(l, SECOND);
    assert_call(l->calls[3], 300 * MIB, 100 * MIB);
    lab_free(l);
}

/* Surroundings that know nothing. */
static void test_bare_env(void)
{
    Lab *l = lab_new();
    VhSchemesEnv env = { .action = { .clock = { lab_now, l }, .opaque = l } };
    VhScheme s = any(&fake_cold);

    vh_schemes_free(l->e);
    l->e = vh_schemes_new(&env);
    lab_map(l, &(VhMapSection){ .size = 1024 * MIB }, 1);
    s.back_off = (VhBackOff){ 100, 100 };
    s.watermarks = (VhWatermarks){ true, VH_METRIC_MEM_FREE, 1000, 3, 2, 1 };
    vh_schemes_set(l->e, &s, 1);
    step(l, 0);
    l->error = ENOMEM;
    step(l, SECOND);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 1024 * MIB);
    g_assert_cmpuint(lab_stats(l, 0).back_offs, ==, 1);
    lab_free(l);
}

typedef struct Shared {
    VhSchemes *e;
    int stop;
    int reads;
} Shared;

static void check_status(const VhSchemeStatus *st, uint64_t *last)
{
    g_assert_nonnull(st->scheme.name);
    g_assert_cmpuint(st->stats.sz_applied, <=, st->stats.sz_tried);
    g_assert_cmpuint(st->stats.sz_tried, >=, *last);
    *last = st->stats.sz_tried;
    g_assert_true(st->state == VH_SCHEME_ACTIVE || st->reason);
    for (size_t i = 1; i < st->nr_tried; i++) {
        g_assert_cmpuint(st->tried[i].start, >=, st->tried[i - 1].end);
    }
    for (size_t i = 0; i < st->scheme.quota.nr_goals; i++) {
        g_assert_cmpuint(st->goal_current[i], <=, 7);
    }
}

static void *reader(void *opaque)
{
    Shared *sh = opaque;
    uint64_t last = 0;

    while (!g_atomic_int_get(&sh->stop)) {
        size_t n;
        VhSchemeStatus *v = vh_schemes_status(sh->e, &n);

        if (n) { /* the first one stays all the time */
            check_status(&v[0], &last);
            g_atomic_int_inc(&sh->reads);
        }
        vh_schemes_status_free(v, n);
        g_thread_yield();
    }
    return NULL;
}

static void test_readers(void)
{
    static const VhSnapRegion v[] = { { 0, 10 * MIB, 0, 5, 0 },
                                      { 10 * MIB, 90 * MIB, 3, 5, 0 } };
    Lab *l = lab_new();
    VhScheme s[] = { any(&fake_stat), rich(), any(&fake_flat) };
    GThread *t[2];
    Shared sh = { .e = l->e };

    l->quantum = 5 * MIB;
    s[0].quota.goals = s[1].quota.goals;
    vh_schemes_set(l->e, s, 2);
    for (size_t i = 0; i < 2; i++) {
        t[i] = g_thread_new("reader", reader, &sh);
    }
    for (int i = 0; i < 200 || g_atomic_int_get(&sh.reads) < 50; i++) {
        l->nr_calls = l->nr_aged = l->nr_told = 0;
        l->error = i % 50 == 49 ? ENOMEM : 0;
        lab_snapshot(l, v, 1 + i % 2);
        lab_run(l, 100 * MS);
        l->now += 100 * MS;
        s[0].quota.nr_goals = i % 3;
        vh_schemes_set(l->e, s, 1 + i % 3);
    }
    g_atomic_int_set(&sh.stop, 1);
    for (size_t i = 0; i < 2; i++) {
        g_thread_join(t[i]);
    }
    lab_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schemes/copy", test_copy);
    g_test_add_func("/schemes/nothing", test_nothing);
    g_test_add_func("/schemes/names", test_names);
    g_test_add_func("/schemes/set-is-deep", test_set_is_deep);
    g_test_add_func("/schemes/keeps", test_keeps);
    g_test_add_func("/schemes/forgets", test_forgets);
    g_test_add_func("/schemes/changes", test_changes);
    g_test_add_func("/schemes/quota-removed", test_quota_removed);
    g_test_add_func("/schemes/goals-kept", test_goals_kept);
    g_test_add_func("/back-off/errors", test_errors);
    g_test_add_func("/back-off/error-of-one", test_error_of_one);
    g_test_add_func("/back-off/refaults", test_refaults);
    g_test_add_func("/back-off/not-counted", test_refaults_not_counted);
    g_test_add_func("/back-off/of-a-minute", test_refaults_of_a_minute);
    g_test_add_func("/back-off/seldom", test_refaults_seldom_looked_at);
    g_test_add_func("/back-off/after-set", test_refaults_after_set);
    g_test_add_func("/back-off/psi", test_psi);
    g_test_add_func("/back-off/psi-in-a-pass", test_psi_in_a_pass);
    g_test_add_func("/schemes/bare-env", test_bare_env);
    g_test_add_func("/schemes/readers", test_readers);
    return g_test_run();
}
