/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The classic estimator: DAMON's region-based sampling with adaptive region
 * adjustment, as published and as in Linux mm/damon/core.c.
 *
 * Theory of operation
 * -------------------
 * Memory is a set of regions assumed to be accessed uniformly. Each sampling
 * interval one random page of each region is checked; nr_accesses counts the
 * checks that fired. When the aggregation interval is over:
 *   1. a region's age grows by one, unless nr_accesses changed by more than
 *      the threshold (a tenth of the largest nr_accesses seen), or changed
 *      from or to 0: then it starts again at 0;
 *   2. touching neighbours whose nr_accesses differ by at most the threshold
 *      are merged, up to 1/min_regions of all memory each; when more than
 *      max_regions are left the threshold is doubled until they fit or
 *      everything alike or not was tried;
 *   3. the regions are published as the snapshot;
 *   4. counters are reset, and as long as there are at most max_regions/2
 *      regions, each is cut in two at a random place (in three when the
 *      number of regions did not change and is below max_regions/3): if the
 *      parts turn out to differ they stay apart, else they merge again.
 *
 * What differs from DAMON, and why
 * --------------------------------
 * A check of a mapped page costs the guest a fault, so plan() gets a budget
 * and may leave regions out of a sampling interval (choose.h says which).
 * Hence nr_accesses is the share of *answered* checks that fired, scaled to
 * the number of samples an aggregation has, rounded to nearest; with every
 * check answered that is DAMON's count exactly. A region without any answer
 * keeps its nr_accesses and age, is not split (nothing was learned that a
 * split could refine), and may be merged. SKIPPED and LOST checks are no
 * answers; SILENT ones are, whether or not the page was mapped.
 *
 * Writes: with a second primitive, plan() is asked for checks of writes as
 * well, of pages of their own. They give nr_writes in the same way; neighbours
 * merge only when both numbers are alike. Splits, ages and what to check look
 * at nr_accesses alone.
 *
 * New memory becomes new regions, about total/min_regions each; DAMON stretches
 * the neighbour, history and all, over memory it never saw. Ages grow once an
 * aggregation; DAMON's grow once per merge round.
 *
 * Schemes reset the age of what they were applied to. As in DAMON a region that
 * reaches beyond it is split there; not when there are max_regions already,
 * then it is one of two: all of it, if more than half was meant, or nothing.
 *
 * What it cannot see: anything smaller than what random splits isolate before
 * neighbours merge again, and differences below the threshold (10 %).
 */
#include <glib.h>
#include <string.h>

#include "choose.h"
#include "estimators.h"
#include "region.h"
#include "vmheat/estimator.h"

typedef struct Classic {
    VhAttrs attrs;
    VhRng rng;
    VhRegions regions;
    VhChooser chooser;
    uint32_t generation; /* of the region numbers in cookies */
    bool renumbered;     /* by classic_reset_age(), in this generation */
    size_t split_at_nr;  /* regions before the last split */
    bool writes;         /* checks for writes were planned since aggregate() */
} Classic;

static void *classic_create(const VhAttrs *attrs, const VhRng *rng)
{
    Classic *c = g_new0(Classic, 1);

    c->attrs = *attrs;
    c->rng = *rng;
    vh_chooser_init(&c->chooser, attrs->max_regions);
    vh_regions_reserve(&c->regions, attrs->max_regions);
    return c;
}

static void classic_destroy(void *e)
{
    Classic *c = e;

    vh_regions_clear(&c->regions);
    vh_chooser_clear(&c->chooser);
    g_free(c);
}

static void rescale(VhRegion *r, const VhAttrs *old, const VhAttrs *new)
{
    uint64_t max_old = vh_attrs_max_accesses(old);
    uint64_t max_new = vh_attrs_max_accesses(new);
    /* DAMON goes through hundredths of a percent, too */
    uint64_t bp = MIN(r->last_nr_accesses, max_old) * 10000 / max_old;

    r->last_nr_accesses = (bp * max_new + 5000) / 10000;
    r->nr_writes = MIN(r->nr_writes, max_old) * max_new / max_old;
    r->age = (uint64_t)r->age * old->aggregation_us / new->aggregation_us;
}

static void classic_set_attrs(void *e, const VhAttrs *attrs)
{
    Classic *c = e;

    if (c->attrs.sampling_us != attrs->sampling_us ||
        c->attrs.aggregation_us != attrs->aggregation_us) {
        for (size_t i = 0; i < c->regions.nr; i++) {
            rescale(&c->regions.v[i], &c->attrs, attrs);
        }
    }
    c->attrs = *attrs;
    vh_chooser_reserve(&c->chooser, attrs->max_regions);
    vh_regions_reserve(&c->regions, attrs->max_regions);
}

