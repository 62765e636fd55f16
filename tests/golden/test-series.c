/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic of reports of the working set, against the simplest way. */
#include <math.h>
#include <string.h>

#include "report/scale.h"
#include "report/series.h"
#include "report/wss-set.h"

#define GIB (1ull << 30)

static VhSeries *random_series(GRand *r, unsigned nr)
{
    VhSeries *s = vh_series_new(2);

    for (unsigned i = 0; i < nr; i++) {
        uint64_t v[] = { g_rand_int_range(r, 0, 50) * GIB, g_rand_int(r) };

        vh_series_add(s, 1000 + i * 10, v);
    }
    return s;
}

/* The least value that at least @percent of all do not exceed. */
static uint64_t slow_percentile(const VhSeries *s, unsigned c, unsigned percent)
{
    uint64_t best = UINT64_MAX;
    guint len = s->times->len;

    for (guint i = 0; i < len; i++) {
        uint64_t v = vh_series_at(s, c, i);
        guint below = 0;

        for (guint j = 0; j < len; j++) {
            below += vh_series_at(s, c, j) <= v;
        }
        if (below * 100 >= len * percent) {
            best = MIN(best, v);
        }
    }
    return best;
}

static void test_percentiles(void)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(7);

    for (unsigned nr = 1; nr < 130; nr += nr < 20 ? 1 : 9) {
        g_autoptr(VhSeries) s = random_series(r, nr);

        for (unsigned p = 0; p <= 100; p++) {
            double percent = p;
            uint64_t v;

            for (unsigned c = 0; c < 2; c++) {
                vh_series_percentiles(s, c, &percent, 1, &v);
                g_assert_cmpuint(v, ==, slow_percentile(s, c, p));
            }
        }
    }
}

static void test_fine_percentiles(void)
{
    g_autoptr(VhSeries) s = vh_series_new(1);
    double p[] = { 99.9, 99.91, 0.1, 0.11 };
    uint64_t v[4];

    for (uint64_t i = 1000; i >= 1; i--) {
        vh_series_add(s, i, &i);
    }
    vh_series_percentiles(s, 0, p, 4, v);
    g_assert_cmpuint(v[0], ==, 999);
    g_assert_cmpuint(v[1], ==, 1000);
    g_assert_cmpuint(v[2], ==, 1);
    g_assert_cmpuint(v[3], ==, 2);
    g_assert_cmpfloat(vh_series_mean(s, 0), ==, 500.5);
}

static void test_bins(void)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(8);
    g_autoptr(VhSeries) s = random_series(r, 100);
    uint64_t from = 1095, to = 1900;
    VhBin bins[7];

    vh_series_bins(s, 0, from, to, 7, bins);
    for (unsigned b = 0; b < 7; b++) {
        uint64_t min = UINT64_MAX, max = 0, nr = 0;
        double sum = 0;

        for (guint i = 0; i < 100; i++) {
            uint64_t t = 1000 + i * 10, v = vh_series_at(s, 0, i);
            double at = ((double)t - from) / (to - from) * 7;

            if ((at >= b && at < b + 1) || (b == 6 && t == to)) {
                min = MIN(min, v);
                max = MAX(max, v);
                sum += v;
                nr++;
            }
        }
        g_assert_cmpuint(bins[b].nr, ==, nr);
        g_assert_cmpuint(bins[b].min, ==, min);
        g_assert_cmpuint(bins[b].max, ==, max);
        g_assert_cmpfloat(fabs(bins[b].mean - sum / nr), <, 1);
    }
}

