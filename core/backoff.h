/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back-off: when a scheme leaves the guest alone for a while. */
#ifndef CORE_BACKOFF_H
#define CORE_BACKOFF_H

#include "vmheat/scheme.h"

#define VH_BACKOFF_SAMPLES 64

/** struct VhBackOffSample - totals at a time */
typedef struct VhBackOffSample {
    uint64_t ns;
    uint64_t applied;
    uint64_t refaulted;
} VhBackOffSample;

/**
 * struct VhBackOffState - of one scheme
 * @until_ns: the scheme does nothing before
 * @span_ns: length of the last back-off; 0: there was none
 * @reason: why it backs off; owned
 * @next_ns: when to look again
 * @ring: totals of the last minute, about one a second; the oldest at @first
 * @first: see @ring
 * @nr: samples in @ring
 * @total: env->refaults at the last look
 * @based: @total is set
 */
typedef struct VhBackOffState {
    uint64_t until_ns;
    uint64_t span_ns;
    char *reason;
    uint64_t next_ns;
    VhBackOffSample ring[VH_BACKOFF_SAMPLES];
    size_t first;
    size_t nr;
    uint64_t total;
    bool based;
} VhBackOffState;

/** vh_backoff_active() - is the guest left alone at @now? */
bool vh_backoff_active(const VhBackOffState *b, uint64_t now);

/** vh_backoff_start() - leave it alone from @now on; for how long. Takes @why.
 */
uint64_t vh_backoff_start(VhBackOffState *b, uint64_t now, char *why);

/**
 * vh_backoff_look() - about once a second: is there a reason to back off?
 * @index: of scheme @s
 * @stats: its counters; refaulted is brought up to date
 *
 * A sentence (g_free), or NULL.
 */
char *vh_backoff_look(VhBackOffState *b, const VhScheme *s, size_t index,
                      const VhSchemesEnv *env, VhSchemeStats *stats,
                      uint64_t now);

/** vh_backoff_end() - leave it alone no longer; the next time is the first */
void vh_backoff_end(VhBackOffState *b);

/** vh_backoff_rebase() - env->refaults may count from another number now */
void vh_backoff_rebase(VhBackOffState *b);

/** vh_backoff_clear() - frees what it owns */
void vh_backoff_clear(VhBackOffState *b);

#endif
