/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wires to regions: the pass over all wires of a field. */
#include <math.h>

#include "exposure.h"

#define ROUGH 8               /* wires on either side that tell how many */
#define CHANGES_AT_LEAST 0.2f /* borders there are; never none */
#define CHANGES_AT_MOST 0.9f  /* nor one at every wire */
#define FIRES_AT_LEAST 1      /* cold memory is never taken for dead */
#define LEFT_S 60             /* in which a wire that is left behind may fire */
#define PASS_NS_PER_WIRE 50000u /* so that a pass takes 1 % of the time */

VhSpan vh_exposure_span(const VhExposure *e, const VhField *f, size_t r,
                        size_t first)
{
    VhSpan s = { first, first, e->ranges[r].start, e->ranges[r].end };

    while (s.end < f->wires.nr && f->wires.v[s.end].page < s.hi) {
        s.end++;
    }
    return s;
}

bool vh_exposure_region(const VhField *f, const VhSpan *span, VhSpan *region)
{
    const VhWire *v = f->wires.v;
    VhSpan r = { .first = region->hi ? region->end : span->first,
                 .lo = region->hi ? region->hi : span->lo };

    if (region->hi && region->end == span->end) {
        return false;
    }
    r.end = r.first;
    while (r.end < span->end && (r.end == r.first || !v[r.end].first)) {
        r.end++;
    }
    r.hi = r.end < span->end
               ? vh_most_aligned(vh_wire_end(&v[r.end - 1]), v[r.end].page)
               : span->hi;
    *region = r;
    return true;
}

bool vh_exposure_fired_lately(const VhExposure *e, const VhWire *w)
{
    return w->nr && w->from == w->asked &&
           vh_stamp_s(w->asked, vh_exposure_now(e)) < VH_LATELY_S;
}

double vh_exposure_owes(const VhExposure *e, const VhField *f, const VhWire *w)
{
    double seconds = f->persistent ? LEFT_S : e->attrs.sampling_us / 1e6;

    return -expm1(-(w->rate ? e->rates.hz[w->rate] : f->cold_hz) * seconds);
}

void vh_exposure_tidy(VhExposure *e, VhField *f)
{
    size_t to = 0;

    for (size_t i = 0; i < f->wires.nr; i++) {
        const VhWire *w = &f->wires.v[i];
        VhWire *last = to ? &f->wires.v[to - 1] : NULL;

        if (w->dead) {
            /* the sweep paid when it armed it */
            e->owed += w->state == VH_WIRE_ARMED && !w->sweep
                           ? vh_exposure_owes(e, f, w)
                           : 0;
            continue;
        }
        if (last && w->page < vh_wire_end(last)) {
            continue; /* it covers this one */
        }
        f->wires.v[to] = *w;
        /* not answered any more: answers come before a pass */
        if (w->state == VH_WIRE_PENDING) {
            f->wires.v[to].state = VH_WIRE_DOWN;
        }
        to++;
    }
    f->wires.nr = to;
}

/* What a change costs: the more there were around, the less. */
static float penalty(size_t changes, size_t wires)
{
    float share = (changes + CHANGES_AT_LEAST) / wires;

    return logf(VH_RATES) - logf(MIN(share, CHANGES_AT_MOST));
}

static void push_all(VhExposure *e, VhField *f, const VhSpan *s)
{
    const VhWire *v = f->wires.v;
    size_t a = s->first, b = s->first, changes = 0;
    VhLikelihood l;

    vh_segment_begin(&f->row);
    for (size_t i = s->first; i < s->end; i++) {
        while (b < MIN(i + ROUGH, s->end)) {
            changes += b > s->first && v[b].first;
            b++;
        }
        while (a + ROUGH < i) {
            changes -= a > s->first && v[a].first;
            a++;
        }
        vh_wire_seen(&v[i], &e->rates, vh_exposure_now(e), &l);
        vh_segment_push(&f->row, &l, penalty(changes, b - a));
    }
}

static void segment(VhExposure *e, VhField *f, const VhSpan *s)
{
    VhWire *v = f->wires.v;
    unsigned rate = 0;

    push_all(e, f, s);
    for (size_t i = s->end; i-- > s->first;) {
        unsigned behind = rate;

        rate = vh_segment_pop(&f->row, rate, i + 1 == s->end);
        v[i].rate = rate;
        if (i + 1 < s->end) {
            v[i + 1].first = rate != behind;
        }
    }
    if (s->first < s->end) {
        v[s->first].first = true;
    }
}

/* A single fire is followed up until it is explained; nothing else is. */
static void calm_down(VhExposure *e, VhField *f)
{
    for (size_t i = 0; i < f->wires.nr; i++) {
        VhWire *w = &f->wires.v[i];

        w->urgent &= w->doubt || (w->state == VH_WIRE_DOWN && w->nr == 1 &&
                                  vh_exposure_fired_lately(e, w));
    }
}

/* The grid ends at its first rate; all wires below it together know more. */
static double cold_hz(const VhExposure *e, const VhField *f)
{
    double fires = FIRES_AT_LEAST, seconds = 1;

    for (size_t i = 0; i < f->wires.nr; i++) {
        const VhWire *w = &f->wires.v[i];

        if (!w->rate) {
            fires += w->nr;
            seconds += vh_wire_silence(w);
            for (unsigned k = 0; k < w->nr; k++) {
                seconds += e->rates.seconds[w->lives[k].silent];
            }
        }
    }
    return MIN(fires / seconds, e->rates.hz[0]);
}

/* Stamps wrap: whatever was longer ago was that long ago. */
static void bound_times(VhExposure *e, VhField *f)
{
    VhStamp now = vh_exposure_now(e);

    for (size_t i = 0; i < f->wires.nr; i++) {
        VhWire *w = &f->wires.v[i];

        if (vh_stamp_s(w->asked, now) > VH_AGE_MAX_S) {
            w->from += vh_stamp_back(now, VH_AGE_MAX_S) - w->asked;
            w->asked = vh_stamp_back(now, VH_AGE_MAX_S);
        }
        if (vh_stamp_s(w->since, now) > VH_AGE_MAX_S) {
            w->since = vh_stamp_back(now, VH_AGE_MAX_S);
        }
    }
}

void vh_exposure_pass(VhExposure *e, VhField *f)
{
    VhSpan s = { 0 };

    vh_exposure_tidy(e, f);
    bound_times(e, f);
    calm_down(e, f);
    for (size_t r = 0; r < e->nr_ranges; r++) {
        s = vh_exposure_span(e, f, r, s.end);
        segment(e, f, &s);
    }
    f->cold_hz = cold_hz(e, f);
    vh_exposure_worth(e, f);
    vh_exposure_describe(e, f);
    vh_exposure_gaps(e, f);
    f->pass_ns = e->now_ns + f->wires.nr * (uint64_t)PASS_NS_PER_WIRE;
}
