/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "profile.h"
#include "../fields.h"
#include "../units.h"

#define RANGES 5 /* from either end, unless the user says how many */

static const VhGroup *nth(const VhProfile *p, guint i)
{
    return &g_array_index(p->classes.groups, VhGroup, i);
}

static const VhHeatRange *range_nth(const VhProfile *p, guint i)
{
    return &g_array_index(p->ranges, VhHeatRange, i);
}

static double sum_of(const VhGroup *g)
{
    double sum = 0;

    for (unsigned i = 0; i < VH_CLASSES; i++) {
        sum += g->amounts[i].mean;
    }
    return sum;
}

static void put_size(VhTable *t, uint64_t bytes)
{
    vh_table_put(t, bytes ? VH_STYLE_PLAIN : VH_STYLE_DIM, vh_size_str(bytes));
}

static void draw_classes(const VhProfile *p, VhPage *page)
{
    static const VhColumn columns[] = {
        { "CLASS", false, 9 }, { "MEAN", true, 8 }, { "PART", true, 4 },
        { "MIN", true, 2 },    { "MAX", true, 3 },  { "", false, 1 },
    };
    static const char *const meanings[] = { "10/s or more", "0.1/s to 10/s",
                                            "less than 0.1/s",
                                            "no access for 1m or longer" };
    g_autoptr(VhTable) t = vh_table_new(columns, G_N_ELEMENTS(columns));
    const VhGroup *all = nth(p, 0);
    uint64_t never = vh_profile_never(p, 0);

    for (unsigned i = 0; i < VH_CLASSES; i++) {
        const VhAmount *a = &all->amounts[i];

        vh_table_put(t, VH_STYLE_BOLD, g_strdup(vh_class_name(i)));
        put_size(t, a->mean);
        vh_table_put(t, VH_STYLE_PLAIN, vh_percent_str(a->mean, sum_of(all)));
        put_size(t, a->min);
        put_size(t, a->max);
        vh_table_put(t, VH_STYLE_DIM, g_strdup(meanings[i]));
    }
    vh_table_put(t, VH_STYLE_BOLD, g_strdup("never"));
    put_size(t, never);
    vh_table_put(t, VH_STYLE_PLAIN, vh_percent_str(never, sum_of(all)));
    vh_table_put(t, VH_STYLE_PLAIN, g_strdup(""));
    vh_table_put(t, VH_STYLE_PLAIN, g_strdup(""));
    vh_table_put(t, VH_STYLE_DIM,
                 g_strdup("of these: no access in all the time"));
    vh_table_draw(t, page);
}

/* The mean of each class, of all blocks or of all nodes. */
static void draw_groups(const VhProfile *p, VhPage *page, const char *kind,
                        const char *title)
{
    const VhColumn columns[] = {
        { title, false, 9 }, { "HOT", true, 8 },  { "WARM", true, 3 },
        { "COLD", true, 2 }, { "IDLE", true, 7 }, { "NEVER", true, 4 },
    };
    g_autoptr(VhTable) t = vh_table_new(columns, G_N_ELEMENTS(columns));
    bool some = false;

    for (guint i = 1; i < p->classes.groups->len; i++) {
        const VhGroup *g = nth(p, i);

        if (!g_str_equal(g->kind, kind) || !g->ns) {
            continue;
        }
        some = true;
        vh_table_put(t, VH_STYLE_BOLD, g_strdup(g->name));
        for (unsigned c = 0; c < VH_CLASSES; c++) {
            put_size(t, g->amounts[c].mean);
        }
        put_size(t, vh_profile_never(p, i));
    }
    if (some) {
        vh_page_end(page);
        vh_table_draw(t, page);
    }
}

static void put_range(const VhProfile *p, VhTable *t, const VhHeatRange *r)
{
    vh_table_put(t, VH_STYLE_PLAIN, g_strdup_printf("0x%" PRIx64, r->start));
    vh_table_put(t, VH_STYLE_PLAIN, vh_size_str(r->end - r->start));
    vh_table_put(t, VH_STYLE_BOLD, vh_rate_str(r->rate));
    vh_table_put(t, VH_STYLE_PLAIN, vh_percent_str(r->accessed, 1));
    vh_table_put(t, VH_STYLE_DIM, g_strdup(vh_profile_block(p, r->start)));
}

static void draw_ranges(const VhProfile *p, VhPage *page, const char *heading,
                        guint from, guint to)
{
    static const VhColumn columns[] = {
        { "START", false, 9 }, { "SIZE", true, 5 },   { "RATE", true, 8 },
        { "TIME", true, 3 },   { "BLOCK", false, 1 },
    };
    g_autoptr(VhTable) t = vh_table_new(columns, G_N_ELEMENTS(columns));

    if (from >= to) {
        return;
    }
    vh_field_heading(page, heading);
    for (guint i = from; i < to; i++) {
        put_range(p, t, range_nth(p, i));
    }
    vh_table_draw(t, page);
}

