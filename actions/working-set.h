/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's working set, as far as passes of a scheme for cold memory tell.
 *
 * Theory of operation
 * -------------------
 * What is not cold is in use: total - matched. Two things make that number
 * wrong, and both would move a balloon for nothing:
 *
 *   The monitor began anew (another primitive, a migration, a pause): nothing
 *   is old enough to be cold for a while, and all memory seems to be in use.
 *   It shows as cold memory that is gone although next to nothing was accessed.
 *   Until half of it is found again, or LOST_NS have passed, the working set is
 *   what it was, or what is being accessed if that is more.
 *
 *   A guest that clears pages as it takes them from its free memory (Linux with
 *   init_on_alloc) touches each page that it hands to the balloon. For a while
 *   that looks hot. As much as was given is thus forgiven, until it is seen to
 *   be cold, or was not seen to be hot within WINDOW_NS, or FORGIVE_NS have
 *   passed. As much as is accessed all the time, for WINDOW_NS to twice that,
 *   is in use all the same: what was cleared is not, though it may seem so for
 *   seconds.
 *
 * Whole regions become young when half of their pages were touched, once. A
 * guest that tells what is available will say when it runs short, so there what
 * lasted for WINDOW_NS to twice that counts only; else growth has to be
 * believed at once.
 *
 * A peak of the last one to two windows of WINDOW_NS is kept beside it: who
 * takes memory away should heed that one.
 *
 * Pure arithmetic on the times it is given.
 */
#ifndef VMHEAT_ACTIONS_WORKING_SET_H
#define VMHEAT_ACTIONS_WORKING_SET_H

#include "vmheat/action.h"

/**
 * struct VhWorkingSet - the estimate
 * @now: bytes in use
 * @peak: most of them lately; at least @now
 * @lost: the monitor began anew, @now is what was known before
 * @started: there was a pass
 * @guess: until then: the working set that was there before, or UINT64_MAX
 * @cold: cold bytes when that was last known
 * @lost_ns: since when it is lost
 * @forgiven: bytes given that may look hot
 * @base: working set when nothing was forgiven
 * @gave_ns: when something was last given
 * @window_ns: begin of the running window
 * @given: bytes given in the running window and in the one before it
 * @busy: least that was accessed in a pass, in each of them
 * @low: least working set
 * @high: largest working set
 */
typedef struct VhWorkingSet {
    uint64_t now;
    uint64_t peak;
    bool lost;
    bool started;
    uint64_t guess;
    uint64_t cold;
    uint64_t lost_ns;
    uint64_t forgiven;
    uint64_t base;
    uint64_t gave_ns;
    uint64_t window_ns;
    uint64_t given[2];
    uint64_t busy[2];
    uint64_t low[2];
    uint64_t high[2];
} VhWorkingSet;

/**
 * vh_working_set_init() - nothing was seen yet
 * @guess: what it was before, as far as known; UINT64_MAX: not known
 */
void vh_working_set_init(VhWorkingSet *w, uint64_t guess);

/**
 * vh_working_set_update() - a pass is over
 * @given: bytes that the guest gave to the balloon since the one before
 * @told: the guest's statistics come
 * @slack: changes below this mean nothing
 */
void vh_working_set_update(VhWorkingSet *w, const VhPass *p, uint64_t given,
                           bool told, uint64_t slack, uint64_t now_ns);

#endif
