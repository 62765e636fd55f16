/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces and the workloads made from them: bench/accuracy. */
#include <glib.h>
#include <string.h>

#include "number.h"
#include "patterns.h"
#include "trace.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define S 1000000000ULL

static Workload *parse(const char *text, uint64_t size)
{
    g_autofree char *why = NULL;
    Workload *w = trace_parse("t", text, size, &why);

    g_assert_cmpstr(why, ==, NULL);
    g_assert_nonnull(w);
    return w;
}

static double rate_at(const Workload *w, uint64_t at, double s, bool writes)
{
    return segment_rate(&w->segments[workload_find(w, at)], s * S, writes);
}

static void test_lines(void)
{
    Workload *w = parse("# comment\n"
                        "\n"
                        "0 0 4M 2\n"
                        "1.5\t0x100000 1048576 50 0.25 # hot\r\n"
                        "3 1M 512K 0\n",
                        0);

    g_assert_cmpuint(w->size, ==, 4 * MIB);
    g_assert_cmpfloat(rate_at(w, 0, 0, false), ==, 2);
    g_assert_cmpfloat(rate_at(w, 0, 0, true), ==, 1);
    g_assert_cmpfloat(rate_at(w, MIB, 1.4, false), ==, 2);
    g_assert_cmpfloat(rate_at(w, MIB, 1.5, false), ==, 50);
    g_assert_cmpfloat(rate_at(w, MIB, 1.5, true), ==, 12.5);
    g_assert_cmpfloat(rate_at(w, MIB, 3, false), ==, 0);
    g_assert_cmpfloat(rate_at(w, MIB + 512 * KIB, 3, false), ==, 50);
    g_assert_cmpfloat(rate_at(w, 2 * MIB, 9, false), ==, 2);
    g_assert_cmpuint(w->nr_changes, ==, 3);
    workload_free(w);
}

/* Two pages for a second at 2, then one at 2 and one at 50 for a second. */
static void test_mean(void)
{
    Workload *w = parse("0 0 8K 2\n1 4K 4K 50 1\n", 2 * MIB);
    VhRange two = { 0, 8 * KIB }, beyond = { 0, 2 * MIB };

    g_assert_cmpfloat(workload_mean(w, two, 0, S, false), ==, 4);
    g_assert_cmpfloat(workload_mean(w, two, 0, 2 * S, false), ==, 56);
    g_assert_cmpfloat(workload_mean(w, beyond, S, 2 * S, true), ==, 51);
    g_assert_cmpfloat(workload_mean(w, two, S, S, false), ==, 0);
    g_assert_cmpfloat(workload_mean(w, two, S / 2, 3 * S / 2, false), ==, 28);
    workload_free(w);
}

static void test_coarsen(void)
{
    Workload *w = parse("0 0 4M 1 0.5\n1 2M 4K 100 1\n", 8 * MIB);
    g_autofree char *why = NULL;
    Workload *c = workload_coarsen(w, 2 * MIB, &why);

    g_assert_cmpuint(c->nr, ==, 3);
    g_assert_cmpfloat(rate_at(c, 0, 5, false), ==, 512);
    g_assert_cmpfloat(rate_at(c, 4 * MIB - 1, 0.5, false), ==, 512);
    g_assert_cmpfloat(rate_at(c, 4 * MIB - 1, 1, false), ==, 611);
    g_assert_cmpfloat_with_epsilon(rate_at(c, 2 * MIB, 1, true), 355.5, 1e-9);
    g_assert_cmpfloat(rate_at(c, 4 * MIB, 1, false), ==, 0);
    workload_free(c);
    workload_free(w);
}

static void assert_wrong(const char *text, uint64_t size, const char *says)
{
    g_autofree char *why = NULL;

    g_assert_null(trace_parse("t.txt", text, size, &why));
    g_assert_cmpstr(why, ==, says);
}

