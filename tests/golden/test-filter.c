/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which regions pass. Sizes and addresses are in KiB to be readable. */
#include <math.h>

#include "report/filter.h"

#define KIB 1024ull
#define S 1000000ull

/* Ages are in seconds: an aggregation takes one. */
static const VhRegion regions[] = {
    { .start = 0, .end = 16 * KIB, .nr_accesses = 3, .age = 7, .rate = 12.5 },
    { .start = 16 * KIB,
      .end = 20 * KIB,
      .age = 20,
      .rate = 0.01,
      .idle_us = 19 * S },
    { .start = 64 * KIB, .end = 96 * KIB, .age = 300, .idle_us = 300 * S },
};

static const VhSnapshot snap = { .sequence = 9,
                                 .start_time = 5 * S * 1000,
                                 .end_time = 6 * S * 1000,
                                 .aggregation_interval = S,
                                 .total_size = 52 * KIB,
                                 .nr_regions = 3,
                                 .has_rates = true,
                                 .nr = 3,
                                 .regions = (VhRegion *)regions };

/* "0-16 64-96": what of @snap passes. */
static char *passing(const VhFilter *f)
{
    GString *out = g_string_new(NULL);
    VhSnapshot got = { 0 };

    vh_filter_apply(f, &snap, &got);
    for (size_t i = 0; i < got.nr; i++) {
        g_string_append_printf(out, "%s%u-%u", i ? " " : "",
                               (unsigned)(got.regions[i].start / KIB),
                               (unsigned)(got.regions[i].end / KIB));
    }
    g_assert_cmpuint(got.sequence, ==, 9);
    g_assert_cmpuint(got.nr_regions, ==, 3);
    g_assert_cmpuint(got.total_size, ==, 52 * KIB);
    g_free(got.regions);
    return g_string_free(out, false);
}

#define ASSERT_PASSING(want, ...)             \
    do {                                      \
        VhFilter f;                           \
        g_autofree char *got = NULL;          \
                                              \
        vh_filter_init(&f);                   \
        g_assert_true(vh_filter_is_all(&f));  \
        __VA_ARGS__;                          \
        g_assert_false(vh_filter_is_all(&f)); \
        got = passing(&f);                    \
        g_assert_cmpstr(got, ==, want);       \
    } while (0)

static void test_all(void)
{
    g_autofree char *got = NULL;
    VhFilter f;

    vh_filter_init(&f);
    got = passing(&f);
    g_assert_cmpstr(got, ==, "0-16 16-20 64-96");
}

static void test_each(void)
{
    ASSERT_PASSING("16-20 64-96", f.start = 16 * KIB);
    ASSERT_PASSING("0-16 16-20", f.end = 64 * KIB);
    ASSERT_PASSING("0-16 64-96", f.size.min = 4 * KIB + 1);
    ASSERT_PASSING("0-16 16-20", f.size.max = 16 * KIB);
    ASSERT_PASSING("0-16", f.nr_accesses.min = 3);
    ASSERT_PASSING("16-20 64-96", f.nr_accesses.max = 2);
    ASSERT_PASSING("0-16", f.rate.min = 12.5);
    ASSERT_PASSING("0-16 16-20", f.rate.min = 0.01);
    ASSERT_PASSING("64-96", f.rate.max = 0);
    ASSERT_PASSING("16-20 64-96", f.age.min = 20 * S);
    ASSERT_PASSING("0-16", f.age.max = 20 * S - 1);
    ASSERT_PASSING("16-20 64-96", f.idle.min = 19 * S);
    ASSERT_PASSING("0-16 16-20", f.idle.max = 19 * S);
    ASSERT_PASSING("", f.nr_accesses.min = 4);
    ASSERT_PASSING("16-20", f.rate.max = 1; f.size.max = 16 * KIB);
}

/* The size that counts is that of the whole region. */
static void test_cut(void)
{
    ASSERT_PASSING("8-16 16-20 64-72", f.start = 8 * KIB; f.end = 72 * KIB);
    ASSERT_PASSING("70-71", f.start = 70 * KIB; f.end = 71 * KIB);
    ASSERT_PASSING("", f.start = 20 * KIB; f.end = 64 * KIB);
    ASSERT_PASSING("70-71", f.start = 70 * KIB; f.end = 71 * KIB;
                   f.size.min = 32 * KIB);
}

