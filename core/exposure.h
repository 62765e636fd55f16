/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exposure estimator's own: what its parts share. Theory of operation in
 * estimator-exposure.c; the mathematics in docs/design/exposure.md.
 */
#ifndef CORE_EXPOSURE_H
#define CORE_EXPOSURE_H

#include <glib.h>

#include "segment.h"
#include "vmheat/estimator.h"
#include "wires.h"

/* Most wires that are armed, asked about or new in one interval, of each. */
#define VH_PLAN_MOST 1024

/* What is less likely than that is a surprise. */
#define VH_SURPRISE 0.05f

/* So long ago is lately, in seconds. */
#define VH_LATELY_S 10

/* Every so many sampling intervals may be a short one, so many times shorter.
 */
#define VH_SHORT_EVERY 8
#define VH_SHORT_PART 8
#define VH_SHORT_FROM_US 4000

/* What was longer ago was that long ago: stamps wrap. */
#define VH_AGE_MAX_S 172800.0f

/* How long it takes a page of 5 accesses a second to be two thirds hot. */
#define VH_HEAT_S 0.2f

/**
 * struct VhGap - pages without a wire, and what one there is worth
 * @lo: first page
 * @hi: one past the last
 * @score: pages whose rate it may tell, for what it costs
 * @chance: that it fires
 * @edge: the rates on either side differ; else [@lo, @hi) is to be hit anywhere
 */
typedef struct VhGap {
    uint64_t lo;
    uint64_t hi;
    float score;
    float chance;
    bool edge;
} VhGap;

/**
 * struct VhGaps - those worth most
 * @v: best first; a heap while it is filled, with the worst on top
 * @nr: how many
 * @room: most there can be
 */
typedef struct VhGaps {
    VhGap *v;
    size_t nr;
    size_t room;
} VhGaps;

/**
 * struct VhPiece - a region as it is published
 * @start: first page
 * @end: one past the last
 * @fit: rate and confidence
 * @since: mean of when its wires' regions became what they are
 * @idle: when its pages were accessed last, typically
 * @nr: wires in it
 */
typedef struct VhPiece {
    uint64_t start;
    uint64_t end;
    VhRateFit fit;
    VhStamp since;
    VhStamp idle;
    size_t nr;
} VhPiece;

/**
 * struct VhField - what is known of one kind of accesses: all, or writes
 * @wires: the tripwires
 * @row: scratch, one step for each wire
 * @gaps: where new ones are worth most
 * @pieces: regions by the latest pass, of VhPiece
 * @pass_ns: when regions and gaps are to be looked at next
 * @regions: how many there were
 * @cold_hz: rate of wires of the lowest rate there is, together
 * @golden: where the sweep is, 0 .. 1
 * @planned_ns: when it was planned last
 * @planned_tick: in which of VhExposure::ticks that was
 * @fires_per_s: of its latest plan, see VhPlanBudget
 * @asks_per_s: see VhPlanBudget
 * @persistent: see VhPlanBudget
 * @used: somebody plans checks for it
 * @saturated: it has a region that fires in nearly every sampling interval
 */
typedef struct VhField {
    VhWires wires;
    VhSegmenter row;
    VhGaps gaps;
    GArray *pieces;
    uint64_t pass_ns;
    size_t regions;
    double cold_hz;
    double golden;
    uint64_t planned_ns;
    uint64_t planned_tick;
    double fires_per_s;
    double asks_per_s;
    bool persistent;
    bool used;
    bool saturated;
} VhField;

/**
 * struct VhExposure - the estimator
 * @attrs: monitoring attributes
 * @rng: chance
 * @rates: tables
 * @heat: of each rate of the grid: share of VH_HEAT_S in which a page is
 *        accessed. What regions differ by is counted in it.
 * @chance: of each rate, that an armed page fires within a second
 * @ranges: guest memory, in pages
 * @nr_ranges: how many
 * @pages: in all of them
 * @now_ns: of the running tick
 * @owed: fires still to be expected of wires left behind, not told yet
 * @ticks: so far
 * @fields: of all accesses, of writes
 * @down: scratch: wires to be armed again
 * @ask: scratch: wires to be asked about
 * @fresh: scratch: new wires
 */
