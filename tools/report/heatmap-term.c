/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heatmap on a terminal. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "../heatbar.h"
#include "../units.h"
#include "heat-scale.h"
#include "heatmap-draw.h"

#define LABEL 10       /* columns of times */
#define LABEL_FROM 40  /* narrower pages have none */
#define WIDE 50        /* the scale is on one line from here on */
#define LINES_AROUND 7 /* that are not the picture */
#define LINES_NARROW 12
#define ROWS_MIN 4
#define ROWS_FILE 40 /* where there is no terminal */

static unsigned label_width(const VhTerm *term)
{
    return term->width >= LABEL_FROM ? LABEL : 0;
}

VhHeatSize vh_heat_term_size(const VhTerm *term, unsigned rows)
{
    unsigned around = label_width(term) + 2;
    unsigned lines = term->width >= WIDE ? LINES_AROUND : LINES_NARROW;

    if (!rows) {
        rows = term->tty ? MAX(term->height, lines) - lines : ROWS_FILE;
    }
    return (VhHeatSize){ .rows = MAX(rows, ROWS_MIN),
                         .width = MAX(term->width, around + 1) - around,
                         .seam = 1 };
}

static void draw_cell(VhPage *page, const VhHeatmap *m, double heat)
{
    if (isnan(heat)) {
        vh_page_add(page, VH_STYLE_DIM, "?");
    } else {
        vh_heat_mark(page, vh_heat_scale_level(m->rates, heat));
    }
}

static void draw_row(VhPage *page, const VhHeatRecord *rec, unsigned row)
{
    const VhHeatmap *m = rec->map;
    unsigned label = label_width(page->term);

    if (label) {
        g_autofree char *time =
            vh_about_time(&rec->about, vh_heatmap_time(m, row), "%T");

        vh_page_add(page, VH_STYLE_DIM, "%s", time);
        vh_page_to(page, label);
    }
    vh_page_add(page, VH_STYLE_PLAIN, "[");
    for (unsigned i = 0; i < m->columns; i++) {
        if (vh_heatmap_seam(m, i)) {
            vh_heat_mark(page, VH_CELL_GAP);
        }
        draw_cell(page, m, vh_heatmap_cell(m, row, i));
    }
    vh_page_add(page, VH_STYLE_PLAIN, "]");
    vh_page_end(page);
}

/* The first address and the last; and those behind seams, where they fit. */
static void draw_addresses(VhPage *page, const VhHeatmap *m)
{
    unsigned at = label_width(page->term) + 1;
    g_autofree char *last = g_strdup_printf(
        "0x%" PRIx64, vh_heat_axis_address(m->axis, m->axis->length - 1) + 1);
    unsigned end = at + m->columns + m->seams->len;

    vh_page_to(page, at);
    vh_page_add(page, VH_STYLE_DIM, "0x%" PRIx64,
                vh_heat_axis_address(m->axis, 0));
    for (guint i = 0; i < m->seams->len; i++) {
        const VhSeam *s = &g_array_index(m->seams, VhSeam, i);
        g_autofree char *text = g_strdup_printf("0x%" PRIx64, s->end);

        if (at + s->column + i > page->column &&
            at + s->column + i + strlen(text) + strlen(last) + 1 < end) {
            vh_page_to(page, at + s->column + i);
            vh_page_add(page, VH_STYLE_DIM, "%s", text);
        }
    }
    if (page->column + strlen(last) + 1 < end) {
        vh_page_to(page, end - strlen(last));
        vh_page_add(page, VH_STYLE_DIM, "%s", last);
    }
    vh_page_end(page);
}

/* On narrow pages each part has a line of its own. */
static void levels_part(VhPage *page, bool wide)
{
    if (wide) {
        vh_page_add(page, VH_STYLE_PLAIN, "  ");
    } else {
        vh_page_end(page);
    }
}

static void draw_levels(VhPage *page, const VhHeatmap *m)
{
    bool wide = page->term->width >= WIDE;

    vh_page_add(page, VH_STYLE_PLAIN, "%s",
                m->rates ? "accesses/s, log:" : "part of checks:");
    levels_part(page, wide);
    vh_page_add(page, VH_STYLE_PLAIN, "0 [");
    vh_heat_mark(page, 0);
    vh_page_add(page, VH_STYLE_PLAIN, "]");
    levels_part(page, wide);
    vh_page_add(page, VH_STYLE_PLAIN, "%s [", m->rates ? "0.01" : "0");
    for (int level = 1; level < VH_HEAT_LEVELS; level++) {
        vh_heat_mark(page, level);
    }
    vh_page_add(page, VH_STYLE_PLAIN, "] %s", m->rates ? "300" : "1");
    vh_page_end(page);
}

static void draw_legend(VhPage *page, const VhHeatmap *m)
{
    g_autofree char *size = vh_size_str(m->axis->length / m->columns);
    g_autofree char *time = vh_duration_str((m->to - m->from) / m->rows / 1000);
    g_autofree char *text = g_strdup_printf(
        "1 cell: %s for %s, on average%s   ? not monitored", size, time,
        m->seams->len ? "   | no memory there" : "");

    draw_levels(page, m);
    vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
    vh_page_end(page);
}

void vh_heat_term_draw(VhPage *page, const VhHeatRecord *rec)
{
    vh_about_draw(&rec->about, page);
    draw_addresses(page, rec->map);
    for (unsigned row = 0; row < rec->map->rows; row++) {
        draw_row(page, rec, row);
    }
    draw_legend(page, rec->map);
}
