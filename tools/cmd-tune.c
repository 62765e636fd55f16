/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitoring attributes: shown with what is allowed, or changed by one
 * vmheat-set, which takes all of them or none.
 */
#include "attrs.h"
#include "cli.h"
#include "fields.h"
#include "query.h"
#include "units.h"

#define VALUE_COLUMN 22

/* Name and value; on a narrow terminal each gets a line of its own. */
static void draw(VhPage *page, const char *name, VhStyle style,
                 const char *text)
{
    unsigned column = page->term->width < 3 * VALUE_COLUMN ? 2 : VALUE_COLUMN;

    vh_page_add(page, VH_STYLE_BOLD, "%s", name);
    if (*name && column < VALUE_COLUMN) {
        vh_page_end(page);
    }
    vh_page_to(page, column);
    vh_page_wrap(page, style, column, text);
    vh_page_end(page);
}

static char *bound_str(const VhAttrField *f, uint64_t value, const char *why)
{
    g_autofree char *text = vh_attr_str(f, value);

    return why ? g_strdup_printf("%s (%s)", text, why) : g_steal_pointer(&text);
}

static void draw_attr(VhPage *page, const VhAttrsInfo *attrs,
                      const VhAttrField *f)
{
    VhAttrBounds b = vh_attr_bounds(attrs, f);
    g_autofree char *now = vh_attr_str(f, vh_attr_value(attrs, f));
    g_autofree char *min = bound_str(f, b.min, b.min_why);
    g_autofree char *max = bound_str(f, b.max, b.max_why);
    g_autofree char *text =
        g_strdup_printf("%s; allowed: %s .. %s", now, min, max);

    draw(page, f->name, VH_STYLE_PLAIN, text);
    draw(page, "", VH_STYLE_DIM, f->meaning);
}

static int show(const VhInfo *info, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    for (const VhAttrField *f = vh_attr_fields(); f->name; f++) {
        draw_attr(page, &info->attrs, f);
    }
    if (info->stats.throttled) {
        g_autofree char *effective =
            vh_duration_str(info->stats.effective_sampling_interval);
        g_autofree char *text = g_strdup_printf(
            "sampling every %s to stay within the limits", effective);

        draw(page, "throttled", VH_STYLE_WARN, text);
    }
    return vh_cli_print_page(page);
}

/* The attributes of a reply of query-vmheat. */
static int print_attrs(JsonNode *reply)
{
    return vh_cli_print_json(
        json_object_get_member(json_node_get_object(reply), "attrs"));
}

static bool is_given(const VhOptions *options, const VhAttrField *f)
{
    return vh_attr_value(&options->attrs, f) != UINT64_MAX;
}

/* What vmheat-set shall change; NULL: nothing. */
static JsonObject *wanted(const VhOptions *options)
{
    g_autoptr(JsonObject) out = json_object_new();

    for (const VhAttrField *f = vh_attr_fields(); f->name; f++) {
        if (is_given(options, f)) {
            json_object_set_int_member(out, f->name,
                                       vh_attr_value(&options->attrs, f));
        }
    }
    return json_object_get_size(out) ? g_steal_pointer(&out) : NULL;
}

static int print_change(const VhOptions *options, const VhAttrsInfo *before,
                        const VhAttrsInfo *now, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    for (const VhAttrField *f = vh_attr_fields(); f->name; f++) {
        uint64_t old = vh_attr_value(before, f), new = vh_attr_value(now, f);
        g_autofree char *from = vh_attr_str(f, old);
        g_autofree char *to = vh_attr_str(f, new);
        g_autofree char *text =
            old == new ? g_strdup_printf("%s, as before", to)
                       : g_strdup_printf("%s %s %s", from,
                                         term->utf8 ? "\u2192" : "->", to);

        if (is_given(options, f) || old != new) {
            draw(page, f->name, VH_STYLE_PLAIN, text);
        }
    }
    return vh_cli_print_page(page);
}

static int change(VhClient *client, JsonObject *arguments, const VhInfo *info,
                  const VhOptions *options, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) reply =
        vh_client_command(client, "vmheat-set", arguments, &error);
    VhAttrsInfo now;

    if (!reply || !vh_attrs_parse(reply, &now, &error)) {
        return vh_cli_fail(error);
    }
    return options->json ? vh_cli_print_json(reply)
                         : print_change(options, &info->attrs, &now, term);
}

int vh_cmd_tune(const VhOptions *options, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhClient) client = vh_cli_open(options, &error);
    g_autoptr(VhInfo) info = client ? vh_query_info(client, &error) : NULL;
    JsonObject *arguments = info ? wanted(options) : NULL;

    if (!info) {
        return vh_cli_fail(error);
    }
    if (arguments) {
        return change(client, arguments, info, options, term);
    }
    return options->json ? print_attrs(info->json) : show(info, term);
}
