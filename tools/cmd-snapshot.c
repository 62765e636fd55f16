/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/show.h"

/*
 * QMP's limit keeps the lowest addresses: right only in that order, and of
 * those that pass.
 */
static bool limit_is_right(const VhOptions *o)
{
    return o->sort == VH_SORT_ADDRESS && !o->reverse &&
           vh_filter_is_all(&o->filter);
}

int vh_cmd_snapshot(const VhOptions *options, const VhTerm *term)
{
    /* also what QMP has left out: that does not cut regions */
    VhFilter filter = vh_cli_filter(options);
    g_autoptr(VhShow) show = vh_show_new(options, term, &filter);
    g_autoptr(GError) error = NULL;
    uint64_t limit = limit_is_right(options) ? options->limit : UINT64_MAX;
    g_autoptr(JsonNode) reply = NULL;
    g_autoptr(VhSnapshot) snap = vh_show_query(options, limit, &reply, &error);

    if (!snap) {
        return vh_cli_fail(error);
    }
    return options->json ? vh_cli_print_json(reply) : vh_show(show, snap, NULL);
}
