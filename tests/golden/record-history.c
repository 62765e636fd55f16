/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <json-glib/json-glib.h>

#include "record-history.h"

static void grow(JsonObject *stats, const char *name, JsonNode *node,
                 gpointer opaque)
{
    gint64 v = json_node_get_int(node);

    json_object_set_int_member(stats, name,
                               v + v / 100 * GPOINTER_TO_INT(opaque));
}

static void begin_anew(JsonObject *stats, const char *name, JsonNode *node,
                       gpointer opaque)
{
    json_object_set_int_member(stats, name, GPOINTER_TO_INT(opaque));
}

static void change(JsonArray *list, guint i, unsigned second)
{
    JsonObject *info = json_array_get_object_element(list, i);
    JsonObject *stats = json_object_get_object_member(info, "stats");
    bool anew = i == 1 && second >= 80;

    json_object_foreach_member(stats, anew ? begin_anew : grow,
                               GINT_TO_POINTER(anew ? second - 80 : second));
    if (i + 2 == json_array_get_length(list) && second >= 40) {
        json_object_set_string_member(info, "state", "active");
        json_object_remove_member(info, "reason");
    }
}

char *history_schemes(const char *base, unsigned second)
{
    g_autoptr(JsonNode) root = json_from_string(base, NULL);
    JsonArray *list = json_node_get_array(root);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        change(list, i, second);
    }
    if (second >= 70) {
        json_array_remove_element(list, json_array_get_length(list) - 1);
    }
    return json_to_string(root, false);
}

const char *history_event(unsigned second)
{
    static const struct {
        unsigned second;
        const char *json;
    } events[] = {
        { 5, "{\"event\": \"VMHEAT_PRIMITIVE_CHANGED\", \"data\": "
             "{\"primitive\": \"trap\", \"reason\": \"auto: all of it is "
             "shared\"}}" },
        { 33, "{\"event\": \"VMHEAT_SCHEME_BACK_OFF\", \"data\": {\"scheme\": "
              "\"prcl-low\", \"duration\": 4000000, \"reason\": \"135 of 1000 "
              "bytes paged out came back; allowed are 100\"}}" },
        { 50, "{\"event\": \"VMHEAT_SCHEME_GOAL_REACHED\", \"data\": "
              "{\"scheme\": \"reclaim\", \"score\": 10120}}" },
        { 60, "{\"event\": \"VMHEAT_STATE_CHANGED\", \"data\": {\"state\": "
              "\"suspended\", \"reason\": \"migration in progress\"}}" },
        { 61, "{\"event\": \"VMHEAT_STATE_CHANGED\", \"data\": {\"state\": "
              "\"running\"}}" },
        { 90, "{\"event\": \"VMHEAT_FROB\\u001b[2J\"}" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
        if (events[i].second == second) {
            return events[i].json;
        }
    }
    return NULL;
}
