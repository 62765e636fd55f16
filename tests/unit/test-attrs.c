/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users may set, and the random number source. */
#include <glib.h>

#include "vmheat/monitor.h"

static void assert_attrs_refused(VhAttrs a, const char *sentence)
{
    g_autofree char *why = NULL;

    g_assert_false(vh_attrs_check(&a, &why));
    g_assert_cmpstr(why, ==, sentence);
}

static void assert_limits_refused(VhLimits l, const char *sentence)
{
    g_autofree char *why = NULL;

    g_assert_false(vh_limits_check(&l, &why));
    g_assert_cmpstr(why, ==, sentence);
}

static void test_attrs_good(void)
{
    VhAttrs defaults = VH_ATTRS_DEFAULT;
    VhAttrs least = { 1000, 1000, 1000, 3, 3 };
    VhAttrs most = { 3600000000, 3600000000, 3600000000, 100000, 100000 };
    VhAttrs samples = { 1000, 10000000, 10000000, 3, 3 };
    char *why = NULL;

    g_assert_true(vh_attrs_check(&defaults, &why));
    g_assert_true(vh_attrs_check(&least, &why));
    g_assert_true(vh_attrs_check(&most, &why));
    g_assert_true(vh_attrs_check(&samples, &why));
    g_assert_null(why);
}

static void test_attrs_bad_intervals(void)
{
    assert_attrs_refused((VhAttrs){ 0, 100000, 1000000, 10, 1000 },
                         "sampling-interval 0 us is out of range: allowed is "
                         "1000 .. 3600000000 us");
    assert_attrs_refused((VhAttrs){ 999, 100000, 1000000, 10, 1000 },
                         "sampling-interval 999 us is out of range: allowed "
                         "is 1000 .. 3600000000 us");
    assert_attrs_refused((VhAttrs){ UINT64_MAX, 1, 1, 10, 1000 },
                         "sampling-interval 18446744073709551615 us is out of "
                         "range: allowed is 1000 .. 3600000000 us");
    assert_attrs_refused((VhAttrs){ 5000, 4999, 1000000, 10, 1000 },
                         "aggregation-interval 4999 us is out of range: "
                         "allowed is 5000 (sampling-interval) .. 3600000000 "
                         "us");
    assert_attrs_refused((VhAttrs){ 5000, 3600000001, 3600000001, 10, 1000 },
                         "aggregation-interval 3600000001 us is out of range: "
                         "allowed is 5000 (sampling-interval) .. 3600000000 "
                         "us");
    assert_attrs_refused((VhAttrs){ 5000, 100000, 99999, 10, 1000 },
                         "update-interval 99999 us is out of range: allowed "
                         "is 100000 (aggregation-interval) .. 3600000000 us");
    assert_attrs_refused((VhAttrs){ 1000, 10001000, 10001000, 10, 1000 },
                         "aggregation-interval 10001000 us is more than 10000 "
                         "times the sampling-interval 1000 us");
}

static void test_attrs_bad_regions(void)
{
    assert_attrs_refused((VhAttrs){ 5000, 100000, 1000000, 2, 1000 },
                         "min-regions 2 is out of range: allowed is 3 .. 1000 "
                         "(max-regions)");
    assert_attrs_refused((VhAttrs){ 5000, 100000, 1000000, 21, 20 },
                         "min-regions 21 is out of range: allowed is 3 .. 20 "
                         "(max-regions)");
    assert_attrs_refused((VhAttrs){ 5000, 100000, 1000000, 10, 2 },
                         "max-regions 2 is out of range: allowed is 3 .. "
                         "100000");
    assert_attrs_refused((VhAttrs){ 5000, 100000, 1000000, 10, 100001 },
                         "max-regions 100001 is out of range: allowed is 3 .. "
                         "100000");
}

static void test_attrs_max_accesses(void)
{
    VhAttrs damon = { 5000, 100000, 1000000, 10, 1000 };
    VhAttrs uneven = { 30000, 100000, 1000000, 10, 1000 };
    VhAttrs nothing = { 0 };

    g_assert_cmpuint(vh_attrs_max_accesses(&damon), ==, 20);
    g_assert_cmpuint(vh_attrs_max_accesses(&uneven), ==, 3);
    g_assert_cmpuint(vh_attrs_max_accesses(&nothing), ==, 1);
}

static void test_limits(void)
{
    VhLimits good[] = { { 0, 1 }, { 1000000, 10000 }, { 1, 50 } };
    char *why = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(vh_limits_check(&good[i], &why));
    }
    g_assert_null(why);
    assert_limits_refused((VhLimits){ 1000001, 50 },
                          "traps-per-second 1000001 is out of range: allowed "
                          "is 0 (safe default) .. 1000000");
    assert_limits_refused((VhLimits){ 0, 0 },
                          "overhead-budget 0 is out of range: allowed is 1 .. "
                          "10000 hundredths of a percent");
    assert_limits_refused((VhLimits){ 0, 10001 },
                          "overhead-budget 10001 is out of range: allowed is "
                          "1 .. 10000 hundredths of a percent");
}

static void test_rng_repeats(void)
{
    VhRng a, b, other;
    bool differs = false;

    vh_rng_seed(&a, 42);
    vh_rng_seed(&b, 42);
    vh_rng_seed(&other, 43);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = vh_rng_next(&a);

        g_assert_cmpuint(x, ==, vh_rng_next(&b));
        differs |= x != vh_rng_next(&other);
    }
    g_assert_true(differs);
}

static void test_rng_published_values(void)
{
    VhRng r;

    /* splitmix64's published first outputs for seed 0 */
    vh_rng_seed(&r, 0);
    g_assert_cmphex(r.s[0], ==, 0xe220a8397b1dcdafULL);
    g_assert_cmphex(r.s[1], ==, 0x6e789e6aa1b965f4ULL);
    /* xoroshiro128+ with constants 24, 16, 37, worked out by hand */
    r = (VhRng){ { 1, 2 } };
    g_assert_cmphex(vh_rng_next(&r), ==, 3);
    g_assert_cmphex(r.s[0], ==, (1ULL << 24) ^ 3 ^ (3ULL << 16));
    g_assert_cmphex(r.s[1], ==, 3ULL << 37);
}

static void test_rng_below(void)
{
    unsigned seen[10] = { 0 };
    VhRng r;

    vh_rng_seed(&r, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t x = vh_rng_below(&r, 10);

        g_assert_cmpuint(x, <, 10);
        seen[x]++;
    }
    for (int i = 0; i < 10; i++) {
        g_assert_cmpuint(seen[i], >, 9500);
        g_assert_cmpuint(seen[i], <, 10500);
    }
    g_assert_cmpuint(vh_rng_below(&r, 1), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attrs/good", test_attrs_good);
    g_test_add_func("/attrs/bad-intervals", test_attrs_bad_intervals);
    g_test_add_func("/attrs/bad-regions", test_attrs_bad_regions);
    g_test_add_func("/attrs/max-accesses", test_attrs_max_accesses);
    g_test_add_func("/limits", test_limits);
    g_test_add_func("/rng/repeats", test_rng_repeats);
    g_test_add_func("/rng/published-values", test_rng_published_values);
    g_test_add_func("/rng/below", test_rng_below);
    return g_test_run();
}
