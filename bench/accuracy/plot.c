/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Draws plot.h's panels with cairo, three in a row, all with the same axes so
 * that they can be compared; the legend is below them.
 */
#include <glib.h>
#include <cairo.h>
#ifdef CAIRO_HAS_SVG_SURFACE
#include <cairo-svg.h>
#endif
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "plot.h"

#define COLUMNS 3
#define PANEL_W 330
#define PANEL_H 250
#define LEFT 46 /* of a panel, for the y axis */
#define RIGHT 18
#define TOP 46
#define BOTTOM 38
#define HEAD 40
#define HEADROOM 0.05 /* of F1, above 1: points there are whole */
#define LEGEND_ROW 22
#define LEGEND_COLUMNS 2
#define SHAPES 4
#define SMALL 11 /* each size takes 25 kB of an SVG, for its letters */
#define LARGE 14
#define MARK 3.2
#define PNG_SCALE 2

typedef struct Plot {
    cairo_t *cr;
    const PlotPanel *panels;
    size_t n;
    int from, to; /* decades of the x axis */
} Plot;

/* Colours that the colour-blind can tell apart (Okabe, Ito). */
static void set_colour(cairo_t *cr, size_t i)
{
    static const unsigned rgb[] = { 0x0072b2, 0xe69f00, 0x009e73, 0xd55e00,
                                    0xcc79a7, 0x56b4e9, 0x000000, 0x999999 };
    unsigned c = rgb[i % G_N_ELEMENTS(rgb)];

    cairo_set_source_rgb(cr, (c >> 16) / 255.0, (c >> 8 & 255) / 255.0,
                         (c & 255) / 255.0);
}

static void grey(cairo_t *cr, double shade)
{
    cairo_set_source_rgb(cr, shade, shade, shade);
}

/* @align: 0 begins at @x, 0.5 is centred, 1 ends there. */
static void text(cairo_t *cr, double x, double y, double align, double size,
                 const char *s)
{
    cairo_text_extents_t e;

    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, s, &e);
    cairo_move_to(cr, x - align * e.x_advance, y);
    cairo_show_text(cr, s);
}

/* To a quarter of a point: short numbers make a small SVG. */
static double snap(double at)
{
    return round(at * 4) / 4;
}

static double x_of(const Plot *p, double cost)
{
    double at = (log10(MAX(cost, 1e-9)) - p->from) / (p->to - p->from);

    return snap(LEFT + CLAMP(at, 0, 1) * (PANEL_W - LEFT - RIGHT));
}

static double y_of(double f1)
{
    return snap(PANEL_H - BOTTOM -
                f1 * (PANEL_H - TOP - BOTTOM) / (1 + HEADROOM));
}

static void line(cairo_t *cr, double x0, double y0, double x1, double y1)
{
    cairo_move_to(cr, x0, y0);
    cairo_line_to(cr, x1, y1);
    cairo_stroke(cr);
}

/* "100", "10k", "1M" */
static void decade_name(int decade, char *buf, size_t len)
{
    static const char *const units[] = { "", "k", "M", "G" };

    g_snprintf(buf, len, "%.0f%s", pow(10, decade % 3),
               units[MIN(decade / 3, 3)]);
}

/* All in one path, which is small. */
static void draw_grid(const Plot *p)
{
    cairo_t *cr = p->cr;

    cairo_new_path(cr);
    for (int d = p->from; d <= p->to; d++) {
        cairo_move_to(cr, x_of(p, pow(10, d)), y_of(0));
        cairo_line_to(cr, x_of(p, pow(10, d)), y_of(1));
    }
    for (int i = 1; i <= 4; i++) {
        cairo_move_to(cr, LEFT, y_of(i / 4.0));
        cairo_line_to(cr, PANEL_W - RIGHT, y_of(i / 4.0));
    }
    grey(cr, 0.88);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
    grey(cr, 0.25);
    line(cr, LEFT, y_of(0), PANEL_W - RIGHT, y_of(0));
}

