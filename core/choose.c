/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which regions to check; theory of operation in choose.h. */
#include <glib.h>
#include <string.h>

#include "choose.h"

/* Buckets of the counting sort: 0 goes first. */
#define STARVED_BUCKETS 8
#define VARIANCE_BUCKETS 56
#define BUCKETS (STARVED_BUCKETS + VARIANCE_BUCKETS)

/* How much one observation moves VhChooser::mapped. */
#define MAPPED_GAIN (1.0 / 64)

/* The chance of a region nobody has looked at yet. */
#define UNKNOWN_CHANCE 0.5

/* Aggregations without a change after which history weighs no more. */
#define HISTORY_AGE_MAX 3

void vh_chooser_init(VhChooser *c, size_t room)
{
    *c = (VhChooser){ .mapped = 1 };
    vh_chooser_reserve(c, room);
}

void vh_chooser_reserve(VhChooser *c, size_t room)
{
    if (room > c->room) {
        c->order = g_renew(uint32_t, c->order, room);
        c->room = room;
    }
}

void vh_chooser_clear(VhChooser *c)
{
    g_free(c->order);
    *c = (VhChooser){ 0 };
}

void vh_chooser_learn(VhChooser *c, bool present)
{
    c->mapped += (present - c->mapped) * MAPPED_GAIN;
}

static double history(const VhRegion *r, uint32_t max)
{
    return r->known ? MIN(r->last_nr_accesses, max) / (double)max
                    : UNKNOWN_CHANCE;
}

double vh_chance(const VhRegion *r, uint32_t max)
{
    if (r->answered && !r->fires && !(r->known && r->last_nr_accesses)) {
        return 0;
    }
    return (r->fires + history(r, max)) / (r->answered + 1);
}

/*
 * Variance of the access rate, given Jeffreys' prior and the history. The
 * longer a region has been the same, the more samples its history is worth.
 */
static double variance(const VhRegion *r, uint32_t max)
{
    double h = history(r, max);
    double weight = 1 + MIN(r->age, HISTORY_AGE_MAX);
    double a = 0.5 + weight * h + r->fires;
    double b = 0.5 + weight * (1 - h) + (r->answered - r->fires);

    return a * b / ((a + b) * (a + b) * (a + b + 1));
}

static unsigned bucket_of(const VhRegion *r, uint32_t max)
{
    /* Beta(1, 1), the widest there is: 1/12 */
    double rank = 1 - variance(r, max) * 12;

    if (!r->answered && r->starved) {
        return STARVED_BUCKETS - MIN(r->starved, STARVED_BUCKETS);
    }
    return STARVED_BUCKETS + CLAMP(rank, 0, 0.999) * VARIANCE_BUCKETS;
}

static double arm_cost(const VhChooser *c, double chance)
{
    return chance + (1 - chance) * c->mapped;
}

static bool ample(const VhChooser *c, const VhRegions *rs, uint32_t max,
                  const VhPlanBudget *budget)
{
    double fires = 0, arms = 0;

    for (size_t i = 0; i < rs->nr; i++) {
        double chance = vh_chance(&rs->v[i], max);

        fires += chance;
        arms += arm_cost(c, chance);
    }
    return rs->nr <= budget->max_checks && fires <= MAX(budget->max_fires, 0) &&
           arms <= budget->max_arms;
}

/* Counting sort into c->order: no allocation, and equals take turns. */
static void sort_by_need(VhChooser *c, const VhRegions *rs, uint32_t max,
                         VhRng *rng)
{
    size_t next[BUCKETS + 1] = { 0 };
    size_t first = vh_rng_below(rng, rs->nr);

    for (size_t i = 0; i < rs->nr; i++) {
        next[bucket_of(&rs->v[i], max) + 1]++;
    }
    for (size_t b = 1; b <= BUCKETS; b++) {
        next[b] += next[b - 1];
    }
    for (size_t k = 0; k < rs->nr; k++) {
        size_t i = (first + k) % rs->nr;

        c->order[next[bucket_of(&rs->v[i], max)]++] = i;
    }
}

/* Keeps of c->order what fits into @budget; returns how many. */
static size_t keep_affordable(VhChooser *c, const VhRegions *rs, uint32_t max,
                              const VhPlanBudget *budget)
{
    double fires = MAX(budget->max_fires, 0), arms = budget->max_arms;
    size_t kept = 0;

    for (size_t k = 0; k < rs->nr && kept < budget->max_checks; k++) {
        double chance = vh_chance(&rs->v[c->order[k]], max);
        double cost = arm_cost(c, chance);

        if (cost > arms) {
            break;
        }
        if (chance > fires) {
            fires = 0;
            continue;
        }
        fires -= chance;
        arms -= cost;
        c->order[kept++] = c->order[k];
    }
    return kept;
}

size_t vh_choose(VhChooser *c, const VhRegions *rs, uint32_t max,
                 const VhPlanBudget *budget, VhRng *rng)
{
    if (!rs->nr) {
        return 0;
    }
    if (!ample(c, rs, max, budget)) {
        sort_by_need(c, rs, max, rng);
        return keep_affordable(c, rs, max, budget);
    }
    for (size_t i = 0; i < rs->nr; i++) {
        c->order[i] = i;
    }
    return rs->nr;
}
