/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exposure estimator: access rates from how long armed pages stay silent.
 *
 * Theory of operation
 * -------------------
 * A tripwire is a page that was armed and is left armed until it is accessed.
 * While it is silent it costs the guest nothing, and the longer it is, the
 * lower its rate must be; when it fires, the time since it was armed tells the
 * rate from the other side. So a cold page is known from one trap, not from
 * being checked over and over, and a hot one is left alone once its rate is
 * known well enough. That is where the factor of a hundred against sampling of
 * random pages (estimator-classic.c) comes from.
 *
 *   wires.c             what one page saw: a few numbers, a likelihood
 *   rates.c             likelihoods over a grid of rates
 *   exposure-learn.c    an answer; reactions to what was not expected
 *   exposure-regions.c  the pass: all wires to regions, by segment.c
 *   exposure-worth.c    how long wires of a region rest after a fire
 *   exposure-gaps.c     where new wires would tell most; which are too many
 *   exposure-plan.c     what to arm and to ask, within the budget
 *   exposure-pieces.c   what is told of a region: rate, age, idle time
 *   exposure-bound.c    min_regions and max_regions
 *
 * A pass takes time in proportion to the number of wires and is due the less
 * often the more there are, so that it costs at most about 1 % of one CPU's
 * time; between two passes regions stay as they are. The number of wires is
 * bounded by memory, MEMORY_SHARE of what is watched; so is everything else
 * in a tick, by VH_PLAN_MOST. Nothing is allocated in a tick but the regions
 * that are published, and what the first plan for writes needs.
 *
 * Writes are a second field of wires with regions of their own. What is
 * published is cut at the borders of both.
 *
 * Fires in every sampling interval only say that a rate is high. While there
 * are such regions, every VH_SHORT_EVERY-th interval is VH_SHORT_PART times
 * shorter, in which some pages stay silent. Not where intervals are short
 * already (VH_SHORT_FROM_US): rates that these cannot tell end the grid.
 */
#include <math.h>
#include <string.h>

#include "estimators.h"
#include "exposure.h"
#include "region.h"

#define MEMORY_SHARE 5000 /* 0.02 % */
#define WIRES_MIN 512
#define WIRES_MAX 65536
#define WIRES_PER_GAP 8 /* the best gaps of one pass */
#define GAPS_MIN 256
#define FIRST_ASKS_PER_S 1000
#define FIRST_FIRES_PER_S 100
#define GAP_MAX_S 86400  /* in which nothing was heard; more is cut out */
#define UNUSED_TICKS 100 /* without a plan: nobody plans it any more */

/* Of one wire, its part of the gaps, and of what is published. */
#define WIRE_BYTES \
    (sizeof(VhWire) + sizeof(VhStep) + sizeof(VhGap) / WIRES_PER_GAP)

static void fill_tables(VhExposure *e)
{
    vh_rates_init(&e->rates);
    for (int g = 0; g < VH_RATES; g++) {
        e->heat[g] = -expm1f(-e->rates.hz[g] * VH_HEAT_S);
        e->chance[g] = -expm1f(-e->rates.hz[g]);
    }
}

static void drop_field(VhField *f)
{
    vh_wires_clear(&f->wires);
    g_free(f->row.steps);
    g_free(f->gaps.v);
    g_array_set_size(f->pieces, 0);
    *f = (VhField){ .pieces = f->pieces,
                    .asks_per_s = FIRST_ASKS_PER_S,
                    .fires_per_s = FIRST_FIRES_PER_S };
}

static void *exposure_create(const VhAttrs *attrs, const VhRng *rng)
{
    VhExposure *e = g_new0(VhExposure, 1);

    e->attrs = *attrs;
    e->rng = *rng;
    fill_tables(e);
    for (int i = 0; i < 2; i++) {
        e->fields[i].pieces = g_array_new(false, false, sizeof(VhPiece));
        drop_field(&e->fields[i]);
    }
    e->fields[0].used = true;
    return e;
}

