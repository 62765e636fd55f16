/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms and percentiles against counting one by one. */
#include <math.h>
#include <string.h>

#include "report/hist.h"

#define NR 60

static const VhQuantity quantities[] = { VH_QUANTITY_SIZE, VH_QUANTITY_TIME,
                                         VH_QUANTITY_RATE,
                                         VH_QUANTITY_TEMPERATURE };

/* Any sample is in one bin, by its edges; so much is in each. */
static void assert_counted(const VhHist *h, const VhSample *s, size_t nr)
{
    uint64_t total = 0;

    g_assert_cmpuint(h->nr, >=, 1);
    g_assert_cmpuint(h->nr, <=, VH_HIST_BINS);
    for (unsigned i = 0; i < h->nr; i++) {
        uint64_t want = 0;

        g_assert_cmpfloat(h->edges[i], <, h->edges[i + 1]);
        for (size_t j = 0; j < nr; j++) {
            bool in = s[j].value >= h->edges[i] && s[j].value < h->edges[i + 1];

            want += in ? s[j].weight : 0;
        }
        g_assert_cmpuint(h->weights[i], ==, want);
        total += want;
    }
    g_assert_cmpuint(h->total, ==, total);
    total = 0;
    for (size_t j = 0; j < nr; j++) {
        total += s[j].weight;
    }
    g_assert_cmpuint(h->total, ==, total);
    /* neither the first nor the last is there for nothing */
    g_assert_cmpuint(h->weights[0], >, 0);
    g_assert_cmpuint(h->weights[h->nr - 1], >, 0);
}

/* Values of all magnitudes, some of them 0, some just on a round number. */
static double random_value(GRand *rand, VhQuantity q, double decades)
{
    double v = pow(10, g_rand_double_range(rand, 0, decades));

    if (g_rand_int_range(rand, 0, 6) == 0) {
        return 0;
    }
    if (g_rand_int_range(rand, 0, 4) == 0) {
        v = pow(10, floor(log10(v)));
    }
    v = q == VH_QUANTITY_RATE ? v / 1000 : floor(v);
    return q == VH_QUANTITY_TEMPERATURE && g_rand_boolean(rand) ? -v : v;
}

static void test_random(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    unsigned logs = 0;

    for (unsigned i = 0; i < 4000; i++) {
        VhQuantity q = quantities[i % 4];
        double decades = g_rand_double_range(rand, 0.1, 18);
        size_t nr = g_rand_int_range(rand, 1, NR);
        VhSample s[NR];
        VhHist h;

        for (size_t j = 0; j < nr; j++) {
            s[j].value = random_value(rand, q, decades);
            s[j].weight = g_rand_int_range(rand, 1, 1000);
        }
        vh_hist_make(&h, q, s, nr);
        assert_counted(&h, s, nr);
        g_assert_cmpint(h.log, ==, vh_hist_spans_decades(q, s, nr));
        logs += h.log;
    }
    g_assert_cmpuint(logs, >, 1000);
    g_assert_cmpuint(logs, <, 3900);
}

static char *edges_of(VhQuantity q, const double *values, size_t nr)
{
    g_autofree VhSample *s = g_new(VhSample, nr);
    GString *out = g_string_new(NULL);
    VhHist h;

    for (size_t i = 0; i < nr; i++) {
        s[i] = (VhSample){ values[i], 1 };
    }
    vh_hist_make(&h, q, s, nr);
    g_string_append(out, h.log ? "log:" : "linear:");
    for (unsigned i = 0; i <= h.nr; i++) {
        g_autofree char *edge = vh_quantity_str(q, h.edges[i]);

        g_string_append_printf(out, " %s", edge);
    }
    return g_string_free(out, false);
}

