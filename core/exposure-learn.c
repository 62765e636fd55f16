/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an answer means, and what to do about it at once.
 *
 * Theory of operation
 * -------------------
 * Most answers only make a life longer or end it (wires.h). What is unlikely
 * under the rate of the wire's region may be a change, or chance:
 *  - a fire in an interval in which one was not to be expected (ODD): the wire
 * is armed again at once (urgent), and armed wires around it, 1, 2, 4 ..
 *    NEIGHBOURS away, are asked now, for they may have fired as well;
 *  - when it fires again, and so soon that the old rate cannot explain it, the
 *    change is certain: it forgets what it was before, and so do those around
 *    it that fired lately: they need not be confirmed one by one;
 *  - a silence that is too long (VH_SURPRISE): wires around it that rest and
 * are of its rate are armed (doubt), to see whether they are silent, too. An
 * armed wire is asked next time and then ever more seldom, the longer it is
 * silent: each look costs the same, and the longer a silence, the less a few
 * more seconds say.
 */
#include <math.h>

#include "exposure.h"

#define NEIGHBOURS 64
#define ODD 0.15f    /* a fire less likely than that is followed up */
#define ASK_GROWTH 3 /* silences between two looks, when all is expected */
#define ASK_GROWTH_HOT 0.5f /* when it was to fire, but has not yet */
#define HOT_HZ 1.0f
#define AGAIN_S 1 /* after a page could not be armed */

static void look_again(VhExposure *e, VhField *f, size_t i, size_t j,
                       bool fired)
{
    VhWire *w = &f->wires.v[j];

    if (fired && w->state == VH_WIRE_ARMED) {
        w->due = vh_exposure_now(e);
    } else if (!fired && w->state == VH_WIRE_DOWN &&
               w->rate == f->wires.v[i].rate) {
        w->urgent = true;
        w->doubt = true;
    }
}

static void alarm_neighbours(VhExposure *e, VhField *f, size_t i, bool fired)
{
    for (size_t d = 1; d <= NEIGHBOURS; d *= 2) {
        if (d <= i) {
            look_again(e, f, i, i - d, fired);
        }
        if (i + d < f->wires.nr) {
            look_again(e, f, i, i + d, fired);
        }
    }
}

/* Wire @j joins in a change that is certain; returns false if it does not. */
static bool join_change(VhExposure *e, VhWire *w)
{
    if (!w->urgent || !vh_exposure_fired_lately(e, w)) {
        return false;
    }
    vh_wire_forget(w);
    w->urgent = false;
    w->due = vh_exposure_now(e);
    return true;
}

static void spread_change(VhExposure *e, VhField *f, size_t i)
{
    VhWire *v = f->wires.v;

    for (size_t j = i; j-- > 0 && join_change(e, &v[j]);) {
    }
    for (size_t j = i + 1; j < f->wires.nr && join_change(e, &v[j]); j++) {
    }
}

/* How likely it was that @w fired within @seconds. */
static float likely(const VhExposure *e, const VhWire *w, float seconds)
{
    return -expm1f(-e->rates.hz[w->rate] * seconds);
}

static void on_fired(VhExposure *e, VhField *f, size_t i)
{
    VhWire *w = &f->wires.v[i];
    VhStamp now = vh_exposure_now(e);
    bool odd = likely(e, w, vh_stamp_s(w->asked, now)) < ODD;
    bool certain =
        w->nr == 1 && likely(e, w, vh_stamp_s(w->from, now)) < VH_SURPRISE;

    vh_wire_fired(w, &e->rates, now);
    if (certain) {
        w->urgent = false;
        vh_wire_forget_before(w);
        spread_change(e, f, i);
    } else if (odd) {
        w->urgent = true;
    }
    if (odd || certain) {
        alarm_neighbours(e, f, i, true);
    }
    w->dead |= w->sweep && !odd && w->nr == 1;
    w->sweep &= w->dead;
}

static float wait_for(VhExposure *e, const VhField *f, const VhWire *w,
                      float limit)
{
    float silence = vh_wire_silence(w);
    float most = MAX(1, f->wires.nr / f->asks_per_s);

    if (silence < limit && e->rates.hz[w->rate] > HOT_HZ) {
        return MAX(silence, 1 / e->rates.hz[w->rate]) * ASK_GROWTH_HOT;
    }
    return MIN(silence * ASK_GROWTH, most) * (0.75 + vh_rng_unit(&e->rng) / 2);
}

static void on_silent(VhExposure *e, VhField *f, size_t i)
{
    VhWire *w = &f->wires.v[i];
    float limit = -logf(VH_SURPRISE) / e->rates.hz[w->rate];
    bool was_expected = vh_wire_silence(w) < limit;

    vh_wire_silent(w, vh_exposure_now(e));
    if (was_expected && vh_wire_silence(w) >= limit && w->rate) {
        w->urgent = true;
        alarm_neighbours(e, f, i, false);
    }
    w->dead |= w->sweep;
    w->due = vh_stamp_add(vh_exposure_now(e), wait_for(e, f, w, limit));
    w->state = f->persistent ? VH_WIRE_ARMED : VH_WIRE_DOWN;
}

/* What was armed is a whole granule; wires inside it are of no more use. */
static void take_granule(VhField *f, size_t i, const VhCheck *c)
{
    VhWire *w = &f->wires.v[i];
    unsigned order = 0;
    uint64_t page;

    while (VH_PAGE_SIZE << (order + 1) <= c->granule) {
        order++;
    }
    /* of the page that was checked: w->page may lie before its range */
    page = c->gpa / VH_PAGE_SIZE & ~((1ULL << order) - 1);
    if (i && page < vh_wire_end(w - 1)) {
        w->dead = true;
        return;
    }
    w->order = order;
    w->page = page;
    for (size_t j = i + 1;
         j < f->wires.nr && f->wires.v[j].page < vh_wire_end(w); j++) {
        f->wires.v[j].dead = true;
    }
}

static void learn(VhExposure *e, const VhCheck *c)
{
    VhField *f = &e->fields[c->write];
    size_t i = vh_wires_find(&f->wires, c->cookie);
    VhWire *w = &f->wires.v[i];
    bool answered = c->state == VH_CHECK_FIRED || c->state == VH_CHECK_SILENT;

    if (i >= f->wires.nr || w->page != c->cookie || w->dead) {
        return;
    }
    if (!answered) {
        w->state = VH_WIRE_DOWN;
        w->due = vh_stamp_add(vh_exposure_now(e), AGAIN_S);
        return;
    }
    if (w->state == VH_WIRE_PENDING) {
        take_granule(f, i, c);
    }
    if (c->state == VH_CHECK_FIRED) {
        on_fired(e, f, i);
    } else {
        on_silent(e, f, i);
    }
}

void vh_exposure_observe(VhExposure *e, const VhCheck *checks, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        learn(e, &checks[k]);
    }
}
