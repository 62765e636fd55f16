/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control loop of action balloon: how much memory should the guest have?
 *
 * Theory of operation
 * -------------------
 * wanted = working set * (1 + headroom), at least the floor, at most the
 * ceiling and all there is. Changes below the hysteresis, or below the
 * monitor's noise (a sixteenth), are not made. After each pass, in this order:
 *
 *   give     at once, all that is missing, when the working set asks for more
 *            than the guest has; and when the guest is under pressure, more
 *            than that: one step, then two, four, ... as long as it goes on
 *   wait     after pressure, HOLD_MIN_NS; twice as long, up to HOLD_MAX_NS,
 *            when taking memory led to pressure again
 *   take     at most one step, when the largest working set of late leaves
 *            as much. Not before the guest gave what was taken
 *            last, and told how it fares with that. Never so much that less
 *            than the reserve stays available.
 *
 * Signs of pressure are: less than half of the reserve available, now or in
 * AHEAD_S if it goes on falling, by more than was taken, as it does; many major
 * faults; swapping in; memory that the guest took back by itself
 * (deflate-on-oom); a working set that grows by a quarter from one pass to the
 * next.
 *
 * So a mistake is corrected within a pass and repeated at ever longer
 * intervals: the loop does not swing. A guest that does not follow for STUCK_NS
 * has no memory to give, or no driver: the balloon is then set to what it is,
 * for the time of a hold.
 *
 * Without the guest's statistics only the working set is heard, and steps are
 * GAP_NS apart. Once there were some, no memory is taken when they fail to
 * come: a guest that is short of memory answers late.
 *
 * What it cannot see: memory that the guest needs but does not touch while it
 * is being watched, unless the guest's statistics tell. The floor is for that.
 *
 * Pure arithmetic on the times it is given.
 */
#ifndef VMHEAT_ACTIONS_BALLOON_LOOP_H
#define VMHEAT_ACTIONS_BALLOON_LOOP_H

#include "actions/working-set.h"
#include "vmheat/action.h"

#define VH_BALLOON_UNKNOWN UINT64_MAX

/**
 * struct VhBalloonSight - the guest and its balloon, just now
 * @ram: bytes the guest has with an empty balloon
 * @actual: bytes it has
 * @target: bytes it was asked to have
 * @driver: it has a driver for the balloon
 * @stats_ns: when it told the following, another number each time; 0: it did
 *            not lately
 * @available: bytes it could still use without swapping
 * @free: bytes it does not use at all
 * @major_faults: since it booted
 * @swap_in: bytes, since it booted
 *
 * From @available on: VH_BALLOON_UNKNOWN when not known.
 */
typedef struct VhBalloonSight {
    uint64_t ram;
    uint64_t actual;
    uint64_t target;
    bool driver;
    uint64_t stats_ns;
    uint64_t available;
    uint64_t free;
    uint64_t major_faults;
    uint64_t swap_in;
} VhBalloonSight;

/** enum VhBalloonWhy - what the loop did last, and why */
typedef enum VhBalloonWhy {
    VH_BALLOON_BEGINS,
    VH_BALLOON_SETTLED,
    VH_BALLOON_PEAK, /* would take, but the working set was larger lately */
    VH_BALLOON_TAKES,
    VH_BALLOON_FOLLOWS,  /* waits for the guest to give what was taken */
    VH_BALLOON_RESERVE,  /* the guest has too little available */
    VH_BALLOON_STALE,    /* its statistics do not come */
    VH_BALLOON_GREW,     /* the working set */
    VH_BALLOON_PRESSURE, /* and hold */
    VH_BALLOON_STUCK,    /* and hold */
    VH_BALLOON_NO_DRIVER,
} VhBalloonWhy;

/** enum VhPressure - signs of a guest that needs memory */
typedef enum VhPressure {
    VH_PRESSURE_NONE,
    VH_PRESSURE_AVAILABLE,
    VH_PRESSURE_FAULTS,
    VH_PRESSURE_SWAP,
    VH_PRESSURE_TOOK_BACK,
    VH_PRESSURE_GROWTH,
} VhPressure;

/**
 * struct VhBalloonLoop - state
 * @set: working set
 * @seen: what was seen last, with the target that was set then
 * @wanted: bytes the guest should have
 * @why: what was done last
 * @pressure: latest sign
 * @presses: signs in a row
 * @began_ns: first pass
 * @hold_ns: how long to wait after pressure
 * @hold_until_ns: no memory is taken before
 * @took_ns: when memory was taken last
 * @best: least memory the guest had since then
 * @progress_ns: when that last became less
 * @settled_stats_ns: its statistics when it had given all that was taken; 0:
 *                    has not yet
 * @rates: statistics that rates are computed from
 * @high: most that the guest had since then, and in the interval before it
 */
typedef struct VhBalloonLoop {
    VhWorkingSet set;
    VhBalloonSight seen;
    uint64_t wanted;
    VhBalloonWhy why;
    VhPressure pressure;
    unsigned presses;
    uint64_t began_ns;
    uint64_t hold_ns;
    uint64_t hold_until_ns;
    uint64_t took_ns;
    uint64_t best;
    uint64_t progress_ns;
    uint64_t settled_stats_ns;
    VhBalloonSight rates;
    uint64_t high[2];
} VhBalloonLoop;

/** vh_balloon_loop_init() - nothing was seen yet */
void vh_balloon_loop_init(VhBalloonLoop *l);

/**
 * vh_balloon_loop_step() - a pass is over
 *
 * Returns the bytes the guest should be asked to have; @s->target: leave it.
 */
uint64_t vh_balloon_loop_step(VhBalloonLoop *l, const VhBalloonArgs *args,
                              const VhPass *pass, const VhBalloonSight *s,
                              uint64_t now_ns);

/** vh_balloon_loop_describe() - the state in a sentence, for g_free() */
char *vh_balloon_loop_describe(const VhBalloonLoop *l, uint64_t now_ns);

/**
 * vh_balloon_reserve() - bytes that should stay available in the guest
 * @has: bytes it has
 * @floor: bytes it keeps in any case; 0: not said
 *
 * 5 % of what it has, but no less than a quarter of the floor and 32 MiB.
 */
uint64_t vh_balloon_reserve(uint64_t has, uint64_t floor);

#endif
