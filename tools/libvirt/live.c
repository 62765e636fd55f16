/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmheat in a domain that runs: found, added and removed through its monitor.
 */
#include "live.h"

#include <string.h>

#include "query.h"

/* The object of this name in a list of them; NULL: there is none. */
static JsonObject *find_named(JsonNode *objects, const char *name)
{
    JsonArray *list =
        JSON_NODE_HOLDS_ARRAY(objects) ? json_node_get_array(objects) : NULL;

    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *o = json_array_get_object_element(list, i);

        if (o && g_str_equal(
                     json_object_get_string_member_with_default(o, "name", ""),
                     name)) {
            return o;
        }
    }
    return NULL;
}

VhLive *vh_live_query(VhClient *client, GError **error)
{
    g_autoptr(VhLive) live = g_new0(VhLive, 1);
    g_autoptr(GError) none = NULL;
    g_autoptr(VhInfo) info = NULL;
    g_autoptr(JsonNode) commands =
        vh_client_command(client, "query-commands", NULL, error);

    if (!commands) {
        return NULL;
    }
    live->plugin = find_named(commands, "query-vmheat") != NULL;
    if (!live->plugin) {
        return g_steal_pointer(&live);
    }
    info = vh_query_info(client, &none);
    if (!info) { /* no device, or connection lost */
        if (none->code == VH_CLIENT_ERROR_QMP) {
            return g_steal_pointer(&live);
        }
        g_propagate_error(error, g_steal_pointer(&none));
        return NULL;
    }
    live->id = g_strdup(info->id);
    live->state = g_strdup(info->state);
    live->reason = g_strdup(info->reason);
    live->primitive = g_strdup(info->primitive);
    return g_steal_pointer(&live);
}

void vh_live_free(VhLive *live)
{
    g_free(live->id);
    g_free(live->state);
    g_free(live->reason);
    g_free(live->primitive);
    g_free(live);
}

/* What QEMU calls the type of vmheat's property @name, or "". */
static const char *type_of(JsonNode *known, const char *name)
{
    JsonObject *o = find_named(known, name);

    return o ? json_object_get_string_member_with_default(o, "type", "") : "";
}

/*
 * QEMU 10.0's device_add wants numbers and booleans as such; 7.2's takes them
 * as strings, too. What is none of that type QEMU refuses in its own words.
 */
static void set_member(JsonObject *o, JsonNode *known, const char *name,
                       const char *text)
{
    const char *type = type_of(known, name);
    bool on = g_str_equal(text, "on") || g_str_equal(text, "true");
    bool off = g_str_equal(text, "off") || g_str_equal(text, "false");
    bool is_number =
        g_str_has_prefix(type, "uint") || g_str_has_prefix(type, "int");
    gint64 number;

    if (is_number && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64,
                                              &number, NULL)) {
        json_object_set_int_member(o, name, number);
    } else if (g_str_equal(type, "bool") && (on || off)) {
        json_object_set_boolean_member(o, name, on);
    } else {
        json_object_set_string_member(o, name, text);
    }
}

bool vh_live_attach(VhClient *client, const GPtrArray *properties,
                    GError **error)
{
    JsonObject *type = json_object_new();
    g_autoptr(JsonNode) known = NULL;
    g_autoptr(JsonNode) reply = NULL;
    JsonObject *o;

    json_object_set_string_member(type, "typename", "vmheat");
    known = vh_client_command(client, "device-list-properties", type, error);
    if (!known) {
        return false;
    }
    o = json_object_new();
    json_object_set_string_member(o, "driver", "vmheat");
    json_object_set_string_member(o, "id", "heat0");
    for (guint i = 0; i < properties->len; i++) {
        g_auto(GStrv) pair =
            g_strsplit(g_ptr_array_index(properties, i), "=", 2);

        set_member(o, known, pair[0], pair[1]);
    }
    reply = vh_client_command(client, "device_add", o, error);
    return reply != NULL;
}

bool vh_live_detach(VhClient *client, const char *id, GError **error)
{
    JsonObject *o = json_object_new();
    g_autoptr(JsonNode) reply = NULL;

    json_object_set_string_member(o, "id", id);
    reply = vh_client_command(client, "device_del", o, error);
    return reply != NULL;
}
