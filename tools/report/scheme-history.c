/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "scheme-history.h"
#include "../client/json-text.h"
#include "../reader.h"
#include "../units.h"

#define COUNTER(name, words, member, unit)                           \
    {                                                                \
        name, words, G_STRUCT_OFFSET(VhSchemeCounters, member), unit \
    }

const VhSchemeCounter *vh_scheme_counters(void)
{
    static const VhSchemeCounter all[] = {
        COUNTER("sz-tried", "tried", sz_tried, 'b'),
        COUNTER("sz-applied", "applied", sz_applied, 'b'),
        COUNTER("refaulted", "refaulted", refaulted, 'b'),
        COUNTER("qt-exceeds", "quota full", qt_exceeds, 0),
        COUNTER("errors", "refused", errors, 0),
        COUNTER("back-offs", "backed off", back_offs, 0),
        COUNTER("time", "time spent", time, 't'),
        COUNTER("nr-tried", "regions tried", nr_tried, 0),
        COUNTER("nr-applied", "regions done", nr_applied, 0),
        COUNTER("sz-filter-passed", "filtered", sz_filter_passed, 'b'),
        COUNTER("nr-snapshots", "snapshots", nr_snapshots, 0),
        {},
    };

    return all;
}

uint64_t vh_scheme_counter(const VhSchemeCounters *c, const VhSchemeCounter *of)
{
    return G_STRUCT_MEMBER(uint64_t, c, of->offset);
}

void vh_scheme_history_init(VhSchemeHistory *h, uint64_t from, uint64_t to)
{
    *h = (VhSchemeHistory){
        .from = from,
        .to = to,
        .pasts = g_array_new(false, true, sizeof(VhSchemePast)),
        .happenings = g_array_new(false, true, sizeof(VhHappening)),
    };
}

static VhSchemePast *nth(const VhSchemeHistory *h, guint i)
{
    return &g_array_index(h->pasts, VhSchemePast, i);
}

static void forget(VhSchemeHistory *h)
{
    for (guint i = 0; i < h->pasts->len; i++) {
        g_free(nth(h, i)->name);
        g_free(nth(h, i)->action);
        g_free(nth(h, i)->state);
    }
    g_array_set_size(h->pasts, 0);
}

void vh_scheme_history_clear(VhSchemeHistory *h)
{
    forget(h);
    for (guint i = 0; i < h->happenings->len; i++) {
        VhHappening *e = &g_array_index(h->happenings, VhHappening, i);

        g_free(e->event);
        g_free(e->scheme);
        g_free(e->text);
    }
    g_array_free(h->pasts, true);
    g_array_free(h->happenings, true);
}

/* @text is taken. */
static void happened(VhSchemeHistory *h, uint64_t ns, const char *event,
                     const char *scheme, char *text)
{
    VhHappening one = { .ns = ns,
                        .event = g_strdup(event),
                        .scheme = g_strdup(scheme),
                        .text = text };

    g_array_append_val(h->happenings, one);
}

static VhSchemePast *find(const VhSchemeHistory *h, const VhSchemeInfo *s)
{
    for (guint i = 0; i < h->pasts->len; i++) {
        VhSchemePast *p = nth(h, i);

        if (!p->gone && g_str_equal(p->name, s->name) &&
            g_str_equal(p->action, s->action)) {
            return p;
        }
    }
    return NULL;
}

static VhSchemePast *begin(VhSchemeHistory *h, uint64_t ns,
                           const VhSchemeInfo *s)
{
    VhSchemePast one = { .name = g_strdup(s->name),
                         .action = g_strdup(s->action),
                         .state = g_strdup(s->state),
                         .first = s->stats,
                         .last = s->stats,
                         .first_ns = ns,
                         .has_score = s->has_score,
                         .first_score = s->goal_score };

    if (h->blocks) {
        happened(h, ns, "", s->name, g_strdup("was set"));
    }
    g_array_append_val(h->pasts, one);
    return nth(h, h->pasts->len - 1);
}

/* Adds what was counted; returns whether counters began anew. */
static bool count(VhSchemePast *p, const VhSchemeCounters *now)
{
    const VhSchemeCounter *all = vh_scheme_counters();
    bool anew = false;

    for (unsigned i = 0; all[i].name; i++) {
        anew |= vh_scheme_counter(now, &all[i]) <
                vh_scheme_counter(&p->last, &all[i]);
    }
    for (unsigned i = 0; all[i].name; i++) {
        uint64_t last = anew ? 0 : vh_scheme_counter(&p->last, &all[i]);

        G_STRUCT_MEMBER(uint64_t, &p->did, all[i].offset) +=
            vh_scheme_counter(now, &all[i]) - last;
    }
    p->last = *now;
    return anew;
}