static void exposure_destroy(void *opaque)
{
    VhExposure *e = opaque;

    for (int i = 0; i < 2; i++) {
        drop_field(&e->fields[i]);
        g_array_unref(e->fields[i].pieces);
    }
    g_free(e->ranges);
    g_free(e);
}

/* What it remembers of its region, in checks of other intervals. */
static void rescale(const VhExposure *e, VhWire *w)
{
    uint32_t n = vh_exposure_accesses(e, e->rates.hz[w->rate]);

    w->nr_accesses = w->nr_accesses ? MAX(n, 1) : 0;
}

static void exposure_set_attrs(void *opaque, const VhAttrs *attrs)
{
    VhExposure *e = opaque;

    e->attrs = *attrs;
    for (int i = 0; i < 2; i++) {
        VhField *f = &e->fields[i];

        for (size_t j = 0; j < f->wires.nr; j++) {
            rescale(e, &f->wires.v[j]);
        }
        f->pass_ns = 0;
    }
}

/* As if @ns of the time since the last tick had not been: stamps wrap. */
static void skip_time(VhExposure *e, uint64_t ns)
{
    VhStamp ticks = vh_stamp(ns);

    for (int i = 0; i < 2; i++) {
        VhField *f = &e->fields[i];

        for (size_t j = 0; j < f->wires.nr; j++) {
            VhWire *w = &f->wires.v[j];

            w->from += ticks;
            w->asked += ticks;
            w->due += ticks;
            w->since += ticks;
        }
    }
}

static void exposure_tick(void *opaque, uint64_t now_ns)
{
    const uint64_t most = GAP_MAX_S * 1000000000ULL;
    VhExposure *e = opaque;
    VhField *writes = &e->fields[1];
    uint64_t gap = now_ns - e->now_ns;

    if (gap > most) {
        skip_time(e, gap - most);
    }
    e->now_ns = now_ns;
    e->ticks++;
    if (writes->used && e->ticks - writes->planned_tick > UNUSED_TICKS) {
        drop_field(writes);
    }
}

static unsigned exposure_shorter(void *opaque)
{
    VhExposure *e = opaque;
    bool saturated = e->fields[0].saturated || e->fields[1].saturated;
    bool long_enough = e->attrs.sampling_us >= VH_SHORT_FROM_US;

    return saturated && long_enough && e->ticks % VH_SHORT_EVERY == 0
               ? VH_SHORT_PART
               : 1;
}

static double exposure_owed(void *opaque)
{
    VhExposure *e = opaque;
    double owed = e->owed;

    e->owed = 0;
    return owed;
}

/*
 * Time went by, or memory went away: nothing is armed any more. Those that have
 * not been heard of yet go: they would be taken for accessed lately.
 */
static void take_down(VhExposure *e, VhField *f)
{
    for (size_t i = 0; i < f->wires.nr; i++) {
        VhWire *w = &f->wires.v[i];

        w->dead |= w->sweep || (!w->nr && w->from == w->asked);
        w->state = VH_WIRE_DOWN;
        w->due = vh_exposure_now(e);
    }
}

static void exposure_restart(void *opaque)
{
    VhExposure *e = opaque;

    take_down(e, &e->fields[0]);
    take_down(e, &e->fields[1]);
}

/* Its granule may begin before a range, and end behind it. */
static bool in_ranges(const VhExposure *e, const VhWire *w)
{
    for (size_t r = 0; r < e->nr_ranges; r++) {
        if (w->page < e->ranges[r].end && vh_wire_end(w) > e->ranges[r].start) {
            return true;
        }
    }
    return false;
}

/* Drops wires, here and there, until there are @n. */
static void thin(VhField *f, size_t n)
{
    size_t nr = f->wires.nr;

    for (size_t i = 0; nr > n && i < nr; i++) {
        f->wires.v[i].dead |= i * n / nr == (i + 1) * n / nr;
    }
}

static size_t room_of(const VhExposure *e)
{
    uint64_t bytes = e->pages * VH_PAGE_SIZE / MEMORY_SHARE;
    size_t fields = e->fields[1].used ? 2 : 1;

    bytes -= MIN(bytes, sizeof(*e));
    return CLAMP(bytes / WIRE_BYTES / fields, WIRES_MIN, WIRES_MAX / fields);
}

