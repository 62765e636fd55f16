/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is true of the estimator exposure whatever is done to it. */
#include "exposure-lab.h"

#define GRANULE_MOST 512 /* pages */

static bool one_in(Lab *l, uint64_t n)
{
    return !vh_rng_below(&l->rng, n);
}

/*
 * Sorted, disjoint, some touching, some far away; maybe none. Where granules
 * are not of one page no two ranges have pages of the same.
 */
static void some_ranges(Lab *l, bool large)
{
    VhRange r[8];
    size_t n = vh_rng_below(&l->rng, 5);
    uint64_t at = one_in(l, 2) ? 0 : vh_rng_below(&l->rng, 1ULL << 20);

    at *= PAGE;
    for (size_t i = 0; i < n; i++) {
        uint64_t pages = chance_log(&l->rng, 1, 20000);

        at = large ? (at / PAGE / GRANULE_MOST + 1) * GRANULE_MOST * PAGE : at;
        at += one_in(l, 3) ? 0 : vh_rng_below(&l->rng, 1000) * PAGE;
        at += i ? PAGE : 0; /* ranges that touch are one */
        r[i] = (VhRange){ at, at + pages * PAGE };
        at = r[i].end;
    }
    lab_set_ranges(l, r, n);
}

static void some_heat(Lab *l)
{
    lab_settle(l);
    for (int i = 0; i < LAB_HOT; i++) {
        LabHot *h = &l->hot[i];
        const VhRange *r;
        uint64_t pages;

        *h = (LabHot){ 0 };
        if (!l->nr_ranges) {
            continue;
        }
        r = &l->ranges[vh_rng_below(&l->rng, l->nr_ranges)];
        pages = (r->end - r->start) / PAGE;
        h->at.start = r->start + vh_rng_below(&l->rng, pages) * PAGE;
        h->at.end = h->at.start + (1 + vh_rng_below(&l->rng, pages)) * PAGE;
        h->hz = chance_log(&l->rng, 0.001, 10000);
        h->writes = vh_rng_unit(&l->rng);
    }
}

static void some_attrs(Lab *l)
{
    VhAttrs *a = &l->attrs;

    a->sampling_us = chance_log(&l->rng, 1000, 200000);
    a->aggregation_us = a->sampling_us * (1 + vh_rng_below(&l->rng, 20));
    a->min_regions = 3 + vh_rng_below(&l->rng, 30);
    a->max_regions = a->min_regions + vh_rng_below(&l->rng, 300);
    lab_ops->set_attrs(l->e, a);
}

static double some_or_all(Lab *l, double most)
{
    return one_in(l, 4)   ? 0
           : one_in(l, 4) ? INFINITY
                          : chance_log(&l->rng, 0.1, most);
}

static void some_budget(Lab *l)
{
    VhPlanBudget *b = &l->budget;
    double arms = some_or_all(l, 1000);

    b->max_checks = vh_rng_below(&l->rng, LAB_CHECKS + 1);
    b->max_arms = isinf(arms) ? SIZE_MAX : arms;
    b->max_fires = some_or_all(l, 1000);
    b->fires_per_s = one_in(l, 5) ? INFINITY : chance_log(&l->rng, 0.1, 5000);
    b->asks_per_s = chance_log(&l->rng, 1, 30000);
}

/* Another primitive: with it come a pause and the map. */
static void other_primitive(Lab *l, bool large)
{
    VhRange same[16];

    memcpy(same, l->ranges, sizeof(same));
    lab_pause(l, 1);
    l->granule = large ? PAGE << vh_rng_below(&l->rng, 10) : PAGE;
    l->budget.persistent = !one_in(l, 3);
    l->odd = one_in(l, 2) ? 0 : vh_rng_unit(&l->rng) / 2;
    l->was_odd |= l->odd > 0;
    lab_set_ranges(l, same, l->nr_ranges);
}

static void some_age(Lab *l)
{
    uint64_t from = vh_rng_below(&l->rng, 1ULL << 15);

    lab_ops->reset_age(
        l->e,
        (VhRange){ from * PAGE, (from + vh_rng_below(&l->rng, 1000)) * PAGE });
}

static void something(Lab *l, bool large)
{
    switch (vh_rng_below(&l->rng, 8)) {
    case 0:
        some_ranges(l, large);
        break;
    case 1:
        some_heat(l);
        break;
    case 2:
        some_attrs(l);
        break;
    case 3:
        some_budget(l);
        break;
    case 4:
        other_primitive(l, large);
        break;
    case 5:
        some_age(l);
        break;
    case 6:
        lab_pause(l, chance_log(&l->rng, MS, 86400.0 * S));
        break;
    case 7:
        l->writes = one_in(l, 2);
        break;
    }
}

static void live(uint64_t seed, int steps)
{
    bool large = seed % 2;
    Lab l;

    lab_begin(&l, 16 * MIB, seed);
    some_ranges(&l, large);
    for (int i = 0; i < steps; i++) {
        if (one_in(&l, 50)) {
            something(&l, large);
        }
        lab_tick(&l, l.attrs.sampling_us * 1000 * (one_in(&l, 100) ? 20 : 1));
    }
    g_test_message("seed %" G_GUINT64_FORMAT ": %zu regions, %" G_GUINT64_FORMAT
                   " armed, %" G_GUINT64_FORMAT " asked",
                   seed, l.snap->nr_regions, l.news, l.asks);
    lab_end(&l);
}

static void test_any(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        live(seed, 2000);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exposure/any", test_any);
    return g_test_run();
}