static void draw_x_title(cairo_t *cr)
{
    grey(cr, 0.25);
    text(cr, (LEFT + PANEL_W - RIGHT) / 2.0, y_of(0) + 32, 0.5, SMALL,
         "checks per second");
}

static void draw_axes(const Plot *p)
{
    cairo_t *cr = p->cr;
    char buf[16];

    draw_grid(p);
    for (int d = p->from; d <= p->to; d++) {
        decade_name(d, buf, sizeof(buf));
        text(cr, x_of(p, pow(10, d)), y_of(0) + 16, 0.5, SMALL, buf);
    }
    for (int i = 0; i <= 4; i++) {
        g_snprintf(buf, sizeof(buf), "%.2f", i / 4.0);
        text(cr, LEFT - 6, y_of(i / 4.0) + 4, 1, SMALL, buf);
    }
}

/* A shape of its own for each curve, for those who print in grey. */
static void add_mark(cairo_t *cr, size_t shape, double x, double y)
{
    switch (shape % SHAPES) {
    case 0: /* round caps make it a dot */
        cairo_move_to(cr, x, y);
        cairo_close_path(cr);
        break;
    case 1:
        cairo_rectangle(cr, x - MARK, y - MARK, 2 * MARK, 2 * MARK);
        break;
    case 2:
        cairo_move_to(cr, x, y - MARK * 1.3);
        cairo_line_to(cr, x + MARK * 1.3, y + MARK);
        cairo_line_to(cr, x - MARK * 1.3, y + MARK);
        cairo_close_path(cr);
        break;
    default:
        cairo_move_to(cr, x, y - MARK * 1.5);
        cairo_line_to(cr, x + MARK * 1.5, y);
        cairo_line_to(cr, x, y + MARK * 1.5);
        cairo_line_to(cr, x - MARK * 1.5, y);
        cairo_close_path(cr);
    }
}

static void paint_marks(cairo_t *cr, size_t shape)
{
    if (shape % SHAPES) {
        cairo_fill(cr);
        return;
    }
    cairo_save(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_width(cr, 2 * MARK);
    cairo_stroke(cr);
    cairo_restore(cr);
}

static void draw_curve(const Plot *p, const PlotCurve *c, size_t style)
{
    set_colour(p->cr, style);
    cairo_set_line_width(p->cr, 1.8);
    cairo_new_path(p->cr); /* text leaves a point behind */
    for (size_t i = 0; i < c->nr; i++) {
        cairo_line_to(p->cr, x_of(p, c->x[i]), y_of(c->y[i]));
    }
    cairo_stroke(p->cr);
    for (size_t i = 0; i < c->nr; i++) {
        add_mark(p->cr, style, x_of(p, c->x[i]), y_of(c->y[i]));
    }
    paint_marks(p->cr, style);
}

static void draw_panel(const Plot *p, const PlotPanel *panel)
{
    draw_axes(p);
    grey(p->cr, 0);
    text(p->cr, LEFT, TOP - 24, 0, LARGE, panel->title);
    grey(p->cr, 0.35);
    text(p->cr, LEFT, TOP - 10, 0, SMALL, panel->summary);
    for (size_t i = 0; i < panel->nr; i++) {
        draw_curve(p, &panel->curves[i], i);
    }
}

static size_t rows(const Plot *p)
{
    return (p->n + COLUMNS - 1) / COLUMNS;
}

/* A plot of one panel is too narrow for two. */
static size_t legend_columns(const Plot *p)
{
    return MIN(p->n, LEGEND_COLUMNS);
}

static size_t legend_rows(const Plot *p)
{
    size_t n = legend_columns(p);

    return (p->panels->nr + n - 1) / n;
}

static void draw_legend(const Plot *p)
{
    const PlotPanel *panel = &p->panels[0];
    double top = HEAD + rows(p) * PANEL_H + LEGEND_ROW / 2.0;

    for (size_t i = 0; i < panel->nr; i++) {
        double x = LEFT + (double)(i / legend_rows(p)) * PANEL_W;
        double y = top + (double)(i % legend_rows(p)) * LEGEND_ROW;

        set_colour(p->cr, i);
        cairo_set_line_width(p->cr, 1.8);
        line(p->cr, x, y, x + 30, y);
        add_mark(p->cr, i, x + 15, y);
        paint_marks(p->cr, i);
        grey(p->cr, 0.1);
        text(p->cr, x + 40, y + 4, 0, SMALL, panel->curves[i].label);
    }
}

static void draw(const Plot *p)
{
    cairo_t *cr = p->cr;

    grey(cr, 1);
    cairo_paint(cr);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    grey(cr, 0);
    text(cr, LEFT, 26, 0, LARGE,
         p->n > 1 ? "How much of hot memory is seen (F1, by bytes) for how "
                    "many checks"
                  : "F1, by bytes, for how many checks");
    for (size_t i = 0; i < p->n; i++) {
        cairo_save(cr);
        cairo_translate(cr, i % COLUMNS * PANEL_W,
                        HEAD + (double)(i / COLUMNS) * PANEL_H);
        draw_panel(p, &p->panels[i]);
        if (i + COLUMNS >= p->n) { /* nothing below */
            draw_x_title(cr);
        }
        cairo_restore(cr);
    }
    draw_legend(p);
}

/* Whole decades that hold all points. */
static void choose_decades(Plot *p)
{
    double least = INFINITY, most = 1;

    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->panels[i].nr; k++) {
            const PlotCurve *c = &p->panels[i].curves[k];

            for (size_t j = 0; j < c->nr; j++) {
                least = MIN(least, c->x[j]);
                most = MAX(most, c->x[j]);
            }
        }
    }
    p->from = isinf(least) ? 0 : floor(log10(MAX(least, 1)));
    p->to = MAX(ceil(log10(most)), p->from + 1);
}

