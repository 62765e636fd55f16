/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cli.h"
#include "units.h"

static void set(JsonObject *arguments, const char *name, uint64_t value)
{
    if (value != UINT64_MAX) {
        json_object_set_int_member(arguments, name, value);
    }
}

/* QMP's limit keeps the lowest addresses: right only in that order. */
static JsonObject *new_arguments(const VhOptions *options)
{
    JsonObject *arguments = json_object_new();

    set(arguments, "start", options->start);
    set(arguments, "end", options->end);
    set(arguments, "min-nr-accesses", options->min_nr_accesses);
    if (options->sort == VH_SORT_ADDRESS) {
        set(arguments, "limit", options->limit);
    }
    return arguments;
}

static void draw_summary(VhPage *page, const VhSnapshot *snap, size_t shown)
{
    g_autofree char *wss = vh_size_str(snap->working_set_size);
    g_autofree char *total = vh_size_str(snap->total_size);
    g_autofree char *percent =
        vh_percent_str(snap->working_set_size, snap->total_size);
    g_autofree char *text = g_strdup_printf(
        "snapshot %" PRIu64 ": %zu of %" PRIu64 " regions, working set %s of "
        "%s (%s)",
        snap->sequence, shown, snap->nr_regions, wss, total, percent);

    vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
    vh_page_end(page);
}

static int print_table(const VhSnapshot *snap, const VhOptions *options,
                       const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);
    g_autofree const VhRegion **sorted = vh_regions_sorted(snap, options->sort);
    size_t shown = MIN(snap->nr, options->limit);

    if (!snap->sequence) {
        vh_page_wrap(page, VH_STYLE_PLAIN, 0,
                     "no snapshot yet: the first one comes after an "
                     "aggregation interval");
        vh_page_end(page);
        return vh_cli_print_page(page);
    }
    if (shown) {
        vh_regions_draw(page, snap, sorted, shown);
    }
    draw_summary(page, snap, shown);
    return vh_cli_print_page(page);
}

int vh_cmd_snapshot(const VhOptions *options, const VhTerm *term)
{
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
    return options->json ? vh_cli_print_json(reply)
                         : print_table(snap, options, term);
}
