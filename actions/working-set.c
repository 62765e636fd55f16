/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "actions/working-set.h"

#define SECOND 1000000000ULL
#define LOST_NS (600 * SECOND)
#define FORGIVE_NS (120 * SECOND)
#define WINDOW_NS (10 * SECOND)
/* so few of the bytes that were cold still are: the monitor began anew */
#define LOST_SHARE 8
/* in which what was taken is seen to be hot, however seldom cold memory is
 * looked at */
#define SEEN_NS (20 * SECOND)

void vh_working_set_init(VhWorkingSet *w, uint64_t guess)
{
    *w = (VhWorkingSet){ .guess = guess };
}

void vh_working_set_took(VhWorkingSet *w, uint64_t bytes, uint64_t now_ns)
{
    w->forgiven += bytes;
    w->took_ns = now_ns;
    w->given_ns = 0;
}

/* Before this there was no pass. */
static void start(VhWorkingSet *w, const VhPass *p, uint64_t raw,
                  uint64_t now_ns)
{
    w->started = true;
    w->window_ns = now_ns;
    w->now = raw;
    if (w->guess < raw) {
        w->now = w->guess;
        w->cold = p->total - w->guess;
        w->lost = true;
        w->lost_ns = now_ns;
    }
    w->base = w->now;
}

static void look_for_loss(VhWorkingSet *w, const VhPass *p, uint64_t slack,
                          uint64_t now_ns)
{
    if (!w->lost && p->matched < w->cold / LOST_SHARE &&
        w->cold - p->matched > p->accessed + slack) {
        w->lost = true;
        w->lost_ns = now_ns;
    } else if (w->lost &&
               (p->matched >= w->cold / 2 || now_ns - w->lost_ns > LOST_NS)) {
        w->lost = false;
    }
}

/* @raw without what only seems to be in use. */
static uint64_t forgive(VhWorkingSet *w, uint64_t raw, bool given,
                        uint64_t now_ns)
{
    if (given && !w->given_ns) {
        w->given_ns = now_ns;
    }
    if (w->given_ns && now_ns - w->given_ns >= SEEN_NS) {
        w->forgiven = MIN(w->forgiven, raw > w->base ? raw - w->base : 0);
    }
    if (now_ns - w->took_ns > FORGIVE_NS) {
        w->forgiven = 0;
    }
    if (!w->forgiven) {
        w->base = raw;
        return raw;
    }
    if (raw <= w->base) {
        return raw;
    }
    return MAX(w->base, raw - MIN(raw, w->forgiven));
}

static void keep_peak(VhWorkingSet *w, uint64_t now_ns)
{
    if (now_ns - w->window_ns >= WINDOW_NS) {
        bool old = now_ns - w->window_ns >= 2 * WINDOW_NS;

        w->window[1] = old ? 0 : w->window[0];
        w->window[0] = 0;
        w->window_ns = now_ns;
    }
    w->window[0] = MAX(w->window[0], w->now);
    w->peak = MAX(w->window[0], w->window[1]);
}

void vh_working_set_update(VhWorkingSet *w, const VhPass *p, bool given,
                           uint64_t slack, uint64_t now_ns)
{
    uint64_t raw = p->total - MIN(p->total, p->matched);

    if (!w->started) {
        start(w, p, raw, now_ns);
    }
    look_for_loss(w, p, slack, now_ns);
    if (w->lost) {
        w->now = MIN(raw, MAX(w->now, p->accessed));
    } else {
        w->cold = p->matched;
        w->now = forgive(w, raw, given, now_ns);
    }
    keep_peak(w, now_ns);
}
