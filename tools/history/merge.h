/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots made coarser: in time, the mean of several; in space, neighbours
 * joined that are most alike.
 *
 * A sum has segments, cut wherever a region of one of the snapshots begins or
 * ends. Each segment has the time it was seen for, and sums of what was seen,
 * weighted by time.
 */
#ifndef TOOLS_HISTORY_MERGE_H
#define TOOLS_HISTORY_MERGE_H

#include "vmheat/snap-codec.h"

/**
 * struct VhSegment - addresses for which the same was seen
 * @start: the first
 * @end: behind the last
 * @time: for how long they were seen
 * @rates: times time
 * @idle_ms: times time
 * @accesses: nr_accesses times time
 * @writes: the same of nr_writes
 * @age: what was seen last
 * @codes: scratch: of rate and idle_ms
 */
typedef struct VhSegment {
    uint64_t start, end;
    double time;
    double rates[VH_RATES];
    double idle_ms, accesses, writes;
    uint32_t age;
    uint16_t codes[2];
} VhSegment;

/**
 * struct VhMerge - a sum
 * @codes: of rates
 * @most: regions of what vh_merge_end() gives
 * @peak: most segments there ever were
 * @segments: VhSegment array, ascending
 * @next: scratch
 * @out: VhCodedRegion array, of vh_merge_end()
 */
typedef struct VhMerge {
    VhCodes codes;
    size_t most;
    size_t peak;
    GArray *segments;
    GArray *next;
    GArray *out;
} VhMerge;

/** vh_merge_new() - nothing was added */
VhMerge *vh_merge_new(size_t most);

/** vh_merge_free() - NULL is fine */
void vh_merge_free(VhMerge *m);

/**
 * vh_merge_add() - add a snapshot
 * @m: the sum
 * @regions: of it, ascending
 * @nr: how many
 * @time: how long it stands for; above 0
 */
void vh_merge_add(VhMerge *m, const VhCodedRegion *regions, size_t nr,
                  double time);

/**
 * vh_merge_end() - the mean of all that were added; then, nothing was added
 * @m: the sum
 * @alike: rates so many codes apart, and idle times, are joined
 *
 * Returns: VhCodedRegion array, @m's until the next call.
 */
const GArray *vh_merge_end(VhMerge *m, unsigned alike);

/** vh_merge_bytes() - memory that it takes */
size_t vh_merge_bytes(const VhMerge *m);

/**
 * vh_array_bytes() - memory that a GArray takes
 * @elements: the most it ever had: it only grows
 * @size: of each
 */
size_t vh_array_bytes(size_t elements, size_t size);

#endif
