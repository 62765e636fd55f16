/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "cells.h"

#define CELLS 131072
#define CELLS_MAX (CELLS * 32ull)
#define GRANULE_SHIFT 12 /* 4 KiB */
#define RATE_ZERO 1e-6   /* accesses a second: a year would not show it */

/*
 * ns, accessed_ns, rate, touched: until finished, to be added to this cell and
 *   all behind it; then, of this cell
 * part_*: of this cell only
 */
typedef struct Cell {
    int64_t ns, accessed_ns;
    int64_t touched;
    double rate;
    double part_ns, part_accessed_ns, part_rate;
} Cell;

/* What is to be added to cells later, as it may last. */
typedef struct Held {
    uint64_t start, end;
    VhCellHeat heat;
} Held;

/*
 * granule: bytes of a cell, two to the power of shift
 * held: of Held, the regions of the latest snapshot; at: the next one
 * ns: that a cell is there at most; set when finished
 */
struct VhCells {
    uint64_t granule;
    unsigned shift;
    GArray *cells;
    GArray *held;
    guint at;
    double ns;
};

VhCells *vh_cells_new(uint64_t end)
{
    VhCells *c = g_new0(VhCells, 1);

    c->shift = GRANULE_SHIFT;
    while (end >> c->shift >= CELLS) {
        c->shift++;
    }
    c->granule = 1ull << c->shift;
    c->cells = g_array_new(false, true, sizeof(Cell));
    c->held = g_array_new(false, true, sizeof(Held));
    return c;
}

void vh_cells_free(VhCells *c)
{
    if (c) {
        g_array_free(c->cells, true);
        g_array_free(c->held, true);
        g_free(c);
    }
}

static Cell *nth(const VhCells *c, guint i)
{
    return &g_array_index(c->cells, Cell, i);
}

static void add_steps(Cell *cell, const VhCellHeat *heat, int sign)
{
    cell->ns += sign * (int64_t)heat->ns;
    cell->rate += sign * heat->rate * heat->ns;
    cell->accessed_ns +=
        heat->use == VH_CELL_NOW ? sign * (int64_t)heat->ns : 0;
}

static void add_part(Cell *cell, const VhCellHeat *heat, double part)
{
    cell->part_ns += part * heat->ns;
    cell->part_rate += part * heat->rate * heat->ns;
    cell->part_accessed_ns += heat->use == VH_CELL_NOW ? part * heat->ns : 0;
}

static void add(VhCells *c, const Held *h)
{
    const VhCellHeat *heat = &h->heat;
    uint64_t size = c->granule, start = h->start, first, last;
    uint64_t end = MIN(h->end, CELLS_MAX * size);

    if (start >= end) {
        return;
    }
    first = start >> c->shift;
    last = (end - 1) >> c->shift;
    if (last + 2 > c->cells->len) {
        g_array_set_size(c->cells, last + 2);
    }
    nth(c, first)->touched += heat->use != VH_CELL_NEVER;
    nth(c, last + 1)->touched -= heat->use != VH_CELL_NEVER;
    if (first == last) {
        add_part(nth(c, first), heat, (double)(end - start) / size);
        return;
    }
    add_part(nth(c, first), heat, (double)((first + 1) * size - start) / size);
    add_part(nth(c, last), heat, (double)(end - last * size) / size);
    add_steps(nth(c, first + 1), heat, 1);
    add_steps(nth(c, last), heat, -1);
}

static bool lasts(const Held *h, uint64_t start, uint64_t end,
                  const VhCellHeat *heat)
{
    return h->start == start && h->end == end && h->heat.rate == heat->rate &&
           h->heat.use == heat->use;
}

void vh_cells_next(VhCells *c)
{
    c->at = 0;
}

void vh_cells_add(VhCells *c, uint64_t start, uint64_t end,
                  const VhCellHeat *heat)
{
    guint at = c->at++;
    Held *h;

    if (at == c->held->len) {
        g_array_set_size(c->held, at + 1);
    }
    h = &g_array_index(c->held, Held, at);
    if (lasts(h, start, end, heat)) {
        h->heat.ns += heat->ns;
        return;
    }
    add(c, h);
    *h = (Held){ start, end, *heat };
}

