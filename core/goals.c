/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quota goals.
 *
 * Each goal has a score, current / target in 1/10000: 10000 is reached. The
 * best score counts, because it makes the scheme least aggressive. A metric
 * that is to come down (guest-rss, guest-free) is target / current.
 *
 * The tuners are DAMOS's. consist feeds the score into a loop that changes the
 * quota in proportion to the distance from the goal: the quota settles where
 * the score is 10000. temporal allows all until the goal is reached.
 *
 * A metric nobody knows is left out. When none is known the score is 10000:
 * consist keeps the quota as it was, temporal allows nothing. A running total
 * (some-mem-psi-us) is not known before the second look.
 */
#include <glib.h>

#include "goals.h"

void vh_goals_set(VhGoals *g, const VhQuota *from, const VhQuota *to)
{
    VhGoalState *v = g_new0(VhGoalState, to->nr_goals);

    for (size_t i = 0; from && i < MIN(g->nr, to->nr_goals); i++) {
        if (from->goals[i].metric == to->goals[i].metric) {
            v[i] = g->v[i];
        }
    }
    g_free(g->v);
    g->v = v;
    g->nr = to->nr_goals;
    if (!g->nr) {
        g->score = 0;
    }
}

void vh_goals_clear(VhGoals *g)
{
    g_free(g->v);
    *g = (VhGoals){ 0 };
}

uint64_t vh_feed_loop(uint64_t last, uint64_t score)
{
    const uint64_t goal = VH_GOAL_REACHED, least = 10000;
    bool over = score > goal;
    uint64_t diff, change;

    if (score == goal) {
        return last;
    }
    if (score >= goal * 2) {
        return least;
    }
    diff = over ? score - goal : goal - score;
    change = last < UINT64_MAX / diff ? last * diff / goal : last / goal * diff;
    if (over) {
        return MAX(last - change, least);
    }
    return last < UINT64_MAX - change ? last + change : UINT64_MAX;
}

/* The difference of a running total since the last look. */
static bool difference(VhGoalState *g, uint64_t total)
{
    bool known = g->looked;

    g->current = known && total > g->total ? total - g->total : 0;
    g->total = total;
    g->looked = true;
    return known;
}

static bool look(VhGoalState *g, const VhGoal *goal, const VhSchemesEnv *env)
{
    uint64_t value;

    if (goal->metric == VH_METRIC_USER_INPUT) {
        g->current = goal->current;
        return true;
    }
    if (!env->metric || !env->metric(env->opaque, goal->metric, &value)) {
        return false;
    }
    if (goal->metric == VH_METRIC_SOME_MEM_PSI_US) {
        return difference(g, value);
    }
    g->current = value;
    return true;
}

static uint64_t ratio(uint64_t a, uint64_t b)
{
    unsigned __int128 x = (unsigned __int128)a * VH_GOAL_REACHED;

    x /= MAX(b, 1);
    return MIN(x, UINT64_MAX);
}

static uint64_t score_of(const VhGoalState *g, const VhGoal *goal)
{
    if (goal->metric == VH_METRIC_GUEST_RSS ||
        goal->metric == VH_METRIC_GUEST_FREE) {
        return g->current ? ratio(goal->target, g->current) : VH_GOAL_REACHED;
    }
    return ratio(g->current, goal->target);
}

static uint64_t score(VhGoals *g, const VhScheme *s, const VhSchemesEnv *env)
{
    uint64_t best = 0, before = g->score;
    bool known = false;

    for (size_t i = 0; i < g->nr; i++) {
        if (look(&g->v[i], &s->quota.goals[i], env)) {
            best = MAX(best, score_of(&g->v[i], &s->quota.goals[i]));
            known = true;
        }
    }
    if (!known) {
        return VH_GOAL_REACHED;
    }
    g->score = best;
    if (before < VH_GOAL_REACHED && best >= VH_GOAL_REACHED &&
        env->goal_reached) {
        env->goal_reached(env->opaque, s, best);
    }
    return best;
}

uint64_t vh_goals_size(VhGoals *g, const VhScheme *s, const VhSchemesEnv *env)
{
    uint64_t now = score(g, s, env);

    if (s->quota.tuner == VH_TUNER_CONSIST) {
        g->esz_bp = vh_feed_loop(MAX(g->esz_bp, 10000), now);
        return g->esz_bp / 10000;
    }
    if (now >= VH_GOAL_REACHED) {
        return 0;
    }
    return s->quota.size ? s->quota.size : UINT64_MAX;
}
