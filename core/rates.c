/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Likelihoods of access rates; theory of operation in rates.h. */
#include <glib.h>
#include <math.h>

#include "rates.h"

#define CODE_FIRST_S 0.00025
#define CODES_PER_OCTAVE 8
#define TAIL 0.05 /* probability left out at either end */

void vh_rates_init(VhRates *r)
{
    for (int g = 0; g < VH_RATES; g++) {
        r->hz[g] = VH_RATE_MIN * pow(VH_RATE_STEP, g);
        r->log_hz[g] = log(r->hz[g]);
    }
    r->seconds[0] = 0;
    for (int c = 1; c < VH_TIME_CODES; c++) {
        r->seconds[c] = CODE_FIRST_S * exp2((c - 1) / (double)CODES_PER_OCTAVE);
    }
    for (int c = 0; c < VH_TIME_CODES; c++) {
        /* in no time at all: as in the shortest there is a code for */
        double t = r->seconds[MAX(c, 1)];

        for (int g = 0; g < VH_RATES; g++) {
            r->fired[c][g] = log(-expm1(-r->hz[g] * t));
        }
    }
}

uint8_t vh_rates_code(double seconds)
{
    double c;

    if (seconds < CODE_FIRST_S / 2) {
        return 0;
    }
    c = 1 + rint(log2(seconds / CODE_FIRST_S) * CODES_PER_OCTAVE);
    return CLAMP(c, 1, VH_TIME_CODES - 1);
}

unsigned vh_rates_nearest(double hz)
{
    double g;

    if (hz <= VH_RATE_MIN) {
        return 0;
    }
    g = rint(log(hz / VH_RATE_MIN) / log(VH_RATE_STEP));
    return MIN(g, VH_RATES - 1);
}

void vh_likelihood_silent(const VhRates *r, VhLikelihood *l, float seconds)
{
    for (int g = 0; g < VH_RATES; g++) {
        l->of[g] -= r->hz[g] * seconds;
    }
}

void vh_likelihood_fired(const VhRates *r, VhLikelihood *l, float weight,
                         float silent, uint8_t interval)
{
    const float *fired = r->fired[interval];

    for (int g = 0; g < VH_RATES; g++) {
        l->of[g] += weight * (fired[g] - r->hz[g] * silent);
    }
}

void vh_likelihood_events(const VhRates *r, VhLikelihood *l, float weight,
                          float fires, float seconds)
{
    for (int g = 0; g < VH_RATES; g++) {
        l->of[g] += weight * (fires * r->log_hz[g] - r->hz[g] * seconds);
    }
}

void vh_likelihood_add(VhLikelihood *l, const VhLikelihood *b)
{
    for (int g = 0; g < VH_RATES; g++) {
        l->of[g] += b->of[g];
    }
}

unsigned vh_likelihood_best(const VhLikelihood *l)
{
    unsigned best = 0;

    for (unsigned g = 1; g < VH_RATES; g++) {
        best = l->of[g] > l->of[best] ? g : best;
    }
    return best;
}

float vh_likelihood_max(const VhLikelihood *l)
{
    float max = l->of[0];

    for (int g = 1; g < VH_RATES; g++) {
        max = l->of[g] > max ? l->of[g] : max;
    }
    return max;
}

/* How far the vertex of the parabola is from the middle one of three points. */
static double vertex(double left, double middle, double right)
{
    double bend = left - 2 * middle + right;

    return bend < 0 ? CLAMP((left - right) / (2 * bend), -0.5, 0.5) : 0;
}

static double rate_at(double g)
{
    return VH_RATE_MIN * pow(VH_RATE_STEP, g);
}

/* Where on the grid the posterior has reached @share of @sum. */
static double quantile(const double *p, double sum, double share)
{
    double below = 0;

    for (int g = 0; g < VH_RATES; g++) {
        if (below + p[g] >= share * sum) {
            return g - 0.5 + (share * sum - below) / p[g];
        }
        below += p[g];
    }
    return VH_RATES - 0.5;
}

VhRateFit vh_likelihood_fit(const VhRates *r, const VhLikelihood *l)
{
    unsigned best = vh_likelihood_best(l);
    double p[VH_RATES], sum = 0, at = best;
    VhRateFit fit;

    for (int g = 0; g < VH_RATES; g++) {
        p[g] = exp(l->of[g] - l->of[best]);
        sum += p[g];
    }
    if (best > 0 && best < VH_RATES - 1) {
        at += vertex(l->of[best - 1], l->of[best], l->of[best + 1]);
    }
    fit.hz = best ? rate_at(at) : 0;
    fit.low = MIN(fit.hz, rate_at(quantile(p, sum, TAIL)));
    fit.high = MAX(fit.hz, rate_at(quantile(p, sum, 1 - TAIL)));
    return fit;
}
