/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest memory takes of the host, measured by the worker while somebody
 * asks.
 */
#ifndef VMHEAT_HW_FOOTPRINT_H
#define VMHEAT_HW_FOOTPRINT_H

#include "compat/qemu.h"
#include "actions/footprint.h"
#include "hw/worker.h"

typedef struct VmheatFootprint VmheatFootprint;

/**
 * struct VmheatFootprintNews - what is known
 * @measurements: finished so far; 0: nothing else is known
 * @latest: the figures
 * @age_ns: for how long they have been
 */
typedef struct VmheatFootprintNews {
    uint64_t measurements;
    VhFootprint latest;
    uint64_t age_ns;
} VmheatFootprintNews;

/** vmheat_footprint_new() - measures nothing yet; @clock is copied */
VmheatFootprint *vmheat_footprint_new(const VhClock *clock);

/** vmheat_footprint_free() - when the worker has ended */
void vmheat_footprint_free(VmheatFootprint *f);

/** vmheat_footprint_chore() - for the worker */
VmheatChore vmheat_footprint_chore(VmheatFootprint *f);

/**
 * vmheat_footprint_ask() - somebody wants to know
 * @news: out, what is known now
 *
 * Any thread; never waits for the worker. Returns true when the worker should
 * be woken.
 */
bool vmheat_footprint_ask(VmheatFootprint *f, VmheatFootprintNews *news);

#endif
