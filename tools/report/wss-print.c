/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The working set as tables and for programs. */
#include <inttypes.h>

#include "wss.h"
#include "../units.h"

#define BAR_MIN 8
#define BAR_MAX 40
#define COLUMN 12
#define CELLS (VH_SERIES_MAX + 4)

char *vh_wss_name(const VhWss *w, unsigned column)
{
    g_autofree char *time = NULL;

    if (!w->set.nr) {
        return g_strdup("in use");
    }
    time = vh_duration_str(w->set.within[column]);
    return g_strdup_printf("last %s", time);
}

char **vh_wss_names(const VhWss *w)
{
    char **out = g_new0(char *, w->series->nr + 1);

    for (unsigned i = 0; i < w->series->nr; i++) {
        out[i] = vh_wss_name(w, i);
    }
    return out;
}

uint64_t vh_wss_end(const VhWss *w)
{
    return MAX(w->about.end, w->about.begin + 1);
}

static char *number(double percent)
{
    return g_strdup_printf("%.10g", percent);
}

static const double *percents(const VhWss *w, unsigned *nr)
{
    static const double all[] = { 0, 25, 50, 75, 90, 99, 100 };

    *nr = w->options->nr_percentiles;
    if (*nr) {
        return w->options->percentiles;
    }
    *nr = G_N_ELEMENTS(all);
    return all;
}

/*
 * A table of sizes, and a bar of one of them.
 * width: of the bar; 0: none
 * max: the longest bar
 */
typedef struct Sizes {
    VhColumn columns[CELLS];
    unsigned nr, width;
    uint64_t max;
    VhTable *table;
} Sizes;

static void column(Sizes *t, const char *title, bool right, unsigned keep)
{
    t->columns[t->nr++] =
        (VhColumn){ .title = title, .right = right, .keep = keep };
}

static void sizes_begin(Sizes *t, const VhPage *page, uint64_t max)
{
    unsigned width = page->term->width, used = t->nr * COLUMN;

    t->width = width > used ? MIN(width - used, BAR_MAX) : 0;
    t->width = t->width < BAR_MIN ? 0 : t->width;
    t->max = max;
    if (t->width) {
        column(t, "", false, 0);
    }
    t->table = vh_table_new(t->columns, t->nr);
}

static void put_bar(Sizes *t, const VhPage *page, uint64_t value)
{
    g_autoptr(GString) bar = g_string_new(NULL);
    unsigned full = t->max ? (double)value / t->max * t->width + 0.5 : 0;

    for (unsigned i = 0; t->width && i < MAX(full, value > 0); i++) {
        g_string_append(bar, page->term->utf8 ? "\u2588" : "#");
    }
    if (t->width) {
        vh_table_put(t->table, VH_STYLE_WARN, g_strdup(bar->str));
    }
}

static void sizes_end(Sizes *t, VhPage *page)
{
    vh_table_draw(t->table, page);
    vh_table_free(t->table);
}

/* What is counted, and its mean. */
static void draw_head(const VhWss *w, VhPage *page)
{
    g_auto(GStrv) names = vh_wss_names(w);

    vh_about_draw(&w->about, page);
    for (unsigned c = 0; c < w->series->nr; c++) {
        double mean = vh_series_mean(w->series, c);
        g_autofree char *size = vh_size_str(mean);
        g_autofree char *total = vh_size_str(w->about.total);
        g_autofree char *percent = vh_percent_str(mean, w->about.total);
        g_autofree char *text =
            g_strdup_printf("%s%s: %s on average, %s of %s",
                            w->set.nr ? "Accessed in the " : "Working set",
                            w->set.nr ? names[c] : "", size, percent, total);

        vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
        vh_page_end(page);
    }
    vh_page_end(page);
}

