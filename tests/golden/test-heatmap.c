/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grid of heatmaps, against one that is made page by page, moment by
 * moment. */
#include <math.h>

#include "report/heat-scale.h"
#include "report/heatmap.h"

#define PAGE 4096ull
#define PAGES 64 /* of addresses, from 0 on; some are holes */
#define MS 1000000ull
#define STEPS 48 /* snapshots, of a ms each */

/* What page @page was like in step @step; negative: not monitored. */
typedef double Truth[STEPS][PAGES];

static double rate_at(Truth t, unsigned step, unsigned page)
{
    return t[step][page];
}

/* Regions of random sizes, with holes at pages 20 .. 29 and 50 .. 54. */
static void some_snapshot(GRand *rand, unsigned step, VhSnapshot *s, Truth t)
{
    unsigned page = 0;

    *s = (VhSnapshot){ .sequence = step + 1,
                       .start_time = 5000 * MS + step * MS,
                       .end_time = 5000 * MS + (step + 1) * MS,
                       .aggregation_interval = 1000,
                       .max_nr_accesses = 20,
                       .has_rates = true,
                       .regions = g_new0(VhRegion, PAGES) };
    while (page < PAGES) {
        unsigned wide = g_rand_int_range(rand, 1, 9);
        unsigned end = MIN(page + wide, PAGES);
        double rate = g_rand_int_range(rand, 0, 3) * 10;

        for (unsigned i = page; i < end; i++) {
            bool hole = (i >= 20 && i < 30) || (i >= 50 && i < 55);

            t[step][i] = hole ? -1 : rate;
            if (!hole && (i == page || t[step][i - 1] < 0)) {
                s->regions[s->nr++] =
                    (VhRegion){ .start = i * PAGE, .rate = rate };
            }
            if (!hole) {
                s->regions[s->nr - 1].end = (i + 1) * PAGE;
            }
        }
        page = end;
    }
}

static VhHeatmap *new_map(const VhHeatAxis *axis, unsigned rows, unsigned width)
{
    VhHeatSize size = { .rows = rows, .width = width, .seam = 1 };

    return vh_heatmap_new(axis, 5000 * MS, (5000 + STEPS) * MS, true, &size);
}

/* Page of the line, without holes. */
static unsigned real_page(unsigned line)
{
    return line < 20 ? line : line < 40 ? line + 10 : line + 15;
}

/* Mean of a cell by its parts of 1/120 page and 1/60 step. */
static double brute(Truth t, const VhHeatmap *m, unsigned row, unsigned column)
{
    const unsigned fine_x = 120, fine_y = 60, line = PAGES - 15;
    double sum = 0;
    unsigned n = 0;

    for (unsigned y = row * STEPS * fine_y / m->rows;
         y < (row + 1) * STEPS * fine_y / m->rows; y++) {
        for (unsigned x = column * line * fine_x / m->columns;
             x < (column + 1) * line * fine_x / m->columns; x++) {
            sum += rate_at(t, y / fine_y, real_page(x / fine_x));
            n++;
        }
    }
    return sum / n;
}

static void test_grid(void)
{
    static const unsigned sizes[][2] = {
        { 48, 51 }, { 12, 12 }, { 1, 1 }, { 6, 30 }, { 5, 9 }, { 16, 7 },
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(sizes); k++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(k);
        g_autoptr(VhHeatmap) m = NULL;
        VhSnapshot s[STEPS];
        VhHeatAxis axis;
        Truth t;

        vh_heat_axis_init(&axis, 0, UINT64_MAX);
        for (unsigned i = 0; i < STEPS; i++) {
            some_snapshot(rand, i, &s[i], t);
            vh_heat_axis_add(&axis, &s[i]);
        }
        g_assert_cmpuint(axis.length, ==, (PAGES - 15) * PAGE);
        m = new_map(&axis, sizes[k][0], sizes[k][1]);
        for (unsigned i = 0; i < STEPS; i++) {
            vh_heatmap_add(m, &s[i]);
            g_free(s[i].regions);
        }
        for (unsigned row = 0; row < m->rows; row++) {
            for (unsigned i = 0; i < m->columns; i++) {
                g_assert_cmpfloat(
                    fabs(vh_heatmap_cell(m, row, i) - brute(t, m, row, i)), <,
                    0.25);
            }
        }
        g_assert_cmpuint(m->snapshots, ==, STEPS);
        vh_heat_axis_clear(&axis);
    }
}