static void set_room(VhExposure *e, VhField *f)
{
    size_t room = room_of(e);

    if (!f->used || room == f->wires.room) {
        return;
    }
    thin(f, room);
    vh_exposure_tidy(e, f);
    vh_wires_resize(&f->wires, room);
    f->row.steps = g_renew(VhStep, f->row.steps, room);
    f->gaps.nr = 0;
    f->gaps.room = MAX(room / WIRES_PER_GAP, GAPS_MIN);
    f->gaps.v = g_renew(VhGap, f->gaps.v, f->gaps.room);
    f->pass_ns = 0;
}

static void exposure_set_ranges(void *opaque, const VhRange *ranges, size_t n)
{
    VhExposure *e = opaque;

    e->ranges = g_renew(VhRange, e->ranges, n + 1);
    e->nr_ranges = n;
    e->pages = 0;
    for (size_t r = 0; r < n; r++) {
        e->ranges[r] = (VhRange){ ranges[r].start / VH_PAGE_SIZE,
                                  ranges[r].end / VH_PAGE_SIZE };
        e->pages += e->ranges[r].end - e->ranges[r].start;
    }
    for (int i = 0; i < 2; i++) {
        VhField *f = &e->fields[i];

        take_down(e, f);
        for (size_t j = 0; j < f->wires.nr; j++) {
            f->wires.v[j].dead |= !in_ranges(e, &f->wires.v[j]);
        }
        vh_exposure_tidy(e, f);
        set_room(e, f);
        f->pass_ns = 0;
    }
}

static size_t exposure_plan(void *opaque, const VhPlanBudget *budget,
                            VhCheck *out)
{
    VhExposure *e = opaque;

    VhField *f = &e->fields[budget->write];

    f->used = true;
    set_room(e, f); /* the other one's may be under way: at its own plan */
    return vh_exposure_plan(e, budget, out);
}

static void exposure_observe(void *opaque, const VhCheck *checks, size_t n)
{
    vh_exposure_observe(opaque, checks, n);
}

static VhSnapshot *exposure_aggregate(void *opaque)
{
    VhExposure *e = opaque;

    for (int i = 0; i < 2; i++) {
        if (e->fields[i].used && e->now_ns >= e->fields[i].pass_ns) {
            vh_exposure_pass(e, &e->fields[i]);
        }
    }
    return vh_exposure_publish(e);
}

static void exposure_reset_age(void *opaque, VhRange r)
{
    VhExposure *e = opaque;
    VhField *f = &e->fields[0];
    VhStamp now = vh_exposure_now(e);

    for (size_t i = vh_wires_find(&f->wires, r.start / VH_PAGE_SIZE);
         i < f->wires.nr && f->wires.v[i].page < r.end / VH_PAGE_SIZE; i++) {
        f->wires.v[i].since = now;
    }
}

static size_t exposure_bytes(const void *opaque)
{
    const VhExposure *e = opaque;
    size_t bytes = sizeof(*e);

    for (int i = 0; i < 2; i++) {
        const VhField *f = &e->fields[i];

        bytes += f->wires.room * (sizeof(VhWire) + sizeof(VhStep)) +
                 f->gaps.room * sizeof(VhGap) +
                 f->pieces->len * sizeof(VhPiece);
    }
    return bytes;
}

const VhEstimatorOps vh_estimator_exposure = {
    .name = "exposure",
    .summary = "rates from how long armed pages stay silent",
    .create = exposure_create,
    .destroy = exposure_destroy,
    .set_attrs = exposure_set_attrs,
    .set_ranges = exposure_set_ranges,
    .restart = exposure_restart,
    .tick = exposure_tick,
    .shorter = exposure_shorter,
    .plan = exposure_plan,
    .owed = exposure_owed,
    .observe = exposure_observe,
    .aggregate = exposure_aggregate,
    .reset_age = exposure_reset_age,
    .bytes = exposure_bytes,
};