/* Largest region: so that there are always min_regions. */
static uint64_t size_limit(const Classic *c)
{
    uint64_t limit = vh_regions_total(&c->regions) / c->attrs.min_regions;

    return MAX(limit - limit % VH_PAGE_SIZE, VH_PAGE_SIZE);
}

static void next_generation(Classic *c)
{
    c->generation++;
    c->renumbered = false;
}

static void classic_set_ranges(void *e, const VhRange *ranges, size_t n)
{
    Classic *c = e;

    vh_regions_set_ranges(&c->regions, ranges, n, c->attrs.min_regions);
    vh_chooser_reserve(&c->chooser, c->regions.nr);
    next_generation(c);
}

static void forget_checks(VhRegion *r)
{
    r->fires = 0;
    r->answered = 0;
    r->write_fires = 0;
    r->write_answered = 0;
}

static void classic_restart(void *e)
{
    Classic *c = e;

    for (size_t i = 0; i < c->regions.nr; i++) {
        forget_checks(&c->regions.v[i]);
    }
}

static size_t classic_plan(void *e, const VhPlanBudget *budget, VhCheck *out)
{
    Classic *c = e;
    size_t n = vh_choose(&c->chooser, &c->regions,
                         vh_attrs_max_accesses(&c->attrs), budget, &c->rng);

    c->writes |= budget->write;
    for (size_t k = 0; k < n; k++) {
        uint32_t i = c->chooser.order[k];
        const VhRegion *r = &c->regions.v[i];
        uint64_t page = vh_rng_below(&c->rng, vh_region_size(r) / VH_PAGE_SIZE);

        out[k] = (VhCheck){ .gpa = r->start + page * VH_PAGE_SIZE,
                            .cookie = (uint64_t)c->generation << 32 | i,
                            .state = VH_CHECK_NEW,
                            .write = budget->write };
    }
    return n;
}

static bool holds(const VhRegion *r, uint64_t gpa)
{
    return gpa >= r->start && gpa < r->end;
}

static VhRegion *region_of(Classic *c, const VhCheck *check)
{
    size_t i = (uint32_t)check->cookie;

    if (check->cookie >> 32 != c->generation) {
        return NULL;
    }
    if (c->renumbered) {
        i = vh_regions_find(&c->regions, check->gpa);
    }
    return i < c->regions.nr && holds(&c->regions.v[i], check->gpa)
               ? &c->regions.v[i]
               : NULL;
}

static void classic_observe(void *e, const VhCheck *checks, size_t n)
{
    Classic *c = e;

    for (size_t k = 0; k < n; k++) {
        bool fired = checks[k].state == VH_CHECK_FIRED;
        VhRegion *r = region_of(c, &checks[k]);

        if (!r || (!fired && checks[k].state != VH_CHECK_SILENT)) {
            continue;
        }
        if (checks[k].write) {
            r->write_answered++;
            r->write_fires += fired;
            continue;
        }
        r->answered++;
        r->fires += fired;
        if (!fired) {
            vh_chooser_learn(&c->chooser, checks[k].present);
        }
    }
}

/* @fires of @answered checks, scaled to @max; rounded to nearest. */
static uint32_t scaled(uint64_t fires, uint64_t answered, uint32_t max)
{
    return (fires * max + answered / 2) / answered;
}

static void count_writes(const Classic *c, VhRegion *r, uint32_t max)
{
    if (!c->writes) {
        r->write_known = false; /* nobody looks any more */
    } else if (r->write_answered) {
        r->nr_writes = scaled(r->write_fires, r->write_answered, max);
        r->write_known = true;
    }
}

/* Turns counters into nr_accesses; returns the largest. */
static uint32_t count_accesses(Classic *c)
{
    uint32_t max = vh_attrs_max_accesses(&c->attrs), most = 0;

    for (size_t i = 0; i < c->regions.nr; i++) {
        VhRegion *r = &c->regions.v[i];

        r->nr_accesses = r->answered ? scaled(r->fires, r->answered, max)
                                     : r->last_nr_accesses;
        count_writes(c, r, max);
        most = MAX(most, r->nr_accesses);
    }
    return most;
}

static void grow_age(VhRegion *r, uint32_t threshold)
{
    uint32_t now = r->nr_accesses, last = r->last_nr_accesses;

    if (!r->answered) {
        return;
    }
    if (MAX(now, last) - MIN(now, last) > threshold || !now != !last) {
        r->age = 0;
    } else if (r->age < G_MAXUINT32) {
        r->age++;
    }
}

