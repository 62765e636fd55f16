/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for people, and numbers from people. */
#include "units.h"

static void is(char *got, const char *want)
{
    g_assert_cmpstr(got, ==, want);
    g_free(got);
}

static void test_sizes(void)
{
    is(vh_size_str(0), "0 B");
    is(vh_size_str(1023), "1023 B");
    is(vh_size_str(1024), "1 KiB");
    is(vh_size_str(1536), "1.5 KiB");
    is(vh_size_str(51 << 20), "51 MiB");
    is(vh_size_str((1 << 20) - 1), "1.0 MiB");
    is(vh_size_str(102297), "99.9 KiB");
    is(vh_size_str(102360), "100 KiB");
    is(vh_size_str((1ull << 30) - 4096), "1.0 GiB");
    is(vh_size_str(6ull << 40), "6 TiB");
    is(vh_size_str(UINT64_MAX), "16384 PiB");
}

static void test_durations(void)
{
    is(vh_duration_str(0), "0 s");
    is(vh_duration_str(999), "999 us");
    is(vh_duration_str(1500), "1.5 ms");
    is(vh_duration_str(50000), "50 ms");
    is(vh_duration_str(999499), "999 ms");
    is(vh_duration_str(999500), "1.0 s");
    is(vh_duration_str(59900000), "60 s");
    is(vh_duration_str(60000000), "1m");
    is(vh_duration_str(200000000), "3m 20s");
    is(vh_duration_str(3600000000), "1h");
    is(vh_duration_str(86399000000), "23h 59m");
    is(vh_duration_str(90000000000), "1d 1h");
    is(vh_duration_str(UINT64_MAX), "213503982d 8h");
}

static void test_percents(void)
{
    is(vh_percent_str(0, 0), "0 %");
    is(vh_percent_str(1, 0), "0 %");
    is(vh_percent_str(0, 5), "0 %");
    is(vh_percent_str(1, 100000), "<0.1 %");
    is(vh_percent_str(1, 1000), "0.1 %");
    is(vh_percent_str(51, 1000), "5.1 %");
    is(vh_percent_str(1, 1), "100 %");
    is(vh_percent_str(3, 2), "150 %");
}

static void test_rates(void)
{
    is(vh_rate_str(0), "0/s");
    is(vh_rate_str(1e-300), "<0.001/s");
    is(vh_rate_str(0.00094), "<0.001/s");
    is(vh_rate_str(0.00096), "0.001/s");
    is(vh_rate_str(0.0054), "0.005/s");
    is(vh_rate_str(0.0096), "0.0096/s");
    is(vh_rate_str(0.0123), "0.012/s");
    is(vh_rate_str(0.5), "0.5/s");
    is(vh_rate_str(0.9994), "1/s");
    is(vh_rate_str(1), "1.00/s");
    is(vh_rate_str(9.994), "9.99/s");
    is(vh_rate_str(12.3125), "12.3/s");
    is(vh_rate_str(99.96), "100/s");
    is(vh_rate_str(779), "779/s");
    is(vh_rate_str(1048576), "1.05e+06/s");
    is(vh_rate_str(1e300), "1e+300/s");
}

static void test_rate_ranges(void)
{
    is(vh_rate_range_str(0, 0), "0..0");
    is(vh_rate_range_str(0.00001, 0.00631), "0..0.0063");
    is(vh_rate_range_str(0.0096, 0.0104), "0.0096..0.01");
    is(vh_rate_range_str(9.8125, 15.1875), "9.8..15");
    is(vh_rate_range_str(99.4, 99.6), "99..100");
    is(vh_rate_range_str(427, 980), "427..980");
    is(vh_rate_range_str(5, 1e300), "5..1e+300");
}

static void assert_size(const char *text, uint64_t want)
{
    uint64_t got = 1;

    g_assert_true(vh_parse_size(text, &got));
    g_assert_cmpuint(got, ==, want);
}

