/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of an action: what a scheme does to guest memory of the pattern
 * it describes (DAMOS actions).
 *
 * One file in actions/ (or hw/, when it needs QEMU) implements one action; one
 * line in a registry and one word in the schema make it known.
 *
 * Who calls what, when:
 *   probe    main thread under the BQL, when schemes are set or asked about;
 *            must not block and must not change anything
 *   suits    as probe, and worker thread
 *   open     worker thread, once, before anything else
 *   set_map  worker thread, after open and whenever the guest memory map
 *            changed; NULL: let go of all guest memory (migration, unplug)
 *   apply    worker thread, one quantum of work
 *   end      worker thread, when a pass over all regions is over
 *   rest     worker thread, when a pass is over or was stopped
 *   close    worker thread, last
 * So an action needs no locks of its own.
 *
 * A quantum must be short (a few ms): everything else the worker does waits for
 * it, and so does an outgoing migration.
 */
#ifndef VMHEAT_ACTION_H
#define VMHEAT_ACTION_H

#include "vmheat/map.h"
#include "vmheat/types.h"

/** enum VhPrio - which regions a quota gives to an action first */
typedef enum VhPrio {
    VH_PRIO_NONE, /* all alike */
    VH_PRIO_HOT,
    VH_PRIO_COLD,
} VhPrio;

/** struct VhNodeWeight - a NUMA node of the host and its share of memory */
typedef struct VhNodeWeight {
    uint32_t node;
    uint32_t weight;
} VhNodeWeight;

/**
 * struct VhBalloonArgs - how the balloon is moved
 * @floor: bytes of memory the guest keeps in any case
 * @ceiling: most bytes it may have; 0: all it has
 * @headroom_permille: added to the measured working set
 * @step: most bytes by which one step takes memory away; giving back is not
 *        limited
 * @hysteresis: smaller changes are not made
 */
typedef struct VhBalloonArgs {
    uint64_t floor;
    uint64_t ceiling;
    uint32_t headroom_permille;
    uint64_t step;
    uint64_t hysteresis;
} VhBalloonArgs;

/**
 * struct VhActionArgs - parameters of a scheme's action
 * @nodes: migrate-hot, migrate-cold: where to; owned by the scheme
 * @nr_nodes: how many
 * @balloon: balloon
 */
typedef struct VhActionArgs {
    VhNodeWeight *nodes;
    size_t nr_nodes;
    VhBalloonArgs balloon;
} VhActionArgs;

/**
 * struct VhActionEnv - what the surroundings offer an action
 * @clock: time
 * @guest_busy: share of time, 0 .. 1, for which the busiest vCPU ran lately;
 *              never blocks; worker thread. NULL: not known, assume 1.
 * @kvm: guest memory is accessed through KVM's page tables
 * @opaque: for @guest_busy
 */
typedef struct VhActionEnv {
    VhClock clock;
    double (*guest_busy)(void *opaque);
    bool kvm;
    void *opaque;
} VhActionEnv;

/**
 * struct VhApplied - what one quantum did
 * @size: bytes from the start of the range that were dealt with, done or not;
 *        0: nothing, try the same again after @wait_ns
 * @applied: of these, bytes it was really done to
 * @spent_ns: time it took
 * @wait_ns: time for which nothing more may be asked, for the guest's sake
 * @error: errno when the host refused for a reason that may pass (ENOMEM,
 * EAGAIN, ENOSPC: swap is full); 0 else. The engine backs off.
 * @left: with counts_refaults: a bit for each page of the range that left host
 *        memory by this, in words of 64; valid until the next call; NULL: none
 */
typedef struct VhApplied {
    uint64_t size;
    uint64_t applied;
    uint64_t spent_ns;
    uint64_t wait_ns;
    int error;
    const uint64_t *left;
} VhApplied;

/**
 * struct VhPass - a pass over all regions that is over
 * @snapshot_ns: end of the aggregation it looked at
 * @total: bytes of all regions
 * @matched: of these, bytes of the pattern, after filters
 * @accessed: bytes of regions with nr_accesses above 0
 */
typedef struct VhPass {
    uint64_t snapshot_ns;
    uint64_t total;
    uint64_t matched;
    uint64_t accessed;
} VhPass;

/**
 * struct VhActionOps - one action
 * @name: as in schemes
 * @summary: one line for humans
 * @needs: what it needs, a sentence, or NULL
 * @prio: which regions first, when a quota does not allow for all
 * @keeps_age: a region it was applied to does not begin a new age (stat)
 * @takes_nodes: @VhActionArgs nodes must be given
 * @counts_refaults: memory it was applied to leaves host memory, and coming
 * back costs the guest
 * @probe: can it run on this host? Else false and @why: a sentence that names
 *         what is in the way and how to fix it (g_free)
 * @suits: can it be done to this memory? Else false and @why; NULL: always
 * @open: state; never NULL
 * @set_map: see above; takes its own reference; may be NULL
 * @apply: do one quantum of [@offset, @offset + @size) of section @s of the map
 *         set last; multiples of VH_PAGE_SIZE, @size above 0. Must never lose
 *         data, even of pages the guest is writing at that moment.
 * @end: see above; may be NULL
 * @rest: there is no work for now: give up what is of use only while there is;
 *        may be NULL
 * @close: frees the state
 * @detail: what it does just now, a sentence for query-vmheat-schemes (g_free)
 *          or NULL; worker thread; may be NULL
 */
typedef struct VhActionOps {
    const char *name;
    const char *summary;
    const char *needs;
    VhPrio prio;
    bool keeps_age;
    bool takes_nodes;
    bool counts_refaults;
    bool (*probe)(const VhActionEnv *env, const VhActionArgs *args, char **why);
    bool (*suits)(const VhMapSection *s, char **why);
    void *(*open)(const VhActionEnv *env);
    void (*set_map)(void *a, VhMap *map);
    VhApplied (*apply)(void *a, const VhActionArgs *args, const VhMapSection *s,
                       uint64_t offset, uint64_t size);
    void (*end)(void *a, const VhActionArgs *args, const VhPass *pass);
    void (*rest)(void *a);
    void (*close)(void *a);
    char *(*detail)(void *a);
} VhActionOps;

/** vh_actions() - the actions of actions/, NULL terminated */
const VhActionOps *const *vh_actions(void);

#endif
