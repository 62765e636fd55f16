/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sums.h"

#define PAGE 4096.0

const unsigned vh_ages[VH_NR_AGES] = { 10, 60, 600, 3600 };
const double vh_idle_bounds[VH_NR_IDLE_BOUNDS] = { 0.1,  1,    5,     10,
                                                   30,   60,   300,   600,
                                                   1800, 3600, 21600, 86400 };
const double vh_rate_bounds[VH_NR_RATE_BOUNDS] = { 0.001, 0.01, 0.03, 0.1,
                                                   0.3,   1,    3,    10,
                                                   30,    100,  300 };

const char *vh_sums_class_name(unsigned i)
{
    return i == VH_CLASS_NEVER ? "never" : vh_class_name(i);
}

static unsigned bucket(const double *bounds, unsigned nr, double value)
{
    unsigned i = 0;

    while (i < nr && value > bounds[i]) {
        i++;
    }
    return i;
}

/* Idle since the monitor began, but for what rounding takes. */
static uint64_t never_from(const VhSnapshot *s)
{
    VhRegion one = { .age = 1 };
    uint64_t each = vh_snapshot_age_us(s, &one);

    return MAX(s->sequence * each * 95 / 100, VH_IDLE_US);
}

static VhClass class_at(const VhSnapshot *s, const VhRegion *r, double rate)
{
    VhRegion at = *r;

    at.rate = rate;
    return vh_class_of(s, &at);
}

static void add_heat(const VhSnapshot *s, const VhRegion *r, VhSums *sums)
{
    uint64_t bytes = r->end - r->start;
    double rate = vh_region_rate(s, r);

    sums->rate_buckets[bucket(vh_rate_bounds, VH_NR_RATE_BOUNDS, rate)] +=
        bytes;
    sums->rate_hertz += rate * bytes;
    sums->heat += rate * bytes / PAGE;
    sums->write_heat += r->write_rate * bytes / PAGE;
    if (s->has_rates &&
        class_at(s, r, r->rate_low) == class_at(s, r, r->rate_high)) {
        sums->confidence += bytes;
    }
}

static void add_idle(const VhRegion *r, VhSums *sums)
{
    uint64_t bytes = r->end - r->start;
    double seconds = r->idle_us / 1e6;

    sums->idle_buckets[bucket(vh_idle_bounds, VH_NR_IDLE_BOUNDS, seconds)] +=
        bytes;
    sums->idle_seconds += seconds * bytes;
    for (unsigned i = 0; i < VH_NR_AGES; i++) {
        sums->idle[i] += seconds >= vh_ages[i] ? bytes : 0;
    }
}

void vh_sums_of(const VhSnapshot *s, VhSums *sums)
{
    uint64_t never = never_from(s);

    *sums = (VhSums){ .has_write_heat = s->has_write_rates };
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];
        unsigned class =
            r->idle_us >= never ? VH_CLASS_NEVER : vh_class_of(s, r);

        sums->total += r->end - r->start;
        sums->classes[class] += r->end - r->start;
        add_idle(r, sums);
        add_heat(s, r, sums);
    }
    sums->confidence = !s->has_rates ? -1
                       : sums->total ? sums->confidence / sums->total
                                     : 1;
}
