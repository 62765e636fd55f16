/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures: lines are where the values are, and nowhere else. */
#include <cairo.h>
#include <stdlib.h>

#include "report/chart.h"

#define W VH_CHART_WIDTH
#define H VH_CHART_HEIGHT
#define MIB (1ull << 20)
#define NS 1000000000ull

/* Is there something red (as the first column) about that point? */
static bool is_red(cairo_surface_t *s, double x, double y)
{
    for (int dy = -2; dy <= 2; dy++) {
        int row = CLAMP((int)y + dy, 0, H - 1);
        const uint32_t *line =
            (const uint32_t *)(cairo_image_surface_get_data(s) +
                               row * cairo_image_surface_get_stride(s));
        uint32_t p = line[(int)x];

        if ((p >> 16 & 255) > (p >> 8 & 255) + 60) {
            return true;
        }
    }
    return false;
}

static cairo_surface_t *draw(const VhChart *chart)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, W, H);
    cairo_t *cr = cairo_create(s);

    vh_chart_draw(cr, W, H, chart);
    g_assert_cmpint(cairo_status(cr), ==, CAIRO_STATUS_SUCCESS);
    cairo_destroy(cr);
    cairo_surface_flush(s);
    return s;
}

/* 100 MiB until 60 s, nothing until 90 s, then 300 MiB. */
static uint64_t value(unsigned second)
{
    return second < 60 ? 100 * MIB : second < 90 ? 0 : 300 * MIB;
}

static VhSeries *steps(void)
{
    VhSeries *s = vh_series_new(1);

    for (unsigned i = 0; i <= 150; i++) {
        uint64_t v = value(i);

        if (v) {
            vh_series_add(s, i * NS, &v);
        }
    }
    return s;
}

static void test_lines(void)
{
    static const char *const names[] = { "x\xff\033", NULL };
    g_autoptr(VhSeries) s = steps();
    VhChart chart = { .title = "a\xc0",
                      .subtitle = "",
                      .series = s,
                      .names = names,
                      .to = 150 * NS };
    cairo_surface_t *picture = draw(&chart);
    VhChartFrame f;

    vh_chart_frame(&chart, W, H, &f);
    g_assert_cmpuint(f.max, ==, 320 * MIB);
    g_assert_cmpuint(f.mark, ==, 64 * MIB);
    for (unsigned second = 2; second < 149; second += 3) {
        double x = f.left + (f.right - f.left) * second / 150;
        unsigned near = second > 57 && second < 93;

        for (uint64_t at = 20 * MIB; !near && at < f.max; at += 20 * MIB) {
            double y = f.bottom - (f.bottom - f.top) * at / f.max;

            g_assert_cmpint(is_red(picture, x, y), ==, at == value(second));
        }
    }
    /* no line where there are no values */
    for (double y = f.top; y < f.bottom; y++) {
        g_assert_false(is_red(picture, f.left + (f.right - f.left) / 2, y));
    }
    cairo_surface_destroy(picture);
}

/* It is on the picture, unless it would flatten the values. */
static void test_total(void)
{
    static const char *const names[] = { "x", NULL };
    g_autoptr(VhSeries) s = steps();
    VhChart chart = {
        .title = "", .subtitle = "", .series = s, .names = names, .to = 150 * NS
    };
    VhChartFrame f;

    chart.total = 1200 * MIB;
    cairo_surface_destroy(draw(&chart));
    vh_chart_frame(&chart, W, H, &f);
    g_assert_cmpuint(f.max, ==, 1280 * MIB);
    chart.total = 1300 * MIB;
    cairo_surface_destroy(draw(&chart));
    vh_chart_frame(&chart, W, H, &f);
    g_assert_cmpuint(f.max, ==, 320 * MIB);
}

/* Whatever the numbers are, it ends. */
static void test_extremes(void)
{
    static const char *const names[] = { "x", NULL };
    static const int64_t begins[] = { 0, 1, INT64_MAX / 2,
                                      1767323045000000000 };
    uint64_t huge = UINT64_MAX, one = 1;

    for (unsigned i = 0; i < G_N_ELEMENTS(begins); i++) {
        g_autoptr(VhSeries) s = vh_series_new(1);
        VhChart chart = { .title = "",
                          .subtitle = "",
                          .series = s,
                          .names = names,
                          .from = 5,
                          .to = 6,
                          .unix_from = begins[i],
                          .total = huge };

        cairo_surface_destroy(draw(&chart));
        vh_series_add(s, 5, &one);
        cairo_surface_destroy(draw(&chart));
        vh_series_add(s, 6, &huge);
        cairo_surface_destroy(draw(&chart));
        chart.to = 1ull << 62;
        cairo_surface_destroy(draw(&chart));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chart/lines", test_lines);
    g_test_add_func("/chart/total", test_total);
    g_test_add_func("/chart/extremes", test_extremes);
    return g_test_run();
}
