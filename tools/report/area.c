/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "area.h"
#include "scale.h"
#include "../units.h"

#define LABEL_COLUMNS 9
#define NARROW 30

/*
 * bins: of each column of the series, one a character column
 * width: of these
 * top: bytes at the upper edge
 * mark: bytes from one mark at the axis to the next
 */
typedef struct Plot {
    VhPage *page;
    const VhArea *a;
    VhBin *bins[VH_SERIES_MAX];
    unsigned width, label;
    uint64_t top, mark;
} Plot;

static void plot_init(Plot *p, VhPage *page, const VhArea *a)
{
    uint64_t max = 0;

    *p = (Plot){ .page = page, .a = a };
    p->label = page->term->width < NARROW ? 0 : LABEL_COLUMNS;
    p->width = MAX(page->term->width, p->label + 2) - p->label - 1;
    for (unsigned c = 0; c < a->series->nr; c++) {
        p->bins[c] = g_new(VhBin, p->width);
        vh_series_bins(a->series, c, a->from, a->to, p->width, p->bins[c]);
        vh_series_hold(a->series, a->from, a->to, p->width, p->bins[c]);
        for (unsigned i = 0; i < p->width; i++) {
            max = MAX(max, p->bins[c][i].max);
        }
    }
    max = MIN(max, 1ull << 62);
    p->mark = vh_scale_bytes(MAX(max, 1), 4);
    p->top = MAX(max, 1) / p->mark * p->mark;
    p->top += p->top < max ? p->mark : 0;
}

static void plot_clear(Plot *p)
{
    for (unsigned c = 0; c < p->a->series->nr; c++) {
        g_free(p->bins[c]);
    }
}

/* Of a column of the series, the lowest one first. */
static void shade(VhPage *page, unsigned column, unsigned nr)
{
    static const char *const blocks[] = { "\u2588", "\u2593", "\u2592",
                                          "\u2591", "\u00b7", "." };
    static const char ascii[] = "#*+=-.";
    unsigned i = MIN(column, 5);

    if (page->term->color) {
        vh_page_add(page, VH_STYLE_HEAT + 8 - column * 7 / MAX(nr, 2), " ");
    } else if (page->term->utf8) {
        vh_page_add(page, VH_STYLE_PLAIN, "%s", blocks[i]);
    } else {
        vh_page_add(page, VH_STYLE_PLAIN, "%c", ascii[i]);
    }
}

/* One column of a series can be told apart to the eighth of a row. */
static bool add_eighth(const Plot *p, unsigned row, unsigned i)
{
    static const char *const blocks[] = {
        " ",      "\u2581", "\u2582", "\u2583", "\u2584",
        "\u2585", "\u2586", "\u2587", "\u2588",
    };
    double level = p->bins[0][i].max / (double)p->top * p->a->rows;
    double here = level - (p->a->rows - row - 1);
    unsigned eighths = CLAMP(here, 0, 1) * 8 + 0.5;

    if (!p->page->term->utf8 || p->page->term->color || p->a->series->nr > 1) {
        return false;
    }
    if (row + 1 == p->a->rows && level > 0) {
        eighths = MAX(eighths, 1);
    }
    vh_page_add(p->page, VH_STYLE_PLAIN, "%s", blocks[eighths]);
    return true;
}

/* Its cell is filled from the middle on; the lowest one by anything. */
static void add_cell(const Plot *p, unsigned row, unsigned i)
{
    double middle = (p->a->rows - row - 0.5) / p->a->rows * p->top;

    if (add_eighth(p, row, i)) {
        return;
    }
    for (unsigned c = 0; c < p->a->series->nr; c++) {
        uint64_t v = p->bins[c][i].max;

        if (v >= middle || (v && row + 1 == p->a->rows)) {
            shade(p->page, c, p->a->series->nr);
            return;
        }
    }
    vh_page_add(p->page, VH_STYLE_PLAIN, " ");
}

/* At the row that holds a mark. */
static void add_label(const Plot *p, unsigned row)
{
    unsigned rows = p->a->rows;
    bool first = !row;

    for (uint64_t at = p->mark; p->label && at <= p->top; at += p->mark) {
        unsigned mine = rows - (unsigned)(at / (double)p->top * rows + 0.5);

        if (mine == row || (first && at == p->top)) {
            g_autofree char *text = vh_size_str(at);

            vh_page_add(p->page, VH_STYLE_DIM, "%*s", p->label - 1, text);
            break;
        }
    }
    vh_page_to(p->page, p->label);
    vh_page_add(p->page, VH_STYLE_DIM, "%s",
                p->page->term->utf8 ? "\u2502" : "|");
}

static void draw_edges(const Plot *p)
{
    unsigned room = p->label + 1 + p->width;
    unsigned right = g_utf8_strlen(p->a->right, -1);

    vh_page_to(p->page, p->label);
    for (unsigned i = 0; i <= p->width; i++) {
        vh_page_add(p->page, VH_STYLE_DIM, "%s",
                    p->page->term->utf8 ? (i ? "\u2500" : "\u2514")
                                        : (i ? "-" : "+"));
    }
    vh_page_end(p->page);
    vh_page_to(p->page, p->label);
    vh_page_add(p->page, VH_STYLE_DIM, "%s", p->a->left);
    if (p->page->column + 1 + right <= room) {
        vh_page_to(p->page, room - right);
        vh_page_add(p->page, VH_STYLE_DIM, "%s", p->a->right);
    }
    vh_page_end(p->page);
}

static void draw_legend(const Plot *p)
{
    unsigned nr = p->a->series->nr;

    if (!p->a->names) {
        return;
    }
    vh_page_to(p->page, p->label);
    for (unsigned c = 0; c < nr; c++) {
        const char *name = p->a->names[c];

        if (p->page->column > p->label &&
            vh_page_left(p->page) < g_utf8_strlen(name, -1) + 4) {
            vh_page_end(p->page);
            vh_page_to(p->page, p->label);
        }
        shade(p->page, c, nr);
        vh_page_add(p->page, VH_STYLE_PLAIN, " %s  ", name);
    }
    vh_page_end(p->page);
}

void vh_area_draw(VhPage *page, const VhArea *a)
{
    Plot p;

    plot_init(&p, page, a);
    if (!p.label) {
        g_autofree char *top = vh_size_str(p.top);

        vh_page_add(page, VH_STYLE_DIM, "%s", top);
        vh_page_end(page);
    }
    for (unsigned row = 0; row < a->rows; row++) {
        add_label(&p, row);
        for (unsigned i = 0; i < p.width; i++) {
            add_cell(&p, row, i);
        }
        vh_page_end(page);
    }
    draw_edges(&p);
    draw_legend(&p);
    plot_clear(&p);
}
