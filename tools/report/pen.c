/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <math.h>

#include "../units.h"
#include "pen.h"
#include "scale.h"

#define NS 1000000000ll
#define MARK_PIXELS 90

const VhInk vh_ink_text = { 0.15, 0.15, 0.15 };
const VhInk vh_ink_grid = { 0.88, 0.88, 0.88 };

void vh_pen_use(cairo_t *cr, VhInk ink, double alpha)
{
    cairo_set_source_rgba(cr, ink.r, ink.g, ink.b, alpha);
}

void vh_pen_font(cairo_t *cr, double size, bool bold)
{
    cairo_select_font_face(cr, "sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD
                                : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

double vh_pen_text(cairo_t *cr, double x, double y, double align,
                   const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    cairo_text_extents_t e;

    cairo_text_extents(cr, valid, &e);
    cairo_move_to(cr, x - e.x_advance * align, y);
    cairo_show_text(cr, valid);
    return e.x_advance;
}

void vh_pen_line(cairo_t *cr, double x1, double y1, double x2, double y2)
{
    cairo_move_to(cr, floor(x1) + 0.5, floor(y1) + 0.5);
    cairo_line_to(cr, floor(x2) + 0.5, floor(y2) + 0.5);
    cairo_stroke(cr);
}

/* Of a wall clock, local; or seconds from the left edge. */
static char *time_label(const VhTimeAxis *a, int64_t seconds, uint64_t step)
{
    g_autoptr(GDateTime) t = NULL;

    if (!a->unix_from) {
        return vh_duration_str(seconds * 1000000);
    }
    t = g_date_time_new_from_unix_local(seconds);
    return t ? g_date_time_format(t, step < 60      ? "%H:%M:%S"
                                     : step < 86400 ? "%H:%M"
                                                    : "%F")
             : g_strdup("");
}

/* Local time less UTC, so that marks are at whole local hours and days. */
static int64_t utc_offset(const VhTimeAxis *a)
{
    g_autoptr(GDateTime) t =
        a->unix_from ? g_date_time_new_from_unix_local(a->unix_from / NS)
                     : NULL;

    return t ? g_date_time_get_utc_offset(t) / 1000000 : 0;
}

static void draw_mark(cairo_t *cr, const VhTimeAxis *a, double x,
                      const char *label)
{
    if (a->grid) {
        vh_pen_use(cr, vh_ink_grid, 1);
        vh_pen_line(cr, x, a->top, x, a->bottom);
    }
    vh_pen_use(cr, vh_ink_text, 1);
    vh_pen_line(cr, x, a->bottom, x, a->bottom + 4);
    vh_pen_text(cr, x, a->bottom + 19, 0.5, label);
}

void vh_pen_time_axis(cairo_t *cr, const VhTimeAxis *a)
{
    uint64_t span = (a->to - a->from) / NS;
    double room = a->right - a->left;
    uint64_t step = vh_scale_seconds(MAX(span, 1), MAX(room / MARK_PIXELS, 1));
    int64_t offset = utc_offset(a), begin = a->unix_from;
    int64_t first = (begin / NS + offset + step - 1) / (int64_t)step * step;

    vh_pen_font(cr, 12, false);
    for (int64_t at = first - offset;; at += step) {
        double ns = (__int128)at * NS - begin;
        double x = a->left + room * ns / (double)(a->to - a->from);

        if (x > a->right + 0.5) {
            break;
        }
        if (x >= a->left - 0.5) {
            g_autofree char *label = time_label(a, at, step);

            draw_mark(cr, a, x, label);
        }
    }
}
