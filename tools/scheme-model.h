/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_SCHEME_MODEL_H
#define VMHEAT_TOOLS_SCHEME_MODEL_H

#include "model.h"

/* Replies about schemes as structs; their meaning: qapi/vmheat.json. */

typedef struct VhSchemeCounters {
    uint64_t nr_tried, sz_tried, nr_applied, sz_applied;
    uint64_t sz_filter_passed, qt_exceeds, nr_snapshots;
    uint64_t errors, back_offs, refaulted, time;
} VhSchemeCounters;

typedef struct VhSchemeInfo {
    JsonObject *scheme;
    const char *name, *action;
    const char *state, *reason, *detail; /* the latter may be NULL */
    VhSchemeCounters stats;
    bool has_quota, has_score;
    uint64_t effective_quota, charged, goal_score;
    JsonArray *goal_values; /* may be NULL */
    bool has_tried;
    VhSnapshot tried; /* nr, regions and has_... only */
} VhSchemeInfo;

/* @json holds the strings. */
typedef struct VhSchemeList {
    JsonNode *json;
    size_t nr;
    VhSchemeInfo *schemes;
} VhSchemeList;

typedef struct VhActionInfo {
    const char *name, *summary, *reason, *needs; /* the latter may be NULL */
    bool available;
} VhActionInfo;

typedef struct VhActionList {
    JsonNode *json;
    size_t nr;
    VhActionInfo *actions;
} VhActionList;

/**
 * vh_schemes_parse() - read a reply of query-vmheat-schemes
 * @node: the reply
 * @error: names what is missing or wrong
 *
 * Returns: the schemes; free with vh_scheme_list_free(). NULL on error.
 */
VhSchemeList *vh_schemes_parse(JsonNode *node, GError **error);

/**
 * vh_scheme_list_free() - free them; NULL is fine
 * @list: the schemes
 */
void vh_scheme_list_free(VhSchemeList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhSchemeList, vh_scheme_list_free)

/**
 * vh_actions_parse() - read a reply of query-vmheat-actions
 * @node: the reply
 * @error: names what is missing or wrong
 *
 * Returns: the actions; free with vh_action_list_free(). NULL on error.
 */
VhActionList *vh_actions_parse(JsonNode *node, GError **error);

/**
 * vh_action_list_free() - free them; NULL is fine
 * @list: the actions
 */
void vh_action_list_free(VhActionList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhActionList, vh_action_list_free)

#endif
