/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As many regions as min_regions and max_regions allow. */
#include <math.h>
#include <string.h>

#include "exposure.h"

static double heat(double hz)
{
    return -expm1(-hz * VH_HEAT_S);
}

static uint64_t size_of(const VhSnapRegion *r)
{
    return r->end - r->start;
}

/* What is told wrongly when @b becomes part of @a; negative: it must not. */
static double loss(const VhSnapRegion *a, const VhSnapRegion *b)
{
    double differ = fabs(heat(a->rate) - heat(b->rate)) +
                    fabs(heat(a->write_rate) - heat(b->write_rate));

    return a->end == b->start ? differ * MIN(size_of(a), size_of(b)) : -1;
}

static void absorb(VhSnapRegion *a, const VhSnapRegion *b)
{
    double x = size_of(a), y = size_of(b), sum = x + y;

#define MEAN(member) (a->member = (a->member * x + b->member * y) / sum)
    MEAN(rate);
    MEAN(rate_low);
    MEAN(rate_high);
    MEAN(write_rate);
    MEAN(age);
#undef MEAN
    a->idle_ms = MIN(a->idle_ms, b->idle_ms);
    a->end = b->end;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The @n-th smallest loss, from 1; the largest if there are fewer. */
static double nth_loss(const VhSnapRegion *v, size_t nr, size_t n)
{
    g_autofree double *all = g_new(double, nr);
    size_t k = 0;

    for (size_t i = 1; i < nr; i++) {
        double l = loss(&v[i - 1], &v[i]);

        if (l >= 0) {
            all[k++] = l;
        }
    }
    qsort(all, k, sizeof(*all), ascending);
    return k ? all[MIN(n, k) - 1] : -1;
}

/* Merges @n pairs of neighbours, those whose difference matters least. */
static void merge(GArray *regions, size_t n)
{
    VhSnapRegion *v = (VhSnapRegion *)regions->data;
    double most = nth_loss(v, regions->len, n);
    size_t to = 0;

    for (size_t i = 1; i < regions->len; i++) {
        double l = loss(&v[to], &v[i]);

        if (n && l >= 0 && l <= most) {
            absorb(&v[to], &v[i]);
            n--;
        } else {
            v[++to] = v[i];
        }
    }
    g_array_set_size(regions, to + 1);
}

/* What follows from the means of regions that were merged. */
static void finish(const VhExposure *e, GArray *regions)
{
    for (size_t i = 0; i < regions->len; i++) {
        VhSnapRegion *r = &g_array_index(regions, VhSnapRegion, i);

        r->nr_accesses = vh_exposure_accesses(e, r->rate);
        r->nr_writes =
            MIN(vh_exposure_accesses(e, r->write_rate), r->nr_accesses);
        /* nr_accesses of 0 tells schemes that it was idle for that long */
        if (!r->nr_accesses) {
            r->age = MIN(r->age, r->idle_ms * 1000 / e->attrs.aggregation_us);
        }
    }
}

/* Cuts what is larger than 1/min_regions of all, as long as there is room. */
static void cut_large(const VhExposure *e, GArray *regions)
{
    uint64_t limit = MAX(e->pages / e->attrs.min_regions, 1) * VH_PAGE_SIZE;

    for (size_t i = 0; i < regions->len; i++) {
        VhSnapRegion *r = &g_array_index(regions, VhSnapRegion, i), rest = *r;

        if (size_of(r) > limit && regions->len < e->attrs.max_regions) {
            r->end = rest.start = r->start + limit;
            g_array_insert_val(regions, i + 1, rest);
        }
    }
}

void vh_exposure_bound(const VhExposure *e, GArray *regions)
{
    size_t before;

    do {
        before = regions->len;
        if (before > e->attrs.max_regions) {
            merge(regions, before - e->attrs.max_regions);
        }
    } while (regions->len < before && regions->len > e->attrs.max_regions);
    finish(e, regions);
    cut_large(e, regions);
}
