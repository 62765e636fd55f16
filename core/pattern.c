/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access patterns, and the priority of regions: damon_hot_score() and
 * damon_cold_score() of Linux mm/damon/ops-common.c in the same integer steps,
 * so that the same region gets the same score.
 *
 * The weight of the size, which DAMON carries but never uses, is ours: a
 * subscore by the logarithm of the size, 100 at 2^20 pages (4 GiB), mixed into
 * the finished score. Larger comes first for hot and cold alike.
 */
#include <glib.h>

#include "pattern.h"

#define SUBSCORE_MAX 100
#define AGE_LOG_MAX 32
#define SIZE_LOG_MAX 20

static bool within(const VhBounds *b, uint64_t value)
{
    return b->min <= value && value <= b->max;
}

double vh_region_rate(const VhSnapshot *s, uint32_t nr_accesses)
{
    uint64_t us = MAX(s->attrs.aggregation_us, 1);

    return nr_accesses * 1e6 / us;
}

static bool accesses_match(const VhPattern *p, const VhSnapshot *snap,
                           uint32_t nr_accesses)
{
    double rate;

    if (!p->by_rate) {
        return within(&p->nr_accesses, nr_accesses);
    }
    rate = vh_region_rate(snap, nr_accesses);
    return p->rate_min <= rate && rate <= p->rate_max;
}

bool vh_pattern_match(const VhPattern *p, const VhSnapshot *snap,
                      const VhSnapRegion *r)
{
    uint64_t unit = p->age_is_time ? snap->attrs.aggregation_us : 1;

    return within(&p->size, r->end - r->start) &&
           accesses_match(p, snap, r->nr_accesses) &&
           within(&p->age, r->age * unit);
}

/* Bits of @n, at most @max: 0 for 0, 1 for 1, 2 for 2 and 3, ... */
static int bits(uint64_t n, int max)
{
    int i = 0;

    for (; i < max && n; i++) {
        n >>= 1;
    }
    return i;
}

/* damon_hot_score(): 0 .. 99 */
static unsigned hot_score(const VhQuota *q, const VhSnapshot *snap,
                          const VhSnapRegion *r)
{
    uint64_t freq_weight = q->weight_accesses, age_weight = q->weight_age;
    uint64_t max = MAX(snap->max_nr_accesses, 1);
    uint64_t freq = MIN(r->nr_accesses, max) * SUBSCORE_MAX / max;
    /* an unsigned int there, too */
    uint32_t age_s = r->age * snap->attrs.aggregation_us / 1000000;
    int age_log = bits(age_s, AGE_LOG_MAX);
    uint64_t age, hotness;

    if (!freq) {
        age_log = -age_log; /* idle: the longer the colder */
    }
    age = (age_log + AGE_LOG_MAX) * SUBSCORE_MAX / AGE_LOG_MAX / 2;
    hotness = freq_weight * freq + age_weight * age;
    if (freq_weight + age_weight) {
        hotness /= freq_weight + age_weight;
    }
    return hotness * VH_SCORE_MAX / SUBSCORE_MAX;
}

static unsigned size_score(const VhSnapRegion *r)
{
    uint64_t pages = (r->end - r->start) / VH_PAGE_SIZE;
    int log = bits(pages, SIZE_LOG_MAX + 1) - 1;

    return MAX(log, 0) * SUBSCORE_MAX / SIZE_LOG_MAX * VH_SCORE_MAX /
           SUBSCORE_MAX;
}

unsigned vh_scheme_score(const VhScheme *s, const VhSnapshot *snap,
                         const VhSnapRegion *r)
{
    const VhQuota *q = &s->quota;
    uint64_t others = (uint64_t)q->weight_accesses + q->weight_age;
    unsigned score;

    if (s->action->prio == VH_PRIO_NONE) {
        return VH_SCORE_MAX;
    }
    score = hot_score(q, snap, r);
    if (s->action->prio == VH_PRIO_COLD) {
        score = VH_SCORE_MAX - score;
    }
    if (!q->weight_size) {
        return score;
    }
    return (others * score + (uint64_t)q->weight_size * size_score(r)) /
           (others + q->weight_size);
}
