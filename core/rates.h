/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How likely are access rates, given what tripwires saw?
 *
 * Theory of operation
 * -------------------
 * A page that is accessed at rate r (a Poisson process) stays silent for s
 * seconds with probability exp(-r s), and is accessed at least once within t
 * seconds with probability 1 - exp(-r t): interval-censored exposure. Logs of
 * these add up over all that was seen of one rate. They are kept for a fixed
 * grid of rates, each VH_RATE_STEP times the one before: a vector. Adding the
 * vectors of two wires gives that of both together, exactly; its largest
 * element is the likelihood of the best common rate; normalized, it is the
 * posterior under a prior that is flat in log(rate), which gives a confidence
 * interval. So no iteration, no approximation but the grid's, no allocation.
 *
 * The rate between grid points is the vertex of the parabola through the three
 * best: for F fires in E seconds, F log(r) - r E, its error is below 5 %
 * whatever F and E are.
 *
 * Times are kept as codes of one byte, eighths of an octave (9 %).
 */
#ifndef CORE_RATES_H
#define CORE_RATES_H

#include <stdint.h>

#define VH_RATES 24
#define VH_RATE_MIN 0.005      /* accesses a second and page */
#define VH_RATE_STEP 1.6817928 /* 2^(3/4); the last is 779 */
#define VH_TIME_CODES 256

/**
 * struct VhRates - the grid, and likelihoods of fires
 * @hz: the rates
 * @log_hz: their logarithms
 * @seconds: what each time code stands for
 * @fired: log(1 - exp(-rate * time)) of each time code and rate
 */
typedef struct VhRates {
    float hz[VH_RATES];
    float log_hz[VH_RATES];
    float seconds[VH_TIME_CODES];
    float fired[VH_TIME_CODES][VH_RATES];
} VhRates;

/** struct VhLikelihood - log-likelihood of each rate of the grid */
typedef struct VhLikelihood {
    float of[VH_RATES];
} VhLikelihood;

/**
 * struct VhRateFit - what a likelihood says
 * @hz: most likely rate, the lowest of several that are equally likely; 0 when
 *      the lowest of the grid is most likely; at most the largest of the grid
 * @low: with 90 % probability it is not below
 * @high: nor above
 */
typedef struct VhRateFit {
    double hz;
    double low;
    double high;
} VhRateFit;

/** vh_rates_init() - compute the tables */
void vh_rates_init(VhRates *r);

/** vh_rates_code() - the time code of @seconds; 0 stands for no time */
uint8_t vh_rates_code(double seconds);

/** vh_rates_nearest() - the grid's rate that is nearest to @hz, in log */
unsigned vh_rates_nearest(double hz);

/** vh_likelihood_silent() - silent for @seconds */
void vh_likelihood_silent(const VhRates *r, VhLikelihood *l, float seconds);

/**
 * vh_likelihood_fired() - silent for @silent, then accessed within @interval
 * @weight: how much it counts, 0 .. 1
 * @interval: time code
 */
void vh_likelihood_fired(const VhRates *r, VhLikelihood *l, float weight,
                         float silent, uint8_t interval);

/** vh_likelihood_events() - @fires accesses in @seconds; they count @weight */
void vh_likelihood_events(const VhRates *r, VhLikelihood *l, float weight,
                          float fires, float seconds);

/** vh_likelihood_add() - what was seen in @b, too */
void vh_likelihood_add(VhLikelihood *l, const VhLikelihood *b);

/** vh_likelihood_best() - the most likely rate of the grid */
unsigned vh_likelihood_best(const VhLikelihood *l);

/** vh_likelihood_max() - its log-likelihood */
float vh_likelihood_max(const VhLikelihood *l);

/** vh_likelihood_fit() - rate and confidence interval */
VhRateFit vh_likelihood_fit(const VhRates *r, const VhLikelihood *l);

#endif
