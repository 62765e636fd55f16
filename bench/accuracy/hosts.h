/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The named hosts: what it costs a guest there to be looked at. */
#ifndef BENCH_ACCURACY_HOSTS_H
#define BENCH_ACCURACY_HOSTS_H

#include "sim-primitive.h"

/**
 * struct HostKind - one named set of costs
 * @name: for --host
 * @summary: one line for humans: where the figures are from
 * @cost: what things cost
 * @nested: the host is a virtual machine itself; the monitor allows it fewer
 *          traps a second unless the user says how many
 */
typedef struct HostKind {
    const char *name;
    const char *summary;
    SimCosts cost;
    bool nested;
} HostKind;

/** host_kinds() - all of them, the default first; the last has no name */
const HostKind *host_kinds(void);

/** host_kind_find() - by name; NULL when unknown */
const HostKind *host_kind_find(const char *name);

#endif
