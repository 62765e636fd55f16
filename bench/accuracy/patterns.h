/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The named workloads; docs/devel/accuracy.md describes them to users. */
#ifndef BENCH_ACCURACY_PATTERNS_H
#define BENCH_ACCURACY_PATTERNS_H

#include <glib.h>

#include "workload.h"

/**
 * struct PatternArgs - what the user can choose of a pattern
 * @size: guest memory
 * @seconds: it has to go on changing for so long
 * @hot_hz: accesses a second of a hot page
 * @cold_hz: accesses a second of any other
 * @seed: of where things are
 */
typedef struct PatternArgs {
    uint64_t size;
    double seconds;
    double hot_hz;
    double cold_hz;
    uint64_t seed;
} PatternArgs;

/**
 * struct Pattern - one named workload
 * @name: for --pattern
 * @summary: one line for humans
 * @size: guest memory, unless the user says else
 * @least: guest memory it needs
 * @seconds: how long to simulate, unless the user says else
 * @make: appends lines for workload_new(), ascending in time
 */
typedef struct Pattern {
    const char *name;
    const char *summary;
    uint64_t size;
    uint64_t least;
    double seconds;
    void (*make)(const PatternArgs *a, GArray *lines, VhRng *rng);
} Pattern;

/** patterns() - all of them; the last has no name */
const Pattern *patterns(void);

/** pattern_find() - by name; NULL when unknown */
const Pattern *pattern_find(const char *name);

/** pattern_make() - @p as a workload; NULL and @why (g_free) if it can't be */
Workload *pattern_make(const Pattern *p, const PatternArgs *a, char **why);

#endif