static cairo_surface_t *new_surface(const char *path, double w, double h)
{
    if (g_str_has_suffix(path, ".png")) {
        cairo_surface_t *s = cairo_image_surface_create(
            CAIRO_FORMAT_RGB24, w * PNG_SCALE, h * PNG_SCALE);

        cairo_surface_set_device_scale(s, PNG_SCALE, PNG_SCALE);
        return s;
    }
#ifdef CAIRO_HAS_SVG_SURFACE
    return cairo_svg_surface_create(path, w, h);
#else
    return NULL;
#endif
}

static cairo_status_t finish(cairo_surface_t *s, const char *path)
{
    cairo_status_t status = cairo_surface_status(s);

    if (!status && g_str_has_suffix(path, ".png")) {
        status = cairo_surface_write_to_png(s, path);
    }
    cairo_surface_finish(s);
    return status ?: cairo_surface_status(s);
}

/* Asked before minutes of simulation, not after. */
static bool can_write(const char *path, char **why)
{
    FILE *f = fopen(path, "ab");

    if (!f) {
        *why = g_strdup_printf("--plot: cannot write '%s': %s", path,
                               g_strerror(errno));
        return false;
    }
    fclose(f);
    return true;
}

bool plot_write(const char *path, const PlotPanel *panels, size_t n, char **why)
{
    Plot p = { .panels = panels, .n = n };
    cairo_surface_t *s;
    cairo_status_t status;

    if (!n) {
        return can_write(path, why);
    }
    s = new_surface(path, MIN(n, COLUMNS) * PANEL_W,
                    HEAD + rows(&p) * PANEL_H + legend_rows(&p) * LEGEND_ROW +
                        8);
    if (!s) {
        *why = g_strdup("--plot: this cairo writes no SVG; use a .png");
        return false;
    }
    p.cr = cairo_create(s);
    choose_decades(&p);
    draw(&p);
    cairo_destroy(p.cr);
    status = finish(s, path);
    cairo_surface_destroy(s);
    if (status) {
        *why = g_strdup_printf("--plot: cannot write '%s': %s", path,
                               cairo_status_to_string(status));
    }
    return !status;
}
