/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "chart.h"
#include "scale.h"
#include "../units.h"

#define NS 1000000000ll
#define LEFT 84
#define TOP 66
#define RIGHT 34
#define BOTTOM 64
#define MARKS_Y 5
#define MARK_X_PIXELS 90
#define FAR 4 /* times the values: the total would flatten them */

typedef struct Color {
    double r, g, b;
} Color;

/* From what is hot to what is less so; told apart in grey, too. */
static const Color colors[VH_SERIES_MAX] = {
    { 0.70, 0.05, 0.10 }, { 0.93, 0.49, 0.08 }, { 0.13, 0.47, 0.71 },
    { 0.20, 0.55, 0.25 }, { 0.50, 0.30, 0.65 }, { 0.45, 0.35, 0.25 },
    { 0.30, 0.30, 0.30 }, { 0.10, 0.10, 0.10 },
};
static const Color text_color = { 0.15, 0.15, 0.15 };
static const Color grid_color = { 0.88, 0.88, 0.88 };
static const Color total_color = { 0.40, 0.40, 0.40 };

typedef struct Draw {
    cairo_t *cr;
    const VhChart *chart;
    VhChartFrame frame;
    double width, height;
} Draw;

static void use(cairo_t *cr, Color c, double alpha)
{
    cairo_set_source_rgba(cr, c.r, c.g, c.b, alpha);
}

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

static double x_of(const Draw *d, double ns)
{
    return d->frame.left + (d->frame.right - d->frame.left) * ns /
                               (double)(d->chart->to - d->chart->from);
}

static double y_of(const Draw *d, double bytes)
{
    return d->frame.bottom -
           (d->frame.bottom - d->frame.top) * bytes / d->frame.max;
}

/* @align: 0 begins at x, 0.5 is around it, 1 ends there. */
static double text(const Draw *d, double x, double y, double align,
                   const char *s)
{
    g_autofree char *valid = g_utf8_make_valid(s, -1);
    cairo_text_extents_t e;

    cairo_text_extents(d->cr, valid, &e);
    cairo_move_to(d->cr, x - e.x_advance * align, y);
    cairo_show_text(d->cr, valid);
    return e.x_advance;
}

static void font(const Draw *d, double size, bool bold)
{
    cairo_select_font_face(d->cr, "sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD
                                : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(d->cr, size);
}

/* Sharp: in the middle of a pixel. */
static void line(const Draw *d, double x1, double y1, double x2, double y2)
{
    cairo_move_to(d->cr, floor(x1) + 0.5, floor(y1) + 0.5);
    cairo_line_to(d->cr, floor(x2) + 0.5, floor(y2) + 0.5);
    cairo_stroke(d->cr);
}

static void draw_y_axis(const Draw *d)
{
    font(d, 12, false);
    for (uint64_t at = 0; at <= d->frame.max; at += d->frame.mark) {
        g_autofree char *label = vh_size_str(at);
        double y = y_of(d, at);

        use(d->cr, at ? grid_color : text_color, 1);
        line(d, d->frame.left, y, d->frame.right, y);
        use(d->cr, text_color, 1);
        text(d, d->frame.left - 8, y + 4, 1, at ? label : "0");
    }
}

/* Of a wall clock, local; or seconds from the left edge. */
static char *time_label(const Draw *d, int64_t seconds, uint64_t step)
{
    g_autoptr(GDateTime) t = NULL;

    if (!d->chart->unix_from) {
        return vh_duration_str(seconds * 1000000);
    }
    t = g_date_time_new_from_unix_local(seconds);
    return t ? g_date_time_format(t, step < 60      ? "%H:%M:%S"
                                     : step < 86400 ? "%H:%M"
                                                    : "%F")
             : g_strdup("");
}

/* Local time less UTC, so that marks are at whole local hours and days. */
static int64_t utc_offset(const Draw *d)
{
    g_autoptr(GDateTime) t =
        d->chart->unix_from
            ? g_date_time_new_from_unix_local(d->chart->unix_from / NS)
            : NULL;

    return t ? g_date_time_get_utc_offset(t) / 1000000 : 0;
}

static void draw_x_axis(const Draw *d)
{
    uint64_t span = (d->chart->to - d->chart->from) / NS;
    double room = d->frame.right - d->frame.left;
    uint64_t step =
        vh_scale_seconds(MAX(span, 1), MAX(room / MARK_X_PIXELS, 1));
    int64_t offset = utc_offset(d), begin = d->chart->unix_from;
    int64_t first = (begin / NS + offset + step - 1) / (int64_t)step * step;

    font(d, 12, false);
    for (int64_t at = first - offset;; at += step) {
        double x = x_of(d, (__int128)at * NS - begin);
        g_autofree char *label = time_label(d, at, step);

        if (x > d->frame.right + 0.5) {
            break;
        }
        if (x < d->frame.left - 0.5) {
            continue;
        }
        use(d->cr, grid_color, 1);
        line(d, x, d->frame.top, x, d->frame.bottom);
        use(d->cr, text_color, 1);
        line(d, x, d->frame.bottom, x, d->frame.bottom + 4);
        text(d, x, d->frame.bottom + 19, 0.5, label);
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
            use(d->cr, colors[column], 0.22);
            band(d, bins, i, end, step);
            use(d->cr, colors[column], 1);
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
    use(d->cr, total_color, 1);
    cairo_set_dash(d->cr, dashes, G_N_ELEMENTS(dashes), 0);
    line(d, d->frame.left, y, d->frame.right, y);
    cairo_set_dash(d->cr, NULL, 0, 0);
}

static double key(const Draw *d, double x, double y, const char *name)
{
    cairo_set_line_width(d->cr, 3);
    cairo_move_to(d->cr, x, y - 4);
    cairo_line_to(d->cr, x + 22, y - 4);
    cairo_stroke(d->cr);
    cairo_set_dash(d->cr, NULL, 0, 0);
    use(d->cr, text_color, 1);
    return x + 28 + text(d, x + 28, y, 0, name) + 22;
}

static void draw_legend(const Draw *d)
{
    static const double dashes[] = { 6, 4 };
    double x = d->frame.left, y = d->height - 14;

    font(d, 12, false);
    for (unsigned c = 0; c < d->chart->series->nr; c++) {
        use(d->cr, colors[c], 1);
        x = key(d, x, y, d->chart->names[c]);
    }
    if (d->chart->total) {
        g_autofree char *size = vh_size_str(d->chart->total);
        g_autofree char *name =
            g_strdup_printf("monitored: %s%s", size,
                            d->chart->total > d->frame.max ? ", above" : "");

        use(d->cr, total_color, 1);
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
    use(cr, text_color, 1);
    font(&d, 17, true);
    text(&d, d.frame.left, 28, 0, d.chart->title);
    font(&d, 12, false);
    text(&d, d.frame.left, 48, 0, d.chart->subtitle);
    draw_y_axis(&d);
    draw_x_axis(&d);
    draw_total(&d);
    cairo_set_line_width(cr, 1.6);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    for (unsigned c = d.chart->series->nr; c--;) {
        draw_column(&d, c);
    }
    draw_legend(&d);
}
