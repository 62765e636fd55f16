/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of "schemes". */
#include <inttypes.h>

#include "fields.h"
#include "scheme-words.h"
#include "schemes.h"
#include "table.h"
#include "units.h"

static const VhColumn columns[] = {
    { "NAME", false, 5 }, { "ACTION", false, 2 }, { "STATE", false, 4 },
    { "TRIED", true, 0 }, { "APPLIED", true, 3 }, { "REFAULTED", true, 1 },
    { "GOAL", true, 1 },
};

static VhStyle state_style(const char *state)
{
    return g_str_equal(state, "active")     ? VH_STYLE_GOOD
           : g_str_equal(state, "back-off") ? VH_STYLE_WARN
                                            : VH_STYLE_DIM;
}

/* Not 100 % before it is reached. */
static char *score_str(const VhSchemeInfo *s)
{
    uint64_t score = s->goal_score;

    if (!s->has_score) {
        return g_strdup("-");
    }
    if (score < 10000) {
        score = MIN(score, 9999) / 100;
        return g_strdup_printf("%" PRIu64 " %%", score);
    }
    return g_strdup("reached");
}

static void put_scheme(VhTable *t, const VhSchemeInfo *s)
{
    const VhSchemeCounters *c = &s->stats;
    VhStyle refaults = c->refaulted ? VH_STYLE_WARN : VH_STYLE_PLAIN;
    bool reached = s->has_score && s->goal_score >= 10000;

    vh_table_put(t, VH_STYLE_BOLD, g_strdup(s->name));
    vh_table_put(t, VH_STYLE_PLAIN, g_strdup(s->action));
    vh_table_put(t, state_style(s->state), g_strdup(s->state));
    vh_table_put(t, VH_STYLE_PLAIN, vh_size_str(c->sz_tried));
    vh_table_put(t, VH_STYLE_PLAIN, vh_size_str(c->sz_applied));
    vh_table_put(t, refaults, vh_size_str(c->refaulted));
    vh_table_put(t, reached ? VH_STYLE_GOOD : VH_STYLE_PLAIN, score_str(s));
}

static void note(VhTable *t, VhStyle style, const char *key, const char *text)
{
    if (text) {
        vh_table_note(t, style, g_strconcat(key, ": ", text, NULL));
    }
}

static char *quota_str(const VhSchemeInfo *s)
{
    g_autofree char *charged = vh_size_str(s->charged);
    g_autofree char *quota = vh_size_str(s->effective_quota);

    if (!s->has_quota) {
        return NULL;
    }
    return g_strdup_printf("%s of %s used; used up %" PRIu64 " times so far",
                           charged, quota, s->stats.qt_exceeds);
}

static char *trouble_str(const VhSchemeCounters *c)
{
    if (!c->errors && !c->back_offs) {
        return NULL;
    }
    return g_strdup_printf("refused by the host %" PRIu64
                           " times, backed off %" PRIu64 " times",
                           c->errors, c->back_offs);
}

static void put_notes(VhTable *t, const VhSchemeInfo *s)
{
    g_autofree char *words = vh_scheme_words(s->scheme);
    g_autofree char *goals = vh_goal_words(s->scheme, s->goal_values);
    g_autofree char *quota = quota_str(s);
    g_autofree char *trouble = trouble_str(&s->stats);

    note(t, VH_STYLE_PLAIN, "memory", words);
    note(t, state_style(s->state), "why", s->reason);
    note(t, VH_STYLE_PLAIN, "quota", quota);
    note(t, VH_STYLE_PLAIN, "goal", goals);
    note(t, VH_STYLE_DIM, "now", s->detail);
    note(t, VH_STYLE_WARN, "trouble", trouble);
}

void vh_schemes_draw(VhPage *page, const VhSchemeList *list)
{
    g_autoptr(VhTable) t = vh_table_new(columns, G_N_ELEMENTS(columns));

    if (!list->nr) {
        vh_page_wrap(page, VH_STYLE_PLAIN, 0,
                     "no schemes; try: vmheat schemes --apply reclaim");
        vh_page_end(page);
        return;
    }
    for (size_t i = 0; i < list->nr; i++) {
        put_scheme(t, &list->schemes[i]);
        put_notes(t, &list->schemes[i]);
    }
    vh_table_draw(t, page);
}

static void draw_tried(VhPage *page, const VhSchemeInfo *s,
                       const VhSnapshot *snap)
{
    VhSnapshot tried = *snap;
    g_autofree const VhRegion **sorted = NULL;
    g_autofree char *title =
        g_strdup_printf("Tried by %s: %zu region%s", s->name, s->tried.nr,
                        s->tried.nr == 1 ? "" : "s");

    vh_field_heading(page, title);
    if (!s->tried.nr) {
        return;
    }
    tried.nr = s->tried.nr;
    tried.regions = s->tried.regions;
    tried.has_writes = s->tried.has_writes;
    tried.has_rates = s->tried.has_rates;
    tried.has_write_rates = s->tried.has_write_rates;
    sorted = vh_regions_sorted(&tried, VH_SORT_ADDRESS);
    vh_regions_draw(page, &tried, sorted, tried.nr);
}

void vh_schemes_draw_tried(VhPage *page, const VhSchemeList *list,
                           const VhSnapshot *snap)
{
    for (size_t i = 0; i < list->nr; i++) {
        draw_tried(page, &list->schemes[i], snap);
    }
}

static void draw_action(VhPage *page, const VhActionInfo *a)
{
    VhStyle style = a->available ? VH_STYLE_PLAIN : VH_STYLE_DIM;

    vh_field(page, style, a->name, "%s", a->summary);
    if (a->available) {
        vh_field(page, VH_STYLE_GOOD, "", "available");
    } else {
        vh_field(page, VH_STYLE_WARN, "", "not available: %s",
                 a->reason ? a->reason : "no reason given");
    }
    if (a->needs) {
        vh_field(page, VH_STYLE_DIM, "", "needs %s", a->needs);
    }
}

void vh_actions_draw(VhPage *page, const VhActionList *list)
{
    for (size_t i = 0; i < list->nr; i++) {
        draw_action(page, &list->actions[i]);
    }
}
