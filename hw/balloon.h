/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's virtio-balloon device, and having something done to it from the
 * worker thread.
 *
 * "Main thread" below is any thread that holds the BQL.
 */
#ifndef VMHEAT_HW_BALLOON_H
#define VMHEAT_HW_BALLOON_H

#include "compat/qemu.h"
#include "actions/balloon-loop.h"
#include "hw/actions.h"

/**
 * vmheat_balloon_probe() - can a balloon give memory to the host?
 * @why: out, why not, a sentence for g_free()
 *
 * Main thread. That the guest has a driver is not asked: it may not have booted
 * yet.
 */
bool vmheat_balloon_probe(char **why);

/**
 * vmheat_balloon_look() - the guest and its balloon, just now
 * @reporting: out, the guest reports free pages by itself; may be NULL
 *
 * Main thread. False when there is no balloon device. Asks the guest for its
 * statistics from now on, if nobody does yet.
 */
bool vmheat_balloon_look(VhBalloonSight *s, bool *reporting);

/**
 * vmheat_balloon_size() - bytes the guest has, and should have
 *
 * Main thread. False when there is no balloon device. Asks the guest nothing.
 */
bool vmheat_balloon_size(uint64_t *actual, uint64_t *target);

/** vmheat_balloon_set() - bytes the guest should have; main thread */
void vmheat_balloon_set(uint64_t target);

/** vmheat_balloon_quiet() - nobody here needs statistics now; main thread */
void vmheat_balloon_quiet(void);

/**
 * vmheat_balloon_take() - only one action may move the balloon at a time
 *
 * Worker thread. False when another one does. @who keeps it until it gives it
 * back.
 */
bool vmheat_balloon_take(VmheatActionHost *h, const void *who);

/** vmheat_balloon_give() - the opposite; does nothing if @who is another */
void vmheat_balloon_give(VmheatActionHost *h, const void *who);

#endif