/* Heading of a column: short, so that more of them fit. */
static char *title(const VhWss *w, unsigned column, const char *alone,
                   const char *suffix)
{
    g_autofree char *time = NULL;

    if (!w->set.nr) {
        return g_strdup(alone);
    }
    time = vh_duration_str(w->set.within[column]);
    return g_strconcat(time, suffix, NULL);
}

static void draw_percentiles(const VhWss *w, VhPage *page)
{
    unsigned nr, cols = w->series->nr;
    const double *p = percents(w, &nr);
    g_autofree uint64_t *values = g_new(uint64_t, nr * cols);
    g_auto(GStrv) titles = g_new0(char *, cols + 1);
    Sizes t = { 0 };
    uint64_t max = 0;

    column(&t, "%", true, 9);
    for (unsigned c = 0; c < cols; c++) {
        titles[c] = title(w, c, "WORKING SET", "");
        column(&t, titles[c], true, 8 - c);
        vh_series_percentiles(w->series, c, p, nr, &values[c * nr]);
    }
    for (unsigned i = 0; i < nr; i++) {
        max = MAX(max, values[i]);
    }
    sizes_begin(&t, page, max);
    for (unsigned i = 0; i < nr; i++) {
        vh_table_put(t.table, VH_STYLE_PLAIN, number(p[i]));
        for (unsigned c = 0; c < cols; c++) {
            vh_table_put(t.table, VH_STYLE_PLAIN,
                         vh_size_str(values[c * nr + i]));
        }
        put_bar(&t, page, values[i]);
    }
    sizes_end(&t, page);
}

static void put_bin(Sizes *t, const VhBin *b)
{
    vh_table_put(t->table, VH_STYLE_PLAIN,
                 b->nr ? vh_size_str(b->mean) : g_strdup("-"));
}

/* The first column with its mean and its most, of the others the mean. */
static void draw_intervals(const VhWss *w, VhPage *page)
{
    unsigned cols = w->series->nr, nr = MIN(VH_WSS_INTERVALS, w->about.nr);
    uint64_t from = w->about.begin, to = vh_wss_end(w), max = 0;
    g_autofree VhBin *bins = g_new(VhBin, nr * cols);
    g_auto(GStrv) titles = g_new0(char *, cols + 1);
    g_autofree char *most = title(w, 0, "MAX", " MAX");
    Sizes t = { 0 };

    column(&t, "FROM", false, 9);
    for (unsigned c = 0; c < cols; c++) {
        titles[c] = title(w, c, "MEAN", "");
        column(&t, titles[c], true, 8 - c);
        if (!c) {
            column(&t, most, true, 7);
        }
        vh_series_bins(w->series, c, from, to, nr, &bins[c * nr]);
    }
    for (unsigned i = 0; i < nr; i++) {
        max = MAX(max, bins[i].max);
    }
    sizes_begin(&t, page, max);
    for (unsigned i = 0; i < nr; i++) {
        uint64_t at = from + (__uint128_t)(to - from) * i / nr;

        vh_table_put(t.table, VH_STYLE_PLAIN,
                     vh_about_time(&w->about, at, "%T"));
        put_bin(&t, &bins[i]);
        vh_table_put(t.table, VH_STYLE_PLAIN, vh_size_str(bins[i].max));
        for (unsigned c = 1; c < cols; c++) {
            put_bin(&t, &bins[c * nr + i]);
        }
        put_bar(&t, page, bins[i].max);
    }
    sizes_end(&t, page);
}

void vh_wss_draw(const VhWss *w, VhPage *page)
{
    draw_head(w, page);
    if (w->options->sort == VH_SORT_TIME) {
        draw_intervals(w, page);
    } else {
        draw_percentiles(w, page);
    }
}

static void raw_times(const VhWss *w, GString *out)
{
    for (guint i = 0; i < w->series->times->len; i++) {
        uint64_t at = g_array_index(w->series->times, uint64_t, i);

        g_string_append_printf(out, "%.6f", vh_about_seconds(&w->about, at));
        for (unsigned c = 0; c < w->series->nr; c++) {
            g_string_append_printf(out, "\t%" PRIu64,
                                   vh_series_at(w->series, c, i));
        }
        g_string_append_c(out, '\n');
    }
}

