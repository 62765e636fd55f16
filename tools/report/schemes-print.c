/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "schemes.h"
#include "../fields.h"
#include "../units.h"

#define MINUTE_NS 60e9
#define HAPPENINGS 40 /* shown, unless the user says how many */
#define NARROW 40

static const VhSchemePast *past_nth(const VhSchemeReport *r, guint i)
{
    return &g_array_index(r->history.pasts, VhSchemePast, i);
}

static const VhHappening *happening_nth(const VhSchemeReport *r, guint i)
{
    return &g_array_index(r->history.happenings, VhHappening, i);
}

static char *value_str(const VhSchemeCounter *c, double v)
{
    return c->unit == 'b' ? vh_size_str(v)
           : c->unit == 't'
               ? vh_duration_str(v / 1000)
               : g_strdup_printf("%.12g", (uint64_t)(v * 10) / 10.0);
}

/* A minute; negative: nobody can say. */
static double per_minute(const VhSchemePast *p, const VhSchemeCounter *c)
{
    uint64_t ns = p->last_ns > p->first_ns ? p->last_ns - p->first_ns : 0;

    return ns ? vh_scheme_counter(&p->did, c) * MINUTE_NS / ns : -1;
}

/* What a scheme does not do need not be told; what it tried, in any case. */
static bool is_worth(const VhSchemePast *p, const VhSchemeCounter *c)
{
    return c == vh_scheme_counters() || vh_scheme_counter(&p->first, c) ||
           vh_scheme_counter(&p->last, c) || vh_scheme_counter(&p->did, c);
}

static void put_counter(VhTable *t, const VhSchemePast *p,
                        const VhSchemeCounter *c)
{
    uint64_t did = vh_scheme_counter(&p->did, c);
    double rate = per_minute(p, c);
    VhStyle style = did ? VH_STYLE_BOLD : VH_STYLE_DIM;

    vh_table_put(t, VH_STYLE_PLAIN, g_strdup(c->words));
    vh_table_put(t, VH_STYLE_PLAIN,
                 value_str(c, vh_scheme_counter(&p->first, c)));
    vh_table_put(t, VH_STYLE_PLAIN,
                 value_str(c, vh_scheme_counter(&p->last, c)));
    vh_table_put(t, style, value_str(c, did));
    vh_table_put(t, style, rate < 0 ? g_strdup("-") : value_str(c, rate));
}

static void put_score(VhTable *t, const VhSchemePast *p)
{
    if (!p->has_score) {
        return;
    }
    vh_table_put(t, VH_STYLE_PLAIN, g_strdup("goal"));
    vh_table_put(t, VH_STYLE_PLAIN, vh_percent_str(p->first_score, 10000));
    vh_table_put(t, p->last_score >= 10000 ? VH_STYLE_GOOD : VH_STYLE_PLAIN,
                 vh_percent_str(p->last_score, 10000));
    vh_table_put(t, VH_STYLE_PLAIN,
                 g_strdup_printf(
                     "%+.1f %%",
                     ((double)p->last_score - (double)p->first_score) / 100));
    vh_table_put(t, VH_STYLE_PLAIN, g_strdup(""));
}

static void draw_past(const VhSchemePast *p, VhPage *page)
{
    static const VhColumn columns[] = {
        { "", false, 9 },   { "FIRST", true, 1 },    { "LAST", true, 2 },
        { "DID", true, 8 }, { "A MINUTE", true, 5 },
    };
    g_autoptr(VhTable) t = vh_table_new(columns, G_N_ELEMENTS(columns));
    const VhSchemeCounter *all = vh_scheme_counters();
    g_autofree char *span =
        vh_duration_str((p->last_ns - MIN(p->first_ns, p->last_ns)) / 1000);
    g_autofree char *text =
        g_strdup_printf("%s: %s, %s; %s", p->name, p->action,
                        p->gone ? "removed" : p->state, span);

    vh_page_end(page);
    vh_page_wrap(page, VH_STYLE_BOLD, 2, text);
    vh_page_end(page);
    for (unsigned i = 0; all[i].name; i++) {
        if (is_worth(p, &all[i])) {
            put_counter(t, p, &all[i]);
        }
    }
    put_score(t, p);
    vh_table_draw(t, page);
}

static void draw_happening(const VhSchemeReport *r, const VhHappening *e,
                           VhPage *page)
{
    g_autofree char *time = vh_about_time(&r->about, e->ns, "%T");
    g_autofree char *text =
        g_strdup_printf("%s%s%s", e->scheme, *e->scheme ? ": " : "", e->text);
    unsigned indent = page->term->width < NARROW ? 2 : 10;

    vh_page_add(page, VH_STYLE_DIM, "%s  ", time);
    vh_page_wrap(page, VH_STYLE_PLAIN, indent, text);
    vh_page_end(page);
}

