/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report access" verb: snapshots of a machine or of a record. */
#include <inttypes.h>
#include <string.h>

#include "input.h"
#include "show.h"

#define NS 1000000000

static void set(JsonObject *arguments, const char *name, uint64_t value)
{
    if (value != UINT64_MAX) {
        json_object_set_int_member(arguments, name, value);
    }
}

/* What need not be sent; the filter sees to the rest, and cuts. */
static JsonObject *new_arguments(const VhOptions *options)
{
    JsonObject *arguments = json_object_new();

    set(arguments, "start", options->start);
    set(arguments, "end", options->end);
    set(arguments, "min-nr-accesses", options->min_nr_accesses);
    return arguments;
}

static int report_live(const VhOptions *options, VhShow *show)
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
    return snap ? vh_show(show, snap, NULL) : vh_cli_fail(error);
}

/* What the record says of its machine; realtime 0: nothing. */
typedef struct Machine {
    char *name;
    int64_t realtime, monotonic;
} Machine;

static int64_t member_int(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && json_node_get_value_type(node) == G_TYPE_INT64
               ? json_node_get_int(node)
               : 0;
}

static void read_machine(Machine *m, const char *json)
{
    g_autoptr(JsonNode) node = json_from_string(json, NULL);
    JsonObject *o = node && JSON_NODE_HOLDS_OBJECT(node)
                        ? json_node_get_object(node)
                        : NULL;
    JsonNode *name = o ? json_object_get_member(o, "name") : NULL;

    if (!o) {
        return;
    }
    g_free(m->name);
    m->name = name && json_node_get_value_type(name) == G_TYPE_STRING
                  ? json_node_dup_string(name)
                  : NULL;
    m->realtime = member_int(o, "realtime");
    m->monotonic = member_int(o, "monotonic");
}

/* Also as --from and --to take it. */
static char *head_of(const Machine *m, const VhSnapshot *s, uint64_t begin)
{
    uint64_t ms = (s->end_time - MIN(begin, s->end_time)) / 1000000;
    g_autofree char *after = g_strdup_printf("%.12gs", ms / 1e3);
    bool named = m->name && *m->name;
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *clock = NULL;

    if (m->realtime > 0) {
        __int128 ns = (__int128)m->realtime + s->end_time - m->monotonic;

        time = g_date_time_new_from_unix_local(CLAMP(ns / NS, 0, INT32_MAX));
        clock = time ? g_date_time_format(time, "%F %T %Z") : NULL;
    }
    return g_strdup_printf("%s%s%s%s%s into the record", named ? m->name : "",
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
    Machine machine;
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
    g_autofree char *head = head_of(&w->machine, s, vh_input_begin(w->in));

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

static int no_snapshot(const Walk *w)
{
    const char *path = vh_input_path(w->in);
    g_autofree char *why = NULL;

    if (!w->seen) {
        why = g_strdup_printf("'%s' has no snapshots%s", path,
                              w->options->ranged ? " of that time" : "");
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
        if (item.type == VH_RECORD_VM) {
            read_machine(&w->machine, item.json);
        } else if (item.type == VH_RECORD_SNAPSHOTS) {
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
    if (options->which == VH_WHICH_LAST) {
        vh_input_skip(w.in);
    } else if (term->tty) {
        vh_input_quiet(w.in); /* what is shown tells how far it is */
    }
    code = walk(&w);
    damage = vh_input_close(w.in);
    g_free(w.machine.name);
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
