/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation in heatmap.h. */
#include <math.h>
#include <string.h>

#include "heatmap.h"

#define PAGE 4096
#define SEAMS_PART 4 /* of the columns, at most, are seams */

/* ---- seams ---- */

/* Holes as seams of a grid of so many columns. */
static GArray *find_seams(const VhHeatAxis *axis, unsigned columns)
{
    GArray *out = g_array_new(false, false, sizeof(VhSeam));

    for (guint i = 1; i < axis->spans->len; i++) {
        const VhRamSpan *s = &g_array_index(axis->spans, VhRamSpan, i);
        VhSeam seam = { .start = s[-1].end, .end = s->start };
        VhSeam *last =
            out->len ? &g_array_index(out, VhSeam, out->len - 1) : NULL;

        seam.column = lround((double)s->at / axis->length * columns);
        if (last && last->column == seam.column) {
            last->end = seam.end;
        } else if (seam.column && seam.column < columns) {
            g_array_append_val(out, seam);
        }
    }
    return out;
}

/* Seams take the place of columns, unless they are too many. */
static void set_columns(VhHeatmap *m, const VhHeatSize *size)
{
    unsigned width = MIN(size->width, (m->axis->length + PAGE - 1) / PAGE);
    unsigned seams;

    m->columns = MAX(width, 1);
    m->seams = find_seams(m->axis, m->columns);
    seams = m->seams->len;
    if (!seams || width < size->width) {
        return;
    }
    g_array_unref(m->seams);
    if (seams * size->seam <= m->columns / SEAMS_PART) {
        m->columns -= seams * size->seam;
        m->seams = find_seams(m->axis, m->columns);
    } else {
        m->seams = g_array_new(false, false, sizeof(VhSeam));
    }
}

const VhSeam *vh_heatmap_seam(const VhHeatmap *m, unsigned column)
{
    for (guint i = 0; i < m->seams->len; i++) {
        const VhSeam *s = &g_array_index(m->seams, VhSeam, i);

        if (s->column == column) {
            return s;
        }
    }
    return NULL;
}

/* ---- the grid ---- */

VhHeatmap *vh_heatmap_new(const VhHeatAxis *axis, uint64_t from, uint64_t to,
                          bool rates, const VhHeatSize *size)
{
    VhHeatmap *m = g_new0(VhHeatmap, 1);

    m->axis = axis;
    m->from = from;
    m->to = to;
    m->rates = rates;
    m->rows = MAX(MIN(size->rows, to - from), 1);
    set_columns(m, size);
    m->heat = g_new0(double, (size_t)m->rows * m->columns);
    m->weight = g_new0(double, (size_t)m->rows * m->columns);
    m->now = g_new(double, 2 * m->columns);
    return m;
}

void vh_heatmap_free(VhHeatmap *m)
{
    if (m) {
        g_array_unref(m->seams);
        g_free(m->heat);
        g_free(m->weight);
        g_free(m->now);
        g_free(m);
    }
}

double vh_heatmap_cell(const VhHeatmap *m, unsigned row, unsigned column)
{
    size_t i = (size_t)row * m->columns + column;

    return m->weight[i] > 0 ? m->heat[i] / m->weight[i] : NAN;
}

uint64_t vh_heatmap_time(const VhHeatmap *m, unsigned row)
{
    return m->from + (uint64_t)((double)(m->to - m->from) * row / m->rows);
}

uint64_t vh_heatmap_address(const VhHeatmap *m, unsigned column)
{
    double at = (double)m->axis->length * column / m->columns;

    return vh_heat_axis_address(m->axis, at);
}

void vh_heatmap_join(VhHeatmap *m, const VhHeatmap *other)
{
    size_t cells = (size_t)m->rows * m->columns;

    for (size_t i = 0; i < cells; i++) {
        m->heat[i] += other->heat[i];
        m->weight[i] += other->weight[i];
    }
    m->snapshots += other->snapshots;
    m->strangers += other->strangers;
}

/* ---- a snapshot ---- */

/* Add to the columns from @x0 to @x1, which need not be whole ones. */
static void add_part(double *cells, double x0, double x1, double value)
{
    unsigned first = x0, last = x1;

    if (first == last) {
        cells[first] += (x1 - x0) * value;
        return;
    }
    cells[first] += (first + 1 - x0) * value;
    for (unsigned i = first + 1; i < last; i++) {
        cells[i] += value;
    }
    if (x1 > last) {
        cells[last] += (x1 - last) * value;
    }
}