static void merge(Classic *c, uint32_t most)
{
    uint64_t limit = size_limit(c);
    uint32_t threshold = most / 10;

    for (size_t i = 0; i < c->regions.nr; i++) {
        grow_age(&c->regions.v[i], threshold);
    }
    vh_regions_merge(&c->regions, threshold, limit);
    while (c->regions.nr > c->attrs.max_regions && threshold < most) {
        threshold = MAX(1, threshold * 2);
        vh_regions_merge(&c->regions, threshold, limit);
    }
}

static VhSnapshot *publish(const Classic *c)
{
    VhSnapshot *s = vh_snapshot_new(c->regions.nr);

    s->attrs = c->attrs;
    s->max_nr_accesses = vh_attrs_max_accesses(&c->attrs);
    for (size_t i = 0; i < c->regions.nr; i++) {
        const VhRegion *r = &c->regions.v[i];

        s->regions[i] = (VhSnapRegion){ .start = r->start,
                                        .end = r->end,
                                        .nr_accesses = r->nr_accesses,
                                        .age = r->age,
                                        .nr_writes = r->nr_writes };
    }
    return s;
}

static void split(Classic *c)
{
    size_t nr = c->regions.nr;
    unsigned pieces = 2;

    if (nr > c->attrs.max_regions / 2) {
        return;
    }
    /* the middle may differ from both ends */
    if (nr == c->split_at_nr && nr < c->attrs.max_regions / 3) {
        pieces = 3;
    }
    c->split_at_nr = nr;
    vh_regions_split_random(&c->regions, pieces, &c->rng);
}

static void reset(Classic *c)
{
    for (size_t i = 0; i < c->regions.nr; i++) {
        VhRegion *r = &c->regions.v[i];

        r->last_nr_accesses = r->nr_accesses;
        r->starved = r->answered ? 0 : r->starved + 1;
        r->known |= r->answered > 0;
        forget_checks(r);
    }
}

static VhSnapshot *classic_aggregate(void *e)
{
    Classic *c = e;
    VhSnapshot *s;

    merge(c, count_accesses(c));
    s = publish(c);
    split(c);
    reset(c);
    c->writes = false;
    next_generation(c);
    return s;
}

/* Cuts region @i at @at, which is inside, if there may be one more. */
static bool cut(Classic *c, size_t i, uint64_t at)
{
    at -= at % VH_PAGE_SIZE;
    if (at <= c->regions.v[i].start || c->regions.nr >= c->attrs.max_regions) {
        return false;
    }
    vh_regions_split(&c->regions, i, at - c->regions.v[i].start);
    vh_chooser_reserve(&c->chooser, c->regions.nr);
    c->renumbered = true;
    return true;
}

static bool mostly_in(const VhRegion *r, VhRange range)
{
    uint64_t start = MAX(r->start, range.start);
    uint64_t end = MIN(r->end, range.end);

    return end - start > vh_region_size(r) / 2;
}

/*
 * Numbers of regions change, the generation does not: checks that are under way
 * are still good for the region that holds their page, see region_of().
 */
static void classic_reset_age(void *e, VhRange range)
{
    Classic *c = e;
    size_t i = vh_regions_find(&c->regions, range.start);

    if (range.start >= range.end) {
        return;
    }
    for (; i < c->regions.nr && c->regions.v[i].start < range.end; i++) {
        if (c->regions.v[i].start < range.start && cut(c, i, range.start)) {
            continue; /* the right part is next */
        }
        if (c->regions.v[i].end > range.end) {
            cut(c, i, range.end);
        }
        if (mostly_in(&c->regions.v[i], range)) {
            c->regions.v[i].age = 0;
        }
    }
}

static size_t classic_bytes(const void *e)
{
    const Classic *c = e;

    return sizeof(*c) + c->regions.room * sizeof(*c->regions.v) +
           c->chooser.room * sizeof(*c->chooser.order);
}

const VhEstimatorOps vh_estimator_classic = {
    .name = "classic",
    .summary = "DAMON's region-based sampling with adaptive regions",
    .create = classic_create,
    .destroy = classic_destroy,
    .set_attrs = classic_set_attrs,
    .set_ranges = classic_set_ranges,
    .restart = classic_restart,
    .plan = classic_plan,
    .observe = classic_observe,
    .aggregate = classic_aggregate,
    .reset_age = classic_reset_age,
    .bytes = classic_bytes,
};
