/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms and percentiles of a snapshot. */
#include <inttypes.h>
#include <math.h>

#include "access-view.h"
#include "filter.h"
#include "hist.h"
#include "../units.h"

#define BETWEEN 2
#define BAR_MIN 4
#define NARROW 36
#define COLUMNS_MAX 4

static const unsigned percents[] = { 0, 1, 5, 25, 50, 75, 95, 99, 100 };

/* What is counted, of what, and what that is called. */
typedef struct Spread {
    VhQuantity quantity;
    bool regions; /* their number, not their size */
    bool percentiles;
    const char *head, *title, *raw;
} Spread;

static const Spread spreads[] = {
    [VH_ACCESS_TEMPERATURE_HIST] = { VH_QUANTITY_TEMPERATURE, false, false,
                                     "memory by temperature", "TEMPERATURE",
                                     "temperature" },
    [VH_ACCESS_RECENCY_HIST] = { VH_QUANTITY_TIME, false, false,
                                 "memory by idle time", "IDLE TIME",
                                 "idle-us" },
    [VH_ACCESS_RATE_HIST] = { VH_QUANTITY_RATE, false, false,
                              "memory by accesses a second", "RATE", "rate" },
    [VH_ACCESS_SIZE_HIST] = { VH_QUANTITY_SIZE, true, false,
                              "number of regions by size", "SIZE", "size" },
    [VH_ACCESS_TEMPERATURE_PERCENTILES] = { VH_QUANTITY_TEMPERATURE, false,
                                            true, "temperature", "TEMPERATURE",
                                            "temperature" },
    [VH_ACCESS_RECENCY_PERCENTILES] = { VH_QUANTITY_TIME, false, true,
                                        "idle time", "IDLE TIME", "idle-us" },
};

static double value_of(const Spread *spread, const VhSnapshot *s,
                       const VhRegion *r, const VhWeights *weights)
{
    switch (spread->quantity) {
    case VH_QUANTITY_TEMPERATURE:
        return vh_temperature(s, r, weights);
    case VH_QUANTITY_TIME:
        return r->idle_us;
    case VH_QUANTITY_RATE:
        return vh_region_rate(s, r);
    default:
        return r->end - r->start;
    }
}

static VhSample *new_samples(const Spread *spread, const VhChosen *c,
                             const VhAccessView *view)
{
    VhSample *out = g_new(VhSample, c->nr);

    for (size_t i = 0; i < c->nr; i++) {
        const VhRegion *r = c->regions[i];

        out[i].value = value_of(spread, c->snap, r, &view->order.weights);
        out[i].weight = spread->regions ? 1 : r->end - r->start;
    }
    return out;
}

/*
 * A table with a bar behind its other columns.
 * texts: of all rows, columns by column; parts: how long the bars are, 0 .. 1
 */
typedef struct Bars {
    VhColumn columns[COLUMNS_MAX];
    unsigned nr;
    GPtrArray *texts;
    GArray *parts;
} Bars;

static void bars_init(Bars *b)
{
    b->nr = 0;
    b->texts = g_ptr_array_new_with_free_func(g_free);
    b->parts = g_array_new(false, false, sizeof(double));
}

static void bars_column(Bars *b, const char *title, unsigned keep)
{
    b->columns[b->nr++] = (VhColumn){ title, true, keep };
}

static unsigned text_width(const Bars *b, unsigned column)
{
    unsigned width = g_utf8_strlen(b->columns[column].title, -1);

    for (guint i = column; i < b->texts->len; i += b->nr) {
        width = MAX(width, g_utf8_strlen(g_ptr_array_index(b->texts, i), -1));
    }
    return width;
}

/* A bar is worth more than the last text before it. */
static unsigned bar_width(Bars *b, unsigned width)
{
    unsigned used = 0;

    for (unsigned i = 0; i < b->nr; i++) {
        used += text_width(b, i) + BETWEEN;
    }
    if (used + BAR_MIN > width && b->nr > 2) {
        used -= text_width(b, b->nr - 1) + BETWEEN;
    }
    return used + BAR_MIN > width ? 0 : width - used;
}

static char *bar(const VhTerm *term, double part, unsigned width)
{
    unsigned n = part > 0 ? MAX(part * width + 0.5, 1) : 0;
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < MIN(n, width); i++) {
        g_string_append(out, term->utf8 ? "\u2588" : "#");
    }
    return g_string_free(out, false);
}

static void bars_draw(Bars *b, VhPage *page)
{
    unsigned width = bar_width(b, page->term->width);
    VhColumn columns[COLUMNS_MAX + 1];
    g_autoptr(VhTable) t = NULL;
    guint at = 0;

    for (unsigned i = 0; i < b->nr; i++) {
        columns[i] = b->columns[i];
    }
    columns[b->nr] = (VhColumn){ "", false, width ? 10 : 0 };
    t = vh_table_new(columns, b->nr + 1);
    for (guint row = 0; row < b->parts->len; row++) {
        for (unsigned i = 0; i < b->nr; i++) {
            vh_table_put(t, VH_STYLE_PLAIN,
                         g_strdup(g_ptr_array_index(b->texts, at++)));
        }
        vh_table_put(
            t, VH_STYLE_WARN,
            bar(page->term, g_array_index(b->parts, double, row), width));
    }
    vh_table_draw(t, page);
    g_ptr_array_unref(b->texts);
    g_array_unref(b->parts);
}

static void draw_head(VhPage *page, const char *what, bool log)
{
    g_autofree char *text =
        g_strdup_printf("%s; %s scale", what, log ? "logarithmic" : "linear");

    vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
    vh_page_end(page);
}

