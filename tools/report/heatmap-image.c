/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heatmap as a picture. */
#include <math.h>

#include "../units.h"
#include "heat-scale.h"
#include "heatmap-draw.h"
#include "scale.h"

#define LEFT 100
#define TOP 66
#define RIGHT 110 /* with the scale */
#define BOTTOM 50
#define SEAM 5 /* pixels */
#define MARK_PIXELS 60
#define BAR_LEFT 34 /* of the scale, from the plot's right edge */
#define BAR_WIDTH 16

typedef struct Picture {
    cairo_t *cr;
    const VhHeatRecord *rec;
    const VhHeatmap *map;
    double left, top, right, bottom;
} Picture;

static const VhInk seam_ink = { 1, 1, 1 };
static const VhInk gap_ink = { 0.80, 0.80, 0.80 };

VhHeatSize vh_heat_image_size(unsigned width, unsigned height)
{
    return (VhHeatSize){ .rows = MAX(width, LEFT + RIGHT + 1) - LEFT - RIGHT,
                         .width = MAX(height, TOP + BOTTOM + 1) - TOP - BOTTOM,
                         .seam = SEAM };
}

/* Pixels that all seams below @column take. */
static double seams_below(const VhHeatmap *m, unsigned column)
{
    double sum = 0;

    for (guint i = 0; i < m->seams->len; i++) {
        sum += g_array_index(m->seams, VhSeam, i).column <= column ? SEAM : 0;
    }
    return sum;
}

/* Height of a column of the grid: they share what seams leave. */
static double cell_height(const Picture *p)
{
    return (p->bottom - p->top - (double)p->map->seams->len * SEAM) /
           p->map->columns;
}

/* The lower edge of a column, which is a row of the picture. */
static double y_of(const Picture *p, double column)
{
    return p->bottom - column * cell_height(p) - seams_below(p->map, column);
}

static uint32_t pixel(const VhHeatmap *m, double heat)
{
    VhInk ink = isnan(heat) ? gap_ink
                            : vh_heat_scale_ink(vh_heat_scale(m->rates, heat));

    return (uint32_t)lround(ink.r * 255) << 16 |
           (uint32_t)lround(ink.g * 255) << 8 | (uint32_t)lround(ink.b * 255);
}

/* Each cell is a pixel: time from left to right, addresses upwards. */
static cairo_surface_t *cells(const VhHeatmap *m)
{
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, m->rows, m->columns);
    uint8_t *data = cairo_image_surface_get_data(s);
    int stride = cairo_image_surface_get_stride(s);

    for (unsigned x = 0; data && x < m->rows; x++) {
        for (unsigned y = 0; y < m->columns; y++) {
            uint32_t *at = (uint32_t *)(data + (size_t)y * stride) + x;

            *at = pixel(m, vh_heatmap_cell(m, x, m->columns - 1 - y));
        }
    }
    cairo_surface_mark_dirty(s);
    return s;
}

/* Columns from @first to @end, which have no seam between them. */
static void draw_part(const Picture *p, cairo_surface_t *s, unsigned first,
                      unsigned end)
{
    const VhHeatmap *m = p->map;
    double height = cell_height(p) * (end - first);
    double y = y_of(p, first) - height;

    cairo_save(p->cr);
    cairo_rectangle(p->cr, p->left, y, p->right - p->left, height);
    cairo_clip(p->cr);
    cairo_translate(p->cr, p->left, y);
    cairo_scale(p->cr, (p->right - p->left) / m->rows, cell_height(p));
    cairo_set_source_surface(p->cr, s, 0, -(double)(m->columns - end));
    cairo_pattern_set_filter(cairo_get_source(p->cr), CAIRO_FILTER_NEAREST);
    cairo_paint(p->cr);
    cairo_restore(p->cr);
}

static void draw_cells(const Picture *p)
{
    cairo_surface_t *s = cells(p->map);
    unsigned first = 0;

    vh_pen_use(p->cr, seam_ink, 1);
    cairo_rectangle(p->cr, p->left, p->top, p->right - p->left,
                    p->bottom - p->top);
    cairo_fill(p->cr);
    for (guint i = 0; i < p->map->seams->len; i++) {
        unsigned end = g_array_index(p->map->seams, VhSeam, i).column;

        draw_part(p, s, first, end);
        first = end;
    }
    draw_part(p, s, first, p->map->columns);
    cairo_surface_destroy(s);
}

static void draw_address(const Picture *p, double column, uint64_t address)
{
    g_autofree char *label = vh_size_str(address);
    double y = y_of(p, column);

    vh_pen_use(p->cr, vh_ink_text, 1);
    vh_pen_line(p->cr, p->left - 4, y, p->left, y);
    vh_pen_text(p->cr, p->left - 8, y + 4, 1, address ? label : "0");
}