static void draw_timeline(const VhSchemeReport *r, VhPage *page)
{
    guint nr = r->history.happenings->len;
    uint64_t most = r->options->limit;
    guint shown = MIN(nr, most == UINT64_MAX ? HAPPENINGS : most);

    if (nr) {
        vh_field_heading(page, "What happened");
    }
    for (guint i = 0; i < shown; i++) {
        draw_happening(r, happening_nth(r, i), page);
    }
    if (shown < nr) {
        vh_page_add(page, VH_STYLE_DIM, "and %u more", nr - shown);
        vh_page_end(page);
    }
}

void vh_scheme_report_draw(const VhSchemeReport *r, VhPage *page)
{
    if (r->about.nr) {
        vh_about_draw(&r->about, page);
    } else {
        vh_about_nothing(&r->about, page);
    }
    if (!r->history.pasts->len) {
        vh_page_wrap(page, VH_STYLE_PLAIN, 2,
                     r->history.blocks
                         ? "There were no schemes."
                         : "The record tells nothing of schemes.");
        vh_page_end(page);
    }
    for (guint i = 0; i < r->history.pasts->len; i++) {
        draw_past(past_nth(r, i), page);
    }
    draw_timeline(r, page);
}

static void raw_past(const VhSchemePast *p, GString *out)
{
    g_autofree char *name = vh_about_plain(p->name);

    for (const VhSchemeCounter *c = vh_scheme_counters(); c->name; c++) {
        double rate = per_minute(p, c);

        g_string_append_printf(out,
                               "scheme\t%s\t%s\t%" PRIu64 "\t%" PRIu64
                               "\t%" PRIu64 "\t%.6g\n",
                               name, c->name, vh_scheme_counter(&p->first, c),
                               vh_scheme_counter(&p->last, c),
                               vh_scheme_counter(&p->did, c), MAX(rate, 0));
    }
}

char *vh_scheme_report_raw(const VhSchemeReport *r)
{
    GString *out =
        g_string_new("# scheme\tname\tcounter\tfirst\tlast\tdid\ta-minute\n"
                     "# event\ts\tscheme\twhat\n");
    guint nr = r->history.happenings->len;

    for (guint i = 0; i < r->history.pasts->len; i++) {
        raw_past(past_nth(r, i), out);
    }
    for (guint i = 0; i < MIN(nr, r->options->limit); i++) {
        const VhHappening *e = happening_nth(r, i);
        g_autofree char *scheme = vh_about_plain(e->scheme);
        g_autofree char *text = vh_about_plain(e->text);

        g_string_append_printf(out, "event\t%.6f\t%s\t%s\n",
                               vh_about_seconds(&r->about, e->ns), scheme,
                               text);
    }
    return g_string_free(out, false);
}

static JsonObject *json_counters(const VhSchemeCounters *counters)
{
    JsonObject *o = json_object_new();

    for (const VhSchemeCounter *c = vh_scheme_counters(); c->name; c++) {
        json_object_set_int_member(o, c->name, vh_scheme_counter(counters, c));
    }
    return o;
}

static JsonObject *json_rates(const VhSchemePast *p)
{
    JsonObject *o = json_object_new();

    for (const VhSchemeCounter *c = vh_scheme_counters(); c->name; c++) {
        json_object_set_double_member(o, c->name, per_minute(p, c));
    }
    return o;
}

static JsonObject *json_past(const VhSchemePast *p)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "name", p->name);
    json_object_set_string_member(o, "action", p->action);
    json_object_set_string_member(o, "state", p->state);
    json_object_set_boolean_member(o, "removed", p->gone);
    json_object_set_int_member(o, "begin", p->first_ns);
    json_object_set_int_member(o, "end", p->last_ns);
    json_object_set_object_member(o, "first", json_counters(&p->first));
    json_object_set_object_member(o, "last", json_counters(&p->last));
    json_object_set_object_member(o, "did", json_counters(&p->did));
    if (p->last_ns > p->first_ns) {
        json_object_set_object_member(o, "per-minute", json_rates(p));
    }
    if (p->has_score) {
        json_object_set_int_member(o, "first-goal-score", p->first_score);
        json_object_set_int_member(o, "goal-score", p->last_score);
    }
    return o;
}

static JsonObject *json_happening(const VhHappening *e)
{
    JsonObject *o = json_object_new();

    json_object_set_int_member(o, "time", e->ns);
    if (*e->event) {
        json_object_set_string_member(o, "event", e->event);
    }
    if (*e->scheme) {
        json_object_set_string_member(o, "scheme", e->scheme);
    }
    json_object_set_string_member(o, "text", e->text);
    return o;
}

JsonNode *vh_scheme_report_json(const VhSchemeReport *r)
{
    JsonObject *o = vh_about_json(&r->about);
    JsonArray *schemes = json_array_new(), *events = json_array_new();
    guint nr = r->history.happenings->len;

    for (guint i = 0; i < r->history.pasts->len; i++) {
        json_array_add_object_element(schemes, json_past(past_nth(r, i)));
    }
    for (guint i = 0; i < MIN(nr, r->options->limit); i++) {
        json_array_add_object_element(events,
                                      json_happening(happening_nth(r, i)));
    }
    json_object_set_array_member(o, "schemes", schemes);
    json_object_set_array_member(o, "events", events);
    return json_node_init_object(json_node_alloc(), o);
}
