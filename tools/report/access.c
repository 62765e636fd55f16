/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report access" verb: snapshots of a machine or of a record. */
#include <inttypes.h>
#include <string.h>

#include "about.h"
#include "input.h"
#include "show.h"

#define NS 1000000000

static int report_live(const VhOptions *options, VhShow *show)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) reply = NULL;
    g_autoptr(VhSnapshot) snap =
        vh_show_query(options, UINT64_MAX, &reply, &error);

    return snap ? vh_show(show, snap, NULL) : vh_cli_fail(error);
}

/* Also as --from and --to take it. */
static char *head_of(const VhAbout *a, const VhSnapshot *s)
{
    uint64_t ms = (s->end_time - MIN(a->origin, s->end_time)) / 1000000;
    g_autofree char *after = g_strdup_printf("%.12gs", ms / 1e3);
    bool named = a->name && *a->name;
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *clock = NULL;

    if (a->realtime > 0) {
        __int128 ns = (__int128)a->realtime + s->end_time - a->monotonic;

        time = g_date_time_new_from_unix_local(CLAMP(ns / NS, 0, INT32_MAX));
        clock = time ? g_date_time_format(time, "%F %T %Z") : NULL;
    }
    return g_strdup_printf("%s%s%s%s%s into the record", named ? a->name : "",
                           named ? ", " : "", clock ? clock : "",
                           clock ? ", " : "", after);
}

/*
 * Snapshots of a record, one after another.
 * seen: passed by; low, high: their numbers
 * last: the latest, when no more than that is asked for
 */
typedef struct Walk {
    const VhOptions *options;
    VhShow *show;
    VhInput *in;
    VhAbout about;
    uint64_t seen, low, high, shown;
    VhSnapshot last;
} Walk;

static void keep(VhSnapshot *to, const VhSnapshot *from)
{
    VhRegion *regions = g_renew(VhRegion, to->regions, from->nr + 1);

    memcpy(regions, from->regions, from->nr * sizeof(*regions));
    *to = *from;
    to->regions = regions;
}

static int show_one(Walk *w, const VhSnapshot *s)
{
    g_autofree char *head = head_of(&w->about, s);

    w->shown++;
    return vh_show(w->show, s, head);
}

static int meet(Walk *w, const VhSnapshot *s)
{
    w->low = w->seen ? MIN(w->low, s->sequence) : s->sequence;
    w->high = w->seen ? MAX(w->high, s->sequence) : s->sequence;
    w->seen++;
    switch (w->options->which) {
    case VH_WHICH_ALL:
        return show_one(w, s);
    case VH_WHICH_NUMBER:
        return s->sequence == w->options->number ? show_one(w, s) : VH_EXIT_OK;
    default:
        keep(&w->last, s);
        return VH_EXIT_OK;
    }
}

/* For programs: what a machine tells that has none yet. */
static int no_snapshot(const Walk *w)
{
    const VhSnapshot none = { 0 };
    const char *path = vh_input_path(w->in);
    g_autofree char *why = NULL;

    if (!w->seen && w->options->json) {
        return vh_show(w->show, &none, NULL);
    }
    if (!w->seen) {
        why = g_strdup_printf("'%s' has no snapshots%s", path,
                              w->about.origin ? " of the time asked for" : "");
        return vh_show_nothing(w->show, why);
    }
    why = g_strdup_printf(
        "'%s' has no snapshot %" PRIu64 "%s: it has %" PRIu64 " .. %" PRIu64,
        path, w->options->number, w->options->ranged ? " of that time" : "",
        w->low, w->high);
    vh_cli_complain(why);
    return VH_EXIT_USAGE;
}

static int walk(Walk *w)
{
    VhRecordItem item;
    int code = VH_EXIT_OK;

    while (!code && vh_input_next(w->in, &item)) {
        vh_about_take(&w->about, &item);
        if (item.type == VH_RECORD_SNAPSHOTS) {
            code = meet(w, item.snapshot);
        }
    }
    if (!code && w->last.regions) {
        vh_input_quiet(w->in);
        code = show_one(w, &w->last);
    }
    return code || w->shown ? code : no_snapshot(w);
}

static int report_record(const VhOptions *options, const VhTerm *term,
                         VhShow *show)
{
    Walk w = { .options = options, .show = show };
    int code, damage;

    w.in = vh_input_open(options, &code);
    if (!w.in) {
        return code;
    }
    w.about.origin = vh_input_begin(w.in);
    if (options->which == VH_WHICH_LAST) {
        vh_input_skip(w.in);
    } else if (term->tty) {
        vh_input_quiet(w.in); /* what is shown tells how far it is */
    }
    code = walk(&w);
    damage = vh_input_close(w.in);
    vh_about_clear(&w.about);
    g_free(w.last.regions);
    return code ? code : damage;
}

int vh_cmd_report_access(const VhOptions *options, const VhTerm *term)
{
    VhFilter filter = vh_cli_filter(options);
    g_autoptr(VhShow) show = vh_show_new(options, term, &filter);

    return vh_cli_is_live(options) ? report_live(options, show)
                                   : report_record(options, term, show);
}