/*
 * Bytes with the same rate that follow each other on the line, from @x0 to @x1
 * in columns.
 */
typedef struct Run {
    double x0;
    double x1;
    double rate;
} Run;

static void end_run(VhHeatmap *m, Run *run)
{
    double x1 = MIN(run->x1, m->columns);

    if (x1 > run->x0) {
        add_part(m->now + m->columns, run->x0, x1, 1);
        if (run->rate > 0) {
            add_part(m->now, run->x0, x1, run->rate);
        }
    }
}

static double rate_of(const VhHeatmap *m, const VhSnapshot *s,
                      const VhRegion *r)
{
    if (m->rates) {
        return r->rate;
    }
    return s->max_nr_accesses ? (double)r->nr_accesses / s->max_nr_accesses : 0;
}

/* @start .. @end, on @span, have this rate. */
static void add_bytes(VhHeatmap *m, Run *run, const VhRamSpan *span,
                      uint64_t start, uint64_t end, double rate)
{
    double per_byte = m->columns / (double)m->axis->length;
    double x0 = (span->at + (start - span->start)) * per_byte;
    double x1 = (span->at + (end - span->start)) * per_byte;

    if (x0 == run->x1 && rate == run->rate) {
        run->x1 = x1;
        return;
    }
    end_run(m, run);
    *run = (Run){ x0, x1, rate };
}

static void cut_into_columns(VhHeatmap *m, const VhSnapshot *s)
{
    const VhRamSpan *span = (const VhRamSpan *)m->axis->spans->data;
    const VhRamSpan *spans_end = span + m->axis->spans->len;
    Run run = { 0 };

    memset(m->now, 0, 2 * m->columns * sizeof(*m->now));
    for (size_t i = 0; i < s->nr && span < spans_end; i++) {
        const VhRegion *r = &s->regions[i];
        double rate = rate_of(m, s, r);

        while (span < spans_end && span->end <= r->start) {
            span++;
        }
        for (const VhRamSpan *p = span; p < spans_end && p->start < r->end;
             p++) {
            add_bytes(m, &run, p, MAX(r->start, p->start), MIN(r->end, p->end),
                      rate);
        }
    }
    end_run(m, &run);
}

static void add_to_row(VhHeatmap *m, unsigned row, double part)
{
    double *heat = m->heat + (size_t)row * m->columns;
    double *weight = m->weight + (size_t)row * m->columns;

    for (unsigned i = 0; i < m->columns; i++) {
        heat[i] += m->now[i] * part;
        weight[i] += m->now[m->columns + i] * part;
    }
}

static uint64_t begin_of(const VhHeatmap *m, const VhSnapshot *s)
{
    uint64_t steps = s->sequence - m->before_sequence;
    double each =
        MAX((double)s->end_time - s->start_time, s->aggregation_interval * 1e3);

    /* twice: a throttled monitor takes longer for some than for others */
    if (m->before_end && s->sequence > m->before_sequence &&
        s->end_time > m->before_end &&
        s->end_time - m->before_end <= 2 * each * steps) {
        return MIN(m->before_end, s->start_time);
    }
    return s->start_time;
}

void vh_heatmap_pass(VhHeatmap *m, const VhSnapshot *s)
{
    m->before_end = s->end_time;
    m->before_sequence = s->sequence;
}

void vh_heatmap_add(VhHeatmap *m, const VhSnapshot *s)
{
    double per_ns = m->rows / (double)(m->to - m->from);
    uint64_t from = MAX(begin_of(m, s), m->from), to = MIN(s->end_time, m->to);
    double y0, y1;

    vh_heatmap_pass(m, s);
    if (from >= to) {
        return;
    }
    if (s->has_rates != m->rates) {
        m->strangers++;
        return;
    }
    m->snapshots++;
    cut_into_columns(m, s);
    y0 = (from - m->from) * per_ns;
    y1 = MIN((to - m->from) * per_ns, m->rows);
    for (unsigned row = y0; row < y1; row++) {
        add_to_row(m, row, MIN(y1, row + 1) - MAX(y0, row));
    }
}
