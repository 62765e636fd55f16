/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <string.h>

#include "series.h"

#define GAP_FACTOR 10

VhSeries *vh_series_new(unsigned nr)
{
    VhSeries *s = g_new0(VhSeries, 1);

    g_assert(nr <= VH_SERIES_MAX);
    s->nr = nr;
    s->times = g_array_new(false, false, sizeof(uint64_t));
    for (unsigned i = 0; i < nr; i++) {
        s->values[i] = g_array_new(false, false, sizeof(uint64_t));
    }
    return s;
}

void vh_series_free(VhSeries *s)
{
    if (s) {
        g_array_free(s->times, true);
        for (unsigned i = 0; i < s->nr; i++) {
            g_array_free(s->values[i], true);
        }
        g_free(s);
    }
}

void vh_series_add(VhSeries *s, uint64_t time, const uint64_t *values)
{
    g_array_append_val(s->times, time);
    for (unsigned i = 0; i < s->nr; i++) {
        g_array_append_val(s->values[i], values[i]);
    }
}

uint64_t vh_series_at(const VhSeries *s, unsigned column, guint i)
{
    return g_array_index(s->values[column], uint64_t, i);
}

double vh_series_mean(const VhSeries *s, unsigned column)
{
    double sum = 0;

    for (guint i = 0; i < s->times->len; i++) {
        sum += vh_series_at(s, column, i);
    }
    return s->times->len ? sum / s->times->len : 0;
}

static gint compare(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static GArray *sorted(const GArray *values)
{
    GArray *out =
        g_array_sized_new(false, false, sizeof(uint64_t), values->len);

    g_array_append_vals(out, values->data, values->len);
    g_array_sort(out, compare);
    return out;
}

void vh_series_percentiles(const VhSeries *s, unsigned column,
                           const double *percents, unsigned nr, uint64_t *out)
{
    g_autoptr(GArray) all = sorted(s->values[column]);

    for (unsigned i = 0; i < nr; i++) {
        /* 99.9 % of 1000 are 999, and not 999.0000000000001 */
        double rank = ceil(percents[i] * all->len / 100 - 1e-9 * all->len);
        guint at = CLAMP(rank, 1, all->len);

        out[i] = g_array_index(all, uint64_t, at - 1);
    }
}

static void add(VhBin *b, uint64_t value)
{
    b->min = b->nr ? MIN(b->min, value) : value;
    b->max = b->nr ? MAX(b->max, value) : value;
    b->nr++;
    b->mean += (value - b->mean) / b->nr;
}

void vh_series_bins(const VhSeries *s, unsigned column, uint64_t from,
                    uint64_t to, unsigned nr, VhBin *out)
{
    memset(out, 0, nr * sizeof(*out));
    for (guint i = 0; i < s->times->len; i++) {
        uint64_t time = g_array_index(s->times, uint64_t, i);

        if (time >= from && time <= to) {
            unsigned at = (__uint128_t)(time - from) * nr / (to - from);

            add(&out[MIN(at, nr - 1)], vh_series_at(s, column, i));
        }
    }
}

uint64_t vh_series_gap(const VhSeries *s)
{
    g_autoptr(GArray) steps = g_array_new(false, false, sizeof(uint64_t));

    for (guint i = 1; i < s->times->len; i++) {
        uint64_t step = g_array_index(s->times, uint64_t, i) -
                        g_array_index(s->times, uint64_t, i - 1);

        g_array_append_val(steps, step);
    }
    if (!steps->len) {
        return 0;
    }
    g_array_sort(steps, compare);
    return g_array_index(steps, uint64_t, steps->len / 2) * GAP_FACTOR;
}

void vh_series_hold(const VhSeries *s, uint64_t from, uint64_t to, unsigned nr,
                    VhBin *bins)
{
    double most = vh_series_gap(s) / ((double)(to - from) / nr);
    unsigned empty = 0;

    for (unsigned i = 0; i < nr; i++) {
        if (!bins[i].nr) {
            empty++;
            continue;
        }
        for (unsigned j = i - empty; empty <= most && j < i; j++) {
            bins[j] = bins[i > empty ? i - empty - 1 : i];
        }
        empty = 0;
    }
}
