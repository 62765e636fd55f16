/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas at work: intervals, charging, splits, priorities, resuming. */
#include "scheme-lab.h"

static const VhSnapRegion one[] = { { 0, 100 * MIB, 0, 50, 0 } };

static VhScheme limited(const VhActionOps *action, uint64_t size)
{
    VhScheme s = any(action);

    s.quota.size = size;
    return s;
}

/* A snapshot each 100 ms, with all of its work. */
static void rounds(Lab *l, const VhSnapRegion *v, size_t n, int count)
{
    for (int i = 0; i < count; i++) {
        lab_snapshot(l, v, n);
        lab_run_all(l);
        l->now += 100 * MS;
    }
}

static void test_window(void)
{
    Lab *l = lab_new();
    VhScheme s = limited(&fake_flat, 30 * MIB);
    VhSchemeStatus *st;

    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 10);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    assert_call(l->calls[0], 0, 30 * MIB); /* split */
    st = lab_status(l, 0);
    g_assert_cmpuint(st->effective_size, ==, 30 * MIB);
    g_assert_cmpuint(st->charged_size, ==, 30 * MIB);
    g_assert_cmpuint(st->stats.qt_exceeds, ==, 0); /* it is not over */
    g_assert_cmpuint(st->stats.nr_tried, ==, 1);
    g_assert_cmpuint(st->stats.sz_tried, ==, 30 * MIB);
    vh_schemes_status_free(st, 1);
    assert_call(l->aged[0], 0, 30 * MIB);
    rounds(l, one, 1, 30);
    g_assert_cmpuint(l->nr_calls, ==, 5);
    assert_call(l->calls[1], 30 * MIB, 30 * MIB); /* resumes */
    assert_call(l->calls[2], 60 * MIB, 30 * MIB);
    assert_call(l->calls[3], 90 * MIB, 10 * MIB);
    assert_call(l->calls[4], 0, 20 * MIB); /* the rest, the next time */
    g_assert_cmpuint(lab_stats(l, 0).qt_exceeds, ==, 3);
    lab_free(l);
}

/* What the split of a page would leave is not done. */
static void test_uneven_size(void)
{
    Lab *l = lab_new();
    VhScheme s = limited(&fake_flat, 2 * PAGE + 100);
    VhSnapRegion v = { 0, 2 * PAGE, 0, 0, 0 };

    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 10);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    assert_call(l->calls[0], 0, 2 * PAGE);
    rounds(l, &v, 1, 10);
    g_assert_cmpuint(lab_stats(l, 0).qt_exceeds, ==, 1);
    lab_free(l);

    l = lab_new();
    s = limited(&fake_flat, PAGE - 1);
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 20);
    g_assert_cmpuint(l->nr_calls, ==, 0);
    g_assert_cmpuint(lab_stats(l, 0).qt_exceeds, ==, 0);
    lab_free(l);
}

/* A quota is counted in pages of the host; less than one is no more. */
static void test_host_pages(void)
{
    uint64_t page = 16 * PAGE;
    Lab *l = lab_new_on(page);
    VhScheme s = limited(&fake_flat, 2 * page + PAGE);

    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 20);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], 0, 2 * page);
    assert_call(l->calls[1], 2 * page, 2 * page);
    g_assert_cmpuint(lab_stats(l, 0).qt_exceeds, ==, 1);
    lab_free(l);

    l = lab_new_on(page);
    s = limited(&fake_flat, 0);
    s.quota.time_us = 1; /* 4 KiB at the first guess */
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 1);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    assert_call(l->calls[0], 0, page);
    lab_free(l);
}

static void test_not_used_up(void)
{
    Lab *l = lab_new();
    VhScheme s = limited(&fake_flat, 2000 * MIB);

    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 19); /* 100 MiB each */
    g_assert_cmpuint(l->nr_calls, ==, 19);
    g_assert_cmpuint(lab_stats(l, 0).qt_exceeds, ==, 0);
    lab_free(l);
}

/* The first interval begins with the first use. */
static void test_first_use(void)
{
    Lab *l = lab_new();
    VhScheme s = limited(&fake_flat, 30 * MIB);

    vh_schemes_set(l->e, &s, 1);
    l->now += 950 * MS;
    rounds(l, one, 1, 10);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    rounds(l, one, 1, 1);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    lab_free(l);
}

