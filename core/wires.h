/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tripwires: pages that were armed, and what became of them. A sorted array,
 * made once and never larger; what a wire has seen is its likelihood.
 *
 * Theory of operation
 * -------------------
 * A wire's life begins when it is armed and ends when it fires. When nobody
 * looks all the time, of a life is known how long it was surely silent, and the
 * interval in which it fired: since the last look. A wire remembers its latest
 * VH_LIVES lives, and the silence of the running one. Older lives are gone, and
 * those it has count less with age (VH_FORGET_S), so it forgets by events and
 * by time.
 *
 * It forgets at once what it saw before a change: going back in time, the first
 * life that is better explained by another rate (by more than VH_CHANGE nats,
 * which is what a change of unknown time and size costs) and all before it are
 * left out.
 *
 * Times are stamps, ticks of 2^17 ns, and wrap after 6.5 days. Differences must
 * stay below half of that: a silence is cut to VH_SILENCE_MAX_S here, and what
 * is longer ago than two days is taken for two days ago by whoever has the
 * wires.
 */
#ifndef CORE_WIRES_H
#define CORE_WIRES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "rates.h"
#include "vmheat/types.h"

#define VH_LIVES 4
#define VH_PAST 16.0f
#define VH_FORGET_S 30.0f
#define VH_CHANGE 4.0f
#define VH_SILENCE_MAX_S 86400.0
#define VH_STAMP_SHIFT 17

typedef uint32_t VhStamp;

/**
 * struct VhLife - from arming to firing, in time codes
 * @silent: known to be silent for so long
 * @interval: then accessed within this
 */
typedef struct VhLife {
    uint8_t silent;
    uint8_t interval;
} VhLife;

/** enum VhWireState - is the page armed? */
typedef enum VhWireState {
    VH_WIRE_DOWN,    /* not armed */
    VH_WIRE_ARMED,   /* armed */
    VH_WIRE_PENDING, /* planned to be armed in this interval */
} VhWireState;

/**
 * struct VhWire - one page, or one granule
 * @page: first page of the granule, in VH_PAGE_SIZE
 * @order: log2 of the granule's pages
 * @state: VhWireState
 * @nr: lives remembered
 * @rate: of its region, as an element of the grid
 * @first: of its region
 * @sweep: goes away when it turns out as expected
 * @urgent: something unexpected was seen here
 * @dead: not wanted any more
 * @doubt: a neighbour was silent unexpectedly
 * @from: begin of the running silence
 * @asked: up to when it is known to be silent
 * @due: when to ask, or to arm again
 * @since: since when its region is as it is
 * @lives: latest first
 * @past_fires: older lives, in eighths
 * @past_s: how long these took in all, a time code
 * @rest: before the running life, a time code
 * @delay: how long it rests after a fire, a time code
 * @nr_accesses: of its region since then
 */
typedef struct VhWire {
    uint64_t page : 40;
    uint64_t order : 5;
    uint64_t state : 2;
    uint64_t nr : 3;
    uint64_t rate : 5;
    uint64_t first : 1;
    uint64_t sweep : 1;
    uint64_t urgent : 1;
    uint64_t dead : 1;
    uint64_t doubt : 1;
    VhStamp from;
    VhStamp asked;
    VhStamp due;
    VhStamp since;
    VhLife lives[VH_LIVES];
    uint8_t past_fires;
    uint8_t past_s;
    uint8_t rest;
    uint8_t delay;
    uint16_t nr_accesses;
} VhWire;

/**
 * struct VhWires - sorted by page, none overlaps another
 * @v: the wires
 * @nr: how many
 * @room: most there can be
 */
typedef struct VhWires {
    VhWire *v;
    size_t nr;
    size_t room;
} VhWires;

/** vh_stamp() - of a time in ns */
static inline VhStamp vh_stamp(uint64_t ns)
{
    return ns >> VH_STAMP_SHIFT;
}

/** vh_stamp_s() - seconds from @from to @to; negative when @to is before */
static inline float vh_stamp_s(VhStamp from, VhStamp to)
{
    return (int32_t)(to - from) * ((1 << VH_STAMP_SHIFT) * 1e-9f);
}

/** vh_stamp_add() - @seconds after @s, at least one tick */
static inline VhStamp vh_stamp_add(VhStamp s, double seconds)
{
    return s + 1 + (int32_t)(seconds * 1e9 / (1 << VH_STAMP_SHIFT));
}

/** vh_stamp_back() - @seconds before @s */
static inline VhStamp vh_stamp_back(VhStamp s, double seconds)
{
    return s - (VhStamp)(MAX(seconds, 0) * 1e9 / (1 << VH_STAMP_SHIFT));
}

/** vh_wire_end() - one past the last page of its granule */
static inline uint64_t vh_wire_end(const VhWire *w)
{
    return w->page + (1ULL << w->order);
}

/** vh_wire_silence() - seconds for which it is known to be silent by now */
static inline float vh_wire_silence(const VhWire *w)
{
    return vh_stamp_s(w->from, w->asked);
}

/** vh_wires_resize() - from now on at most @room, not below their number */
void vh_wires_resize(VhWires *ws, size_t room);

/** vh_wires_clear() - free the array */
void vh_wires_clear(VhWires *ws);

/** vh_wires_find() - the first wire that ends above @page; nr if none does */
size_t vh_wires_find(const VhWires *ws, uint64_t page);

/** vh_wires_merge() - take in @n more, sorted by page; there must be room */
void vh_wires_merge(VhWires *ws, const VhWire *more, size_t n);

/** vh_wire_armed() - armed now */
void vh_wire_armed(VhWire *w, VhStamp now);

/** vh_wire_silent() - asked now: not accessed */
void vh_wire_silent(VhWire *w, VhStamp now);

/** vh_wire_fired() - asked now: accessed since it was asked last */
void vh_wire_fired(VhWire *w, const VhRates *r, VhStamp now);

/** vh_wire_forget() - all but that it fired, at last */
void vh_wire_forget(VhWire *w);

/** vh_wire_forget_before() - all but the latest life, and the fire before it */
void vh_wire_forget_before(VhWire *w);

/** vh_wire_seen() - the likelihood of what it saw */
void vh_wire_seen(const VhWire *w, const VhRates *r, VhStamp now,
                  VhLikelihood *out);

#endif
