/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fleet looks like. */
#include <math.h>

#include "fields.h"
#include "fleet.h"
#include "table.h"
#include "units.h"

#define OTHER_ROWS 4 /* title, headings, sums, what is left out */

static char *cost_str(double cost)
{
    return cost < 0 ? g_strdup("-") : g_strdup_printf("%.2f %%", cost * 100);
}

static char *part_str(uint64_t part, uint64_t whole)
{
    g_autofree char *size = vh_size_str(part);
    g_autofree char *percent = vh_percent_str(part, whole);

    return g_strdup_printf("%s %4s", size, percent);
}

static void put_numbers(VhTable *t, const VhMember *m, VhStyle style)
{
    vh_table_put(t, style, vh_size_str(m->size));
    vh_table_put(t, style, part_str(m->working_set, m->size));
    vh_table_put(t, style, part_str(m->cold, m->size));
    vh_table_put(t, style, vh_size_str(m->saved));
    vh_table_put(t, style, cost_str(m->cost));
}

static void put_member(VhTable *t, const VhMember *m)
{
    vh_table_put(t, VH_STYLE_BOLD, g_strdup(m->name));
    if (m->problem) {
        vh_table_put(t, VH_STYLE_WARN, g_strdup("no answer"));
        for (int i = 0; i < 5; i++) {
            vh_table_put(t, VH_STYLE_PLAIN, g_strdup(""));
        }
        vh_table_note(t, VH_STYLE_WARN, g_strdup(m->problem));
        return;
    }
    vh_table_put(t, vh_state_style(m->state), g_strdup(m->state));
    put_numbers(t, m, VH_STYLE_PLAIN);
}

/* Of those with figures. */
static VhMember sum_up(const VhFleet *f, unsigned *shown, unsigned *absent)
{
    VhMember all = { .cost = -1 };

    *shown = *absent = 0;
    for (guint i = 0; i < f->members->len; i++) {
        const VhMember *m = g_ptr_array_index(f->members, i);

        *absent += m->absent;
        *shown += !m->absent;
        if (m->problem) {
            continue;
        }
        all.size += m->size;
        all.working_set += m->working_set;
        all.cold += m->cold;
        all.saved += m->saved;
        if (m->cost >= 0) {
            all.cost = MAX(all.cost, 0) + m->cost;
        }
    }
    return all;
}

static VhTable *new_table(void)
{
    static const VhColumn columns[] = {
        { "MACHINE", false, 9 },      { "STATE", false, 4 },
        { "MEMORY", true, 6 },        { "WORKING SET", true, 8 },
        { "COLD FOR 60 s", true, 7 }, { "SAVED", true, 5 },
        { "COST", true, 3 },
    };

    return vh_table_new(columns, G_N_ELEMENTS(columns));
}

static void draw_rest(VhPage *page, unsigned absent, unsigned left_out)
{
    if (left_out) {
        g_autofree char *text =
            g_strdup_printf("%u more, for which there is no room", left_out);

        vh_page_wrap(page, VH_STYLE_DIM, 0, text);
        vh_page_end(page);
    }
    if (absent) {
        g_autofree char *text = g_strdup_printf("%u without vmheat", absent);

        vh_page_wrap(page, VH_STYLE_DIM, 0, text);
        vh_page_end(page);
    }
}

static void draw_title(const VhFleet *f, VhPage *page, unsigned shown)
{
    g_autofree char *text =
        g_strdup_printf("%u machine%s with vmheat, sorted by %s", shown,
                        shown == 1 ? "" : "s", vh_fleet_sort_name(f->sort));

    vh_page_add(page, VH_STYLE_PLAIN, "%s", text);
    if (page->term->tty) {
        vh_page_add(page, VH_STYLE_DIM, "  s: sort, q: quit");
    }
    vh_page_end(page);
}

void vh_fleet_draw(const VhFleet *f, VhPage *page)
{
    g_autoptr(VhTable) t = new_table();
    unsigned shown, absent, drawn = 0, rows = 0, room = G_MAXUINT;
    VhMember all = sum_up(f, &shown, &absent);

    if (page->term->tty) {
        unsigned other = OTHER_ROWS + (absent > 0);

        room = MAX(page->term->height, other + 1) - other;
    }
    draw_title(f, page, shown);
    for (guint i = 0; i < f->members->len; i++) {
        const VhMember *m = g_ptr_array_index(f->members, i);

        if (m->absent) {
            continue;
        }
        rows += m->problem ? 2 : 1;
        if (rows > room) {
            break;
        }
        put_member(t, m);
        drawn++;
    }
    if (shown > 1) {
        vh_table_put(t, VH_STYLE_DIM, g_strdup("all"));
        vh_table_put(t, VH_STYLE_DIM, g_strdup(""));
        put_numbers(t, &all, VH_STYLE_DIM);
    }
    if (shown) {
        vh_table_draw(t, page);
    }
    draw_rest(page, absent, shown - drawn);
}

static JsonObject *member_json(const VhMember *m)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "name", m->name);
    json_object_set_string_member(o, "address", m->address);
    if (m->problem) {
        json_object_set_string_member(o, "problem", m->problem);
        if (m->absent) {
            json_object_set_boolean_member(o, "vmheat", false);
        }
        return o;
    }
    json_object_set_string_member(o, "state", m->state);
    json_object_set_int_member(o, "total-size", m->size);
    json_object_set_int_member(o, "working-set-size", m->working_set);
    json_object_set_int_member(o, "cold-size", m->cold);
    json_object_set_int_member(o, "saved-size", m->saved);
    if (m->cost >= 0) {
        json_object_set_double_member(o, "cost", m->cost);
    }
    return o;
}

JsonNode *vh_fleet_json(const VhFleet *f)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *list = json_array_new();

    for (guint i = 0; i < f->members->len; i++) {
        json_array_add_object_element(
            list, member_json(g_ptr_array_index(f->members, i)));
    }
    json_node_take_array(node, list);
    return node;
}