static void test_errors(void)
{
    assert_wrong("# nothing\n", 0,
                 "t.txt:2: the trace has no line that says anything");
    assert_wrong("0 0 4K\n", 0,
                 "t.txt:1: 3 fields ('0'...) where TIME START SIZE RATE "
                 "[WRITES] are expected");
    assert_wrong("0 0 4K 1 1 1 1", 0,
                 "t.txt:1: more than 5 fields ('0'...) where TIME START SIZE "
                 "RATE [WRITES] are expected");
    assert_wrong("0 0 4K 1\nsoon 0 4K 1", 0,
                 "t.txt:2: time 'soon' is not a number of seconds from 0 to "
                 "1000000");
    assert_wrong("2 0 4K 1\n1 0 4K 1", 0,
                 "t.txt:2: time '1' is before that of the line above (2); "
                 "times must not go back");
    assert_wrong("0 100 4K 1", 0,
                 "t.txt:1: start '100' is not a multiple of 4096, decimal or "
                 "hex (0x...), maybe with K, M, G or T");
    assert_wrong("0 0 -4096 1", 0,
                 "t.txt:1: size '-4096' is not a multiple of 4096 above 0, "
                 "decimal or hex (0x...), maybe with K, M, G or T");
    assert_wrong("0 4K 4K 1", 4096,
                 "t.txt:1: start '4K' and size '4K' go beyond the guest's "
                 "memory (4096)");
    assert_wrong("0 0xfffffffffffff000 8K 1", 0,
                 "t.txt:1: start '0xfffffffffffff000' and size '8K' go beyond "
                 "what is possible (70368744177664)");
    assert_wrong("0 0 4K nan", 0,
                 "t.txt:1: rate 'nan' is not a number of accesses a second "
                 "and page from 0 to 1000000");
    assert_wrong("0 0 4K 1 2", 0,
                 "t.txt:1: write share '2' is not a number from 0 to 1");
}

static void test_no_file(void)
{
    g_autofree char *why = NULL;

    g_assert_null(trace_read("/nonexistent/trace", 0, &why));
    g_assert_nonnull(strstr(why, "/nonexistent/trace"));
}

static void test_bytes(void)
{
    uint64_t n;

    g_assert_true(parse_bytes("160G", &n) && n == 160ULL << 30);
    g_assert_true(parse_bytes("0x10k", &n) && n == 16 * KIB);
    g_assert_true(parse_bytes("18446744073709551615", &n) && n == UINT64_MAX);
    g_assert_false(parse_bytes("18446744073709551616", &n));
    g_assert_false(parse_bytes("17179869184G", &n));
    g_assert_false(parse_bytes("4KB", &n));
    g_assert_false(parse_bytes("", &n));
    g_assert_false(parse_bytes(" 1", &n));
}

/* Hot bytes, at 5 accesses a second, at second @s. */
static uint64_t hot(const Workload *w, double s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < w->nr; i++) {
        if (segment_rate(&w->segments[i], s * S, false) >= 5) {
            sum += w->segments[i].end - w->segments[i].start;
        }
    }
    return sum;
}

static void assert_hot(const char *name, double s, uint64_t bytes)
{
    const Pattern *p = pattern_find(name);
    PatternArgs a = { p->size, p->seconds, 50, 0.0005, 0 };

    for (a.seed = 1; a.seed <= 20; a.seed++) {
        g_autofree char *why = NULL;
        Workload *w = pattern_make(p, &a, &why);

        g_assert_cmpuint(hot(w, s), ==, bytes);
        g_assert_cmpuint(w->segments[w->nr - 1].end, ==, p->size);
        workload_free(w);
    }
}

static void test_patterns(void)
{
    uint64_t five = (4096 * MIB / 20) & ~4095ULL;

    assert_hot("block", 1, five);
    assert_hot("scattered", 1, 26 * 8 * MIB);
    assert_hot("moving", 9, five);
    assert_hot("moving", 35, five);
    assert_hot("zipf", 1, 53 * 2 * MIB); /* 400 / 53^1.1 > 5 > 400 / 54^1.1 */
    assert_hot("stripes", 1, 512 * MIB);
    assert_hot("phases", 14, five);
    assert_hot("phases", 15, 4 * five);
    assert_hot("phases", 30, five);
    assert_hot("needle", 1, 200 * MIB);
    assert_hot("tiny", 1, 64 * 4096);
    assert_hot("writemix", 1,
               12 * ((4096 * MIB / 12 / 4096 * 4096 / 20) & ~4095ULL));
}

static void test_pattern_too_big(void)
{
    PatternArgs a = { 512 * MIB, 30, 50, 0, 1 };
    g_autofree char *why = NULL;

    g_assert_null(pattern_make(pattern_find("stripes"), &a, &why));
    g_assert_cmpstr(why, ==, "--size: pattern stripes needs at least 1024 MiB");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accuracy/trace/lines", test_lines);
    g_test_add_func("/accuracy/trace/mean", test_mean);
    g_test_add_func("/accuracy/trace/coarsen", test_coarsen);
    g_test_add_func("/accuracy/trace/errors", test_errors);
    g_test_add_func("/accuracy/trace/no-file", test_no_file);
    g_test_add_func("/accuracy/trace/bytes", test_bytes);
    g_test_add_func("/accuracy/patterns/hot", test_patterns);
    g_test_add_func("/accuracy/patterns/too-big", test_pattern_too_big);
    return g_test_run();
}
