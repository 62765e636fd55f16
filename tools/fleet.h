/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several virtual machines at once.
 *
 * Theory of operation
 * -------------------
 * A fleet is found anew before each look at it: the running domains of a
 * libvirt, or the sockets of a folder. Members that stay keep their connection,
 * and their last figures, from which costs are told. Each is asked one after
 * another; one that does not answer in time shows why instead of figures, and
 * is asked again next time. Those without vmheat are counted, not shown.
 */
#ifndef VMHEAT_TOOLS_FLEET_H
#define VMHEAT_TOOLS_FLEET_H

#include <stdint.h>

#include "client/client.h"
#include "page.h"

#define VH_FLEET_COLD_US 60000000 /* memory idle for so long is cold */

/* What members are sorted by. */
typedef enum VhFleetSort {
    VH_FLEET_COLD, /* largest first, as all numbers */
    VH_FLEET_NAME,
    VH_FLEET_SIZE,
    VH_FLEET_WORKING_SET,
    VH_FLEET_SAVED,
    VH_FLEET_COST,
    VH_FLEET_SORTS,
} VhFleetSort;

/**
 * struct VhMember - a virtual machine
 * @name: to be shown
 * @address: its socket or, with libvirt, its UUID
 * @client: NULL: not connected
 * @problem: why there are no figures, or NULL
 * @absent: it has no vmheat
 * @state: of its monitor; owned
 * @size: monitored bytes
 * @working_set: bytes accessed in the latest snapshot
 * @cold: bytes idle for VH_FLEET_COLD_US
 * @saved: bytes that its balloon holds and that schemes have paged out or
 *         discarded and did not come back
 * @cost: CPU time of its monitor, of one CPU; negative: not known yet
 * @cpu_ns: the same in all; @asked_us: when that was
 */
typedef struct VhMember {
    char *name;
    char *address;
    VhClient *client;
    char *problem;
    bool absent;
    bool found;
    char *state;
    uint64_t size;
    uint64_t working_set;
    uint64_t cold;
    uint64_t saved;
    double cost;
    uint64_t cpu_ns;
    int64_t asked_us;
} VhMember;

/**
 * struct VhFleet - all of them
 * @uri: of libvirt; NULL: its default
 * @folder: of sockets; NULL: libvirt is asked
 * @timeout_us: for each question
 * @wait: how clients wait, or NULL
 * @wait_opaque: handed to @wait
 * @sort: order of @members
 * @members: VhMember
 */
typedef struct VhFleet {
    const char *uri;
    const char *folder;
    int64_t timeout_us;
    VhWaitFunc wait;
    void *wait_opaque;
    VhFleetSort sort;
    GPtrArray *members;
} VhFleet;

/** vh_fleet_init() - no members yet; all else is set by the caller after it */
void vh_fleet_init(VhFleet *f);

/** vh_fleet_clear() - disconnect from all */
void vh_fleet_clear(VhFleet *f);

/**
 * vh_fleet_look() - find the members and ask them
 * @f: the fleet
 * @error: the fleet cannot be found, or a wait was interrupted
 *
 * What is wrong with one member is told there.
 */
bool vh_fleet_look(VhFleet *f, GError **error);

/**
 * vh_fleet_order() - sort the members
 * @f: the fleet
 * @sort: by what, from now on
 */
void vh_fleet_order(VhFleet *f, VhFleetSort sort);

/**
 * vh_fleet_draw() - a table of them, and sums
 * @f: the fleet
 * @page: an empty page; not higher than its terminal, when that is one
 */
void vh_fleet_draw(const VhFleet *f, VhPage *page);

/** vh_fleet_json() - the same for programs */
JsonNode *vh_fleet_json(const VhFleet *f);

/** vh_fleet_sort_name() - of an order, as an option takes it */
const char *vh_fleet_sort_name(VhFleetSort sort);

#endif
