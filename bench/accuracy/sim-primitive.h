/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A primitive that watches a simulated guest.
 *
 * Theory of operation
 * -------------------
 * It keeps to the contract of include/vmheat/primitive.h as accel/trap.c does:
 * arming unmaps a page (a granule: then all its pages), the next access maps
 * it again and is a fire. All memory is mapped at the start.
 *
 * The only state is which pages are armed and when each was last looked at.
 * A Poisson process has no memory, so whether an armed page was touched since
 * then is drawn from the expected number of accesses in that time, when
 * somebody looks: it is armed again, collected, or the run is over. What comes
 * out is distributed as if every access had been played.
 *
 * A fire costs the guest a fault whether or not anybody asks about it. Those
 * that collect() answers are in the statistics which the budget sees, as with
 * real primitives; those only found later are counted here as unseen.
 *
 * Persistent, an armed page stays armed until it is touched. Not persistent,
 * it is armed for one interval: what is silent has to be armed anew.
 */
#ifndef BENCH_ACCURACY_SIM_PRIMITIVE_H
#define BENCH_ACCURACY_SIM_PRIMITIVE_H

#include "vmheat/primitive.h"
#include "wires.h"
#include "workload.h"

/**
 * struct SimCosts - what the work charges to whom, in nanoseconds
 * @batch: guest: one call of arm that has something to unmap
 * @arm: guest: unmapping one granule
 * @fire: guest: the fault
 * @tick: worker: one tick
 * @check: worker: one check, half when it is armed, half when collected
 */
typedef struct SimCosts {
    uint64_t batch;
    uint64_t arm;
    uint64_t fire;
    uint64_t tick;
    uint64_t check;
} SimCosts;

/*
 * Of a nested KVM host: measured by accel/trap.c, but for what KVM adds to a
 * fire, which cannot be measured from outside (docs/design/trap.md).
 */
#define SIM_COSTS_NESTED                \
    {                                   \
        60000, 3000, 45000, 60000, 1500 \
    }

/* Of bare-metal KVM: estimated, not measured; the worker's are the same. */
#define SIM_COSTS_BARE                 \
    {                                  \
        10000, 1000, 8000, 60000, 1500 \
    }

/**
 * struct SimSensor - one of the two primitives
 * @sim: the simulation
 * @writes: it sees writes only
 * @wires: what is armed
 * @stats: what the monitor gets to see
 * @fires: touches of armed granules, asked about or not
 * @unseen: those among them that no collect() answered
 */
typedef struct SimSensor {
    struct Sim *sim;
    bool writes;
    Wires wires;
    VhPrimitiveStats stats;
    uint64_t fires;
    uint64_t unseen;
} SimSensor;

/**
 * struct Sim - a simulated guest and host
 * @work: what the guest does
 * @cost: what things cost
 * @granule: VH_PAGE_SIZE or 2 MiB
 * @persistent: see above
 * @free: tell the monitor that nothing costs anything
 * @measure: add the real CPU time spent here to @own_ns
 * @now_ns: the virtual clock
 * @cpu_ns: virtual CPU time of the worker
 * @own_ns: real CPU time of the primitives
 * @rng: chance
 * @accesses: the primitive
 * @writes: the one for writes
 */
typedef struct Sim {
    const Workload *work;
    SimCosts cost;
    uint64_t granule;
    bool persistent;
    bool free;
    bool measure;
    uint64_t now_ns;
    uint64_t cpu_ns;
    uint64_t own_ns;
    VhRng rng;
    SimSensor accesses;
    SimSensor writes;
} Sim;

/** Their open() needs VhHost::opaque to be the Sim, which outlives them. */
extern const VhPrimitiveOps sim_primitive, sim_write_primitive;

/** sim_begin() - after the members up to @measure were filled in */
void sim_begin(Sim *s, uint64_t seed);

/** sim_finish() - look at all that is still armed, and free everything */
void sim_finish(Sim *s);

/** sim_caps() - what the primitives can do */
VhCaps sim_caps(const Sim *s, bool writes);

/** sim_now() - for VhClock: the virtual clock */
uint64_t sim_now(void *sim);

/**
 * sim_cpu() - for VhClock: virtual CPU time of the worker
 *
 * The monitor reads it at the begin and at the end of a tick; each adds half
 * the cost of a tick.
 */
uint64_t sim_cpu(void *sim);

/** sim_real_cpu() - real CPU time of this thread, in ns */
uint64_t sim_real_cpu(void);

/** sim_guest_ns() - what all of it cost the guest so far */
uint64_t sim_guest_ns(const Sim *s);

#endif
