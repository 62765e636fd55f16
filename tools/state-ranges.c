/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>

#include "reader.h"
#include "state-ranges.h"

static bool get_number(JsonObject *o, const char *name, int64_t *out)
{
    JsonNode *node = vh_read_member(o, name);

    if (!vh_read_is(node, G_TYPE_INT64)) {
        return false;
    }
    *out = json_node_get_int(node);
    return *out >= 0;
}

static void take_range(GArray *out, JsonNode *node)
{
    JsonObject *o = vh_read_opt_object(node);
    int64_t start, size, on;
    VhStateRange r = { 0 };

    if (!o || !get_number(o, "start", &start) ||
        !get_number(o, "size", &size)) {
        return;
    }
    r.start = start;
    r.size = size;
    r.block = vh_read_opt_string(o, "block");
    r.device = vh_read_opt_string(o, "device");
    r.reserved = vh_read_opt_string(o, "reserved");
    r.node = get_number(o, "node", &on) ? on : -1;
    g_array_append_val(out, r);
}

GArray *vh_state_ranges(JsonNode *root)
{
    JsonObject *o = vh_read_opt_object(root);
    JsonNode *ranges;
    JsonArray *list;
    GArray *out;

    o = o ? vh_read_opt_object(vh_read_member(o, "vmheat")) : NULL;
    ranges = o ? vh_read_member(o, "ranges") : NULL;
    if (!ranges || !JSON_NODE_HOLDS_ARRAY(ranges)) {
        return NULL;
    }
    list = json_node_get_array(ranges);
    out = g_array_new(false, false, sizeof(VhStateRange));
    for (guint i = 0; i < json_array_get_length(list); i++) {
        take_range(out, json_array_get_element(list, i));
    }
    return out;
}
