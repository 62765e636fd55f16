/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report schemes" verb: what schemes did in the time of a record. */
#include "input.h"
#include "schemes.h"

/* The record's begin, from which options count, is not known before. */
static void set_range(VhSchemeReport *r)
{
    const VhOptions *o = r->options;
    uint64_t origin = r->about.origin;

    r->history.from = o->from_us ? vh_input_after(origin, o->from_us) : 0;
    r->history.to = vh_input_after(origin, o->to_us);
}

/* What is no such thing as it should be is told once. */
static void take(void *opaque, const VhRecordItem *item)
{
    VhSchemeReport *r = opaque;
    bool good = true;

    if (item->type != VH_RECORD_SCHEMES && item->type != VH_RECORD_EVENT) {
        return;
    }
    set_range(r);
    if (item->type == VH_RECORD_SCHEMES) {
        good =
            vh_scheme_history_schemes(&r->history, item->time_ns, item->json);
    } else {
        good = vh_scheme_history_event(&r->history, item->time_ns, item->json);
    }
    if (!good && !r->foreign) {
        vh_cli_complain("some of what the record tells of schemes is of "
                        "another vmheat; it is left out");
        r->foreign = true;
    }
}

static int print(const VhSchemeReport *r, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);
    g_autoptr(JsonNode) json = NULL;
    g_autofree char *raw = NULL;

    if (r->options->json) {
        json = vh_scheme_report_json(r);
        return vh_cli_print_json(json);
    }
    if (r->options->raw) {
        raw = vh_scheme_report_raw(r);
        return vh_cli_print(raw);
    }
    vh_scheme_report_draw(r, page);
    return vh_cli_print_page(page);
}

static int report_record(const VhOptions *options, const VhTerm *term)
{
    VhSchemeReport r = { .options = options };
    int code, damage;

    vh_scheme_history_init(&r.history, 0, UINT64_MAX);
    damage = vh_input_read(options, &r.about, take, &r);
    code = damage && damage != VH_EXIT_DAMAGED ? damage : print(&r, term);
    vh_scheme_history_clear(&r.history);
    vh_about_clear(&r.about);
    return code ? code : damage;
}

int vh_cmd_report_schemes(const VhOptions *options, const VhTerm *term)
{
    bool live = !options->input && vh_cli_target(options);
    const char *why = NULL;

    if (options->input && options->domain) {
        why = "give either a record with --input or a domain, not both";
    } else if (live && (options->raw || options->from_us ||
                        options->to_us != UINT64_MAX)) {
        why = "--raw, --from and --to are of a record; name one with --input";
    }
    if (why) {
        vh_cli_complain(why);
        return VH_EXIT_USAGE;
    }
    return live ? vh_cmd_schemes(options, term) : report_record(options, term);
}