/* "from .. to" of each bin, one below the other; @narrow: without to. */
static void add_ranges(GPtrArray *ranges, const VhHist *h, VhQuantity q,
                       bool narrow)
{
    int width = 0;

    for (unsigned i = 0; i <= h->nr; i++) {
        g_autofree char *edge = vh_quantity_str(q, h->edges[i]);

        width = MAX(width, (int)g_utf8_strlen(edge, -1));
    }
    for (unsigned i = 0; i < h->nr; i++) {
        g_autofree char *from = vh_quantity_str(q, h->edges[i]);
        g_autofree char *to = vh_quantity_str(q, h->edges[i + 1]);

        if (narrow) {
            g_ptr_array_add(ranges, g_strdup_printf("%s ..", from));
        } else {
            g_ptr_array_add(ranges, g_strdup_printf("%*s ..%*s", width, from,
                                                    width + 1, to));
        }
    }
}

static void draw_hist(VhPage *page, const Spread *spread, const VhHist *h)
{
    g_autoptr(GPtrArray) ranges = g_ptr_array_new_with_free_func(g_free);
    uint64_t most = 1;
    Bars b;

    draw_head(page, spread->head, h->log);
    add_ranges(ranges, h, spread->quantity, page->term->width < NARROW);
    bars_init(&b);
    bars_column(&b, spread->title, 9);
    bars_column(&b, spread->regions ? "REGIONS" : "MEMORY", 8);
    bars_column(&b, "SHARE", 7);
    for (unsigned i = 0; i < h->nr; i++) {
        most = MAX(most, h->weights[i]);
    }
    for (unsigned i = 0; i < h->nr; i++) {
        uint64_t w = h->weights[i];
        double part = (double)w / most;

        g_ptr_array_add(b.texts, g_strdup(g_ptr_array_index(ranges, i)));
        g_ptr_array_add(b.texts, spread->regions
                                     ? g_strdup_printf("%" PRIu64, w)
                                     : vh_size_str(w));
        g_ptr_array_add(b.texts, vh_percent_str(w, h->total));
        g_array_append_val(b.parts, part);
    }
    bars_draw(&b, page);
}

/* A number on a logarithmic scale that goes through 0. */
static double log_place(double v, double near)
{
    return copysign(log10(1 + fabs(v) / near), v);
}

/* Where a value is between the least (0) and the largest (1). near 0: linear */
static double place(double v, double min, double max, double near)
{
    if (max <= min) {
        return 1;
    }
    if (near <= 0) {
        return (v - min) / (max - min);
    }
    return (log_place(v, near) - log_place(min, near)) /
           (log_place(max, near) - log_place(min, near));
}

static void draw_percentiles(VhPage *page, const Spread *spread,
                             const VhSample *sorted, size_t nr)
{
    double min = sorted[0].value, max = sorted[nr - 1].value;
    bool log = vh_hist_spans_decades(spread->quantity, sorted, nr);
    double near = log ? vh_hist_near(spread->quantity, sorted, nr) : 0;
    g_autofree char *what = g_strdup_printf(
        "%s that so much of the memory does not exceed", spread->head);
    Bars b;

    draw_head(page, what, log);
    bars_init(&b);
    bars_column(&b, "MEMORY", 8);
    bars_column(&b, spread->title, 9);
    for (unsigned i = 0; i < G_N_ELEMENTS(percents); i++) {
        double v = vh_percentile(sorted, nr, percents[i]);
        double part = place(v, min, max, near);

        g_ptr_array_add(b.texts, g_strdup_printf("%u %%", percents[i]));
        g_ptr_array_add(b.texts, vh_quantity_str(spread->quantity, v));
        g_array_append_val(b.parts, part);
    }
    bars_draw(&b, page);
}

void vh_spread_draw(VhPage *page, const VhChosen *c, const VhAccessView *view)
{
    const Spread *spread = &spreads[view->style];
    g_autofree VhSample *samples = new_samples(spread, c, view);
    VhHist h;

    if (spread->percentiles) {
        vh_samples_sort(samples, c->nr);
        draw_percentiles(page, spread, samples, c->nr);
    } else {
        vh_hist_make(&h, spread->quantity, samples, c->nr);
        draw_hist(page, spread, &h);
    }
}

static void raw_hist(GString *out, const Spread *spread,
                     const VhSample *samples, size_t nr)
{
    VhHist h;

    vh_hist_make(&h, spread->quantity, samples, nr);
    for (unsigned i = 0; i < h.nr; i++) {
        g_autofree char *from = vh_quantity_raw(spread->quantity, h.edges[i]);
        g_autofree char *to = vh_quantity_raw(spread->quantity, h.edges[i + 1]);

        g_string_append_printf(out, "%s\t%s\t%" PRIu64 "\n", from, to,
                               h.weights[i]);
    }
}

void vh_spread_raw(GString *out, const VhChosen *c, const VhAccessView *view)
{
    const Spread *spread = &spreads[view->style];
    g_autofree VhSample *samples = new_samples(spread, c, view);

    if (!spread->percentiles) {
        g_string_append_printf(out, "# %s-from\t%s-below\t%s\n", spread->raw,
                               spread->raw,
                               spread->regions ? "regions" : "bytes");
        if (c->nr) {
            raw_hist(out, spread, samples, c->nr);
        }
        return;
    }
    g_string_append_printf(out, "# percent\t%s\n", spread->raw);
    vh_samples_sort(samples, c->nr);
    for (unsigned i = 0; c->nr && i < G_N_ELEMENTS(percents); i++) {
        double v = vh_percentile(samples, c->nr, percents[i]);
        g_autofree char *text = vh_quantity_raw(spread->quantity, v);

        g_string_append_printf(out, "%u\t%s\n", percents[i], text);
    }
}
