/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is connected, so that nobody keeps others out.
 *
 * A connection waits (for a request, or the rest of one), is served, or is sent
 * events. One that waits for longer than VH_WAIT_US, or is served for longer
 * than VH_SERVE_US because it does not take its answer, is cut off. When there
 * are as many as may be, the one that waits for longest goes, so a new one can
 * always come: a thousand that say nothing do not shut out a scraper.
 *
 * To cut one off its socket is shut down; libmicrohttpd sees that and closes
 * it. Rates are counted for each address (all of a unix socket are one), those
 * of /metrics by themselves.
 */
#ifndef VMHEAT_EXPORTER_CLIENTS_H
#define VMHEAT_EXPORTER_CLIENTS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "stats.h"

#define VH_WAIT_US 20000000
#define VH_SERVE_US 30000000

typedef enum VhPhase {
    VH_PHASE_WAIT,
    VH_PHASE_SERVE,
    VH_PHASE_EVENTS,
} VhPhase;

typedef struct VhClients VhClients;
typedef struct VhConnection VhConnection;

/**
 * vh_clients_new() - nobody is connected
 * @max: connections at a time
 * @rate: requests a second of an address; twice as many at once
 * @counters: who was turned away is counted here
 */
VhClients *vh_clients_new(unsigned max, unsigned rate, VhCounters *counters);

/** vh_clients_free() - when nobody is connected any more */
void vh_clients_free(VhClients *c);

/**
 * vh_clients_come() - somebody connected; another one may be cut off
 * @c: the clients
 * @fd: the socket
 * @address: of the other end
 * @now: us
 */
VhConnection *vh_clients_come(VhClients *c, int fd,
                              const struct sockaddr *address, gint64 now);

/** vh_clients_go() - its socket will be closed */
void vh_clients_go(VhClients *c, VhConnection *n);

/** vh_clients_phase() - from now on it does that */
void vh_clients_phase(VhClients *c, VhConnection *n, VhPhase phase, gint64 now);

/** vh_clients_may() - may it make one more request now? @scrape: of /metrics */
bool vh_clients_may(VhClients *c, VhConnection *n, bool scrape, gint64 now);

/** vh_clients_sweep() - cut off who is too slow; call it each second or so */
void vh_clients_sweep(VhClients *c, gint64 now);

#endif