/* Ages of 1, 64, 1024 and 16 s, all idle; scores as cold 51, 60, 67, 57. */
static const VhSnapRegion ages[] = {
    { 0, 10 * MIB, 0, 10, 0 },
    { 10 * MIB, 20 * MIB, 0, 640, 0 },
    { 20 * MIB, 30 * MIB, 0, 10240, 0 },
    { 30 * MIB, 40 * MIB, 0, 160, 0 },
};

static VhScheme by_age(const VhActionOps *action, uint64_t size)
{
    VhScheme s = limited(action, size);

    s.quota.weight_accesses = 0;
    return s;
}

static void test_coldest_first(void)
{
    Lab *l = lab_new();
    VhScheme s = by_age(&fake_cold, 10 * MIB);

    vh_schemes_set(l->e, &s, 1);
    rounds(l, ages, 4, 1);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    assert_call(l->calls[0], 20 * MIB, 10 * MIB);
    lab_free(l);
    /* a byte more: the next score, too, and lower addresses come first */
    l = lab_new();
    s = by_age(&fake_cold, 10 * MIB + PAGE);
    vh_schemes_set(l->e, &s, 1);
    rounds(l, ages, 4, 1);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], 10 * MIB, 10 * MIB);
    assert_call(l->calls[1], 20 * MIB, PAGE);
    lab_free(l);
}

static void test_hottest_first(void)
{
    Lab *l = lab_new();
    VhScheme s = by_age(&fake_hot, 10 * MIB);

    vh_schemes_set(l->e, &s, 1);
    rounds(l, ages, 4, 1);
    assert_call(l->calls[0], 0, 10 * MIB);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    lab_free(l);
}

/* Only the pattern's regions fill the histogram. */
static void test_histogram_of_the_pattern(void)
{
    Lab *l = lab_new();
    VhScheme s = by_age(&fake_cold, 10 * MIB);

    s.pattern.age.max = 1000;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, ages, 4, 1);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    assert_call(l->calls[0], 10 * MIB, 10 * MIB);
    lab_free(l);
}

/* Resuming passes over regions that would come first, once. */
static void test_resume_and_score(void)
{
    Lab *l = lab_new();
    VhScheme s = by_age(&fake_cold, 5 * MIB);

    vh_schemes_set(l->e, &s, 1);
    rounds(l, ages, 4, 30);
    g_assert_cmpuint(l->nr_calls, ==, 3);
    assert_call(l->calls[0], 20 * MIB, 5 * MIB);
    assert_call(l->calls[1], 25 * MIB, 5 * MIB);
    /* at 30 MiB nothing is cold enough any more: a round does nothing */
    assert_call(l->calls[2], 20 * MIB, 5 * MIB);
    lab_free(l);
}

static void test_time_quota(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);
    VhSchemeStatus *st;

    s.quota.time_us = 10000;
    s.quota.reset_us = 100000;
    l->quantum = MIB;
    l->cost_ns = 2 * MS;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, one, 1);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->effective_size, ==, 40 * MIB); /* unmeasured */
    vh_schemes_status_free(st, 1);
    lab_run_all(l);
    l->now += 100 * MS;
    lab_snapshot(l, one, 1);
    st = lab_status(l, 0); /* 1 MiB in 2 ms */
    g_assert_cmpuint(st->effective_size, ==, 5 * MIB);
    g_assert_cmpuint(st->stats.spent_ns, ==, 80 * MS);
    vh_schemes_status_free(st, 1);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 45);
    lab_free(l);
}

/* Memory the filters reject, or that does not suit, is not charged. */
static void test_rejected_is_not_charged(void)
{
    Lab *l = lab_new();
    VhFilter f = { .type = VH_FILTER_ADDRESS,
                   .matching = true,
                   .start = 10 * MIB,
                   .end = 60 * MIB };
    VhMapSection v[] = { { .size = 5 * MIB, .flags = VH_SECTION_HUGETLB },
                         { .gpa = 5 * MIB, .size = 95 * MIB } };
    VhScheme s = limited(&fake_flat, 20 * MIB);

    s.filters = &f;
    s.nr_filters = 1;
    lab_map(l, v, 2);
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 1);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], 5 * MIB, 5 * MIB);
    assert_call(l->calls[1], 60 * MIB, 15 * MIB);
    g_assert_cmpuint(lab_stats(l, 0).sz_tried, ==, 75 * MIB);
    g_assert_cmpuint(lab_stats(l, 0).sz_filter_passed, ==, 20 * MIB);
    lab_free(l);
}

