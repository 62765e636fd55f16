/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a simulated guest does: how often each page is accessed, when.
 *
 * Memory is cut into segments whose pages all do the same at all times. Each
 * has steps: from a time on, a rate until the next step. Accesses of a page
 * are a Poisson process with that rate, so the chance that a page was touched
 * in an interval follows from the integral of its rate alone, and nothing has
 * to be kept for a page. Size costs nothing: one block in 1 TiB is three
 * segments.
 */
#ifndef BENCH_ACCURACY_WORKLOAD_H
#define BENCH_ACCURACY_WORKLOAD_H

#include "vmheat/types.h"

/**
 * struct Line - a statement about memory; a later one replaces an earlier one
 * @from_ns: true from this time on
 * @start: first byte, multiple of VH_PAGE_SIZE
 * @end: one past the last byte, multiple of VH_PAGE_SIZE
 * @rate: accesses a second of each page
 * @writes: share of them that are writes, 0 .. 1
 */
typedef struct Line {
    uint64_t from_ns;
    uint64_t start;
    uint64_t end;
    double rate;
    double writes;
} Line;

/** struct Step - @rate and @writes, as in struct Line, from @from_ns on */
typedef struct Step {
    uint64_t from_ns;
    double rate;
    double writes;
} Step;

/**
 * struct Segment - pages that do the same
 * @start: first byte
 * @end: one past the last byte
 * @steps: ascending; before the first nothing is accessed
 * @nr: length of @steps
 */
typedef struct Segment {
    uint64_t start;
    uint64_t end;
    Step *steps;
    size_t nr;
} Segment;

/**
 * struct Workload - what all of a guest's memory does; never changes
 * @size: bytes of guest memory, which begins at 0
 * @segments: sorted; together they are all memory
 * @nr: length of @segments
 * @steps: where the steps of all segments are
 * @changes: ascending times at which a line begins
 * @nr_changes: length of @changes
 */
typedef struct Workload {
    uint64_t size;
    Segment *segments;
    size_t nr;
    Step *steps;
    uint64_t *changes;
    size_t nr_changes;
} Workload;

/* Most steps that all segments together may have (memory: 24 bytes each). */
#define WORKLOAD_STEPS_MAX (32ULL << 20)

/**
 * workload_new() - from @lines, ascending in time
 * @size: guest memory, multiple of VH_PAGE_SIZE; no line goes beyond
 *
 * Memory that no line names is never accessed. NULL and @why (g_free) when the
 * lines overlap so much that it would not fit into memory.
 */
Workload *workload_new(uint64_t size, const Line *lines, size_t n, char **why);

/** workload_free() - NULL is allowed */
void workload_free(Workload *w);

/**
 * workload_coarsen() - @w as it looks from afar
 * @granule: power of two, at least VH_PAGE_SIZE
 *
 * Every page of the result has the rate of the whole granule of @w that it is
 * in: how often a wire that guards it is touched. NULL and @why (g_free) as
 * workload_new().
 */
Workload *workload_coarsen(const Workload *w, uint64_t granule, char **why);

/** workload_find() - index of the segment that holds @at */
size_t workload_find(const Workload *w, uint64_t at);

/**
 * segment_rate() - accesses a second of each page of @s at @now_ns
 * @writes: only those that are writes
 */
double segment_rate(const Segment *s, uint64_t now_ns, bool writes);

/**
 * workload_mean() - expected accesses of all pages of @r in an interval
 * @writes: only those that are writes
 */
double workload_mean(const Workload *w, VhRange r, uint64_t from_ns,
                     uint64_t to_ns, bool writes);

#endif
