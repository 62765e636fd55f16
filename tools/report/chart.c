/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "chart.h"
#include "pen.h"
#include "scale.h"
#include "../units.h"

#define LEFT 84
#define TOP 66
#define RIGHT 34
#define BOTTOM 64
#define MARKS_Y 5
#define FAR 4 /* times the values: the total would flatten them */

/* From what is hot to what is less so; told apart in grey, too. */
static const VhInk colors[VH_SERIES_MAX] = {
    { 0.70, 0.05, 0.10 }, { 0.93, 0.49, 0.08 }, { 0.13, 0.47, 0.71 },
    { 0.20, 0.55, 0.25 }, { 0.50, 0.30, 0.65 }, { 0.45, 0.35, 0.25 },
    { 0.30, 0.30, 0.30 }, { 0.10, 0.10, 0.10 },
};
static const VhInk total_color = { 0.40, 0.40, 0.40 };

typedef struct Draw {
    cairo_t *cr;
    const VhChart *chart;
    VhChartFrame frame;
    double width, height;
} Draw;

void vh_chart_frame(const VhChart *chart, double width, double height,
                    VhChartFrame *f)
{
    uint64_t max = 1;

    for (unsigned c = 0; c < chart->series->nr; c++) {
        for (guint i = 0; i < chart->series->times->len; i++) {
            max = MAX(max, vh_series_at(chart->series, c, i));
        }
    }
    if (chart->total / FAR <= max) {
        max = MAX(max, chart->total);
    }
    max = MIN(max, 1ull << 62);
    f->left = LEFT;
    f->top = TOP;
    f->right = width - RIGHT;
    f->bottom = height - BOTTOM;
    f->mark = vh_scale_bytes(max, MARKS_Y);
    f->max = (max / f->mark + (max % f->mark != 0)) * f->mark;
}

static double y_of(const Draw *d, double bytes)
{
    return d->frame.bottom -
           (d->frame.bottom - d->frame.top) * bytes / d->frame.max;
}

static void draw_y_axis(const Draw *d)
{
    vh_pen_font(d->cr, 12, false);
    for (uint64_t at = 0; at <= d->frame.max; at += d->frame.mark) {
        g_autofree char *label = vh_size_str(at);
        double y = y_of(d, at);

        vh_pen_use(d->cr, at ? vh_ink_grid : vh_ink_text, 1);
        vh_pen_line(d->cr, d->frame.left, y, d->frame.right, y);
        vh_pen_use(d->cr, vh_ink_text, 1);
        vh_pen_text(d->cr, d->frame.left - 8, y + 4, 1, at ? label : "0");
    }
}

/* Parts from @i on that have values; returns the one behind them. */
static unsigned run_end(const VhBin *bins, unsigned i, unsigned nr)
{
    while (i < nr && bins[i].nr) {
        i++;
    }
    return i;
}

static void band(const Draw *d, const VhBin *bins, unsigned from, unsigned to,
                 double step)
{
    for (unsigned i = from; i < to; i++) {
        cairo_line_to(d->cr, d->frame.left + (i + 0.5) * step,
                      y_of(d, bins[i].max));
    }
    for (unsigned i = to; i-- > from;) {
        cairo_line_to(d->cr, d->frame.left + (i + 0.5) * step,
                      y_of(d, bins[i].min));
    }
    cairo_close_path(d->cr);
    cairo_fill(d->cr);
}

static void mean(const Draw *d, const VhBin *bins, unsigned from, unsigned to,
                 double step)
{
    /* to the edges of the parts: a lone one is seen, too */
    cairo_move_to(d->cr, d->frame.left + from * step, y_of(d, bins[from].mean));
    for (unsigned i = from; i < to; i++) {
        cairo_line_to(d->cr, d->frame.left + (i + 0.5) * step,
                      y_of(d, bins[i].mean));
    }
    cairo_line_to(d->cr, d->frame.left + to * step, y_of(d, bins[to - 1].mean));
    cairo_stroke(d->cr);
}