static void test_goal_at_work(void)
{
    Lab *l = lab_new();
    VhGoal goal = { VH_METRIC_MEM_FREE, 200, 0 };
    VhScheme s = any(&fake_flat);
    VhSchemeStatus *st;

    s.quota.goals = &goal;
    s.quota.nr_goals = 1;
    s.quota.tuner = VH_TUNER_TEMPORAL;
    l->known[VH_METRIC_MEM_FREE] = true;
    l->metric[VH_METRIC_MEM_FREE] = 100;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 10);
    g_assert_cmpuint(l->nr_calls, ==, 10);
    l->metric[VH_METRIC_MEM_FREE] = 250;
    rounds(l, one, 1, 10);
    g_assert_cmpuint(l->nr_calls, ==, 10);
    g_assert_cmpuint(l->ends, ==, 20);
    g_assert_cmpuint(l->reached, ==, 1);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->effective_size, ==, 0);
    g_assert_cmpuint(st->goal_score, ==, 12500);
    g_assert_cmpuint(st->goal_current[0], ==, 250);
    g_assert_cmpuint(st->stats.qt_exceeds, ==, 0);
    vh_schemes_status_free(st, 1);
    l->metric[VH_METRIC_MEM_FREE] = 100;
    rounds(l, one, 1, 1);
    g_assert_cmpuint(l->nr_calls, ==, 11);
    lab_free(l);
}

/* The quota is used up in mid-pass while a new snapshot is not due yet. */
static void test_place_stays_while_full(void)
{
    Lab *l = lab_new();
    VhScheme s = limited(&fake_flat, 30 * MIB);

    l->quantum = 10 * MIB;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 5); /* four of them find it full */
    g_assert_cmpuint(l->nr_calls, ==, 3);
    g_assert_cmpuint(l->ends, ==, 5);
    rounds(l, one, 1, 6);
    assert_call(l->calls[3], 30 * MIB, 10 * MIB);
    lab_free(l);
}

/* What a filter keeps out, however old, does not keep out the rest. */
static void test_kept_out(void)
{
    static const VhSnapRegion v[] = { { 0, 100 * MIB, 0, 30000, 0 },
                                      { 100 * MIB, 200 * MIB, 0, 20, 0 } };
    Lab *l = lab_new();
    VhFilter f = { .type = VH_FILTER_ADDRESS,
                   .matching = true,
                   .start = 100 * MIB,
                   .end = 200 * MIB,
                   .allow = true };
    VhScheme s = limited(&fake_cold, 10 * MIB);

    s.quota.weight_age = 1;
    s.filters = &f;
    s.nr_filters = 1;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, v, 2, 1);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    assert_call(l->calls[0], 100 * MIB, 10 * MIB);
    lab_free(l);
}

/* A smaller quota holds at once, whatever is left of the interval. */
static void test_made_smaller(void)
{
    Lab *l = lab_new();
    VhScheme s = limited(&fake_flat, 50 * MIB);
    VhSchemeStatus *st;

    s.quota.reset_us = 3600000000;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 2);
    s.quota.size = 20 * MIB;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 2);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->effective_size, ==, 20 * MIB);
    g_assert_cmpuint(st->charged_size, ==, 50 * MIB);
    vh_schemes_status_free(st, 1);
    s.quota.size = 60 * MIB;
    vh_schemes_set(l->e, &s, 1);
    rounds(l, one, 1, 2);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[1], 50 * MIB, 10 * MIB);
    lab_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/quota/window", test_window);
    g_test_add_func("/quota/uneven-size", test_uneven_size);
    g_test_add_func("/quota/host-pages", test_host_pages);
    g_test_add_func("/quota/not-used-up", test_not_used_up);
    g_test_add_func("/quota/first-use", test_first_use);
    g_test_add_func("/quota/coldest-first", test_coldest_first);
    g_test_add_func("/quota/hottest-first", test_hottest_first);
    g_test_add_func("/quota/histogram", test_histogram_of_the_pattern);
    g_test_add_func("/quota/resume-and-score", test_resume_and_score);
    g_test_add_func("/quota/time", test_time_quota);
    g_test_add_func("/quota/rejected", test_rejected_is_not_charged);
    g_test_add_func("/quota/goal", test_goal_at_work);
    g_test_add_func("/quota/full", test_place_stays_while_full);
    g_test_add_func("/quota/kept-out", test_kept_out);
    g_test_add_func("/quota/made-smaller", test_made_smaller);
    return g_test_run();
}
