/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series; theory of operation in history.h. */
#include <math.h>

#include "internal.h"
#include "packed.h"

/* sums, known: of each value and column: means times us, and us */
typedef struct Sums {
    VhHistorySeries *out;
    double *sums[VH_VALUES];
    double *known[VH_VALUES];
    VhSnapshot snapshot;
} Sums;

static void add_values(Sums *s, unsigned column, const float *values, double us)
{
    for (unsigned i = 0; i < VH_VALUES; i++) {
        if (!isnan(values[i])) {
            s->sums[i][column] += values[i] * us;
            s->known[i][column] += us;
        }
    }
}

static void add_time(Sums *s, int64_t start_us, int64_t end_us,
                     const float *values)
{
    const VhHistorySeries *o = s->out;
    double per_us = o->columns / (double)(o->to_us - o->from_us);
    double x0 = (start_us - o->from_us) * per_us;
    double x1 = MIN((end_us - o->from_us) * per_us, o->columns);

    for (unsigned i = x0; i < x1; i++) {
        add_values(s, i, values, (MIN(x1, i + 1) - MAX(x0, i)) / per_us);
    }
}

static void add_level(Sums *s, const GPtrArray *blocks, const VhPart *p)
{
    for (guint i = vh_history_block_at(blocks, p->from_us);
         i < blocks->len && vh_history_block_start(blocks->pdata[i]) < p->to_us;
         i++) {
        const VhHistoryBlock *b = blocks->pdata[i];

        for (unsigned k = vh_history_entry_at(b, p->from_us);
             k < b->nr && b->entries[k].start_us < p->to_us; k++) {
            int64_t start = MAX(b->entries[k].start_us, p->from_us);
            int64_t end = MIN(b->entries[k].end_us, p->to_us);

            add_time(s, start, end, b->entries[k].values);
        }
    }
}

static void add_old(void *opaque, const VhPiece *p)
{
    Sums *s = opaque;
    float values[VH_VALUES];

    vh_packed_snapshot(p->codec, &s->snapshot);
    vh_values_of(&s->snapshot, NULL, values);
    add_time(s, p->start_us, p->end_us, values);
}

static void take_means(Sums *s)
{
    for (unsigned i = 0; i < VH_VALUES; i++) {
        for (unsigned c = 0; c < s->out->columns; c++) {
            s->out->values[i][c] =
                s->known[i][c] > 0 ? s->sums[i][c] / s->known[i][c] : NAN;
        }
        g_free(s->known[i]);
    }
}

VhHistorySeries *vh_history_series(const VhHistoryView *v, int64_t from_us,
                                   int64_t to_us, unsigned columns)
{
    VhHistorySeries *out = g_new0(VhHistorySeries, 1);
    Sums s = { .out = out };
    g_autoptr(GArray) parts = vh_plan(v, from_us, to_us, 0);

    *out = (VhHistorySeries){ from_us, to_us, columns, { NULL } };
    for (unsigned i = 0; i < VH_VALUES; i++) {
        out->values[i] = s.sums[i] = g_new0(double, columns);
        s.known[i] = g_new0(double, columns);
    }
    for (guint i = 0; i < parts->len; i++) {
        const VhPart *p = &g_array_index(parts, VhPart, i);

        if (p->level < VH_LEVELS) {
            add_level(&s, v->blocks[p->level], p);
        } else {
            vh_walk(v, parts, p->from_us, p->to_us, add_old, &s);
        }
    }
    take_means(&s);
    g_free(s.snapshot.regions);
    return out;
}

void vh_history_series_free(VhHistorySeries *s)
{
    if (s) {
        for (unsigned i = 0; i < VH_VALUES; i++) {
            g_free(s->values[i]);
        }
        g_free(s);
    }
}
