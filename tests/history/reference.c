/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "reference.h"
#include "vmheat/codes.h"

typedef struct Kept {
    int64_t start_us, end_us;
    VhSnapshot s;
    VhHistoryPoint p;
} Kept;

void reference_init(Reference *ref)
{
    ref->kept = g_array_new(false, false, sizeof(Kept));
}

static const Kept *nth(const Reference *ref, guint i)
{
    return &g_array_index(ref->kept, Kept, i);
}

void reference_clear(Reference *ref)
{
    for (guint i = 0; i < ref->kept->len; i++) {
        g_free(nth(ref, i)->s.regions);
    }
    g_array_unref(ref->kept);
}

void reference_add(Reference *ref, const Sim *sim, bool continues,
                   const VhHistoryPoint *p)
{
    const VhSnapshot *s = &sim->snapshot;
    Kept k = { .end_us = sim->wall_us, .s = *s, .p = VH_HISTORY_POINT_UNKNOWN };

    k.s.regions = g_memdup2(s->regions, s->nr * sizeof(*s->regions));
    k.start_us = continues
                     ? nth(ref, ref->kept->len - 1)->end_us
                     : k.end_us - (int64_t)(s->end_time - s->start_time) / 1000;
    if (p) {
        k.p = *p;
    }
    g_array_append_val(ref->kept, k);
}

static double overlap(double a0, double a1, double b0, double b1)
{
    return MAX(MIN(a1, b1) - MAX(a0, b0), 0);
}

static double line(uint64_t address)
{
    return address < SIM_HIGH_START ? address
                                    : address - SIM_HIGH_START + SIM_LOW_END;
}

/* As a reader of codes has it. */
static double rounded(const VhCodes *c, double rate)
{
    return vh_code_value(c, vh_code_of(c, rate));
}

typedef struct Cell {
    double weight, rate, idle;
} Cell;

static void add(const Reference *ref, const VhCodes *codes,
                const VhRasterQuery *q, unsigned column, Cell *cells)
{
    double step = (double)(q->to_us - q->from_us) / q->columns;
    double t0 = q->from_us + column * step, t1 = t0 + step;
    double end = q->end ? line(q->end) : SIM_TOTAL, start = line(q->start);
    double row = (end - start) / q->rows;

    for (guint i = 0; i < ref->kept->len; i++) {
        const Kept *k = nth(ref, i);
        double us = overlap(t0, t1, k->start_us, k->end_us);

        for (size_t j = 0; us > 0 && j < k->s.nr; j++) {
            const VhRegion *r = &k->s.regions[j];

            for (unsigned y = 0; y < q->rows; y++) {
                double w = us * overlap(start + y * row, start + (y + 1) * row,
                                        line(r->start), line(r->end - 1) + 1);

                cells[y].weight += w;
                cells[y].rate += w * rounded(codes, r->rate);
                cells[y].idle += w * r->idle_us / 1e6;
            }
        }
    }
}

void reference_raster(const Reference *ref, const VhRasterQuery *q,
                      uint8_t *data, uint8_t *idle)
{
    VhCodes codes;

    vh_codes_init(&codes);
    for (unsigned x = 0; x < q->columns; x++) {
        g_autofree Cell *cells = g_new0(Cell, q->rows);

        add(ref, &codes, q, x, cells);
        for (unsigned y = 0; y < q->rows; y++) {
            const Cell *c = &cells[y];
            size_t at = x * q->rows + y;

            data[at] =
                c->weight > 0 ? vh_raster_rate_byte(c->rate / c->weight) : 0;
            idle[at] =
                c->weight > 0 ? vh_raster_idle_byte(c->idle / c->weight) : 0;
        }
    }
}

static double idle_bytes(const VhSnapshot *s, uint64_t us)
{
    double sum = 0;

    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        sum += r->idle_us >= us ? r->end - r->start : 0;
    }
    return sum;
}

/* Of regions with rates from low on and below high, not idle for 60 s. */
static double class_bytes(const VhSnapshot *s, double low, double high)
{
    double sum = 0;

    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        sum += r->idle_us < 60000000 && r->rate >= low && r->rate < high
                   ? r->end - r->start
                   : 0;
    }
    return sum;
}

static double value_of(const Kept *k, VhHistoryValue value)
{
    double never = isnan(k->p.never) ? 0 : k->p.never;

    switch (value) {
    case VH_VALUE_WORKING_SET:
        return k->s.working_set_size;
    case VH_VALUE_NEEDS:
        return isnan(k->p.needs) ? SIM_TOTAL - idle_bytes(&k->s, 60000000)
                                 : k->p.needs;
    case VH_VALUE_HAS:
        return k->p.has;
    case VH_VALUE_SAVED:
        return k->p.saved;
    case VH_VALUE_IDLE_10:
        return idle_bytes(&k->s, 10000000);
    case VH_VALUE_IDLE_60:
        return idle_bytes(&k->s, 60000000);
    case VH_VALUE_IDLE_600:
        return idle_bytes(&k->s, 600000000);
    case VH_VALUE_IDLE_3600:
        return idle_bytes(&k->s, 3600000000);
    case VH_VALUE_HOT:
        return class_bytes(&k->s, 10, INFINITY);
    case VH_VALUE_WARM:
        return class_bytes(&k->s, 0.1, 10);
    case VH_VALUE_COLD:
        return class_bytes(&k->s, 0, 0.1);
    case VH_VALUE_IDLE:
        return MAX(idle_bytes(&k->s, 60000000) - never, 0);
    case VH_VALUE_NEVER:
        return k->p.never;
    default:
        return k->p.cost;
    }
}

double reference_value(const Reference *ref, VhHistoryValue value,
                       int64_t from_us, int64_t to_us)
{
    double sum = 0, us = 0;

    for (guint i = 0; i < ref->kept->len; i++) {
        const Kept *k = nth(ref, i);
        double part = overlap(from_us, to_us, k->start_us, k->end_us);
        double v = part > 0 ? value_of(k, value) : NAN;

        if (!isnan(v)) {
            sum += v * part;
            us += part;
        }
    }
    return us > 0 ? sum / us : NAN;
}

const VhRegion *reference_region(const Reference *ref, int64_t us,
                                 uint64_t address, int64_t *end_us)
{
    for (guint i = 0; i < ref->kept->len; i++) {
        const Kept *k = nth(ref, i);

        for (size_t j = 0; us >= k->start_us && us < k->end_us && j < k->s.nr;
             j++) {
            const VhRegion *r = &k->s.regions[j];

            if (address >= r->start && address < r->end) {
                *end_us = k->end_us;
                return r;
            }
        }
    }
    return NULL;
}
