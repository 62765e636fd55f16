/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What schemes may say: every refusal, word for word. */
#include <math.h>

#include "scheme-lab.h"

static void assert_refused(const VhScheme *v, size_t n, const char *sentence)
{
    g_autofree char *why = NULL;

    g_assert_false(vh_schemes_check(v, n, &why));
    g_assert_cmpstr(why, ==, sentence);
}

static void assert_good(const VhScheme *v, size_t n)
{
    char *why = NULL;

    if (!vh_schemes_check(v, n, &why)) {
        g_error("%s", why);
    }
    g_assert_null(why);
}

static VhScheme named(const VhActionOps *action)
{
    VhScheme s = any(action);

    s.name = "me";
    return s;
}

#define REFUSED(change, sentence)          \
    do {                                   \
        VhScheme s = named(&fake_cold);    \
        s.change;                          \
        assert_refused(&s, 1, (sentence)); \
    } while (0)

#define GOOD(change)                    \
    do {                                \
        VhScheme s = named(&fake_cold); \
        s.change;                       \
        assert_good(&s, 1);             \
    } while (0)

static void test_good(void)
{
    VhScheme two[] = { any(&fake_cold), any(&fake_hot) };

    assert_good(NULL, 0);
    assert_good(two, 2);
    two[0].name = two[1].name = NULL;
    assert_good(two, 2);
    GOOD(pattern.age = ((VhBounds){ 3, 3 }));
    GOOD(apply_us = 1000);
    GOOD(apply_us = 3600000000);
    GOOD(quota.reset_us = 1000);
    GOOD(quota.time_us = UINT64_MAX);
    GOOD(back_off.psi = 10000);
    GOOD(back_off.refault_permille = 1000);
}

static void test_names(void)
{
    VhScheme two[] = { named(&fake_cold), named(&fake_cold) };
    char longest[65];

    memset(longest, 'x', 64);
    longest[64] = 0;
    assert_refused(two, 2, "scheme 1: 'name' 'me' is that of scheme 0, too");
    two[0].name = NULL; /* cold-0 */
    two[1].name = "cold-0";
    assert_refused(two, 2,
                   "scheme 1: 'name' 'cold-0' is that of scheme 0, too");
    REFUSED(name = "",
            "scheme 0: 'name' '' cannot be used: allowed are 1 .. 63 letters, "
            "digits, '-', '_' and '.'");
    REFUSED(name = "a b",
            "scheme 0: 'name' 'a b' cannot be used: allowed are 1 .. 63 "
            "letters, digits, '-', '_' and '.'");
    REFUSED(name = longest,
            "scheme 0: 'name' '"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "' cannot be used: allowed are 1 .. 63 letters, digits, '-', '_' "
            "and '.'");
    longest[63] = 0;
    GOOD(name = longest);
    GOOD(name = "Az-09_.");
    REFUSED(action = NULL, "scheme 0: 'action' is missing");
    two[0] = any(&fake_cold);
    two[1].name = NULL;
    two[1].apply_us = 999;
    assert_refused(two, 2,
                   "scheme 1: 'apply-interval' 999 is out of range: allowed "
                   "is 0 or 1000 .. 3600000000");
}

static void test_too_many(void)
{
    g_autofree VhScheme *v = g_new0(VhScheme, 10000);

    for (size_t i = 0; i < 10000; i++) {
        v[i] = any(&fake_cold);
        v[i].name = NULL;
    }
    assert_refused(v, 10000,
                   "10000 schemes are too many: allowed are at most 64");
    assert_refused(v, 65, "65 schemes are too many: allowed are at most 64");
    assert_good(v, 64);
}

static void test_patterns(void)
{
    REFUSED(pattern.size = ((VhBounds){ 2, 1 }),
            "scheme 'me': 'pattern.size.min' 2 is above 'pattern.size.max' 1");
    REFUSED(pattern.nr_accesses = ((VhBounds){ UINT64_MAX, 0 }),
            "scheme 'me': 'pattern.nr-accesses.min' 18446744073709551615 is "
            "above 'pattern.nr-accesses.max' 0");
    REFUSED(pattern.age = ((VhBounds){ 5, 3 }),
            "scheme 'me': 'pattern.age.min' 5 is above 'pattern.age.max' 3");
    REFUSED(pattern = ((VhPattern){ .age = { 5, 3 }, .age_is_time = true }),
            "scheme 'me': 'pattern.age-time.min' 5 is above "
            "'pattern.age-time.max' 3");
}

static VhPattern rates(double min, double max)
{
    VhPattern p = VH_PATTERN_ANY;

    p.by_rate = true;
    p.rate_min = min;
    p.rate_max = max;
    return p;
}

