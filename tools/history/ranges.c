/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "reader.h"
#include "ranges.h"

VhRanges *vh_ranges_new(int64_t since_us, const VhHistoryRange *ranges,
                        size_t nr)
{
    VhRanges *r = g_new0(VhRanges, 1);

    r->refs = 1;
    r->since_us = since_us;
    r->nr = MIN(nr, VH_RANGES_MAX);
    r->ranges = g_memdup2(ranges, r->nr * sizeof(*ranges));
    r->bytes = sizeof(*r) + r->nr * sizeof(*ranges);
    for (size_t i = 0; i < r->nr; i++) {
        r->ranges[i].block = g_strdup(ranges[i].block);
        r->bytes += ranges[i].block ? strlen(ranges[i].block) + 17 : 0;
    }
    return r;
}

VhRanges *vh_ranges_ref(VhRanges *r)
{
    g_atomic_int_inc(&r->refs);
    return r;
}

void vh_ranges_unref(VhRanges *r)
{
    if (r && g_atomic_int_dec_and_test(&r->refs)) {
        for (size_t i = 0; i < r->nr; i++) {
            g_free((char *)r->ranges[i].block);
        }
        g_free(r->ranges);
        g_free(r);
    }
}

bool vh_ranges_same(const VhRanges *r, const VhHistoryRange *ranges, size_t nr)
{
    bool same = r->nr == MIN(nr, VH_RANGES_MAX);

    for (size_t i = 0; same && i < r->nr; i++) {
        const VhHistoryRange *a = &r->ranges[i], *b = &ranges[i];

        same = a->start == b->start && a->size == b->size &&
               a->node == b->node && !g_strcmp0(a->block, b->block);
    }
    return same;
}

const VhHistoryRange *vh_ranges_find(const VhRanges *r, uint64_t address)
{
    for (size_t i = 0; r && i < r->nr; i++) {
        const VhHistoryRange *range = &r->ranges[i];

        if (address >= range->start && address - range->start < range->size) {
            return range;
        }
    }
    return NULL;
}

static bool get_number(JsonObject *o, const char *name, int64_t *out)
{
    JsonNode *node = vh_read_member(o, name);

    if (!vh_read_is(node, G_TYPE_INT64)) {
        return false;
    }
    *out = json_node_get_int(node);
    return *out >= 0;
}

/* What is not told as it should be is left out. */
static void take_range(GArray *out, JsonNode *node)
{
    JsonObject *o = vh_read_opt_object(node);
    int64_t start, size, on;
    VhHistoryRange r = { .node = -1 };

    if (!o || !get_number(o, "start", &start) ||
        !get_number(o, "size", &size)) {
        return;
    }
    r.start = start;
    r.size = size;
    r.block = vh_read_opt_string(o, "block");
    r.node = get_number(o, "node", &on) ? on : -1;
    g_array_append_val(out, r);
}

VhRanges *vh_ranges_parse(int64_t since_us, const char *json)
{
    g_autoptr(JsonNode) root = json ? json_from_string(json, NULL) : NULL;
    g_autoptr(GArray) out = g_array_new(false, false, sizeof(VhHistoryRange));
    JsonObject *o = vh_read_opt_object(root);
    JsonNode *list;

    o = o ? vh_read_opt_object(vh_read_member(o, "vmheat")) : NULL;
    list = o ? vh_read_member(o, "ranges") : NULL;
    if (list && JSON_NODE_HOLDS_ARRAY(list)) {
        JsonArray *array = json_node_get_array(list);

        for (guint i = 0; i < json_array_get_length(array); i++) {
            take_range(out, json_array_get_element(array, i));
        }
    }
    return vh_ranges_new(since_us, (VhHistoryRange *)out->data, out->len);
}
