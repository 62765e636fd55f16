/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tripwires; theory of operation in wires.h. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "wires.h"

#define PAST_UNIT 8.0f

void vh_wires_resize(VhWires *ws, size_t room)
{
    g_assert(ws->nr <= room);
    ws->v = g_renew(VhWire, ws->v, room);
    ws->room = room;
}

void vh_wires_clear(VhWires *ws)
{
    g_free(ws->v);
    *ws = (VhWires){ 0 };
}

size_t vh_wires_find(const VhWires *ws, uint64_t page)
{
    size_t lo = 0, hi = ws->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (vh_wire_end(&ws->v[mid]) <= page) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

void vh_wires_merge(VhWires *ws, const VhWire *more, size_t n)
{
    size_t old = ws->nr, to = ws->nr + n;

    g_assert(to <= ws->room);
    ws->nr = to;
    while (n) {
        if (old && ws->v[old - 1].page > more[n - 1].page) {
            ws->v[--to] = ws->v[--old];
        } else {
            ws->v[--to] = more[--n];
        }
    }
}

void vh_wire_armed(VhWire *w, VhStamp now)
{
    if (w->from == w->asked) {
        w->rest = w->nr ? vh_rates_code(vh_stamp_s(w->asked, now)) : 0;
    }
    /* silence before a time in which it was not armed still counts */
    w->from += now - w->asked;
    w->asked = now;
    w->state = VH_WIRE_ARMED;
}

void vh_wire_silent(VhWire *w, VhStamp now)
{
    w->asked = now;
    if (vh_wire_silence(w) > VH_SILENCE_MAX_S) {
        w->from =
            now - (VhStamp)(VH_SILENCE_MAX_S * 1e9 / (1 << VH_STAMP_SHIFT));
    }
}

/* Its oldest life is summed up: one fire, after as long as is to be expected.
 */
static void fold(VhWire *w, const VhRates *r)
{
    const VhLife *life = &w->lives[VH_LIVES - 1];
    float tau = r->seconds[life->interval], hz = r->hz[w->rate], x = hz * tau;
    float in = x < 0.01f ? tau / 2 : 1 / hz - tau / expm1f(x);
    float fires = w->past_fires / PAST_UNIT;
    float seconds = r->seconds[w->past_s] + r->seconds[life->silent] + in;

    fires += 1;
    if (fires > VH_PAST) {
        seconds *= VH_PAST / fires;
        fires = VH_PAST;
    }
    seconds = MAX(seconds, r->seconds[1]);
    w->past_s = vh_rates_code(seconds);
    /* codes are coarse: what is kept exactly is how many a second */
    fires *= r->seconds[w->past_s] / seconds;
    w->past_fires = rintf(fires * PAST_UNIT);
}

void vh_wire_fired(VhWire *w, const VhRates *r, VhStamp now)
{
    VhLife life = { .silent = vh_rates_code(vh_wire_silence(w)),
                    .interval = vh_rates_code(vh_stamp_s(w->asked, now)) };

    if (w->nr == VH_LIVES) {
        fold(w, r);
    }
    memmove(w->lives + 1, w->lives, sizeof(w->lives) - sizeof(life));
    w->lives[0] = life;
    w->nr = MIN(w->nr + 1, VH_LIVES);
    w->rest = 0;
    w->from = w->asked = now;
    w->state = VH_WIRE_DOWN;
}

/* Keeps @n lives; of the oldest of them only that it ended. */
static void keep_lives(VhWire *w, unsigned n)
{
    w->nr = MIN(w->nr, n);
    w->lives[n - 1].silent = 0;
    w->past_fires = 0;
    w->past_s = 0;
}

void vh_wire_forget(VhWire *w)
{
    keep_lives(w, 1);
}

void vh_wire_forget_before(VhWire *w)
{
    keep_lives(w, 2);
}

static float weight(float age)
{
    return expf(-age * (1 / VH_FORGET_S));
}

/* Takes in @more, unless it is better explained by another rate. */
static bool take(VhLikelihood *sum, const VhLikelihood *more, float *best,
                 bool first)
{
    VhLikelihood both = *sum;
    float max;

    vh_likelihood_add(&both, more);
    max = vh_likelihood_max(&both);
    if (!first && max < *best + vh_likelihood_max(more) - VH_CHANGE) {
        return false;
    }
    *sum = both;
    *best = max;
    return true;
}

void vh_wire_seen(const VhWire *w, const VhRates *r, VhStamp now,
                  VhLikelihood *out)
{
    float silence = vh_wire_silence(w), age = vh_stamp_s(w->asked, now);
    float rest = r->seconds[w->delay], best = 0;

    *out = (VhLikelihood){ 0 };
    vh_likelihood_silent(r, out, silence * weight(age));
    age += silence + r->seconds[w->rest];
    for (int i = 0; i < w->nr; i++) {
        const VhLife *life = &w->lives[i];
        VhLikelihood more = { 0 };
        float silent = r->seconds[life->silent];

        vh_likelihood_fired(r, &more, weight(age), silent, life->interval);
        if (!take(out, &more, &best, !i && silence <= 0)) {
            return;
        }
        age += silent + r->seconds[life->interval] + rest;
    }
    if (w->past_fires) {
        VhLikelihood more = { 0 };

        vh_likelihood_events(r, &more, weight(age), w->past_fires / PAST_UNIT,
                             r->seconds[w->past_s]);
        take(out, &more, &best, false);
    }
}
