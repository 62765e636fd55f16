/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to measure the footprint of guest memory.
 *
 * Theory of operation
 * -------------------
 * Only while somebody asks: that is the case for VH_FOOTPRINT_WANTED_NS after a
 * question. A measurement is work of many slices. After a slice there is rest,
 * so that all slices together take no more than the share of a CPU that is
 * allowed. Who asks the first time wants to know soon: the first
 * VH_FOOTPRINT_BURST_NS of CPU time are spent with short rests, which is enough
 * for tens of GiB. That is paid back: the next measurement begins when the one
 * before is worth its share, and not before VH_FOOTPRINT_PERIOD_NS are over.
 *
 * Pure arithmetic on the times it is given.
 */
#ifndef VMHEAT_ACTIONS_FOOTPRINT_PLAN_H
#define VMHEAT_ACTIONS_FOOTPRINT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define VH_FOOTPRINT_WANTED_NS 60000000000ULL
#define VH_FOOTPRINT_PERIOD_NS 5000000000ULL
#define VH_FOOTPRINT_BURST_NS 100000000ULL
#define VH_FOOTPRINT_SLICE_NS 2000000ULL

/**
 * struct VhFootprintPlan - see above; zeroed: nobody asked
 * @asked: somebody did
 * @asked_ns: when last
 * @due_ns: when to work next
 * @burst_ns: CPU time that is left of the burst
 * @under_way: a measurement is
 * @begun_ns: when it began
 * @spent_ns: CPU time it has taken so far
 */
typedef struct VhFootprintPlan {
    bool asked;
    uint64_t asked_ns;
    uint64_t due_ns;
    uint64_t burst_ns;
    bool under_way;
    uint64_t begun_ns;
    uint64_t spent_ns;
} VhFootprintPlan;

/** vh_footprint_plan_ask() - somebody asks; true: nobody did for long, so
 * measuring begins now */
bool vh_footprint_plan_ask(VhFootprintPlan *p, uint64_t now_ns);

/** vh_footprint_plan_due() - when to work next; UINT64_MAX: when somebody asks
 */
uint64_t vh_footprint_plan_due(const VhFootprintPlan *p, uint64_t now_ns);

/**
 * vh_footprint_plan_worked() - a slice was done
 * @now_ns: when it ended
 * @spent_ns: CPU time it took
 * @share: of a CPU that all slices may take, above 0
 * @finished: it was the last of a measurement
 */
void vh_footprint_plan_worked(VhFootprintPlan *p, uint64_t now_ns,
                              uint64_t spent_ns, double share, bool finished);

#endif
