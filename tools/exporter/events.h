/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server-sent events.
 *
 * Theory of operation
 * -------------------
 * Each client has a queue of at most VH_EVENTS_QUEUE messages and
 * VH_EVENTS_BYTES. Who has news puts a message in the queues of those it is
 * for, and never waits: a client whose queue is full is dropped, and connects
 * anew when it can. Between messages a connection is suspended, so it costs
 * nothing; a comment each VH_EVENTS_BEAT_US finds out which are dead.
 *
 * The lock is held while a message is put or taken, and while connections are
 * suspended and resumed: so no message comes in between unseen.
 */
#ifndef VMHEAT_EXPORTER_EVENTS_H
#define VMHEAT_EXPORTER_EVENTS_H

#include "history/history.h"
#include "http.h"

#define VH_EVENTS_CLIENTS 128
#define VH_EVENTS_QUEUE 64
#define VH_EVENTS_BYTES (4 * 1024 * 1024)
#define VH_EVENTS_BEAT_US 15000000

/**
 * struct VhWindow - which addresses a client sees, in how many rows
 * @rows: 0: it wants no columns
 * @start: first address
 * @end: behind the last; 0: all
 * @client: whose it is; not another one's, ever
 */
typedef struct VhWindow {
    unsigned rows;
    uint64_t start, end;
    uint64_t client;
} VhWindow;

/** vh_events_new() - no clients */
VhEvents *vh_events_new(VhCounters *counters);

/** vh_events_stop() - end all streams; no new ones */
void vh_events_stop(VhEvents *e);

/** vh_events_free() - when no response of it is left */
void vh_events_free(VhEvents *e);

/**
 * vh_events_open() - one more client
 * @e: the events
 * @connection: it is at
 * @id: of the machine it looks at; NULL: the list of all
 * @window: of its columns
 * @first: its first message, from vh_events_message(); taken
 *
 * Returns: its response; NULL when there are VH_EVENTS_CLIENTS.
 */
struct MHD_Response *vh_events_open(VhEvents *e,
                                    struct MHD_Connection *connection,
                                    const char *id, const VhWindow *window,
                                    GBytes *first);

/** vh_events_message() - an event; @data: JSON in a line */
GBytes *vh_events_message(const char *name, const char *data);

/** vh_events_wanted() - does anybody look at @id (NULL: the list)? */
bool vh_events_wanted(VhEvents *e, const char *id);

/** vh_events_put() - tell those who look at @id; @message is taken */
void vh_events_put(VhEvents *e, const char *id, GBytes *message);

/** vh_events_windows() - of those that want columns of @id: VhWindow array */
GArray *vh_events_windows(VhEvents *e, const char *id);

/** vh_events_put_column() - tell a client, if it is still there; @column is
 *  taken */
void vh_events_put_column(VhEvents *e, const VhWindow *w, VhRaster *column);

/** vh_events_beat() - a comment to all, when it is time; call it each second */
void vh_events_beat(VhEvents *e, gint64 now);

#endif