/* The same filter and the same result's memory, for one after another. */
static void test_again(void)
{
    VhSnapshot few = snap, got = { 0 };
    VhFilter f;

    vh_filter_init(&f);
    few.nr = 1;
    vh_filter_apply(&f, &few, &got);
    g_assert_cmpuint(got.nr, ==, 1);
    vh_filter_apply(&f, &snap, &got);
    g_assert_cmpuint(got.nr, ==, 3);
    g_assert_cmpuint(got.regions[2].end, ==, 96 * KIB);
    vh_filter_apply(&f, &few, &got);
    g_assert_cmpuint(got.nr, ==, 1);
    g_free(got.regions);
}

static void test_rate(void)
{
    VhSnapshot s = snap;

    g_assert_cmpfloat(vh_region_rate(&s, &regions[0]), ==, 12.5);
    s.has_rates = false;
    g_assert_cmpfloat(vh_region_rate(&s, &regions[0]), ==, 3);
    s.aggregation_interval = S / 10;
    s.end_time = s.start_time + S * 100;
    g_assert_cmpfloat(vh_region_rate(&s, &regions[0]), ==, 30);
    s.aggregation_interval = 0;
    s.end_time = s.start_time;
    g_assert_cmpfloat(vh_region_rate(&s, &regions[0]), ==, 0);
}

static void test_parse_sizes(void)
{
    static const char *const bad[] = {
        "",      "-",    "2M",   "2M-1M", "x-",  "-x",
        "1-2-3", " 1-2", "1 -2", "-1e9",  "1s-", "--1",
    };
    VhSpan s = { 1, 2 };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(vh_parse_sizes(bad[i], &s));
        g_assert_cmpuint(s.min, ==, 1);
        g_assert_cmpuint(s.max, ==, 2);
    }
    g_assert_true(vh_parse_sizes("4K-2M", &s));
    g_assert_cmpuint(s.min, ==, 4 * KIB);
    g_assert_cmpuint(s.max, ==, 2048 * KIB);
    g_assert_true(vh_parse_sizes("-0x10", &s));
    g_assert_cmpuint(s.min, ==, 0);
    g_assert_cmpuint(s.max, ==, 16);
    g_assert_true(vh_parse_sizes("2MiB-", &s));
    g_assert_cmpuint(s.min, ==, 2048 * KIB);
    g_assert_cmpuint(s.max, ==, UINT64_MAX);
    g_assert_true(vh_parse_sizes("7-7", &s));
    g_assert_cmpuint(s.min, ==, 7);
}

static void test_parse_others(void)
{
    VhSpan s;
    VhRateSpan r = { 1, 2 };

    g_assert_true(vh_parse_durations("1.5s-2m", &s));
    g_assert_cmpuint(s.min, ==, 1500000);
    g_assert_cmpuint(s.max, ==, 120 * S);
    g_assert_true(vh_parse_durations("-10s", &s));
    g_assert_cmpuint(s.min, ==, 0);
    g_assert_false(vh_parse_durations("10s", &s));
    g_assert_false(vh_parse_durations("10-20", &s));
    g_assert_false(vh_parse_rates("-", &r));
    g_assert_false(vh_parse_rates("2-1", &r));
    g_assert_false(vh_parse_rates("1Hz-", &r));
    g_assert_cmpfloat(r.min, ==, 1);
    g_assert_true(vh_parse_rates("0.5-100/s", &r));
    g_assert_cmpfloat(r.min, ==, 0.5);
    g_assert_cmpfloat(r.max, ==, 100);
    g_assert_true(vh_parse_rates("0-0", &r));
    g_assert_cmpfloat(r.max, ==, 0);
    g_assert_true(vh_parse_rates("3/s-", &r));
    g_assert_true(isinf(r.max));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/all", test_all);
    g_test_add_func("/filter/each", test_each);
    g_test_add_func("/filter/cut", test_cut);
    g_test_add_func("/filter/again", test_again);
    g_test_add_func("/filter/rate", test_rate);
    g_test_add_func("/filter/parse-sizes", test_parse_sizes);
    g_test_add_func("/filter/parse-others", test_parse_others);
    return g_test_run();
}
