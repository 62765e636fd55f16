/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schemes as values: copying and freeing. */
#include <glib.h>

#include "scheme.h"

void vh_scheme_clear(VhScheme *s)
{
    g_free(s->name);
    g_free(s->args.nodes);
    g_free(s->quota.goals);
    for (size_t i = 0; i < s->nr_filters; i++) {
        g_free(s->filters[i].id);
    }
    g_free(s->filters);
    *s = (VhScheme){ 0 };
}

void vh_scheme_copy(VhScheme *to, const VhScheme *from)
{
    *to = *from;
    to->name = g_strdup(from->name);
    to->args.nodes =
        g_memdup2(from->args.nodes, from->args.nr_nodes * sizeof(VhNodeWeight));
    to->quota.goals =
        g_memdup2(from->quota.goals, from->quota.nr_goals * sizeof(VhGoal));
    to->filters = g_memdup2(from->filters, from->nr_filters * sizeof(VhFilter));
    for (size_t i = 0; i < to->nr_filters; i++) {
        to->filters[i].id = g_strdup(from->filters[i].id);
    }
}

char *vh_scheme_name(const VhScheme *s, size_t index)
{
    return s->name ? g_strdup(s->name)
                   : g_strdup_printf("%s-%zu", s->action->name, index);
}

static bool same_bounds(const VhBounds *a, const VhBounds *b)
{
    return a->min == b->min && a->max == b->max;
}

static bool same_pattern(const VhPattern *a, const VhPattern *b)
{
    return same_bounds(&a->size, &b->size) &&
           same_bounds(&a->nr_accesses, &b->nr_accesses) &&
           a->rate_min == b->rate_min && a->rate_max == b->rate_max &&
           a->by_rate == b->by_rate && same_bounds(&a->age, &b->age) &&
           a->age_is_time == b->age_is_time;
}

static bool same_args(const VhActionArgs *a, const VhActionArgs *b)
{
    const VhBalloonArgs *x = &a->balloon, *y = &b->balloon;

    if (a->nr_nodes != b->nr_nodes) {
        return false;
    }
    for (size_t i = 0; i < a->nr_nodes; i++) {
        if (a->nodes[i].node != b->nodes[i].node ||
            a->nodes[i].weight != b->nodes[i].weight) {
            return false;
        }
    }
    return x->floor == y->floor && x->ceiling == y->ceiling &&
           x->headroom_permille == y->headroom_permille && x->step == y->step &&
           x->hysteresis == y->hysteresis;
}

/* What user input says now may differ. */
static bool same_quota(const VhQuota *a, const VhQuota *b)
{
    if (a->nr_goals != b->nr_goals) {
        return false;
    }
    for (size_t i = 0; i < a->nr_goals; i++) {
        if (a->goals[i].metric != b->goals[i].metric ||
            a->goals[i].target != b->goals[i].target) {
            return false;
        }
    }
    return a->time_us == b->time_us && a->size == b->size &&
           a->reset_us == b->reset_us && a->weight_size == b->weight_size &&
           a->weight_accesses == b->weight_accesses &&
           a->weight_age == b->weight_age && a->tuner == b->tuner;
}

static bool same_watermarks(const VhWatermarks *a, const VhWatermarks *b)
{
    return a->used == b->used && a->metric == b->metric &&
           a->interval_us == b->interval_us && a->high == b->high &&
           a->mid == b->mid && a->low == b->low;
}

static bool same_filters(const VhScheme *a, const VhScheme *b)
{
    if (a->nr_filters != b->nr_filters) {
        return false;
    }
    for (size_t i = 0; i < a->nr_filters; i++) {
        const VhFilter *x = &a->filters[i], *y = &b->filters[i];

        if (x->type != y->type || x->matching != y->matching ||
            x->allow != y->allow || x->start != y->start || x->end != y->end ||
            x->node != y->node || g_strcmp0(x->id, y->id)) {
            return false;
        }
    }
    return true;
}

bool vh_scheme_same(const VhScheme *a, const VhScheme *b)
{
    return a->action == b->action && same_pattern(&a->pattern, &b->pattern) &&
           same_args(&a->args, &b->args) && a->apply_us == b->apply_us &&
           same_quota(&a->quota, &b->quota) &&
           same_watermarks(&a->watermarks, &b->watermarks) &&
           same_filters(a, b) && a->max_snapshots == b->max_snapshots &&
           a->back_off.refault_permille == b->back_off.refault_permille &&
           a->back_off.psi == b->back_off.psi;
}