/* Backing off has an event of its own. */
static void compare_state(VhSchemeHistory *h, uint64_t ns, VhSchemePast *p,
                          const VhSchemeInfo *s)
{
    bool told =
        g_str_equal(s->state, "back-off") ||
        (g_str_equal(p->state, "back-off") && g_str_equal(s->state, "active"));

    if (!g_str_equal(p->state, s->state) && !told) {
        happened(h, ns, "", s->name,
                 g_strdup_printf("%s%s%s", s->state, s->reason ? ": " : "",
                                 s->reason ? s->reason : ""));
    }
    g_free(p->state);
    p->state = g_strdup(s->state);
}

static void take(VhSchemeHistory *h, uint64_t ns, const VhSchemeInfo *s)
{
    VhSchemePast *p = find(h, s);

    if (!p) {
        p = begin(h, ns, s);
    } else {
        compare_state(h, ns, p, s);
        if (count(p, &s->stats)) {
            happened(h, ns, "", s->name, g_strdup("counters began anew"));
        }
    }
    p->last_ns = ns;
    p->has_score = s->has_score;
    p->last_score = s->goal_score;
}

static void take_list(VhSchemeHistory *h, uint64_t ns, const VhSchemeList *list)
{
    for (size_t i = 0; i < list->nr; i++) {
        take(h, ns, &list->schemes[i]);
    }
    for (guint i = 0; i < h->pasts->len; i++) {
        VhSchemePast *p = nth(h, i);

        if (!p->gone && p->last_ns != ns) {
            p->gone = true;
            happened(h, ns, "", p->name, g_strdup("was removed"));
        }
    }
    h->blocks++;
}

bool vh_scheme_history_schemes(VhSchemeHistory *h, uint64_t ns,
                               const char *json)
{
    g_autoptr(JsonNode) root = vh_json_parse(json);
    JsonObject *o = vh_read_opt_object(root);
    JsonNode *schemes = o ? json_object_get_member(o, "schemes") : NULL;
    g_autoptr(VhSchemeList) list =
        schemes ? vh_schemes_parse(schemes, NULL) : NULL;

    if (!list) {
        return false;
    }
    if (ns > h->to) {
        return true;
    }
    if (ns < h->from) {
        forget(h);
        h->blocks = 0;
    }
    take_list(h, ns, list);
    return true;
}

static uint64_t number_of(JsonObject *o, const char *name)
{
    return MAX(vh_read_opt_int(o, name), 0);
}

static char *with_reason(const char *what, JsonObject *data)
{
    const char *reason = vh_read_opt_string(data, "reason");

    return reason ? g_strconcat(what, ": ", reason, NULL) : g_strdup(what);
}

static char *event_words(const char *event, JsonObject *data)
{
    g_autofree char *what = NULL;

    if (g_str_equal(event, "VMHEAT_SCHEME_GOAL_REACHED")) {
        return g_strdup_printf("goal reached: %" PRIu64 " %%",
                               number_of(data, "score") / 100);
    }
    if (g_str_equal(event, "VMHEAT_SCHEME_BACK_OFF")) {
        g_autofree char *time = vh_duration_str(number_of(data, "duration"));

        what = g_strconcat("backs off for ", time, NULL);
    } else if (g_str_equal(event, "VMHEAT_STATE_CHANGED")) {
        const char *state = vh_read_opt_string(data, "state");

        what = g_strconcat("monitor ", state ? state : "?", NULL);
    } else if (g_str_equal(event, "VMHEAT_PRIMITIVE_CHANGED")) {
        const char *primitive = vh_read_opt_string(data, "primitive");

        what = g_strconcat("primitive ", primitive ? primitive : "?", NULL);
    } else {
        what = g_strdup(event);
    }
    return with_reason(what, data);
}

bool vh_scheme_history_event(VhSchemeHistory *h, uint64_t ns, const char *json)
{
    g_autoptr(JsonNode) root = vh_json_parse(json);
    JsonObject *o = vh_read_opt_object(root);
    const char *event = vh_read_opt_string(o, "event");
    JsonObject *data =
        o ? vh_read_opt_object(json_object_get_member(o, "data")) : NULL;
    const char *scheme = vh_read_opt_string(data, "scheme");

    if (!event) {
        return false;
    }
    if (ns >= h->from && ns <= h->to) {
        happened(h, ns, event, scheme ? scheme : "", event_words(event, data));
    }
    return true;
}