static void test_parse_size(void)
{
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        " 1",
        "x",
        "0x",
        "1Q",
        "K",
        "1KB1",
        "1 K",
        "0xg",
        "1.5G",
        "1KK",
        "1Ki",
        "0x 1",
        "99999999999999999999",
        "9223372036854775808",
        "8388608T",
    };
    uint64_t v = 42;

    assert_size("0", 0);
    assert_size("4096", 4096);
    assert_size("0x1000", 4096);
    assert_size("0XfF", 255);
    assert_size("1k", 1024);
    assert_size("2MiB", 2 << 20);
    assert_size("2MB", 2 << 20);
    assert_size("3G", 3ull << 30);
    assert_size("0x10G", 16ull << 30);
    assert_size("8388607T", 8388607ull << 40);
    assert_size("9223372036854775807", INT64_MAX);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (vh_parse_size(bad[i], &v)) {
            g_error("'%s' was taken for %" G_GUINT64_FORMAT, bad[i], v);
        }
        g_assert_cmpuint(v, ==, 42);
    }
}

static void test_parse_seconds(void)
{
    static const char *const bad[] = { "",    "0",     "-1",  "nan",
                                       "inf", "1x",    "1e9", " 1",
                                       ".",   "0.009", "1,5", "86401" };
    int64_t us = 0;

    g_assert_true(vh_parse_seconds("0.01", &us));
    g_assert_cmpint(us, ==, 10000);
    g_assert_true(vh_parse_seconds(".5", &us));
    g_assert_cmpint(us, ==, 500000);
    g_assert_true(vh_parse_seconds("86400", &us));
    g_assert_cmpint(us, ==, 86400000000);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (vh_parse_seconds(bad[i], &us)) {
            g_error("'%s' was taken for a time", bad[i]);
        }
    }
}

static void assert_duration(const char *text, uint64_t want)
{
    uint64_t got = 1;

    g_assert_true(vh_parse_duration(text, &got));
    g_assert_cmpuint(got, ==, want);
}

static void test_parse_duration(void)
{
    static const char *const bad[] = {
        "",
        "s",
        "1",
        "-1s",
        "+1s",
        " 1s",
        "1 s",
        "1x",
        "1s ",
        "1e3s",
        "nan",
        "inf",
        ".s",
        "1.2.3ms",
        "0x1s",
        "1ss",
        "1S",
        "36501d",
        "99999999999999999999999d",
    };
    uint64_t us;

    assert_duration("0", 0);
    assert_duration("0s", 0);
    assert_duration("7us", 7);
    assert_duration("500ms", 500000);
    assert_duration("1.5s", 1500000);
    assert_duration(".25s", 250000);
    assert_duration("2m", 120000000);
    assert_duration("2min", 120000000);
    assert_duration("1h", 3600000000);
    assert_duration("36500d", 3153600000000000);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        g_assert_false(vh_parse_duration(bad[i], &us));
    }
}

static void test_parse_percent(void)
{
    static const char *const bad[] = { "",    "%",    "-1%",  "+1",  " 1",
                                       "1 %", "1%%",  "1e1%", "nan", "inf%",
                                       "0x1", "1.2.", "1x" };
    double v = -1;

    g_assert_true(vh_parse_percent("40%", &v));
    g_assert_cmpfloat(v, ==, 40);
    g_assert_true(vh_parse_percent("12.5", &v));
    g_assert_cmpfloat(v, ==, 12.5);
    g_assert_true(vh_parse_percent("0", &v));
    g_assert_cmpfloat(v, ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        g_assert_false(vh_parse_percent(bad[i], &v));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/sizes", test_sizes);
    g_test_add_func("/units/durations", test_durations);
    g_test_add_func("/units/percents", test_percents);
    g_test_add_func("/units/rates", test_rates);
    g_test_add_func("/units/rate-ranges", test_rate_ranges);
    g_test_add_func("/units/parse-size", test_parse_size);
    g_test_add_func("/units/parse-seconds", test_parse_seconds);
    g_test_add_func("/units/parse-duration", test_parse_duration);
    g_test_add_func("/units/parse-percent", test_parse_percent);
    return g_test_run();
}
