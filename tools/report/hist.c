/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A linear scale has steps of a round number, and begins at a multiple of it. A
 * logarithmic one is made of round numbers, and has one bin for all that is
 * nearer to 0 than the smallest value that is not 0; for values below 0, which
 * temperatures have, the same scale is mirrored. Either becomes coarser until
 * VH_HIST_BINS bins are enough.
 */
#include <math.h>
#include <stdlib.h>

#include "hist.h"

#define DECADES 100
#define TEMPERATURES 1e5

/* What is to be covered; near and far are distances from 0, near is not 0. */
typedef struct Reach {
    double min, max;
    double near, far;
} Reach;

static Reach reach_of(VhQuantity q, const VhSample *samples, size_t nr)
{
    Reach r = { samples[0].value, samples[0].value, INFINITY, 0 };

    for (size_t i = 0; i < nr; i++) {
        double v = samples[i].value;

        r.min = MIN(r.min, v);
        r.max = MAX(r.max, v);
        r.far = MAX(r.far, fabs(v));
        r.near = v != 0 ? MIN(r.near, fabs(v)) : r.near;
    }
    r.near = MAX(MIN(r.near, r.far), vh_quantity_least(q));
    if (q == VH_QUANTITY_TEMPERATURE) {
        r.near = MAX(r.near, r.far / TEMPERATURES);
    }
    return r;
}

static bool spans_decades(const Reach *r)
{
    return r->far >= DECADES * r->near;
}

bool vh_hist_spans_decades(VhQuantity q, const VhSample *samples, size_t nr)
{
    Reach r = reach_of(q, samples, nr);

    return spans_decades(&r);
}

double vh_hist_near(VhQuantity q, const VhSample *samples, size_t nr)
{
    return reach_of(q, samples, nr).near;
}

/* Few enough? Only then are the edges taken. */
static bool take_edges(VhHist *hist, const GArray *edges)
{
    if (edges->len < 2 || edges->len > VH_HIST_BINS + 1) {
        return false;
    }
    hist->nr = edges->len - 1;
    for (guint i = 0; i < edges->len; i++) {
        hist->edges[i] = g_array_index(edges, double, i);
    }
    return true;
}

static bool try_linear(VhHist *hist, const Reach *r, double step)
{
    g_autoptr(GArray) edges = g_array_new(false, false, sizeof(double));
    double first = floor(r->min / step);

    for (unsigned i = 0; i <= VH_HIST_BINS + 1; i++) {
        double edge = (first + i) * step;

        g_array_append_val(edges, edge);
        if (edge > r->max) {
            break;
        }
    }
    return take_edges(hist, edges);
}

static void make_linear(VhHist *hist, VhQuantity q, const Reach *r)
{
    double width = MAX(r->max - r->min, r->near);
    double step = vh_round_linear(q, width / VH_HIST_BINS);

    while (!try_linear(hist, r, step)) {
        step = vh_round_linear(q, step * 1.01);
    }
}

/* Of those that @list has, the last one that is @v or less. */
static guint at_or_below(const GArray *list, double v)
{
    guint i = 0;

    while (i + 1 < list->len && g_array_index(list, double, i + 1) <= v) {
        i++;
    }
    return i;
}

static bool try_log(VhHist *hist, VhQuantity q, const Reach *r, unsigned level)
{
    g_autoptr(GArray) list = vh_round_log(q, level);
    g_autoptr(GArray) edges = g_array_new(false, false, sizeof(double));
    guint near = at_or_below(list, r->near);
    guint last = MIN(at_or_below(list, r->far) + 1, list->len - 1);
    double zero = 0;

    /* from the far end below 0 to the one above it, then cut what is unused */
    for (guint i = last + 1; r->min < 0 && i-- > near;) {
        double edge = -g_array_index(list, double, i);

        g_array_append_val(edges, edge);
    }
    if (r->min >= 0) {
        g_array_append_val(edges, zero);
    }
    g_array_append_vals(edges, &g_array_index(list, double, near),
                        last - near + 1);
    while (edges->len > 2 && g_array_index(edges, double, 1) <= r->min) {
        g_array_remove_index(edges, 0);
    }
    while (edges->len > 2 &&
           g_array_index(edges, double, edges->len - 2) > r->max) {
        g_array_set_size(edges, edges->len - 1);
    }
    return take_edges(hist, edges);
}

static void make_log(VhHist *hist, VhQuantity q, const Reach *r)
{
    for (unsigned level = 0; !try_log(hist, q, r, level); level++) {
    }
}

static unsigned bin_of(const VhHist *hist, double v)
{
    unsigned i = hist->nr - 1;

    while (i && hist->edges[i] > v) {
        i--;
    }
    return i;
}

void vh_hist_make(VhHist *hist, VhQuantity q, const VhSample *samples,
                  size_t nr)
{
    Reach r = reach_of(q, samples, nr);

    *hist = (VhHist){ .log = spans_decades(&r) };
    if (hist->log) {
        make_log(hist, q, &r);
    } else {
        make_linear(hist, q, &r);
    }
    for (size_t i = 0; i < nr; i++) {
        hist->weights[bin_of(hist, samples[i].value)] += samples[i].weight;
        hist->total += samples[i].weight;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = ((const VhSample *)a)->value, y = ((const VhSample *)b)->value;

    return (x > y) - (x < y);
}

void vh_samples_sort(VhSample *samples, size_t nr)
{
    if (nr) { /* else @samples may be NULL */
        qsort(samples, nr, sizeof(*samples), by_value);
    }
}

double vh_percentile(const VhSample *sorted, size_t nr, unsigned percent)
{
    unsigned __int128 total = 0, sum = 0;
    size_t i = 0;

    for (size_t j = 0; j < nr; j++) {
        total += sorted[j].weight;
    }
    for (; i + 1 < nr; i++) {
        sum += sorted[i].weight;
        if (sum * 100 >= total * percent) {
            break;
        }
    }
    return sorted[i].value;
}
