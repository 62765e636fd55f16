/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "actions/squeeze.h"

#define MIB ((uint64_t)1 << 20)
#define LEAST (16 * MIB) /* less is not worth it */
#define SLACK MIB

static const char *hindrance(const VhBalloonSight *s, uint64_t most)
{
    if (!s->driver) {
        return "the guest has no driver for the balloon";
    }
    if (!s->stats_ns || s->free == VH_BALLOON_UNKNOWN) {
        return "the guest does not tell how much of its memory is free";
    }
    if (s->actual > s->target + SLACK || s->actual + SLACK < s->target) {
        return "the balloon is on its way already";
    }
    if (s->available < 2 * vh_balloon_reserve(s->actual, 0)) {
        return "the guest has little memory available";
    }
    return most < LEAST ? "hardly any memory has the pattern" : NULL;
}

bool vh_squeeze_begin(VhSqueeze *q, const VhBalloonSight *s, uint64_t most,
                      uint64_t now_ns, const char **why)
{
    uint64_t reserve = vh_balloon_reserve(s->actual, 0), much;

    *why = hindrance(s, most);
    if (*why) {
        return false;
    }
    much = MIN(most, s->free - MIN(s->free, reserve));
    much = MIN(much, s->target / 2) / VH_PAGE_SIZE * VH_PAGE_SIZE;
    if (much < LEAST) {
        *why = "hardly any memory is free in the guest";
        return false;
    }
    *q = (VhSqueeze){ .back = s->target,
                      .goal = s->target - much,
                      .until_ns = now_ns + VH_SQUEEZE_NS,
                      .begin = s->actual,
                      .least = s->actual };
    return true;
}

bool vh_squeeze_over(VhSqueeze *q, const VhBalloonSight *s, uint64_t now_ns)
{
    bool short_of =
        s->stats_ns && s->available < vh_balloon_reserve(s->actual, 0) / 2;

    q->least = MIN(q->least, s->actual);
    return s->actual <= q->goal || now_ns >= q->until_ns || short_of ||
           s->target != q->goal; /* somebody else moves it */
}

uint64_t vh_squeeze_taken(const VhSqueeze *q)
{
    return q->begin - q->least;
}
