/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/show.h"

static void set(JsonObject *arguments, const char *name, uint64_t value)
{
    if (value != UINT64_MAX) {
        json_object_set_int_member(arguments, name, value);
    }
}

/*
 * QMP's limit keeps the lowest addresses: right only in that order, and of
 * those that pass.
 */
static bool limit_is_right(const VhOptions *o)
{
    return o->sort == VH_SORT_ADDRESS && !o->reverse &&
           vh_filter_is_all(&o->filter);
}

static JsonObject *new_arguments(const VhOptions *options)
{
    JsonObject *arguments = json_object_new();

    set(arguments, "start", options->start);
    set(arguments, "end", options->end);
    set(arguments, "min-nr-accesses", options->min_nr_accesses);
    if (limit_is_right(options)) {
        set(arguments, "limit", options->limit);
    }
    return arguments;
}

int vh_cmd_snapshot(const VhOptions *options, const VhTerm *term)
{
    /* QMP does the rest, which does not cut regions */
    g_autoptr(VhShow) show = vh_show_new(options, term, &options->filter);
    g_autoptr(GError) error = NULL;
    g_autoptr(VhClient) client = vh_cli_open(options, &error);
    g_autoptr(JsonNode) reply = NULL;
    g_autoptr(VhSnapshot) snap = NULL;

    if (client) {
        reply = vh_client_command(client, "query-vmheat-regions",
                                  new_arguments(options), &error);
    }
    snap = reply ? vh_snapshot_parse(reply, &error) : NULL;
    if (!snap) {
        return vh_cli_fail(error);
    }
    return options->json ? vh_cli_print_json(reply) : vh_show(show, snap, NULL);
}