static void test_rates(void)
{
    GOOD(pattern = rates(0, INFINITY));
    GOOD(pattern = rates(0.5, 0.5));
    REFUSED(pattern = rates(2.5, 1),
            "scheme 'me': 'pattern.rate.min' 2.5 is above 'pattern.rate.max' "
            "1");
    REFUSED(pattern = rates(-1, 1),
            "scheme 'me': 'pattern.rate.min' -1 is out of range: allowed is 0 "
            "or more");
    REFUSED(pattern = rates(0, -0.5),
            "scheme 'me': 'pattern.rate.max' -0.5 is out of range: allowed is "
            "0 or more");
    REFUSED(pattern = rates(0, (double)NAN),
            "scheme 'me': 'pattern.rate.max' nan is out of range: allowed is "
            "0 or more");
}

static void test_intervals(void)
{
    REFUSED(apply_us = 3600000001,
            "scheme 'me': 'apply-interval' 3600000001 is out of range: allowed "
            "is 0 or 1000 .. 3600000000");
    REFUSED(quota.reset_us = 999,
            "scheme 'me': 'quota.reset-interval' 999 is out of range: allowed "
            "is 1000 .. 3600000000");
    REFUSED(quota.reset_us = 0,
            "scheme 'me': 'quota.reset-interval' 0 is out of range: allowed is "
            "1000 .. 3600000000");
    REFUSED(quota.reset_us = 3600000001,
            "scheme 'me': 'quota.reset-interval' 3600000001 is out of range: "
            "allowed is 1000 .. 3600000000");
}

static void test_goals(void)
{
    VhGoal goals[17];
    VhScheme s = named(&fake_cold);

    for (size_t i = 0; i < 17; i++) {
        goals[i] = (VhGoal){ VH_METRIC_GUEST_FREE, 1, 0 };
    }
    s.quota.goals = goals;
    s.quota.nr_goals = 16;
    assert_good(&s, 1);
    s.quota.nr_goals = 17;
    assert_refused(&s, 1,
                   "scheme 'me': 'quota.goals' has 17 entries: allowed are at "
                   "most 16");
    s.quota.nr_goals = 2;
    goals[1].target = 0;
    assert_refused(&s, 1,
                   "scheme 'me': 'quota.goals[1].target' 0 is out of range: "
                   "allowed is 1 or more");
    goals[1] = (VhGoal){ VH_METRIC_SOME_MEM_PSI, 1, 0 };
    assert_refused(&s, 1,
                   "scheme 'me': 'quota.goals[1].metric' is not one for goals");
}

static VhWatermarks wmarks(VhMetric metric, uint64_t high, uint64_t mid,
                           uint64_t low)
{
    return (VhWatermarks){ true, metric, 1000000, high, mid, low };
}

static void test_watermarks(void)
{
    GOOD(watermarks = wmarks(VH_METRIC_MEM_FREE, 1000, 1000, 1000));
    GOOD(watermarks = wmarks(VH_METRIC_SOME_MEM_PSI, 10000, 0, 0));
    GOOD(watermarks = ((VhWatermarks){ .low = 9 })); /* not used */
    REFUSED(watermarks = wmarks(VH_METRIC_MEM_FREE, 5, 6, 0),
            "scheme 'me': 'watermarks.mid' 6 is above 'watermarks.high' 5");
    REFUSED(watermarks = wmarks(VH_METRIC_MEM_FREE, 5, 3, 4),
            "scheme 'me': 'watermarks.low' 4 is above 'watermarks.mid' 3");
    REFUSED(watermarks = wmarks(VH_METRIC_MEM_FREE, 1001, 0, 0),
            "scheme 'me': 'watermarks.high' 1001 is out of range: allowed is 0 "
            ".. 1000");
    REFUSED(watermarks = wmarks(VH_METRIC_SOME_MEM_PSI, 10001, 0, 0),
            "scheme 'me': 'watermarks.high' 10001 is out of range: allowed is "
            "0 .. 10000");
    REFUSED(watermarks = ((VhWatermarks){ true, VH_METRIC_MEM_FREE, 999 }),
            "scheme 'me': 'watermarks.interval' 999 is out of range: allowed "
            "is 1000 .. 3600000000");
    REFUSED(watermarks = wmarks(VH_METRIC_GUEST_RSS, 0, 0, 0),
            "scheme 'me': 'watermarks.metric' is not one for watermarks");
}

