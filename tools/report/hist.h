/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much there is of what: histograms and percentiles. */
#ifndef VMHEAT_TOOLS_HIST_H
#define VMHEAT_TOOLS_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "quantity.h"

#define VH_HIST_BINS 10

/**
 * struct VhSample - so much of a value
 * @value: finite
 * @weight: how much
 */
typedef struct VhSample {
    double value;
    uint64_t weight;
} VhSample;

/**
 * struct VhHist - a histogram
 * @log: its scale is logarithmic, because values span two decades or more
 * @nr: bins, 1 .. VH_HIST_BINS
 * @edges: bin i is from edges[i] to below edges[i + 1]; ascending
 * @weights: of each bin
 * @total: of all
 */
typedef struct VhHist {
    bool log;
    unsigned nr;
    double edges[VH_HIST_BINS + 1];
    uint64_t weights[VH_HIST_BINS];
    uint64_t total;
} VhHist;

/**
 * vh_hist_make() - count
 * @hist: filled in; its edges are round numbers, and all samples are between
 *        the first and the last of them
 * @q: of what the values are
 * @samples: what is counted
 * @nr: how many, at least 1
 */
void vh_hist_make(VhHist *hist, VhQuantity q, const VhSample *samples,
                  size_t nr);

/**
 * vh_hist_spans_decades() - should a scale for these be logarithmic?
 *
 * Yes when the largest is 100 times the smallest that is not 0, or more; signs
 * do not count.
 */
bool vh_hist_spans_decades(VhQuantity q, const VhSample *samples, size_t nr);

/**
 * vh_hist_near() - what is nearer to 0 need not be told apart
 *
 * The smallest that is not 0, unless that is less than vh_quantity_least(); of
 * temperatures, where one that was accessed just now is near 0, at least
 * 1/100000 of the largest.
 */
double vh_hist_near(VhQuantity q, const VhSample *samples, size_t nr);

/** vh_samples_sort() - by value, lowest first */
void vh_samples_sort(VhSample *samples, size_t nr);

/**
 * vh_percentile() - the value that so much of the weight does not exceed
 * @sorted: by value
 * @nr: how many, at least 1
 * @percent: 0 .. 100
 *
 * Returns: the least value for which all that is not above it is @percent of
 * the whole weight, or more; for 0 the least of all.
 */
double vh_percentile(const VhSample *sorted, size_t nr, unsigned percent);

#endif
