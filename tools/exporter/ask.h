/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The questions a machine is asked, one after another, to make a view. */
#ifndef VMHEAT_EXPORTER_ASK_H
#define VMHEAT_EXPORTER_ASK_H

#include "client/client.h"
#include "view.h"

/**
 * struct VhAsker - what is known of a machine from one time to the next
 * @client: connected; NULL: not
 * @named: @domain and @uuid are what QEMU says
 * @domain: its name
 * @uuid: NULL: none
 * @no_memory: it has no query-vmheat-memory
 * @no_balloon: it has no balloon
 * @cpu_ns: CPU time of its monitor at @asked_us; 0: not known
 * @asked_us: g_get_monotonic_time()
 */
typedef struct VhAsker {
    VhClient *client;
    bool named;
    char *domain, *uuid;
    bool no_memory, no_balloon;
    uint64_t cpu_ns;
    gint64 asked_us;
} VhAsker;

/** vh_asker_connected() - what was known of another connection is not now */
void vh_asker_connected(VhAsker *a, VhClient *client);

/** vh_asker_lose() - disconnect */
void vh_asker_lose(VhAsker *a);

/** vh_asker_clear() - disconnect and free what it holds */
void vh_asker_clear(VhAsker *a);

/**
 * vh_ask() - ask a machine
 * @a: connected
 * @view: set, but for @id, @domain and @uuid
 * @error: no answer; what is set of @view is of no use then
 */
bool vh_ask(VhAsker *a, VhView *view, GError **error);

#endif