/* A value every 10 ns, but none in 300 .. 500. */
static void test_hold(void)
{
    g_autoptr(VhSeries) s = vh_series_new(1);
    VhBin bins[200];

    for (uint64_t t = 10; t <= 800; t += 10) {
        if (t < 300 || t >= 500) {
            vh_series_add(s, t, &t);
        }
    }
    g_assert_cmpuint(vh_series_gap(s), ==, 100);
    vh_series_bins(s, 0, 0, 800, 200, bins);
    vh_series_hold(s, 0, 800, 200, bins);
    g_assert_cmpuint(bins[0].max, ==, 10);
    g_assert_cmpuint(bins[4].max, ==, 10);
    g_assert_cmpuint(bins[5].max, ==, 20);
    g_assert_cmpuint(bins[6].max, ==, 20);
    g_assert_cmpuint(bins[72].max, ==, 290);
    for (unsigned i = 73; i < 125; i++) {
        g_assert_cmpuint(bins[i].nr, ==, 0);
    }
    for (unsigned i = 125; i < 200; i++) {
        g_assert_cmpuint(bins[i].nr, >, 0);
    }
}

static void random_snapshot(GRand *r, VhSnapshot *s)
{
    s->nr = 50;
    s->has_rates = true;
    s->aggregation_interval = 100000;
    s->regions = g_new0(VhRegion, s->nr);
    for (unsigned i = 0; i < s->nr; i++) {
        VhRegion *g = &s->regions[i];

        g->start = i * 1000;
        g->end = g->start + g_rand_int_range(r, 1, 1000);
        g->nr_accesses = g_rand_int_range(r, 0, 3);
        g->idle_us = g_rand_int_range(r, 0, 5);
        g->rate = g_rand_int_range(r, 0, 4);
    }
}

/* Byte by byte. */
static uint64_t slow_size(const VhSnapshot *s, const VhFilter *f,
                          uint64_t within)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < s->nr; i++) {
        const VhRegion *g = &s->regions[i];

        for (uint64_t at = g->start; at < g->end; at++) {
            sum += at >= f->start && at < f->end && g->idle_us <= within &&
                   g->nr_accesses >= f->nr_accesses.min &&
                   g->rate >= f->rate.min;
        }
    }
    return sum;
}

static void test_sizes(void)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(9);
    uint64_t within[] = { 0, 2, 3 }, out[3];

    for (unsigned round = 0; round < 40; round++) {
        VhWssSet w = { .within = within };
        VhSnapshot s = { 0 };

        random_snapshot(r, &s);
        vh_filter_init(&w.filter);
        w.filter.nr_accesses.min = round % 3;
        w.filter.rate.min = round % 4;
        w.filter.start = round % 2 ? 12345 : 0;
        w.filter.end = round % 5 ? UINT64_MAX : 33333;
        vh_wss_sizes(&w, &s, out);
        g_assert_cmpuint(out[0], ==, slow_size(&s, &w.filter, UINT64_MAX));
        w.nr = 3;
        vh_wss_sizes(&w, &s, out);
        for (unsigned i = 0; i < 3; i++) {
            g_assert_cmpuint(out[i], ==, slow_size(&s, &w.filter, within[i]));
        }
        g_free(s.regions);
    }
}

static void test_scale(void)
{
    for (unsigned marks = 1; marks < 9; marks++) {
        for (uint64_t max = 1; max < 1ull << 60; max = max * 3 + 1) {
            uint64_t step = vh_scale_bytes(max, marks);

            g_assert_cmpuint(step & (step - 1), ==, 0);
            g_assert_true(max <= step * marks);
            g_assert_true(step == 1 || max > step / 2 * marks);
        }
        for (uint64_t span = 1; span < 1ull << 40; span = span * 2 + 1) {
            uint64_t step = vh_scale_seconds(span, marks);

            g_assert_true(span <= step * marks);
            g_assert_true(86400 % step == 0 || step % 86400 == 0);
        }
    }
    g_assert_cmpuint(vh_scale_bytes(UINT64_MAX, 1), ==, 1ull << 62);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/series/percentiles", test_percentiles);
    g_test_add_func("/series/fine-percentiles", test_fine_percentiles);
    g_test_add_func("/series/bins", test_bins);
    g_test_add_func("/series/hold", test_hold);
    g_test_add_func("/series/sizes", test_sizes);
    g_test_add_func("/series/scale", test_scale);
    return g_test_run();
}
