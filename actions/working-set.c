/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "actions/working-set.h"

#define SECOND 1000000000ULL
#define LOST_NS (600 * SECOND)
#define FORGIVE_NS (120 * SECOND)
#define WINDOW_NS (10 * SECOND)
/* so few of the bytes that were cold still are: the monitor began anew */
#define LOST_SHARE 8
/* in which what was given is seen to be hot, however seldom cold memory is
 * looked at; at most twice that */
#define SEEN_NS (10 * SECOND)

void vh_working_set_init(VhWorkingSet *w, uint64_t guess)
{
    *w = (VhWorkingSet){ .guess = guess };
}

static void age_given(VhWorkingSet *w, uint64_t now_ns)
{
    uint64_t age = now_ns - w->given_window_ns;

    if (age >= SEEN_NS) {
        w->given[1] = age >= 2 * SEEN_NS ? 0 : w->given[0];
        w->given[0] = 0;
        w->given_window_ns = now_ns;
    }
}

void vh_working_set_gave(VhWorkingSet *w, uint64_t bytes, uint64_t now_ns)
{
    age_given(w, now_ns);
    w->given[0] += bytes;
    w->just_given[0] += bytes;
    w->forgiven += bytes;
    w->gave_ns = now_ns;
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

/* What is accessed now is in use, but for what may be cleared right now. */
static uint64_t surely(const VhWorkingSet *w, const VhPass *p)
{
    uint64_t cleared = w->just_given[0] + w->just_given[1];

    return MAX(w->base, p->accessed - MIN(p->accessed, cleared));
}

/* @raw without what only seems to be in use. */
static uint64_t forgive(VhWorkingSet *w, const VhPass *p, uint64_t raw,
                        uint64_t now_ns)
{
    uint64_t hot = raw - MIN(raw, w->base), unseen;

    age_given(w, now_ns);
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
    return MIN(raw, MAX(surely(w, p), raw - MIN(raw, w->forgiven)));
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

void vh_working_set_update(VhWorkingSet *w, const VhPass *p, uint64_t slack,
                           uint64_t now_ns)
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
        w->now = forgive(w, p, raw, now_ns);
    }
    w->just_given[1] = w->just_given[0];
    w->just_given[0] = 0;
    keep_peak(w, now_ns);
}
