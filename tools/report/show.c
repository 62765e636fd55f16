/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "show.h"
#include "snapshot-json.h"

struct VhShow {
    const VhOptions *options;
    const VhTerm *term;
    VhFilter filter;
    VhAccessView view;
    VhSnapshot filtered; /* its regions are kept for the next one */
    bool again;
};

static void set(JsonObject *arguments, const char *name, uint64_t value)
{
    if (value != UINT64_MAX) {
        json_object_set_int_member(arguments, name, value);
    }
}

VhSnapshot *vh_show_query(const VhOptions *options, uint64_t limit,
                          JsonNode **reply, GError **error)
{
    g_autoptr(VhClient) client = vh_cli_open(options, error);
    JsonObject *arguments;

    if (!client) {
        return NULL;
    }
    arguments = json_object_new();
    set(arguments, "start", options->start);
    set(arguments, "end", options->end);
    set(arguments, "min-nr-accesses", options->min_nr_accesses);
    set(arguments, "limit", limit);
    *reply =
        vh_client_command(client, "query-vmheat-regions", arguments, error);
    return *reply ? vh_snapshot_parse(*reply, error) : NULL;
}

VhShow *vh_show_new(const VhOptions *options, const VhTerm *term,
                    const VhFilter *filter)
{
    VhShow *show = g_new0(VhShow, 1);

    show->options = options;
    show->term = term;
    show->filter = *filter;
    show->view = (VhAccessView){ .style = options->style,
                                 .order = { options->sort, options->reverse,
                                            options->weights },
                                 .limit = options->limit };
    return show;
}

void vh_show_free(VhShow *show)
{
    if (show) {
        g_free(show->filtered.regions);
        g_free(show);
    }
}

static int print_page(VhShow *show, const VhChosen *c, const char *head)
{
    g_autoptr(VhPage) page = vh_page_new(show->term);

    if (show->again) {
        vh_page_end(page);
    }
    if (head) {
        vh_page_wrap(page, VH_STYLE_BOLD, 2, head);
        vh_page_end(page);
    }
    vh_access_draw(page, c, &show->view);
    show->again = true;
    return vh_cli_print_page(page);
}

static int print(VhShow *show, const VhChosen *c, const char *head)
{
    g_autofree char *json = NULL;
    g_autoptr(GString) raw = NULL;

    if (show->options->json) {
        json = vh_snapshot_json(c);
        return vh_cli_print(json);
    }
    if (show->options->raw) {
        raw = g_string_new(NULL);
        vh_access_raw(raw, c, &show->view);
        return vh_cli_print(raw->str);
    }
    return print_page(show, c, head);
}

int vh_show(VhShow *show, const VhSnapshot *snap, const char *head)
{
    VhChosen c;
    int code;

    if (!snap->sequence && !show->options->json) {
        return vh_show_nothing(show,
                               "no snapshot yet: the first one comes after an "
                               "aggregation interval");
    }
    if (!vh_filter_is_all(&show->filter)) {
        vh_filter_apply(&show->filter, snap, &show->filtered);
        snap = &show->filtered;
    }
    vh_chosen_init(&c, snap, &show->view);
    code = print(show, &c, head);
    vh_chosen_clear(&c);
    return code;
}

int vh_show_nothing(const VhShow *show, const char *why)
{
    g_autoptr(VhPage) page = vh_page_new(show->term);

    if (show->options->json || show->options->raw) {
        vh_cli_complain(why);
        return VH_EXIT_OK;
    }
    vh_page_wrap(page, VH_STYLE_PLAIN, 0, why);
    vh_page_end(page);
    return vh_cli_print_page(page);
}