/* At round addresses of a range of memory. */
static void draw_span(const Picture *p, const VhRamSpan *s, uint64_t step,
                      bool last)
{
    double per_byte = p->map->columns / (double)p->map->axis->length;
    uint64_t size = s->end - s->start;

    /* offsets, as addresses may be as large as can be */
    for (uint64_t at = (step - s->start % step) % step;
         at < size || (at == size && last); at += step) {
        draw_address(p, (s->at + at) * per_byte, s->start + at);
        if (step > size - at) {
            break;
        }
    }
}

static void draw_addresses(const Picture *p)
{
    const VhHeatAxis *axis = p->map->axis;
    uint64_t step = vh_scale_bytes(axis->length,
                                   MAX((p->bottom - p->top) / MARK_PIXELS, 1));

    vh_pen_font(p->cr, 12, false);
    for (guint i = 0; i < axis->spans->len; i++) {
        draw_span(p, &g_array_index(axis->spans, VhRamSpan, i), step,
                  i + 1 == axis->spans->len);
    }
}

static double scale_y(const Picture *p, double at)
{
    return p->bottom - at * (p->bottom - p->top);
}

static void draw_scale_mark(const Picture *p, double heat, const char *label)
{
    double x = p->right + BAR_LEFT + BAR_WIDTH;
    double y = scale_y(p, vh_heat_scale(p->map->rates, heat));

    vh_pen_use(p->cr, vh_ink_text, 1);
    vh_pen_line(p->cr, x, y, x + 4, y);
    vh_pen_text(p->cr, x + 8, y + 4, 0, label);
}

static void draw_scale(const Picture *p)
{
    double x = p->right + BAR_LEFT;

    for (double y = p->top; y < p->bottom; y++) {
        double at = (p->bottom - y) / (p->bottom - p->top);

        vh_pen_use(p->cr, vh_heat_scale_ink(at), 1);
        cairo_rectangle(p->cr, x, y, BAR_WIDTH, 1);
        cairo_fill(p->cr);
    }
    vh_pen_font(p->cr, 12, false);
    draw_scale_mark(p, 0, "0");
    for (double rate = VH_HEAT_RATE_LEAST;
         p->map->rates && rate <= VH_HEAT_RATE_MOST; rate *= 10) {
        g_autofree char *label = g_strdup_printf("%g", rate);

        draw_scale_mark(p, rate, label);
    }
    if (p->map->rates) {
        vh_pen_text(p->cr, x - 14, p->top - 22, 0, "accesses/s");
        vh_pen_text(p->cr, x - 14, p->top - 8, 0, "per page");
    } else {
        draw_scale_mark(p, 0.5, "0.5");
        draw_scale_mark(p, 1, "1");
        vh_pen_text(p->cr, x - 14, p->top - 8, 0, "of checks");
    }
}

static void draw_titles(const Picture *p)
{
    g_autofree char *subtitle = vh_about_str(&p->rec->about);

    vh_pen_use(p->cr, vh_ink_text, 1);
    vh_pen_font(p->cr, 17, true);
    vh_pen_text(p->cr, p->left, 28, 0, "Guest memory accesses");
    vh_pen_font(p->cr, 12, false);
    vh_pen_text(p->cr, p->left, 48, 0, subtitle);
}

static void draw_note(const Picture *p, double height)
{
    const char *note = p->map->seams->len
                           ? "white: addresses without memory; grey: not "
                             "monitored"
                           : "grey: not monitored";

    vh_pen_use(p->cr, vh_ink_text, 0.7);
    vh_pen_font(p->cr, 11, false);
    vh_pen_text(p->cr, p->right, height - 10, 1, note);
}

void vh_heat_image_draw(cairo_t *cr, double width, double height,
                        const void *opaque)
{
    const VhHeatRecord *rec = opaque;
    Picture p = { .cr = cr,
                  .rec = rec,
                  .map = rec->map,
                  .left = LEFT,
                  .top = TOP,
                  .right = MAX(width - RIGHT, LEFT + 1),
                  .bottom = MAX(height - BOTTOM, TOP + 1) };
    VhTimeAxis axis = { .from = rec->map->from,
                        .to = rec->map->to,
                        .unix_from = vh_about_unix(&rec->about, rec->map->from),
                        .left = p.left,
                        .right = p.right,
                        .top = p.top,
                        .bottom = p.bottom };

    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_set_line_width(cr, 1);
    draw_titles(&p);
    draw_cells(&p);
    draw_addresses(&p);
    vh_pen_time_axis(cr, &axis);
    draw_scale(&p);
    draw_note(&p, height);
}
