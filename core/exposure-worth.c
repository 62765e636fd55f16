/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a wire rests after it fired.
 *
 * Theory of operation
 * -------------------
 * A fire is what costs the guest most, and the only thing that tells a rate
 * that is not zero. Fires are shared out by region, not by page. Each region
 * gets a base rate, so that changes are seen, and more the less its heat is
 * known: the standard deviation of the heat under the posterior of the rate
 * shrinks with each fire, and heat, unlike rate, does not care whether a page
 * is accessed 200 or 400 times a second. Where the wires of a region don't
 * agree well on its rate, each gets fires of its own by how far its own heat
 * may be from the region's: that is what finds borders between rates that are
 * not far apart.
 *
 * A region of n wires that is worth x fires a second has each armed again after
 * n/x seconds on average, less the time that a page of its rate takes to fire.
 */
#include <math.h>

#include "exposure.h"

#define BASE_SHARE 0.25f /* of all fires, for regions being there */
#define BASE_MIN 0.05f   /* fires a second of a region */
#define BASE_MAX 4.0f
#define UNSURE 0.1f /* standard deviation of heat worth UNSURE_PER_S */
#define UNSURE_PER_S 4.0f
#define MISFIT 0.4f  /* of heat, that is followed up */
#define OUTLIER 3.0f /* nats by which a wire is none of its region */
#define FEW_LIVES 4
#define OWN_PER_S 1.0f
#define SATURATED 2.0f /* expected accesses in a sampling interval */

/* Standard deviation from @mean, or from their own mean if that is < 0. */
static float spread_of(const VhExposure *e, const VhLikelihood *l, float mean)
{
    float max = vh_likelihood_max(l), sum = 0, first = 0, second = 0;

    for (int g = 0; g < VH_RATES; g++) {
        float p = expf(l->of[g] - max), h = e->heat[g];

        sum += p;
        first += p * h;
        second += p * h * h;
    }
    first /= sum;
    second /= sum;
    mean = mean < 0 ? first : mean;
    return sqrtf(MAX(second - 2 * mean * first + mean * mean, 0));
}

/* 0: its wires agree on the rate; 1: they are a mixture. */
static float mixture(const VhExposure *e, VhField *f, const VhSpan *r,
                     unsigned rate, VhLikelihood *sum)
{
    float misfit = 0;

    for (size_t i = r->first; i < r->end; i++) {
        VhLikelihood l;

        vh_wire_seen(&f->wires.v[i], &e->rates, vh_exposure_now(e), &l);
        vh_likelihood_add(sum, &l);
        misfit += vh_likelihood_max(&l) - l.of[rate];
    }
    return CLAMP(misfit / (r->end - r->first) * 2 - 0.5f, 0, 1);
}

/* Fires a second that @w is worth besides its region. */
static float own_worth(const VhExposure *e, VhWire *w, float mixed)
{
    VhLikelihood l;
    float misfit;

    if (w->state != VH_WIRE_DOWN || !w->nr) {
        return 0;
    }
    vh_wire_seen(w, &e->rates, vh_exposure_now(e), &l);
    if (vh_likelihood_max(&l) - l.of[w->rate] > OUTLIER) {
        mixed = 1;
    }
    if (mixed <= 0) {
        return 0;
    }
    misfit = spread_of(e, &l, e->heat[w->rate]);
    if (w->nr < FEW_LIVES && misfit > MISFIT) {
        w->urgent = true;
    }
    return mixed * misfit * OWN_PER_S;
}

static void set_delays(VhExposure *e, VhField *f, const VhSpan *r, float base)
{
    unsigned rate = f->wires.v[r->first].rate;
    VhLikelihood sum = { 0 };
    float mixed = mixture(e, f, r, rate, &sum);
    float worth = base + UNSURE_PER_S * MIN(1, spread_of(e, &sum, -1) / UNSURE);

    worth /= r->end - r->first;
    for (size_t i = r->first; i < r->end; i++) {
        VhWire *w = &f->wires.v[i];
        float own = own_worth(e, w, mixed);
        float until_fire = own > 0 ? 0 : 1 / e->rates.hz[rate];

        w->delay = vh_rates_code(1 / (worth + own) - until_fire);
    }
    f->saturated |= e->rates.hz[rate] * e->attrs.sampling_us > SATURATED * 1e6f;
}

void vh_exposure_worth(VhExposure *e, VhField *f)
{
    float fires = MIN(f->fires_per_s, 1e5);
    float base =
        CLAMP(BASE_SHARE * fires / MAX(f->regions, 1), BASE_MIN, BASE_MAX);
    VhSpan span = { 0 };

    f->regions = 0;
    f->saturated = false;
    for (size_t r = 0; r < e->nr_ranges; r++) {
        VhSpan region = { 0 };

        span = vh_exposure_span(e, f, r, span.end);
        while (vh_exposure_region(f, &span, &region)) {
            if (region.end > region.first) {
                set_delays(e, f, &region, base);
            }
            f->regions++;
        }
    }
}
