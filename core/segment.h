/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where along a row of observations does their rate change?
 *
 * Theory of operation
 * -------------------
 * The row is cut into blocks of one rate each so that the sum of the blocks'
 * log-likelihoods, less @penalty for every cut, is the largest possible: the
 * objective of Bayesian Blocks (Scargle et al. 2013) and of optimal
 * partitioning (Jackson et al. 2005). With rates from a grid it is that of a
 * hidden Markov model in which every change of state costs the same, so
 * Viterbi's algorithm finds the best cuts in one pass, in
 * O(observations * rates), exactly:
 *   best(i, g) = ll(i, g) + max(best(i - 1, g), max over h of
 *                               best(i - 1, h) - penalty)
 * Going back from the end, it is enough to know for each i which h was best,
 * and for which g a change was better than none.
 */
#ifndef CORE_SEGMENT_H
#define CORE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "rates.h"

/**
 * struct VhStep - how the best way to one observation went
 * @changed: bit g: rate g was reached by a change
 * @best: the best rate of this observation
 */
typedef struct VhStep {
    uint32_t changed;
    uint8_t best;
} __attribute__((packed)) VhStep;

/**
 * struct VhSegmenter - a row being segmented; in memory of the caller
 * @steps: room for one for each observation
 * @nr: observations so far
 * @score: of the best way to each rate
 */
typedef struct VhSegmenter {
    VhStep *steps;
    size_t nr;
    VhLikelihood score;
} VhSegmenter;

/** vh_segment_begin() - a new row; keeps @steps */
void vh_segment_begin(VhSegmenter *s);

/**
 * vh_segment_push() - the next observation
 * @penalty: what a change right before it costs, in nats
 */
void vh_segment_push(VhSegmenter *s, const VhLikelihood *l, float penalty);

/**
 * vh_segment_pop() - going back, the rate of the latest observation
 * @rate: that of the observation after it; ignored for the last of the row
 * @last: it is the last of the row
 *
 * Returns its rate. Call as often as there were observations.
 */
unsigned vh_segment_pop(VhSegmenter *s, unsigned rate, bool last);

#endif
