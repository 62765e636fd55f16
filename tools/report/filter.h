/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which regions a report is about. */
#ifndef VMHEAT_TOOLS_FILTER_H
#define VMHEAT_TOOLS_FILTER_H

#include "../model.h"

/* Both ends are in it. */
typedef struct VhSpan {
    uint64_t min, max;
} VhSpan;

/* The same of accesses a second. */
typedef struct VhRateSpan {
    double min, max;
} VhRateSpan;

/**
 * struct VhFilter - what a region must be like to pass
 * @start: not below this address
 * @end: below this address
 * @size: bytes of the whole region, as it was monitored
 * @nr_accesses: in the aggregation
 * @rate: see vh_region_rate()
 * @age: us
 * @idle: us
 */
typedef struct VhFilter {
    uint64_t start, end;
    VhSpan size, nr_accesses;
    VhRateSpan rate;
    VhSpan age, idle;
} VhFilter;

/** vh_filter_init() - let all regions pass */
void vh_filter_init(VhFilter *f);

/** vh_filter_is_all() - does it let all regions pass? */
bool vh_filter_is_all(const VhFilter *f);

/**
 * vh_filter_passes() - does a region pass?
 * @f: the filter
 * @s: the snapshot it is of
 * @r: the region; passes when a part of it is in the range of addresses
 */
bool vh_filter_passes(const VhFilter *f, const VhSnapshot *s,
                      const VhRegion *r);

/**
 * vh_filter_apply() - the regions that pass, cut at the range's edges
 * @f: the filter
 * @in: the snapshot
 * @out: all zero, or from a call before: its regions are replaced; what tells
 *       of the whole snapshot (nr_regions, total_size, ...) is as in @in
 *
 * The regions of @out are to be freed by g_free().
 */
void vh_filter_apply(const VhFilter *f, const VhSnapshot *in, VhSnapshot *out);

/**
 * vh_region_rate() - accesses a second of a region
 * @s: the snapshot it is of; when it tells no rates, the rate is nr-accesses in
 *     the time that the aggregation took: what is seen, never more than one
 *     access a sample
 * @r: the region
 */
double vh_region_rate(const VhSnapshot *s, const VhRegion *r);

/**
 * vh_parse_sizes() - read "MIN-MAX" of sizes; either may be missing
 * @text: such as "4K-2M", "2M-" or "-2M"
 * @out: set when it is one
 *
 * Returns: false when @text is no such thing, or MIN is above MAX.
 */
bool vh_parse_sizes(const char *text, VhSpan *out);

/** vh_parse_durations() - the same of times with units: "10s-2m"; us */
bool vh_parse_durations(const char *text, VhSpan *out);

/** vh_parse_rates() - the same of accesses a second: "0.5-100" */
bool vh_parse_rates(const char *text, VhRateSpan *out);

#endif