static void draw_column(const Draw *d, unsigned column)
{
    const VhChart *c = d->chart;
    unsigned nr = (d->frame.right - d->frame.left) / 2;
    double step = (d->frame.right - d->frame.left) / nr;
    g_autofree VhBin *bins = g_new(VhBin, nr);

    vh_series_bins(c->series, column, c->from, c->to, nr, bins);
    vh_series_hold(c->series, c->from, c->to, nr, bins);
    for (unsigned i = 0; i < nr; i++) {
        unsigned end = run_end(bins, i, nr);

        if (end > i) {
            vh_pen_use(d->cr, colors[column], 0.22);
            band(d, bins, i, end, step);
            vh_pen_use(d->cr, colors[column], 1);
            mean(d, bins, i, end, step);
            i = end;
        }
    }
}

static void draw_total(const Draw *d)
{
    static const double dashes[] = { 6, 4 };
    double y = y_of(d, d->chart->total);

    if (!d->chart->total || d->chart->total > d->frame.max) {
        return;
    }
    vh_pen_use(d->cr, total_color, 1);
    cairo_set_dash(d->cr, dashes, G_N_ELEMENTS(dashes), 0);
    vh_pen_line(d->cr, d->frame.left, y, d->frame.right, y);
    cairo_set_dash(d->cr, NULL, 0, 0);
}

static double key(const Draw *d, double x, double y, const char *name)
{
    cairo_set_line_width(d->cr, 3);
    cairo_move_to(d->cr, x, y - 4);
    cairo_line_to(d->cr, x + 22, y - 4);
    cairo_stroke(d->cr);
    cairo_set_dash(d->cr, NULL, 0, 0);
    vh_pen_use(d->cr, vh_ink_text, 1);
    return x + 28 + vh_pen_text(d->cr, x + 28, y, 0, name) + 22;
}

static void draw_legend(const Draw *d)
{
    static const double dashes[] = { 6, 4 };
    double x = d->frame.left, y = d->height - 14;

    vh_pen_font(d->cr, 12, false);
    for (unsigned c = 0; c < d->chart->series->nr; c++) {
        vh_pen_use(d->cr, colors[c], 1);
        x = key(d, x, y, d->chart->names[c]);
    }
    if (d->chart->total) {
        g_autofree char *size = vh_size_str(d->chart->total);
        g_autofree char *name =
            g_strdup_printf("monitored: %s%s", size,
                            d->chart->total > d->frame.max ? ", above" : "");

        vh_pen_use(d->cr, total_color, 1);
        cairo_set_dash(d->cr, dashes, G_N_ELEMENTS(dashes), 0);
        key(d, x, y, name);
    }
}

void vh_chart_draw(cairo_t *cr, double width, double height, const void *chart)
{
    Draw d = { .cr = cr, .chart = chart, .width = width, .height = height };

    vh_chart_frame(chart, width, height, &d.frame);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_set_line_width(cr, 1);
    vh_pen_use(cr, vh_ink_text, 1);
    vh_pen_font(cr, 17, true);
    vh_pen_text(cr, d.frame.left, 28, 0, d.chart->title);
    vh_pen_font(cr, 12, false);
    vh_pen_text(cr, d.frame.left, 48, 0, d.chart->subtitle);
    draw_y_axis(&d);
    vh_pen_time_axis(cr, &(VhTimeAxis){ .from = d.chart->from,
                                        .to = d.chart->to,
                                        .unix_from = d.chart->unix_from,
                                        .left = d.frame.left,
                                        .right = d.frame.right,
                                        .top = d.frame.top,
                                        .bottom = d.frame.bottom,
                                        .grid = true });
    draw_total(&d);
    cairo_set_line_width(cr, 1.6);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (unsigned c = d.chart->series->nr; c--;) {
        draw_column(&d, c);
    }
    draw_legend(&d);
}
