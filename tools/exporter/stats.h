/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the exporter counts of itself. Any thread may call any of these. */
#ifndef VMHEAT_EXPORTER_STATS_H
#define VMHEAT_EXPORTER_STATS_H

#include <stdint.h>
#include <glib.h>

/* Why a client or a request was turned away. */
typedef enum VhRefusal {
    VH_REFUSED_CLIENTS, /* too many: the one idle for longest was cut off */
    VH_REFUSED_SLOW,    /* it did not send its request, or take its answer */
    VH_REFUSED_RATE,    /* too many requests */
    VH_REFUSED_SIZE,    /* of a request */
    VH_REFUSED_HOST,    /* Host or Origin */
    VH_REFUSED_TOKEN,
    VH_REFUSALS,
} VhRefusal;

#define VH_CODE_CLASSES 6 /* 0: none, 1xx .. 5xx */

/**
 * struct VhStats - counters
 * @requests: answered, by the first digit of the status
 * @refused: by VhRefusal
 * @clients: connected now
 * @event_clients: of them those that are sent events
 * @dropped: of those, cut off because they did not take them
 * @polls: machines were asked
 * @poll_failures: and did not answer
 */
typedef struct VhStats {
    uint64_t requests[VH_CODE_CLASSES];
    uint64_t refused[VH_REFUSALS];
    uint64_t clients, event_clients, dropped;
    uint64_t polls, poll_failures;
} VhStats;

/* A VhStats that is counted in. */
typedef struct VhCounters {
    GMutex lock;
    VhStats stats;
} VhCounters;

/** vh_counters_init() - all 0 */
void vh_counters_init(VhCounters *c);

/** vh_counters_clear() - free what it holds */
void vh_counters_clear(VhCounters *c);

/** vh_counters_add() - count; @what: of c->stats; @n: may be negative */
void vh_counters_add(VhCounters *c, uint64_t *what, int n);

/** vh_counters_read() - a copy of all */
void vh_counters_read(VhCounters *c, VhStats *stats);

/** vh_refusal_name() - as a label */
const char *vh_refusal_name(VhRefusal r);

#endif
