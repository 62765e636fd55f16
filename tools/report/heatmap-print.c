/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heatmap for programs. */
#include <inttypes.h>
#include <math.h>

#include "heatmap-draw.h"

static void put_number(GString *out, double v)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isnan(v)) {
        g_string_append_c(out, '-');
    } else {
        g_string_append(out, g_ascii_formatd(text, sizeof(text), "%.6g", v));
    }
}

char *vh_heat_raw(const VhHeatRecord *rec)
{
    const VhHeatmap *m = rec->map;
    GString *out = g_string_new("# ns\taddress\t");

    g_string_append(out, m->rates ? "rate\n" : "of-checks\n");
    for (unsigned row = 0; row < m->rows; row++) {
        for (unsigned i = 0; i < m->columns; i++) {
            g_string_append_printf(out, "%" PRIu64 "\t%" PRIu64 "\t",
                                   vh_heatmap_time(m, row) - m->from,
                                   vh_heatmap_address(m, i));
            put_number(out, vh_heatmap_cell(m, row, i));
            g_string_append_c(out, '\n');
        }
    }
    return g_string_free(out, false);
}

static JsonArray *row_json(const VhHeatmap *m, unsigned row)
{
    JsonArray *a = json_array_new();

    for (unsigned i = 0; i < m->columns; i++) {
        double v = vh_heatmap_cell(m, row, i);

        if (isnan(v)) {
            json_array_add_null_element(a);
        } else {
            json_array_add_double_element(a, v);
        }
    }
    return a;
}

static JsonArray *addresses_json(const VhHeatmap *m)
{
    JsonArray *a = json_array_new();

    for (unsigned i = 0; m && i < m->columns; i++) {
        json_array_add_int_element(a, vh_heatmap_address(m, i));
    }
    return a;
}

/* What is between them are holes. */
static JsonArray *ranges_json(const VhHeatAxis *axis)
{
    JsonArray *a = json_array_new();

    for (guint i = 0; i < axis->spans->len; i++) {
        const VhRamSpan *s = &g_array_index(axis->spans, VhRamSpan, i);
        JsonObject *o = json_object_new();

        json_object_set_int_member(o, "start", s->start);
        json_object_set_int_member(o, "end", s->end);
        json_array_add_object_element(a, o);
    }
    return a;
}

static JsonArray *times_json(const VhHeatmap *m)
{
    JsonArray *a = json_array_new();

    for (unsigned i = 0; m && i <= m->rows; i++) {
        json_array_add_int_element(a, vh_heatmap_time(m, i));
    }
    return a;
}

JsonNode *vh_heat_json(const VhHeatRecord *rec)
{
    const VhHeatmap *m = rec->map;
    JsonObject *o = vh_about_json(&rec->about);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonArray *rows = json_array_new();

    for (unsigned row = 0; m && row < m->rows; row++) {
        json_array_add_array_element(rows, row_json(m, row));
    }
    if (m) {
        json_object_set_string_member(o, "unit",
                                      m->rates ? "accesses/s" : "of checks");
        json_object_set_double_member(o, "cell-size",
                                      (double)m->axis->length / m->columns);
    }
    json_object_set_array_member(o, "ranges", ranges_json(&rec->axis));
    json_object_set_array_member(o, "addresses", addresses_json(m));
    json_object_set_array_member(o, "times", times_json(m));
    json_object_set_array_member(o, "heat", rows);
    json_node_take_object(node, o);
    return node;
}
