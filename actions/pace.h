/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long to leave the guest alone after something that held it up.
 */
#ifndef VMHEAT_ACTIONS_PACE_H
#define VMHEAT_ACTIONS_PACE_H

#include "vmheat/action.h"

/* Share of the time of a quantum that a running guest loses, per mille. */
#define VH_PACE_ALIAS \
    120U /* memory is taken away in chunks, unmapped at once */
#define VH_PACE_EACH 1000U /* page by page below the guest */

/** VH_PACE_LOSS - what a running guest may lose, per mille; the target is 20 */
#define VH_PACE_LOSS 15U

/** vh_pace_idle() - is there nobody to be held up? Then quanta may be larger.
 */
bool vh_pace_idle(const VhActionEnv *env);

/**
 * vh_pace_wait() - time for which nothing more may be done
 * @env: tells how much the guest runs
 * @spent_ns: the quantum took so long
 * @share: VH_PACE_*
 *
 * None when the guest is idle.
 */
uint64_t vh_pace_wait(const VhActionEnv *env, uint64_t spent_ns,
                      unsigned share);

#endif