static void raw_percentiles(const VhWss *w, GString *out)
{
    unsigned nr, cols = w->series->nr;
    const double *p = percents(w, &nr);
    g_autofree uint64_t *values = g_new(uint64_t, nr * cols);

    for (unsigned c = 0; c < cols; c++) {
        vh_series_percentiles(w->series, c, p, nr, &values[c * nr]);
    }
    for (unsigned i = 0; i < nr; i++) {
        g_autofree char *percent = number(p[i]);

        g_string_append(out, percent);
        for (unsigned c = 0; c < cols; c++) {
            g_string_append_printf(out, "\t%" PRIu64, values[c * nr + i]);
        }
        g_string_append_c(out, '\n');
    }
}

/* The first column, then one for each set. */
static void raw_head(const VhWss *w, GString *out, const char *first)
{
    g_string_append_printf(out, "# %s%s", first, w->set.nr ? "" : "\tbytes");
    for (unsigned c = 0; c < w->set.nr; c++) {
        g_string_append_printf(out, "\tbytes-within-%" PRIu64 "us",
                               w->set.within[c]);
    }
    g_string_append_c(out, '\n');
}

char *vh_wss_raw(const VhWss *w)
{
    bool by_time = w->options->sort == VH_SORT_TIME;
    GString *out = g_string_new(NULL);

    raw_head(w, out, by_time ? "s" : "percent");
    if (by_time) {
        raw_times(w, out);
    } else {
        raw_percentiles(w, out);
    }
    return g_string_free(out, false);
}

static JsonArray *json_percentiles(const VhWss *w, unsigned c)
{
    JsonArray *list = json_array_new();
    unsigned nr;
    const double *p = percents(w, &nr);
    g_autofree uint64_t *values = g_new(uint64_t, nr);

    vh_series_percentiles(w->series, c, p, nr, values);
    for (unsigned i = 0; i < nr; i++) {
        JsonObject *o = json_object_new();

        json_object_set_double_member(o, "percentile", p[i]);
        json_object_set_int_member(o, "size", values[i]);
        json_array_add_object_element(list, o);
    }
    return list;
}

static JsonArray *json_sizes(const VhWss *w, unsigned c)
{
    JsonArray *list = json_array_new();

    for (guint i = 0; i < w->series->times->len; i++) {
        json_array_add_int_element(list, vh_series_at(w->series, c, i));
    }
    return list;
}

static JsonObject *json_column(const VhWss *w, unsigned c)
{
    JsonObject *o = json_object_new();

    if (w->set.nr) {
        json_object_set_int_member(o, "within", w->set.within[c]);
    }
    json_object_set_double_member(o, "mean", vh_series_mean(w->series, c));
    if (w->options->sort == VH_SORT_TIME) {
        json_object_set_array_member(o, "sizes", json_sizes(w, c));
    } else if (w->about.nr) {
        json_object_set_array_member(o, "percentiles", json_percentiles(w, c));
    }
    return o;
}

JsonNode *vh_wss_json(const VhWss *w)
{
    JsonObject *o = vh_about_json(&w->about);
    JsonArray *sets = json_array_new(), *times = json_array_new();

    for (unsigned c = 0; c < w->series->nr; c++) {
        json_array_add_object_element(sets, json_column(w, c));
    }
    for (guint i = 0; i < w->series->times->len; i++) {
        json_array_add_int_element(
            times, g_array_index(w->series->times, uint64_t, i));
    }
    if (w->options->sort == VH_SORT_TIME) {
        json_object_set_array_member(o, "times", times);
    } else {
        json_array_unref(times);
    }
    json_object_set_array_member(o, "working-sets", sets);
    return json_node_init_object(json_node_alloc(), o);
}
