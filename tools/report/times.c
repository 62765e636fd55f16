/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report times" verb: when there was memory of a pattern. */
#include <inttypes.h>

#include "about.h"
#include "input.h"
#include "periods.h"
#include "wss-set.h"
#include "../units.h"

#define NARROW 72 /* no room for dates */

typedef struct Times {
    const VhOptions *options;
    VhAbout about;
    VhWssSet set;
    VhPeriods periods;
} Times;

static const VhPeriod *nth(const Times *t, guint i)
{
    return &g_array_index(t->periods.list, VhPeriod, i);
}

static void take(void *opaque, const VhRecordItem *item)
{
    Times *t = opaque;
    const VhSnapshot *s = item->snapshot;
    uint64_t bytes;

    if (item->type == VH_RECORD_SNAPSHOTS) {
        vh_wss_sizes(&t->set, s, &bytes);
        vh_periods_add(&t->periods, s->start_time, s->end_time, bytes);
    }
}

static void put_period(const Times *t, VhTable *table, const VhPeriod *p,
                       const char *format)
{
    vh_table_put(table, VH_STYLE_PLAIN,
                 vh_about_time(&t->about, p->begin, format));
    vh_table_put(table, VH_STYLE_PLAIN,
                 vh_about_time(&t->about, p->end, format));
    vh_table_put(table, VH_STYLE_BOLD,
                 vh_duration_str((p->end - p->begin) / 1000));
    vh_table_put(table, VH_STYLE_PLAIN, vh_size_str(p->min));
    vh_table_put(table, VH_STYLE_PLAIN, vh_size_str(p->mean));
    vh_table_put(table, VH_STYLE_PLAIN, vh_size_str(p->max));
}

static void draw_table(const Times *t, VhPage *page)
{
    static const VhColumn columns[] = {
        { "BEGIN", false, 4 }, { "END", false, 1 }, { "FOR", true, 5 },
        { "MIN", true, 0 },    { "MEAN", true, 3 }, { "MAX", true, 2 },
    };
    g_autoptr(VhTable) table = vh_table_new(columns, G_N_ELEMENTS(columns));
    guint shown = MIN(t->periods.list->len, t->options->limit);

    for (guint i = 0; i < shown; i++) {
        put_period(t, table, nth(t, i),
                   page->term->width < NARROW ? "%T" : "%F %T");
    }
    vh_table_draw(table, page);
    if (shown < t->periods.list->len) {
        vh_page_add(page, VH_STYLE_DIM, "and %u more",
                    t->periods.list->len - shown);
        vh_page_end(page);
    }
}

static void draw(const Times *t, VhPage *page)
{
    const VhPeriods *p = &t->periods;
    g_autofree char *matched = vh_duration_str(p->matched / 1000);
    g_autofree char *percent = vh_percent_str(p->matched, p->seen);
    g_autofree char *text =
        p->list->len
            ? g_strdup_printf("%u period%s, %s of the time: %s", p->list->len,
                              p->list->len == 1 ? "" : "s", percent, matched)
            : g_strdup("There was no memory like that.");

    if (!t->about.nr) {
        vh_about_nothing(&t->about, page);
        return;
    }
    vh_about_draw(&t->about, page);
    vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
    vh_page_end(page);
    if (p->list->len) {
        vh_page_end(page);
        draw_table(t, page);
    }
}

static int print_raw(const Times *t)
{
    g_autoptr(GString) out =
        g_string_new("# begin-s\tend-s\tsnapshots\tmin\tmean\tmax\n");

    for (guint i = 0; i < MIN(t->periods.list->len, t->options->limit); i++) {
        const VhPeriod *p = nth(t, i);

        g_string_append_printf(
            out, "%.6f\t%.6f\t%" PRIu64 "\t%" PRIu64 "\t%.0f\t%" PRIu64 "\n",
            vh_about_seconds(&t->about, p->begin),
            vh_about_seconds(&t->about, p->end), p->nr, p->min, p->mean,
            p->max);
    }
    return vh_cli_print(out->str);
}

static int print_json(const Times *t)
{
    JsonObject *o = vh_about_json(&t->about);
    JsonArray *list = json_array_new();
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), o);

    for (guint i = 0; i < MIN(t->periods.list->len, t->options->limit); i++) {
        const VhPeriod *p = nth(t, i);
        JsonObject *one = json_object_new();

        json_object_set_int_member(one, "begin", p->begin);
        json_object_set_int_member(one, "end", p->end);
        json_object_set_int_member(one, "snapshots", p->nr);
        json_object_set_int_member(one, "min", p->min);
        json_object_set_double_member(one, "mean", p->mean);
        json_object_set_int_member(one, "max", p->max);
        json_array_add_object_element(list, one);
    }
    json_object_set_int_member(o, "seen", t->periods.seen);
    json_object_set_int_member(o, "matched", t->periods.matched);
    json_object_set_int_member(o, "nr-periods", t->periods.list->len);
    json_object_set_array_member(o, "periods", list);
    return vh_cli_print_json(node);
}

static int print(const Times *t, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    if (t->options->json) {
        return print_json(t);
    }
    if (t->options->raw) {
        if (!t->about.nr) {
            vh_about_nothing(&t->about, NULL);
            return VH_EXIT_OK;
        }
        return print_raw(t);
    }
    draw(t, page);
    return vh_cli_print_page(page);
}

int vh_cmd_report_times(const VhOptions *options, const VhTerm *term)
{
    Times t = { .options = options,
                .set = { .filter = vh_cli_filter(options) } };
    int code, damage;

    vh_periods_init(&t.periods, options->min_size);
    damage = vh_input_read(options, &t.about, take, &t);
    code = damage && damage != VH_EXIT_DAMAGED ? damage : print(&t, term);
    vh_periods_clear(&t.periods);
    vh_about_clear(&t.about);
    return code ? code : damage;
}
