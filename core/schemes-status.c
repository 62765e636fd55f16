/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What schemes did and do, for other threads; theory of operation: schemes.c.
 */
#include <glib.h>
#include <inttypes.h>

#include "pass.h"
#include "pattern.h"

static char *reason(const VhSchemeRun *r, VhSchemeState state)
{
    switch (state) {
    case VH_SCHEME_INACTIVE:
        return g_strdup(r->watermarks.reason);
    case VH_SCHEME_BACK_OFF:
        return g_strdup(r->off.reason);
    case VH_SCHEME_FINISHED:
        return g_strdup_printf("max-snapshots %" PRIu64 " is reached",
                               r->s.max_snapshots);
    default:
        return NULL;
    }
}

static uint64_t *goal_values(const VhGoals *g)
{
    uint64_t *v = g_new(uint64_t, g->nr);

    for (size_t i = 0; i < g->nr; i++) {
        v[i] = g->v[i].current;
    }
    return v;
}

/* What there is to say beside numbers, or NULL. */
static char *detail(const VhSchemes *e, const VhSchemeRun *r)
{
    const VhActionOps *action = r->s.action;
    char *said = action->detail ? action->detail(r->state) : NULL;
    g_autofree char *blind =
        e->env.blind ? e->env.blind(e->env.opaque, &r->s) : NULL;
    g_autofree char *alone = NULL;

    if (!said || !blind) {
        return said ? said : g_steal_pointer(&blind);
    }
    alone = said;
    return g_strdup_printf("%s; %s", blind, alone);
}

void vh_run_publish(VhSchemes *e, VhSchemeRun *r)
{
    uint64_t now = vh_clock_now(&e->env.action.clock);
    VhSchemeState state = vh_run_state(r, now);
    VhSchemeStatus new = { .state = state,
                           .reason = reason(r, state),
                           .stats = r->stats,
                           .effective_size = r->charge.esz,
                           .charged_size = r->charge.charged,
                           .goal_score = r->goals.score,
                           .goal_current = goal_values(&r->goals),
                           .detail = detail(e, r) };
    VhSchemeStatus old;

    pthread_mutex_lock(&e->lock);
    old = r->pub;
    new.tried = old.tried;
    new.nr_tried = old.nr_tried;
    new.tried_truncated = old.tried_truncated;
    r->pub = new;
    r->pub_nr_goals = r->goals.nr;
    pthread_mutex_unlock(&e->lock);
    g_free(old.reason);
    g_free(old.goal_current);
    g_free(old.detail);
}

void vh_run_publish_tried(VhSchemes *e, VhSchemeRun *r, const VhSnapshot *snap)
{
    VhSnapRegion *tried =
        g_new(VhSnapRegion, MIN(snap->nr_regions, VH_TRIED_MAX));
    VhSnapRegion *old;
    size_t n = 0, i;

    for (i = 0; i < snap->nr_regions; i++) {
        if (!vh_pattern_match(&r->s.pattern, snap, &snap->regions[i])) {
            continue;
        }
        if (n == VH_TRIED_MAX) {
            break;
        }
        tried[n++] = snap->regions[i];
    }
    pthread_mutex_lock(&e->lock);
    old = r->pub.tried;
    r->pub.tried = tried;
    r->pub.nr_tried = n;
    r->pub.tried_truncated = i < snap->nr_regions;
    pthread_mutex_unlock(&e->lock);
    g_free(old);
}

/* Lock held. */
static void copy_status(VhSchemeStatus *to, const VhSchemeRun *r)
{
    const VhSchemeStatus *from = &r->pub;
    size_t nr_goals = r->s.quota.nr_goals;

    *to = *from;
    vh_scheme_copy(&to->scheme, &r->s);
    to->reason = g_strdup(from->reason);
    to->detail = g_strdup(from->detail);
    to->tried = g_memdup2(from->tried, from->nr_tried * sizeof(*to->tried));
    to->goal_current = g_new0(uint64_t, nr_goals);
    for (size_t i = 0; i < MIN(nr_goals, r->pub_nr_goals); i++) {
        to->goal_current[i] = from->goal_current[i];
    }
}

VhSchemeStatus *vh_schemes_status(VhSchemes *e, size_t *n)
{
    VhSchemeStatus *v;

    pthread_mutex_lock(&e->lock);
    *n = e->nr;
    v = g_new0(VhSchemeStatus, e->nr);
    for (size_t i = 0; i < e->nr; i++) {
        copy_status(&v[i], e->runs[i]);
    }
    pthread_mutex_unlock(&e->lock);
    return v;
}

void vh_schemes_status_free(VhSchemeStatus *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        vh_scheme_clear(&v[i].scheme);
        g_free(v[i].reason);
        g_free(v[i].goal_current);
        g_free(v[i].tried);
        g_free(v[i].detail);
    }
    g_free(v);
}