void vh_profile_draw(const VhProfile *p, VhPage *page)
{
    guint most = p->options->limit == UINT64_MAX ? RANGES : p->options->limit;
    guint nr = p->ranges->len;

    vh_about_draw(&p->about, page);
    if (!nr) {
        vh_page_wrap(page, VH_STYLE_PLAIN, 2, "There was no memory like that.");
        vh_page_end(page);
        return;
    }
    vh_page_end(page);
    draw_classes(p, page);
    draw_groups(p, page, "block", "BLOCK");
    draw_groups(p, page, "node", "NODE");
    if (nr <= 2 * most) {
        draw_ranges(p, page, "Hottest first", 0, nr);
        return;
    }
    draw_ranges(p, page, "Hottest", 0, most);
    draw_ranges(p, page, "Coldest", nr - most, nr);
}

static void raw_group(const VhProfile *p, GString *out, guint i)
{
    const VhGroup *g = nth(p, i);
    uint64_t never = vh_profile_never(p, i);
    g_autofree char *name = vh_about_plain(g->name);

    if (!g->ns) {
        return;
    }
    for (unsigned c = 0; c < VH_CLASSES; c++) {
        const VhAmount *a = &g->amounts[c];

        g_string_append_printf(
            out, "%s\t%s\t%s\t%.0f\t%" PRIu64 "\t%" PRIu64 "\n", g->kind, name,
            vh_class_name(c), a->mean, a->min, a->max);
    }
    g_string_append_printf(
        out, "%s\t%s\tnever\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", g->kind,
        name, never, never, never);
}

char *vh_profile_raw(const VhProfile *p)
{
    GString *out =
        g_string_new("# all|block|node\tname\tclass\tmean\tmin\tmax\n"
                     "# range\tstart\tend\trate\taccessed\n");

    for (guint i = 0; i < p->classes.groups->len; i++) {
        raw_group(p, out, i);
    }
    for (guint i = 0; i < MIN(p->ranges->len, p->options->limit); i++) {
        const VhHeatRange *r = range_nth(p, i);

        g_string_append_printf(out,
                               "range\t%" PRIu64 "\t%" PRIu64 "\t%.6g\t%.6g\n",
                               r->start, r->end, r->rate, r->accessed);
    }
    return g_string_free(out, false);
}

static JsonObject *json_group(const VhProfile *p, guint i)
{
    const VhGroup *g = nth(p, i);
    JsonObject *o = json_object_new();

    if (i) {
        json_object_set_string_member(o, g->kind, g->name);
    }
    for (unsigned c = 0; c < VH_CLASSES; c++) {
        const VhAmount *a = &g->amounts[c];
        JsonObject *one = json_object_new();

        json_object_set_double_member(one, "mean", a->mean);
        json_object_set_int_member(one, "min", a->min);
        json_object_set_int_member(one, "max", a->max);
        json_object_set_object_member(o, vh_class_name(c), one);
    }
    json_object_set_int_member(o, "never", vh_profile_never(p, i));
    return o;
}

static JsonArray *json_groups(const VhProfile *p, const char *kind)
{
    JsonArray *list = json_array_new();

    for (guint i = 1; i < p->classes.groups->len; i++) {
        if (g_str_equal(nth(p, i)->kind, kind) && nth(p, i)->ns) {
            json_array_add_object_element(list, json_group(p, i));
        }
    }
    return list;
}

static JsonArray *json_ranges(const VhProfile *p)
{
    JsonArray *list = json_array_new();
    guint nr = p->ranges ? p->ranges->len : 0;

    for (guint i = 0; i < MIN(nr, p->options->limit); i++) {
        const VhHeatRange *r = range_nth(p, i);
        JsonObject *o = json_object_new();

        json_object_set_int_member(o, "start", r->start);
        json_object_set_int_member(o, "end", r->end);
        json_object_set_double_member(o, "rate", r->rate);
        json_object_set_double_member(o, "accessed", r->accessed);
        if (*vh_profile_block(p, r->start)) {
            json_object_set_string_member(o, "block",
                                          vh_profile_block(p, r->start));
        }
        json_array_add_object_element(list, o);
    }
    return list;
}

JsonNode *vh_profile_json(const VhProfile *p)
{
    JsonObject *o = vh_about_json(&p->about);

    json_object_set_object_member(o, "all", json_group(p, 0));
    json_object_set_array_member(o, "blocks", json_groups(p, "block"));
    json_object_set_array_member(o, "nodes", json_groups(p, "node"));
    json_object_set_array_member(o, "ranges", json_ranges(p));
    return json_node_init_object(json_node_alloc(), o);
}
