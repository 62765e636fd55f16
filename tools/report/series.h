/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers over time, several at once: what they are at most, mostly, when. */
#ifndef VMHEAT_TOOLS_SERIES_H
#define VMHEAT_TOOLS_SERIES_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define VH_SERIES_MAX 8

/**
 * struct VhSeries - what there is of each time
 * @nr: columns
 * @times: uint64_t, ns, ascending
 * @values: of each column as many uint64_t
 */
typedef struct VhSeries {
    unsigned nr;
    GArray *times;
    GArray *values[VH_SERIES_MAX];
} VhSeries;

/**
 * struct VhBin - what the values of a part of the time were
 * @nr: how many there are; 0: the rest is 0
 * @min: the least of them
 * @max: the most of them
 * @mean: of them
 */
typedef struct VhBin {
    uint64_t nr, min, max;
    double mean;
} VhBin;

/**
 * vh_series_new() - without values
 * @nr: columns, VH_SERIES_MAX at most
 */
VhSeries *vh_series_new(unsigned nr);

/** vh_series_free() - NULL is fine */
void vh_series_free(VhSeries *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhSeries, vh_series_free)

/** vh_series_add() - the values of a time; of each column one */
void vh_series_add(VhSeries *s, uint64_t time, const uint64_t *values);

/** vh_series_at() - one of the values */
uint64_t vh_series_at(const VhSeries *s, unsigned column, guint i);

/** vh_series_mean() - of a column; 0 when there are no values */
double vh_series_mean(const VhSeries *s, unsigned column);

/**
 * vh_series_percentiles() - exact ones
 * @s: has values
 * @column: of which
 * @percents: which, 0 .. 100
 * @nr: of @percents
 * @out: for each of them the least value that at least so many percent of the
 *       values do not exceed; of 0 the least of all
 */
void vh_series_percentiles(const VhSeries *s, unsigned column,
                           const double *percents, unsigned nr, uint64_t *out);

/**
 * vh_series_bins() - cut the time in equal parts
 * @s: the series
 * @column: of which
 * @from: where the first begins, ns
 * @to: where the last ends, ns; above @from
 * @nr: of @out
 * @out: set; what is not in the time is left out; what is at @to is in the last
 */
void vh_series_bins(const VhSeries *s, unsigned column, uint64_t from,
                    uint64_t to, unsigned nr, VhBin *out);

/**
 * vh_series_hold() - fill parts without values, for a picture
 * @s: the series
 * @from: as given to vh_series_bins()
 * @to: the same
 * @nr: the same
 * @bins: from it; where parts in a row are empty, but not for longer than
 *        vh_series_gap(), they become as the one before, or the first behind
 */
void vh_series_hold(const VhSeries *s, uint64_t from, uint64_t to, unsigned nr,
                    VhBin *bins);

/**
 * vh_series_gap() - what is longer than that is a time without values, ns
 *
 * Ten times what mostly is between two values.
 */
uint64_t vh_series_gap(const VhSeries *s);

#endif