typedef struct VhExposure {
    VhAttrs attrs;
    VhRng rng;
    VhRates rates;
    float heat[VH_RATES];
    float chance[VH_RATES];
    VhRange *ranges;
    size_t nr_ranges;
    uint64_t pages;
    uint64_t now_ns;
    double owed;
    uint64_t ticks;
    VhField fields[2];
    uint32_t down[VH_PLAN_MOST];
    uint32_t ask[VH_PLAN_MOST];
    VhWire fresh[VH_PLAN_MOST];
} VhExposure;

/** vh_exposure_now() - the running tick's time */
static inline VhStamp vh_exposure_now(const VhExposure *e)
{
    return vh_stamp(e->now_ns);
}

/**
 * struct VhSpan - wires that follow each other, and the pages they speak for
 * @first: the first one's number
 * @end: one past the last
 * @lo: first page
 * @hi: one past the last page
 */
typedef struct VhSpan {
    size_t first;
    size_t end;
    uint64_t lo;
    uint64_t hi;
} VhSpan;

/** vh_exposure_span() - of range @r; @first: where that before it ended */
VhSpan vh_exposure_span(const VhExposure *e, const VhField *f, size_t r,
                        size_t first);

/**
 * vh_exposure_region() - the next region of @span
 * @region: the one before it; zeroed for the first
 *
 * Returns false behind the last. A range without wires is one region.
 */
bool vh_exposure_region(const VhField *f, const VhSpan *span, VhSpan *region);

/** vh_exposure_few() - wires that are enough where all is alike */
size_t vh_exposure_few(const VhExposure *e, const VhField *f);

/**
 * vh_exposure_owes() - chance that a wire like @w fires after it was dropped
 *
 * It stays armed then; with a primitive that is not persistent, for one
 * interval.
 */
double vh_exposure_owes(const VhExposure *e, const VhField *f, const VhWire *w);

/** vh_exposure_fired_lately() - and nothing is known of it since */
bool vh_exposure_fired_lately(const VhExposure *e, const VhWire *w);

/** vh_most_aligned() - page of [@lo, @hi] with the most low bits 0
 *
 * The one nearest to the middle, if several have as many.
 */
uint64_t vh_most_aligned(uint64_t lo, uint64_t hi);

/** vh_exposure_tidy() - drop wires nobody wants, and those others cover */
void vh_exposure_tidy(VhExposure *e, VhField *f);

/** vh_exposure_pass() - find regions and gaps anew */
void vh_exposure_pass(VhExposure *e, VhField *f);

/** vh_exposure_worth() - fill in when the wires of all regions rest */
void vh_exposure_worth(VhExposure *e, VhField *f);

/** vh_exposure_describe() - fill in the field's pieces; grows ages */
void vh_exposure_describe(VhExposure *e, VhField *f);

/** vh_exposure_gaps() - find the best gaps, and wires that are too many */
void vh_exposure_gaps(VhExposure *e, VhField *f);

/** vh_exposure_place() - a page for a wire in @g */
uint64_t vh_exposure_place(VhExposure *e, const VhGap *g);

/** vh_exposure_plan() - as VhEstimatorOps::plan */
size_t vh_exposure_plan(VhExposure *e, const VhPlanBudget *budget,
                        VhCheck *out);

/** vh_exposure_observe() - as VhEstimatorOps::observe */
void vh_exposure_observe(VhExposure *e, const VhCheck *checks, size_t n);

/**
 * vh_exposure_accesses() - nr_accesses of memory that is accessed at @hz
 *
 * The last rate of the grid stands for all above: every check would fire.
 */
uint32_t vh_exposure_accesses(const VhExposure *e, double hz);

/** vh_exposure_bound() - merge and cut VhSnapRegions by attrs */
void vh_exposure_bound(const VhExposure *e, GArray *regions);

/** vh_exposure_publish() - a new snapshot of the pieces there are */
VhSnapshot *vh_exposure_publish(VhExposure *e);

#endif
