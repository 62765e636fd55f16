/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader.h"
#include "scheme-model.h"

static void read_counters(VhReader *r, JsonObject *o, VhSchemeCounters *c)
{
    *c = (VhSchemeCounters){
        .nr_tried = vh_read_uint(r, o, "nr-tried"),
        .sz_tried = vh_read_uint(r, o, "sz-tried"),
        .nr_applied = vh_read_uint(r, o, "nr-applied"),
        .sz_applied = vh_read_uint(r, o, "sz-applied"),
        .sz_filter_passed = vh_read_uint(r, o, "sz-filter-passed"),
        .qt_exceeds = vh_read_uint(r, o, "qt-exceeds"),
        .nr_snapshots = vh_read_uint(r, o, "nr-snapshots"),
        .errors = vh_read_uint(r, o, "errors"),
        .back_offs = vh_read_uint(r, o, "back-offs"),
        .refaulted = vh_read_uint(r, o, "refaulted"),
        .time = vh_read_uint(r, o, "time"),
    };
}

static uint64_t read_optional(VhReader *r, JsonObject *o, const char *name,
                              bool *has)
{
    *has = vh_read_member(o, name) != NULL;
    return *has ? vh_read_uint(r, o, name) : 0;
}

static void read_scheme(VhReader *r, JsonObject *o, VhSchemeInfo *s)
{
    JsonNode *values = vh_read_member(o, "goal-values");

    s->scheme = vh_read_object(r, o, "scheme");
    s->name = vh_read_string(r, s->scheme, "name");
    s->action = vh_read_string(r, s->scheme, "action");
    s->state = vh_read_string(r, o, "state");
    s->reason = vh_read_opt_string(o, "reason");
    s->detail = vh_read_opt_string(o, "detail");
    read_counters(r, vh_read_object(r, o, "stats"), &s->stats);
    s->charged = vh_read_uint(r, o, "charged");
    s->effective_quota = read_optional(r, o, "effective-quota", &s->has_quota);
    s->goal_score = read_optional(r, o, "goal-score", &s->has_score);
    s->goal_values = values && JSON_NODE_HOLDS_ARRAY(values)
                         ? json_node_get_array(values)
                         : NULL;
    s->has_tried = vh_read_member(o, "tried-regions") != NULL;
    if (s->has_tried) {
        vh_read_regions(r, o, "tried-regions", &s->tried);
    }
}

VhSchemeList *vh_schemes_parse(JsonNode *node, GError **error)
{
    VhReader r = { .command = "query-vmheat-schemes" };
    g_autoptr(VhSchemeList) list = g_new0(VhSchemeList, 1);
    JsonArray *array = vh_read_array(&r, node, "return", sizeof(VhSchemeInfo),
                                     &list->schemes, &list->nr);

    list->json = json_node_ref(node);
    for (size_t i = 0; i < list->nr; i++) {
        read_scheme(&r, vh_read_element(&r, array, i, "return"),
                    &list->schemes[i]);
    }
    return vh_read_end(&r, error) ? NULL : g_steal_pointer(&list);
}

void vh_scheme_list_free(VhSchemeList *list)
{
    if (!list) {
        return;
    }
    for (size_t i = 0; i < list->nr; i++) {
        g_free(list->schemes[i].tried.regions);
    }
    g_free(list->schemes);
    json_node_unref(list->json);
    g_free(list);
}

VhActionList *vh_actions_parse(JsonNode *node, GError **error)
{
    VhReader r = { .command = "query-vmheat-actions" };
    g_autoptr(VhActionList) list = g_new0(VhActionList, 1);
    JsonArray *array = vh_read_array(&r, node, "return", sizeof(VhActionInfo),
                                     &list->actions, &list->nr);

    list->json = json_node_ref(node);
    for (size_t i = 0; i < list->nr; i++) {
        JsonObject *o = vh_read_element(&r, array, i, "return");

        list->actions[i] = (VhActionInfo){
            .name = vh_read_string(&r, o, "name"),
            .summary = vh_read_string(&r, o, "summary"),
            .available = vh_read_bool(&r, o, "available"),
            .reason = vh_read_opt_string(o, "reason"),
            .needs = vh_read_opt_string(o, "needs"),
        };
    }
    return vh_read_end(&r, error) ? NULL : g_steal_pointer(&list);
}

void vh_action_list_free(VhActionList *list)
{
    if (list) {
        g_free(list->actions);
        json_node_unref(list->json);
        g_free(list);
    }
}
