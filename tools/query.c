/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "query.h"

static JsonObject *with(const char *name)
{
    JsonObject *o = json_object_new();

    json_object_set_boolean_member(o, name, true);
    return o;
}

VhInfo *vh_query_info(VhClient *client, GError **error)
{
    g_autoptr(JsonNode) reply =
        vh_client_command(client, "query-vmheat", NULL, error);

    return reply ? vh_info_parse(reply, error) : NULL;
}

VhSnapshot *vh_query_snapshot(VhClient *client, GError **error)
{
    g_autoptr(JsonNode) reply = vh_client_command(
        client, "query-vmheat-regions", with("packed"), error);

    return reply ? vh_snapshot_parse(reply, error) : NULL;
}

VhSchemeList *vh_query_schemes(VhClient *client, bool tried, GError **error)
{
    g_autoptr(JsonNode) reply =
        vh_client_command(client, "query-vmheat-schemes",
                          tried ? with("tried-regions") : NULL, error);

    return reply ? vh_schemes_parse(reply, error) : NULL;
}
