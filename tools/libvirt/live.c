/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmheat in a domain that runs: found, added and removed through its monitor.
 */
#include "live.h"

#include <string.h>

#include "query.h"

static bool has_command(JsonNode *commands, const char *name)
{
    JsonArray *list =
        JSON_NODE_HOLDS_ARRAY(commands) ? json_node_get_array(commands) : NULL;

    for (guint i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *o = json_array_get_object_element(list, i);

        if (o && g_str_equal(
                     json_object_get_string_member_with_default(o, "name", ""),
                     name)) {
            return true;
        }
    }
    return false;
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
    live->plugin = has_command(commands, "query-vmheat");
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

bool vh_live_attach(VhClient *client, const GPtrArray *properties,
                    GError **error)
{
    JsonObject *o = json_object_new();
    g_autoptr(JsonNode) reply = NULL;

    json_object_set_string_member(o, "driver", "vmheat");
    json_object_set_string_member(o, "id", "heat0");
    for (guint i = 0; i < properties->len; i++) {
        g_auto(GStrv) pair =
            g_strsplit(g_ptr_array_index(properties, i), "=", 2);

        json_object_set_string_member(o, pair[0], pair[1]);
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
