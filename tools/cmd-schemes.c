/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schemes: shown, exported, set from a file or from recipes, removed. Whatever
 * changes them shows them before and after.
 */
#include <string.h>

#include "cli.h"
#include "fields.h"
#include "query.h"
#include "scheme-list.h"
#include "schemes.h"

static JsonObject *one(const char *name, JsonNode *value)
{
    JsonObject *o = json_object_new();

    json_object_set_member(o, name, value);
    return o;
}

static int print_list(JsonArray *list)
{
    g_autoptr(JsonNode) node = json_node_init_array(json_node_alloc(), list);

    return vh_cli_print_json(node);
}

/* For the intervals, which are needed to show an age. */
static VhSnapshot *query_snapshot(VhClient *client, GError **error)
{
    JsonObject *limit = one("limit", json_node_init_int(json_node_alloc(), 1));
    g_autoptr(JsonNode) reply =
        vh_client_command(client, "query-vmheat-regions", limit, error);

    return reply ? vh_snapshot_parse(reply, error) : NULL;
}

static int show(VhClient *client, const VhOptions *options, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhPage) page = vh_page_new(term);
    g_autoptr(VhSchemeList) list =
        vh_query_schemes(client, options->tried, &error);
    g_autoptr(VhSnapshot) snap = NULL;

    if (list && options->json) {
        return vh_cli_print_json(list->json);
    }
    if (list && options->tried) {
        snap = query_snapshot(client, &error);
    }
    if (!list || (options->tried && !snap)) {
        return vh_cli_fail(error);
    }
    vh_schemes_draw(page, list);
    if (snap) {
        vh_schemes_draw_tried(page, list, snap);
    }
    return vh_cli_print_page(page);
}

static int export_list(VhClient *client, const VhOptions *options,
                       const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhSchemeList) list = vh_query_schemes(client, false, &error);
    g_autoptr(JsonArray) schemes = list ? vh_scheme_list_of(list) : NULL;

    return schemes ? print_list(schemes) : vh_cli_fail(error);
}

static int show_actions(VhClient *client, const VhOptions *options,
                        const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhPage) page = vh_page_new(term);
    g_autoptr(JsonNode) reply =
        vh_client_command(client, "query-vmheat-actions", NULL, &error);
    g_autoptr(VhActionList) list =
        reply ? vh_actions_parse(reply, &error) : NULL;

    if (!list) {
        return vh_cli_fail(error);
    }
    if (options->json) {
        return vh_cli_print_json(reply);
    }
    vh_actions_draw(page, list);
    return vh_cli_print_page(page);
}

/* All of the guest's RAM, monitored or not: what guest-rss is a part of. */
static bool query_ram(VhClient *client, uint64_t *ram, GError **error)
{
    g_autoptr(VhInfo) info = vh_query_info(client, error);

    *ram = 0;
    for (size_t i = 0; info && i < info->nr_ranges; i++) {
        *ram += info->ranges[i].size;
    }
    return info != NULL;
}

/* What --apply or --clear ask for; NULL: told why not, in @code. */
static JsonArray *wanted(VhClient *client, const VhOptions *options, int *code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *why = NULL;
    uint64_t ram = 0;
    JsonArray *list;

    if (!options->recipes) {
        return json_array_new();
    }
    if (vh_recipes_need_ram(options->recipes) &&
        !query_ram(client, &ram, &error)) {
        *code = vh_cli_fail(error);
        return NULL;
    }
    list = vh_recipes_expand(options->recipes, ram, &why);
    if (!list) {
        vh_cli_complain(why);
        *code = VH_EXIT_USAGE;
    }
    return list;
}

/* That, or what came from a @file; behind those in use, if so asked. */
static JsonArray *wanted_in_all(VhClient *client, const VhOptions *options,
                                JsonArray *file, const VhSchemeList *before,
                                int *code)
{
    g_autoptr(JsonArray) list =
        file ? json_array_ref(file) : wanted(client, options, code);
    JsonArray *all;

    if (!list || !options->add) {
        return g_steal_pointer(&list);
    }
    all = vh_scheme_list_of(before);
    vh_scheme_list_merge(all, list);
    return all;
}

static bool send_list(VhClient *client, JsonArray *list, GError **error)
{
    JsonNode *node = json_node_init_array(json_node_alloc(), list);
    g_autoptr(JsonNode) reply = vh_client_command(client, "vmheat-set-schemes",
                                                  one("schemes", node), error);

    return reply != NULL;
}

static int print_change(const VhSchemeList *before, const VhSchemeList *after,
                        const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    vh_page_add(page, VH_STYLE_BOLD, "Before");
    vh_page_end(page);
    if (before->nr) {
        vh_schemes_draw(page, before);
    } else {
        vh_page_wrap(page, VH_STYLE_DIM, 0, "no schemes");
        vh_page_end(page);
    }
    vh_field_heading(page, "Now");
    if (after->nr) {
        vh_schemes_draw(page, after);
    } else {
        vh_page_wrap(page, VH_STYLE_DIM, 0, "no schemes");
        vh_page_end(page);
    }
    return vh_cli_print_page(page);
}

static int change(VhClient *client, const VhOptions *options, JsonArray *file,
                  const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhSchemeList) before = vh_query_schemes(client, false, &error);
    g_autoptr(VhSchemeList) after = NULL;
    g_autoptr(JsonArray) list = NULL;
    int code = VH_EXIT_OK;

    if (!before) {
        return vh_cli_fail(error);
    }
    list = wanted_in_all(client, options, file, before, &code);
    if (!list) {
        return code;
    }
    if (!send_list(client, list, &error)) {
        return vh_cli_fail(error);
    }
    after = vh_query_schemes(client, false, &error);
    if (!after) {
        return vh_cli_fail(error);
    }
    return options->json ? vh_cli_print_json(after->json)
                         : print_change(before, after, term);
}

/* @client is NULL where none is needed. */
static int dry_run(VhClient *client, const VhOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhSchemeList) before = NULL;
    g_autoptr(JsonArray) list = NULL;
    int code = VH_EXIT_OK;

    if (options->add) {
        before = vh_query_schemes(client, false, &error);
        if (!before) {
            return vh_cli_fail(error);
        }
    }
    list = wanted_in_all(client, options, NULL, before, &code);
    return list ? print_list(list) : code;
}

static int run(VhClient *client, const VhOptions *options, JsonArray *file,
               const VhTerm *term)
{
    if (options->dry_run) {
        return dry_run(client, options);
    }
    if (options->recipes || file || options->clear) {
        return change(client, options, file, term);
    }
    if (options->actions) {
        return show_actions(client, options, term);
    }
    return options->export_list ? export_list(client, options, term)
                                : show(client, options, term);
}

/* The file first: it may come from another vmheat, which needs the socket. */
int vh_cmd_schemes(const VhOptions *options, const VhTerm *term)
{
    bool alone = options->dry_run && !options->add &&
                 !vh_recipes_need_ram(options->recipes);
    g_autoptr(GError) error = NULL;
    g_autofree char *why = NULL;
    g_autoptr(JsonArray) file = NULL;
    g_autoptr(VhClient) client = NULL;

    if (options->set_file) {
        file = vh_scheme_list_load(options->set_file, &why);
        if (!file) {
            vh_cli_complain(why);
            return VH_EXIT_USAGE;
        }
    }
    client = alone ? NULL : vh_cli_open(options, &error);
    return client || alone ? run(client, options, file, term)
                           : vh_cli_fail(error);
}
