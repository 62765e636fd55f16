/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A row for each region, and in it a box that ends now and began when the
 * region became like it is: so the boxes are as long as regions are old, on a
 * logarithmic scale from the youngest to the oldest. The digits they are made
 * of, and their colour, are the heat. Where the terminal is high enough for
 * all, large regions have boxes of more rows; that is linear, since on a
 * logarithmic scale a single page makes all others as high as the highest.
 *
 * Text goes beside the boxes while these keep BOX_MIN columns.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "access-view.h"
#include "../heatbar.h"
#include "../units.h"

#define BETWEEN 2
#define BOX_MIN 8
#define BOX_MAX 60
#define HEIGHT_MAX 5
#define OTHER_ROWS 5 /* title, legend, summary, prompt */
#define NR_TEXTS 4

typedef struct Boxes {
    const VhChosen *c;
    unsigned width;      /* of the longest */
    unsigned height;     /* of the highest */
    unsigned nr_texts;   /* columns of text */
    double young, old;   /* us */
    double small, large; /* bytes */
} Boxes;

static char *text_of(const VhSnapshot *s, const VhRegion *r, unsigned column)
{
    switch (column) {
    case 0:
        return vh_size_str(r->end - r->start);
    case 1:
        return s->has_rates
                   ? vh_rate_str(r->rate)
                   : vh_percent_str(r->nr_accesses, s->max_nr_accesses);
    case 2:
        return vh_duration_str(vh_snapshot_age_us(s, r));
    default:
        return g_strdup_printf("0x%08" PRIx64, r->start);
    }
}

static const char *title_of(const VhSnapshot *s, unsigned column)
{
    static const char *const titles[] = { "SIZE", "RATE", "AGE", "START" };

    return column == 1 && !s->has_rates ? "HEAT" : titles[column];
}

static unsigned text_width(const VhChosen *c, unsigned column)
{
    unsigned width = strlen(title_of(c->snap, column));

    for (size_t i = 0; i < c->nr; i++) {
        g_autofree char *text = text_of(c->snap, c->regions[i], column);

        width = MAX(width, strlen(text));
    }
    return width;
}

/* As many columns of text as leave room for boxes. */
static void set_width(Boxes *b, unsigned width)
{
    unsigned used = 2; /* the boxes' sides */

    for (b->nr_texts = 0; b->nr_texts < NR_TEXTS; b->nr_texts++) {
        unsigned more = text_width(b->c, b->nr_texts) + BETWEEN;

        if (used + more + BOX_MIN > width) {
            break;
        }
        used += more;
    }
    b->width = CLAMP((int)width - (int)used, 1, BOX_MAX);
}

/* 1 .. @most, logarithmic; what is not above @min is 1. */
static unsigned scaled(double v, double min, double max, unsigned most)
{
    if (v <= 0) {
        return 1;
    }
    return max > min ? 1 + lround((most - 1) * log(v / min) / log(max / min))
                     : most;
}

static double age_of(const Boxes *b, size_t i)
{
    return vh_snapshot_age_us(b->c->snap, b->c->regions[i]);
}

static double size_of(const Boxes *b, size_t i)
{
    return b->c->regions[i]->end - b->c->regions[i]->start;
}

static unsigned height_of(const Boxes *b, size_t i)
{
    return 1 + lround((b->height - 1) * size_of(b, i) / b->large);
}

static void set_reach(Boxes *b)
{
    b->young = b->small = INFINITY;
    b->old = b->large = 0;
    for (size_t i = 0; i < b->c->nr; i++) {
        double age = age_of(b, i), size = size_of(b, i);

        b->young = age > 0 ? MIN(b->young, age) : b->young;
        b->old = MAX(b->old, age);
        b->small = MIN(b->small, size);
        b->large = MAX(b->large, size);
    }
}

/* As high as all of them have room, unless they are of much the same size. */
static void set_height(Boxes *b, unsigned rows)
{
    b->height = b->large < 2 * b->small ? 1 : HEIGHT_MAX;
    for (; b->height > 1; b->height--) {
        size_t sum = OTHER_ROWS;

        for (size_t i = 0; i < b->c->nr; i++) {
            sum += height_of(b, i);
        }
        if (sum <= rows) {
            return;
        }
    }
}

static void put_row(VhTable *t, const Boxes *b, size_t i, bool first)
{
    const VhSnapshot *s = b->c->snap;
    const VhRegion *r = b->c->regions[i];
    uint64_t max = s->max_nr_accesses;
    int level = vh_heat_level(max ? (double)r->nr_accesses / max : 0);
    unsigned length = scaled(age_of(b, i), b->young, b->old, b->width);
    g_autofree char *digits = g_strnfill(length, '0' + level);

    vh_table_put(t, VH_STYLE_HEAT + level, g_strdup_printf("|%s|", digits));
    for (unsigned column = 0; column < b->nr_texts; column++) {
        vh_table_put(t, VH_STYLE_PLAIN,
                     first ? text_of(s, r, column) : g_strdup(""));
    }
}

static void draw_table(VhPage *page, const Boxes *b)
{
    g_autofree char *title =
        g_strdup_printf("older%*s", MAX((int)b->width + 2 - 5, 4), "now");
    VhColumn columns[NR_TEXTS + 1] = { { title, true, 9 } };
    g_autoptr(VhTable) t = NULL;

    for (unsigned i = 0; i < b->nr_texts; i++) {
        columns[i + 1] =
            (VhColumn){ title_of(b->c->snap, i), true, NR_TEXTS - i };
    }
    t = vh_table_new(columns, b->nr_texts + 1);
    for (size_t i = 0; i < b->c->nr; i++) {
        for (unsigned row = 0; row < height_of(b, i); row++) {
            put_row(t, b, i, !row);
        }
    }
    vh_table_draw(t, page);
}

static void draw_legend(VhPage *page, const Boxes *b)
{
    g_autofree char *old = vh_duration_str(b->old);
    g_autofree char *text = g_strdup_printf(
        "box: its age, at most %s, logarithmic; digit: heat, 9 is always%s",
        old, b->height > 1 ? "; height: size" : "");

    vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
    vh_page_end(page);
}

void vh_boxes_draw(VhPage *page, const VhChosen *c)
{
    Boxes b = { .c = c };

    set_reach(&b);
    set_width(&b, page->term->width);
    set_height(&b, page->term->height);
    draw_table(page, &b);
    draw_legend(page, &b);
}
