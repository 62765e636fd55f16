/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "temperature.h"

/* More is absurd, and would not be finite when weighted. */
#define RATE_MAX 1e18

static double rate_of(const VhSnapshot *s, const VhRegion *r)
{
    if (s->has_rates) {
        return r->rate < RATE_MAX ? r->rate : RATE_MAX;
    }
    return s->max_nr_accesses ? 100.0 * r->nr_accesses / s->max_nr_accesses : 0;
}

double vh_temperature(const VhSnapshot *s, const VhRegion *r,
                      const VhWeights *w)
{
    double t = w->size * (r->end - r->start) + w->rate * rate_of(s, r) +
               w->age * vh_snapshot_age_us(s, r);

    return r->nr_accesses || t == 0 ? t : -t;
}
