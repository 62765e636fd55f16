/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "actions/working-set.h"

#define SECOND 1000000000ULL
#define LOST_NS (600 * SECOND)
#define FORGIVE_NS (120 * SECOND)
/* so few of the bytes that were cold still are: the monitor began anew */
#define LOST_SHARE 8
/* in which what was given is seen to be hot, however seldom cold memory is
 * looked at; at most twice that */
#define WINDOW_NS (10 * SECOND)

void vh_working_set_init(VhWorkingSet *w, uint64_t guess)
{
    *w = (VhWorkingSet){ .guess = guess };
}

static void turn_windows(VhWorkingSet *w, uint64_t now_ns)
{
    uint64_t age = now_ns - w->window_ns;
    bool old = age >= 2 * WINDOW_NS;

    if (age >= WINDOW_NS) {
        w->given[1] = old ? 0 : w->given[0];
        w->given[0] = 0;
        w->busy[1] = old ? 0 : w->busy[0];
        w->busy[0] = UINT64_MAX;
        w->low[1] = old ? UINT64_MAX : w->low[0];
        w->low[0] = UINT64_MAX;
        w->high[1] = old ? 0 : w->high[0];
        w->high[0] = 0;
        w->window_ns = now_ns;
    }
}

static void note_given(VhWorkingSet *w, uint64_t bytes, uint64_t now_ns)
{
    if (bytes) {
        w->given[0] += bytes;
        w->forgiven += bytes;
        w->gave_ns = now_ns;
    }
}

/* Before this there was no pass. */
static void start(VhWorkingSet *w, const VhPass *p, uint64_t raw,
                  uint64_t now_ns)
{
    w->started = true;
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
static uint64_t forgive(VhWorkingSet *w, const VhPass *p, uint64_t raw,
                        uint64_t now_ns)
{
    uint64_t hot = raw - MIN(raw, w->base), unseen, least;

    w->busy[0] = MIN(w->busy[0], p->accessed);
    unseen = w->given[0] + w->given[1];
    w->forgiven = MIN(w->forgiven, unseen + hot);
    if (now_ns - w->gave_ns > FORGIVE_NS) {
        w->forgiven = 0;
    }
    if (!w->forgiven) {
        w->base = raw;
        return raw;
    }
    if (raw <= w->base) {
        return raw;
    }
    least = MAX(w->base, MIN(w->busy[0], w->busy[1]));
    return MIN(raw, MAX(least, raw - MIN(raw, w->forgiven)));
}

static void keep_extremes(VhWorkingSet *w, bool told)
{
    w->high[0] = MAX(w->high[0], w->now);
    w->low[0] = MIN(w->low[0], w->now);
    w->peak = MAX(w->high[0], w->high[1]);
    w->now = told ? MIN(w->low[0], w->low[1]) : w->now;
}

void vh_working_set_update(VhWorkingSet *w, const VhPass *p, uint64_t given,
                           bool told, uint64_t slack, uint64_t now_ns)
{
    uint64_t raw = p->total - MIN(p->total, p->matched);

    turn_windows(w, now_ns);
    note_given(w, given, now_ns);
    if (!w->started) {
        start(w, p, raw, now_ns);
    }
    look_for_loss(w, p, slack, now_ns);
    if (w->lost) {
        w->now = MIN(raw, MAX(w->now, p->accessed));
    } else {
        w->cold = p->matched;
        w->now = forgive(w, p, raw, now_ns);
    }
    keep_extremes(w, told);
}