/* Two halves, each by a grid of its own, are as the whole. */
static void test_join(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    g_autoptr(VhHeatmap) whole = NULL;
    g_autoptr(VhHeatmap) a = NULL;
    g_autoptr(VhHeatmap) b = NULL;
    VhHeatAxis axis;
    Truth t;

    vh_heat_axis_init(&axis, 0, UINT64_MAX);
    for (unsigned i = 0; i < STEPS; i++) {
        VhSnapshot s;

        some_snapshot(rand, i, &s, t);
        if (!i) {
            vh_heat_axis_add(&axis, &s);
            whole = new_map(&axis, 7, 20);
            a = new_map(&axis, 7, 20);
            b = new_map(&axis, 7, 20);
        }
        if (i == STEPS / 2) {
            vh_heatmap_pass(b, &s);
        }
        vh_heatmap_add(whole, &s);
        vh_heatmap_add(i < STEPS / 2 ? a : b, &s);
        g_free(s.regions);
    }
    vh_heatmap_join(a, b);
    for (unsigned row = 0; row < 7; row++) {
        for (unsigned i = 0; i < whole->columns; i++) {
            g_assert_cmpfloat(fabs(vh_heatmap_cell(whole, row, i) -
                                   vh_heatmap_cell(a, row, i)),
                              <, 1e-6);
        }
    }
    vh_heat_axis_clear(&axis);
}

/* A pause is no cold time; snapshots that were only left out are filled in. */
static void test_gaps(void)
{
    VhRegion region = { .end = 10 * PAGE, .rate = 5 };
    VhSnapshot s = { .sequence = 1,
                     .start_time = 5000 * MS,
                     .end_time = 5001 * MS,
                     .aggregation_interval = 1000,
                     .has_rates = true,
                     .nr = 1,
                     .regions = &region };
    g_autoptr(VhHeatmap) m = NULL;
    VhHeatAxis axis;

    vh_heat_axis_init(&axis, 0, UINT64_MAX);
    vh_heat_axis_add(&axis, &s);
    m = new_map(&axis, STEPS, 1);
    vh_heatmap_add(m, &s);
    s.sequence = 5; /* three were left out */
    s.start_time = 5004 * MS;
    s.end_time = 5005 * MS;
    vh_heatmap_add(m, &s);
    s.sequence = 6; /* after a pause */
    s.start_time = 5020 * MS;
    s.end_time = 5021 * MS;
    vh_heatmap_add(m, &s);
    for (unsigned row = 0; row < STEPS; row++) {
        double heat = vh_heatmap_cell(m, row, 0);

        if (row < 5 || row == 20) {
            g_assert_cmpfloat(fabs(heat - 5), <, 1e-6);
        } else {
            g_assert_true(isnan(heat));
        }
    }
    vh_heat_axis_clear(&axis);
}

static void test_seams(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(VhHeatmap) m = NULL;
    VhHeatAxis axis;
    VhSnapshot s;
    Truth t;

    vh_heat_axis_init(&axis, 0, UINT64_MAX);
    some_snapshot(rand, 0, &s, t);
    vh_heat_axis_add(&axis, &s);
    m = new_map(&axis, 1, 26);
    g_assert_cmpuint(m->seams->len, ==, 2);
    g_assert_cmpuint(m->columns, ==, 24);
    for (unsigned i = 0; i < m->columns; i++) {
        const VhSeam *seam = vh_heatmap_seam(m, i);

        if (i == 10 || i == 20) { /* 20 and 40 of 49 pages, 24 columns */
            g_assert_cmpuint(seam->start, ==, (i == 10 ? 20 : 50) * PAGE);
            g_assert_cmpuint(seam->end, ==, (i == 10 ? 30 : 55) * PAGE);
        } else {
            g_assert_null(seam);
        }
    }
    g_free(s.regions);
    vh_heat_axis_clear(&axis);
}

static void test_scale(void)
{
    double before = -1;

    g_assert_cmpfloat(vh_heat_scale(true, 0), ==, 0);
    g_assert_cmpint(vh_heat_scale_level(true, 0), ==, 0);
    g_assert_cmpint(vh_heat_scale_level(true, 1e-9), ==, 1);
    g_assert_cmpint(vh_heat_scale_level(true, 1e9), ==, 9);
    g_assert_cmpint(vh_heat_scale_level(false, 1), ==, 9);
    g_assert_cmpint(vh_heat_scale_level(false, 0.001), ==, 1);
    for (double rate = 0.005; rate < 1000; rate *= 1.5) {
        double at = vh_heat_scale(true, rate);
        VhInk ink = vh_heat_scale_ink(at);
        double light = 0.2126 * ink.r + 0.7152 * ink.g + 0.0722 * ink.b;

        g_assert_cmpfloat(at, >, 0);
        g_assert_cmpfloat(at, <=, 1);
        g_assert_cmpfloat(light, >=, before);
        before = light;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heatmap/grid", test_grid);
    g_test_add_func("/heatmap/join", test_join);
    g_test_add_func("/heatmap/gaps", test_gaps);
    g_test_add_func("/heatmap/seams", test_seams);
    g_test_add_func("/heatmap/scale", test_scale);
    return g_test_run();
}
