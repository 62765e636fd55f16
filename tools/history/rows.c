/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <string.h>

#include "rows.h"

/* ---- cells ---- */

/* What a row gets. */
static inline void add(VhCell *c, float weight, float rate, float idle)
{
    c->weight += weight;
    c->rate += rate * weight;
    c->idle += idle * weight;
}

/* From @x0 to @x1, in rows, of @rows. */
static inline void add_run(VhCell *cells, unsigned rows, double x0, double x1,
                           const VhCell *what)
{
    unsigned first = x0, last = x1;

    if (first >= rows) {
        return;
    }
    if (first == last) {
        add(&cells[first], (x1 - x0) * what->weight, what->rate, what->idle);
        return;
    }
    add(&cells[first], (first + 1 - x0) * what->weight, what->rate, what->idle);
    for (unsigned i = first + 1; i < last && i < rows; i++) {
        add(&cells[i], what->weight, what->rate, what->idle);
    }
    if (last < rows && x1 > last) {
        add(&cells[last], (x1 - last) * what->weight, what->rate, what->idle);
    }
}

/* Rates and idle times are there also where the snapshot tells none. */
static inline VhCell heat_of(const VhSnapCodec *c, const VhCodedRegion *r,
                             float part)
{
    const VhSnapHead *h = &c->head;
    double us = MAX((h->end_ns - h->start_ns) / 1000, h->aggregation_us);
    VhCell out = { .weight = part };

    if (h->has_rates) {
        out.rate = vh_code_value(&c->codes, r->rates[VH_RATE]);
        out.idle = r->idle_ms * 1e-3f;
    } else {
        out.rate = us > 0 ? r->nr_accesses * 1e6 / us : 0;
        out.idle = r->nr_accesses ? 0 : r->age * us * 1e-6;
    }
    return out;
}

/*
 * Along the addresses of all rows.
 * end, x: where the last region ended, and in rows
 */
typedef struct Line {
    const VhRamSpan *span;
    const VhRamSpan *spans_end;
    unsigned rows;
    double per_byte;
    uint64_t end;
    double x;
} Line;

/* From @start to @end, on the span. */
static inline void add_bytes(Line *l, const VhRamSpan *span, uint64_t start,
                             uint64_t end, const VhCell *what, VhCell *cells)
{
    double x0 =
        start == l->end ? l->x : (start - span->start + span->at) * l->per_byte;

    l->x = (end - span->start + span->at) * l->per_byte;
    l->end = end;
    add_run(cells, l->rows, x0, l->x, what);
}

/* Most regions are in one span. */
static inline void add_region(Line *l, const VhCodedRegion *r,
                              const VhCell *what, VhCell *cells)
{
    if (r->start >= l->span->start && r->end <= l->span->end) {
        add_bytes(l, l->span, r->start, r->end, what, cells);
        return;
    }
    for (const VhRamSpan *p = l->span; p < l->spans_end && p->start < r->end;
         p++) {
        add_bytes(l, p, MAX(r->start, p->start), MIN(r->end, p->end), what,
                  cells);
    }
}

void vh_rows_cut(const VhHeatAxis *axis, unsigned rows, const VhSnapCodec *c,
                 float part, VhCell *cells)
{
    const VhCodedRegion *r = (const VhCodedRegion *)c->regions->data;
    const VhCodedRegion *end = r + c->regions->len;
    Line l = { .span = (const VhRamSpan *)axis->spans->data,
               .rows = rows,
               .per_byte = axis->length ? rows / (double)axis->length : 0,
               .end = UINT64_MAX };

    l.spans_end = l.span + axis->spans->len;
    for (; r < end; r++) {
        VhCell what;

        while (l.span < l.spans_end && l.span->end <= r->start) {
            l.span++;
        }
        if (l.span == l.spans_end) {
            break;
        }
        what = heat_of(c, r, part);
        add_region(&l, r, &what, cells);
    }
}

void vh_rows_add(unsigned rows, VhCell *to, const VhCell *cells, float part)
{
    float *a = &to->weight;
    const float *b = &cells->weight;

    for (unsigned i = 0; i < 3 * rows; i++) {
        a[i] += b[i] * part;
    }
}

GArray *vh_rows_spans(const VhHeatAxis *axis, unsigned rows)
{
    GArray *out = g_array_new(false, false, sizeof(VhRasterSpan));

    for (guint i = 0; i < axis->spans->len; i++) {
        const VhRamSpan *s = &g_array_index(axis->spans, VhRamSpan, i);
        VhRasterSpan span = { s->start, s->end,
                              (double)s->at / axis->length * rows };
        VhRasterSpan *last =
            out->len ? &g_array_index(out, VhRasterSpan, out->len - 1) : NULL;

        if (last && last->row == span.row) {
            last->end = span.end;
        } else {
            g_array_append_val(out, span);
        }
    }
    return out;
}

/* ---- bytes ---- */

#define KEPT_BITS                                               \
    15 /* of a float are left out: 256 steps an octave are left \
        */

static uint32_t bits_of(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits >> KEPT_BITS;
}

/* The middle of all numbers with these first bits. */
static double middle_of(uint32_t bits)
{
    float v;

    bits = bits << KEPT_BITS | 1u << (KEPT_BITS - 1);
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint8_t place(double v, double low, double high, unsigned first)
{
    double at = log(v / low) / log(high / low);

    return first + lround((255 - first) * CLAMP(at, 0, 1));
}

static void init_scale(VhScale *s, double low, double high, unsigned first)
{
    s->low = bits_of(low);
    s->nr = bits_of(high) - s->low + 1;
    for (uint32_t i = 0; i < s->nr; i++) {
        s->steps[i] = place(middle_of(s->low + i), low, high, first);
    }
}

void vh_scales_init(VhScales *s)
{
    init_scale(&s->rate, VH_RASTER_RATE_LOW, VH_RASTER_RATE_HIGH, 2);
    init_scale(&s->idle, VH_RASTER_IDLE_LOW, VH_RASTER_IDLE_HIGH, 1);
}

static inline uint8_t byte_of(const VhScale *s, float v)
{
    uint32_t bits = bits_of(v);

    return s->steps[CLAMP(bits, s->low, s->low + s->nr - 1) - s->low];
}

uint8_t vh_raster_rate_byte(float rate)
{
    return rate > 0 ? place(middle_of(bits_of(rate)), VH_RASTER_RATE_LOW,
                            VH_RASTER_RATE_HIGH, 2)
                    : 1;
}

uint8_t vh_raster_idle_byte(float seconds)
{
    return seconds > 0 ? place(middle_of(bits_of(seconds)), VH_RASTER_IDLE_LOW,
                               VH_RASTER_IDLE_HIGH, 1)
                       : 1;
}

void vh_rows_bytes(const VhScales *s, unsigned rows, const VhCell *cells,
                   uint8_t *data, uint8_t *idle)
{
    for (unsigned i = 0; i < rows; i++) {
        float weight = cells[i].weight, rate = cells[i].rate;

        data[i] = !(weight > 0) ? 0
                  : rate > 0    ? byte_of(&s->rate, rate / weight)
                                : 1;
        idle[i] = weight > 0 ? byte_of(&s->idle, cells[i].idle / weight) : 0;
    }
}