#define ASSERT_EDGES(q, want, ...)                                            \
    do {                                                                      \
        const double v[] = { __VA_ARGS__ };                                   \
        g_autofree char *got = edges_of(VH_QUANTITY_##q, v, G_N_ELEMENTS(v)); \
                                                                              \
        g_assert_cmpstr(got, ==, want);                                       \
    } while (0)

static void test_round(void)
{
    ASSERT_EDGES(SIZE,
                 "log: 4 KiB 32 KiB 256 KiB 2 MiB 16 MiB 128 MiB 1 GiB 8 GiB "
                 "64 GiB 512 GiB 4 TiB",
                 4096, 0x1p41);
    ASSERT_EDGES(SIZE, "linear: 4 MiB 4.5 MiB 5 MiB 5.5 MiB 6 MiB 6.5 MiB",
                 0x400000, 0x600000);
    ASSERT_EDGES(SIZE, "linear: 4 KiB 4.5 KiB", 4096);
    ASSERT_EDGES(TIME, "log: 0 s 10 ms 100 ms 1 s 10 s 1m 10m 1h 6h 1d 10d", 0,
                 20e3, 864e8);
    ASSERT_EDGES(TIME, "log: 0 s 1 ms 1 s 1m 1h 1d 100d", 0, 500, 864e9);
    ASSERT_EDGES(TIME, "log: 1 s 2 s 5 s 10 s 20 s 30 s 1m 2m 5m 10m", 1e6,
                 599e6);
    ASSERT_EDGES(TIME, "linear: 0 s 10 s 20 s 30 s 40 s 50 s 1m 1m 10s 1m 20s",
                 0, 3e6, 70e6);
    ASSERT_EDGES(TIME, "linear: 0 s 100 us", 0);
    ASSERT_EDGES(RATE, "log: 0/s 0.01/s 0.1/s 1.00/s 10.0/s 100/s 1000/s", 0,
                 0.02, 900);
    ASSERT_EDGES(TEMPERATURE, "log: -10T -1T -100G -10G -1G -100M 100M 1G",
                 -5e12, 3e8);
    ASSERT_EDGES(TEMPERATURE,
                 "log: -1M -500k -200k -100k -50k -20k -10k -5k -2k -1k 1k",
                 -1e6 + 1, -1e3);
    ASSERT_EDGES(TEMPERATURE, "linear: -2 -1 0 1 2 3", -2, 1, 2);
}

/* One element for each unit of weight, then the one at that place. */
static double brute_percentile(const VhSample *sorted, size_t nr,
                               unsigned percent)
{
    g_autoptr(GArray) all = g_array_new(false, false, sizeof(double));
    guint at;

    for (size_t i = 0; i < nr; i++) {
        for (uint64_t j = 0; j < sorted[i].weight; j++) {
            g_array_append_val(all, sorted[i].value);
        }
    }
    at = (all->len * percent + 99) / 100; /* so many are not above it */
    return g_array_index(all, double, at ? at - 1 : 0);
}

static void test_percentiles(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);

    for (unsigned i = 0; i < 300; i++) {
        size_t nr = g_rand_int_range(rand, 1, NR);
        VhSample s[NR];

        for (size_t j = 0; j < nr; j++) {
            s[j].value = random_value(rand, VH_QUANTITY_TEMPERATURE, 6);
            s[j].weight = g_rand_int_range(rand, 1, 100);
        }
        vh_samples_sort(s, nr);
        for (size_t j = 1; j < nr; j++) {
            g_assert_cmpfloat(s[j - 1].value, <=, s[j].value);
        }
        for (unsigned p = 0; p <= 100; p++) {
            g_assert_cmpfloat(vh_percentile(s, nr, p), ==,
                              brute_percentile(s, nr, p));
        }
    }
}

/* As much memory as 64 bits count. */
static void test_large(void)
{
    const VhSample s[] = { { 1, UINT64_MAX / 2 }, { 2, UINT64_MAX / 2 } };

    g_assert_cmpfloat(vh_percentile(s, 2, 50), ==, 1);
    g_assert_cmpfloat(vh_percentile(s, 2, 51), ==, 2);
    g_assert_cmpfloat(vh_percentile(s, 2, 100), ==, 2);
}

/* What no estimator tells, but a file may: it ends, and all is counted. */
static void test_absurd(void)
{
    static const double values[] = { 1e300, 1e-300, 5e-324, 1e31, 1 };

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(values); j++) {
            for (unsigned q = 0; q < 4; q++) {
                const VhSample s[] = { { values[i], 1 }, { values[j], 2 } };
                VhHist h;

                vh_hist_make(&h, quantities[q], s, 2);
                g_assert_cmpuint(h.total, ==, 3);
            }
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hist/random", test_random);
    g_test_add_func("/hist/round", test_round);
    g_test_add_func("/hist/percentiles", test_percentiles);
    g_test_add_func("/hist/large", test_large);
    g_test_add_func("/hist/absurd", test_absurd);
    return g_test_run();
}
