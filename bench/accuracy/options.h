/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to simulate, as the user says it. */
#ifndef BENCH_ACCURACY_OPTIONS_H
#define BENCH_ACCURACY_OPTIONS_H

#include <glib.h>
#include <stdint.h>

#include "hosts.h"
#include "score.h"

/**
 * struct Options - as on the command line; 0 or NULL: not given
 *
 * The texts are parsed into the members at the end; costs that were not given
 * are those of the host.
 */
typedef struct Options {
    char *pattern;
    char *trace;
    char *estimator;
    char *size_text;
    char *granule_text;
    char *rule_text;
    char *host_text;
    char *plot;
    gint64 seed;
    int seeds;
    int sampling_ms;
    int aggregation_ms;
    int min;
    int max;
    int traps;
    int budget;
    gint64 arm_ns;
    gint64 fire_ns;
    gint64 batch_ns;
    int require_ms;
    double seconds;
    double hot_hz;
    double cold_hz;
    double threshold_hz;
    gboolean unlimited;
    gboolean non_persistent;
    gboolean writes;
    gboolean no_cpu;
    gboolean all;
    gboolean json;
    gboolean series;

    uint64_t size;
    uint64_t granule;
    Rule rule;
    const HostKind *host;
} Options;

/**
 * options_parse() - read the command line
 *
 * False and @why (g_free): a sentence that names the option, its value and
 * what is allowed. options_clear() it either way.
 */
bool options_parse(Options *o, int *argc, char ***argv, char **why);

/** options_clear() - free the texts */
void options_clear(Options *o);

#endif