static void test_filters(void)
{
    VhFilter f[65];
    VhScheme s = named(&fake_cold);

    for (size_t i = 0; i < 65; i++) {
        f[i] = (VhFilter){ .type = VH_FILTER_SHARED };
    }
    s.filters = f;
    s.nr_filters = 64;
    assert_good(&s, 1);
    s.nr_filters = 65;
    assert_refused(&s, 1,
                   "scheme 'me': 'filters' has 65 entries: allowed are at most "
                   "64");
    s.nr_filters = 2;
    f[1] = (VhFilter){ .type = VH_FILTER_ADDRESS, .start = 8192, .end = 8192 };
    assert_refused(&s, 1,
                   "scheme 'me': 'filters[1].start' 8192 is not below "
                   "'filters[1].end' 8192");
    f[1] = (VhFilter){ .type = VH_FILTER_BLOCK };
    assert_refused(&s, 1, "scheme 'me': 'filters[1].block' is empty");
    f[1].id = (char *)"";
    assert_refused(&s, 1, "scheme 'me': 'filters[1].block' is empty");
    f[1].type = VH_FILTER_BACKEND;
    assert_refused(&s, 1, "scheme 'me': 'filters[1].backend' is empty");
    f[1].type = VH_FILTER_DEVICE;
    assert_refused(&s, 1, "scheme 'me': 'filters[1].device' is empty");
    f[1].id = (char *)"nv0";
    assert_good(&s, 1);
    f[1] = (VhFilter){ .type = VH_FILTERS };
    assert_refused(&s, 1, "scheme 'me': 'filters[1].type' is not known");
}

static void test_nodes(void)
{
    VhNodeWeight nodes[65];
    VhScheme s = named(&fake_nodes);

    for (uint32_t i = 0; i < 65; i++) {
        nodes[i] = (VhNodeWeight){ .node = i, .weight = 1 };
    }
    assert_refused(&s, 1,
                   "scheme 'me': 'nodes' is missing: action nodes needs it");
    s.args.nodes = nodes;
    s.args.nr_nodes = 64;
    assert_good(&s, 1);
    s.args.nr_nodes = 65;
    assert_refused(&s, 1,
                   "scheme 'me': 'nodes' has 65 entries: allowed are at most "
                   "64");
    s.args.nr_nodes = 3;
    nodes[2].node = 0;
    assert_refused(&s, 1, "scheme 'me': 'nodes[2].node' 0 is named twice");
    nodes[2] = (VhNodeWeight){ .node = 2, .weight = 0 };
    assert_refused(&s, 1,
                   "scheme 'me': 'nodes[2].weight' 0 is out of range: allowed "
                   "is 1 or more");
    s.action = &fake_cold;
    assert_refused(&s, 1, "scheme 'me': 'nodes' is not for action cold");
}

static void test_balloon(void)
{
    VhScheme s = named(&fake_balloon);

    s.args.balloon = (VhBalloonArgs){
        .floor = 2, .ceiling = 0, .step = 1, .headroom_permille = 10000
    };
    assert_good(&s, 1);
    s.args.balloon.ceiling = 2;
    assert_good(&s, 1);
    s.args.balloon.ceiling = 1;
    assert_refused(&s, 1,
                   "scheme 'me': 'balloon.floor' 2 is above 'balloon.ceiling' "
                   "1");
    s.args.balloon.floor = 0;
    s.args.balloon.step = 0;
    assert_refused(&s, 1,
                   "scheme 'me': 'balloon.step' 0 is out of range: allowed is "
                   "1 or more");
    s.args.balloon.step = 1;
    s.args.balloon.headroom_permille = 10001;
    assert_refused(&s, 1,
                   "scheme 'me': 'balloon.headroom' 10001 is out of range: "
                   "allowed is 0 .. 10000");
}

static void test_back_off(void)
{
    REFUSED(back_off.refault_permille = 1001,
            "scheme 'me': 'back-off.refault' 1001 is out of range: allowed is "
            "0 .. 1000");
    REFUSED(back_off.psi = 10001,
            "scheme 'me': 'back-off.psi' 10001 is out of range: allowed is 0 "
            ".. 10000");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/check/good", test_good);
    g_test_add_func("/check/names", test_names);
    g_test_add_func("/check/too-many", test_too_many);
    g_test_add_func("/check/patterns", test_patterns);
    g_test_add_func("/check/rates", test_rates);
    g_test_add_func("/check/intervals", test_intervals);
    g_test_add_func("/check/goals", test_goals);
    g_test_add_func("/check/watermarks", test_watermarks);
    g_test_add_func("/check/filters", test_filters);
    g_test_add_func("/check/nodes", test_nodes);
    g_test_add_func("/check/balloon", test_balloon);
    g_test_add_func("/check/back-off", test_back_off);
    return g_test_run();
}