static void add_held(VhCells *c)
{
    for (guint i = 0; i < c->held->len; i++) {
        add(c, &g_array_index(c->held, Held, i));
    }
    g_array_set_size(c->held, 0);
}

void vh_cells_finish(VhCells *c, uint64_t ns)
{
    Cell sum = { 0 };

    add_held(c);
    c->ns = MAX(ns, 1);
    for (guint i = 0; i < c->cells->len; i++) {
        Cell *cell = nth(c, i);

        sum.ns += cell->ns;
        sum.accessed_ns += cell->accessed_ns;
        sum.touched += cell->touched;
        sum.rate = sum.ns ? sum.rate + cell->rate : 0;
        cell->part_ns += sum.ns;
        cell->part_accessed_ns += sum.accessed_ns;
        cell->part_rate += sum.rate;
        cell->touched = sum.touched;
    }
}

uint64_t vh_cells_never(const VhCells *c, uint64_t start, uint64_t end)
{
    double sum = 0;

    for (guint i = start / c->granule; i < c->cells->len; i++) {
        const Cell *cell = nth(c, i);
        uint64_t at = i * c->granule;
        uint64_t from = MAX(at, start), to = MIN(at + c->granule, end);

        if (at >= end) {
            break;
        }
        if (!cell->touched && cell->part_ns > 0 && to > from) {
            sum += (to - from) * cell->part_ns / c->ns;
        }
    }
    return sum + 0.5;
}

/* A range that grows: what its cells have in all. */
typedef struct Sum {
    uint64_t start, end;
    double ns, rate, accessed_ns;
} Sum;

static double level(const Sum *s)
{
    return log2(MAX(s->rate / s->ns, RATE_ZERO));
}

static void join(Sum *to, const Sum *s)
{
    to->end = s->end;
    to->ns += s->ns;
    to->rate += s->rate;
    to->accessed_ns += s->accessed_ns;
}

static Sum *sum_nth(GArray *sums, guint back)
{
    return sums->len > back ? &g_array_index(sums, Sum, sums->len - 1 - back)
                            : NULL;
}

/* The last one is too small: to the one before, unless @next is more alike. */
static bool join_back(GArray *sums, const Sum *next)
{
    Sum *last = sum_nth(sums, 0), *before = sum_nth(sums, 1);

    if (!before || before->end != last->start ||
        (next &&
         fabs(level(last) - level(next)) < fabs(level(last) - level(before)))) {
        return false;
    }
    join(before, last);
    g_array_set_size(sums, sums->len - 1);
    return true;
}

static void append(GArray *sums, const Sum *s, uint64_t least)
{
    Sum *last = sum_nth(sums, 0);
    bool near = last && last->end == s->start;

    if (near && fabs(level(last) - level(s)) < 1) {
        join(last, s);
        return;
    }
    if (near && last->end - last->start < least) {
        if (!join_back(sums, s)) {
            join(last, s);
        } else {
            append(sums, s, least); /* as the joined one may be alike */
        }
        return;
    }
    if (!near && last && last->end - last->start < least) {
        join_back(sums, NULL);
    }
    g_array_append_val(sums, *s);
}

GArray *vh_cells_ranges(const VhCells *c, uint64_t least)
{
    g_autoptr(GArray) sums = g_array_new(false, false, sizeof(Sum));
    GArray *out = g_array_new(false, false, sizeof(VhHeatRange));

    for (guint i = 0; i < c->cells->len; i++) {
        const Cell *cell = nth(c, i);
        Sum s = { i * c->granule, (i + 1) * c->granule, cell->part_ns,
                  cell->part_rate, cell->part_accessed_ns };

        if (s.ns > 0) {
            append(sums, &s, least);
        }
    }
    if (sums->len && sum_nth(sums, 0)->end - sum_nth(sums, 0)->start < least) {
        join_back(sums, NULL);
    }
    for (guint i = 0; i < sums->len; i++) {
        const Sum *s = &g_array_index(sums, Sum, i);
        double rate = s->rate / s->ns;
        VhHeatRange r = { s->start, s->end, rate < RATE_ZERO ? 0 : rate,
                          CLAMP(s->accessed_ns / s->ns, 0, 1) };

        g_array_append_val(out, r);
    }
    return out;
}
