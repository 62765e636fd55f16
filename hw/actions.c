/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/actions.h"
#include "hw/balloon.h"

/* The guest tells something new as often. */
#define GUEST_FREE_NS NANOSECONDS_PER_SECOND

const VhActionOps *const *vmheat_hw_actions(void)
{
    static const VhActionOps *const all[] = {
        &vmheat_action_balloon,
        &vmheat_action_discard_free,
        NULL,
    };

    return all;
}

/* For vmheat_bql_call(). */
static bool look_step(void *arg)
{
    vmheat_balloon_look(arg, NULL);
    return true;
}

static uint64_t permille_available(VmheatActionHost *h)
{
    VhBalloonSight s = { 0 };

    if (!vmheat_bql_call(h->bql, look_step, &s) || !s.stats_ns || !s.actual ||
        s.available == VH_BALLOON_UNKNOWN) {
        return VH_BALLOON_UNKNOWN;
    }
    return MIN(s.available, s.actual) / VH_PAGE_SIZE * 1000 /
           (s.actual / VH_PAGE_SIZE);
}

bool vmheat_guest_free_permille(VmheatActionHost *h, uint64_t *value)
{
    int64_t now = get_clock();

    if (!h->guest_free_ns || now - h->guest_free_ns >= GUEST_FREE_NS) {
        h->guest_free = permille_available(h);
        h->guest_free_ns = now;
    }
    *value = h->guest_free;
    return h->guest_free != VH_BALLOON_UNKNOWN;
}
