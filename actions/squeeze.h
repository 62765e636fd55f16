/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A squeeze: the balloon takes memory that is free in the guest and lets go of
 * it at once. The guest has lost nothing, and the host has what was there.
 *
 * Pure arithmetic on the times it is given; see hw/squeeze.h for who does it.
 */
#ifndef VMHEAT_ACTIONS_SQUEEZE_H
#define VMHEAT_ACTIONS_SQUEEZE_H

#include "actions/balloon-loop.h"

/* The guest should have given it by then. */
#define VH_SQUEEZE_NS 10000000000ULL

/**
 * struct VhSqueeze - one that is under way
 * @back: where the balloon was asked to be
 * @goal: where it is asked to be for a moment
 * @until_ns: no longer than this
 * @begin: bytes the guest had
 * @least: least bytes it had since
 */
typedef struct VhSqueeze {
    uint64_t back;
    uint64_t goal;
    uint64_t until_ns;
    uint64_t begin;
    uint64_t least;
} VhSqueeze;

/**
 * vh_squeeze_begin() - how far to go?
 * @most: bytes to take at most
 * @why: out, when it returns false: why not, a constant
 */
bool vh_squeeze_begin(VhSqueeze *q, const VhBalloonSight *s, uint64_t most,
                      uint64_t now_ns, const char **why);

/** vh_squeeze_over() - is it time to let go? */
bool vh_squeeze_over(VhSqueeze *q, const VhBalloonSight *s, uint64_t now_ns);

/** vh_squeeze_taken() - bytes the guest gave */
uint64_t vh_squeeze_taken(const VhSqueeze *q);

#endif
