/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that runs for the share b of the time, and for whose memory a quantum
 * of t costs it c * t while it runs, loses b * c * t of t + wait. That is to be
 * VH_PACE_LOSS of its time:
 *
 *   wait = t * (b * c / loss - 1)
 *
 * c was measured, see bench/actions; it is the worst seen, not the mean. A
 * quantum whose thread lost its CPU took longer and cost the guest no more:
 * then the wait is longer than needed, which harms nobody; but it has an end.
 */
#include <glib.h>

#include "actions/pace.h"

#define IDLE 0.02
#define WAIT_MAX_NS 1000000000ULL

static double busy_share(const VhActionEnv *env)
{
    return env->guest_busy ? env->guest_busy(env->opaque) : 1;
}

bool vh_pace_idle(const VhActionEnv *env)
{
    return busy_share(env) < IDLE;
}

uint64_t vh_pace_wait(const VhActionEnv *env, uint64_t spent_ns, unsigned share)
{
    double busy = busy_share(env), factor;

    if (busy < IDLE) {
        return 0;
    }
    factor = MIN(busy, 1) * share / VH_PACE_LOSS - 1;
    return factor > 0 ? MIN(spent_ns * factor, WAIT_MAX_NS) : 0;
}
