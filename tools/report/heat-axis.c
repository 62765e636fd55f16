/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heat-axis.h"

void vh_heat_axis_init(VhHeatAxis *axis, uint64_t start, uint64_t end)
{
    *axis = (VhHeatAxis){ .spans = g_array_new(false, false, sizeof(VhRamSpan)),
                          .start = start,
                          .end = end };
}

void vh_heat_axis_clear(VhHeatAxis *axis)
{
    g_clear_pointer(&axis->spans, g_array_unref);
}

static VhRamSpan *span(const VhHeatAxis *axis, guint i)
{
    return &g_array_index(axis->spans, VhRamSpan, i);
}

bool vh_heat_axis_covers(const VhHeatAxis *axis, const VhSnapshot *s)
{
    guint j = 0;

    for (size_t i = 0; i < s->nr; i++) {
        uint64_t start = MAX(s->regions[i].start, axis->start);
        uint64_t end = MIN(s->regions[i].end, axis->end);

        while (j < axis->spans->len && span(axis, j)->end <= start) {
            j++;
        }
        if (start < end &&
            (j == axis->spans->len || start < span(axis, j)->start ||
             end > span(axis, j)->end)) {
            return false;
        }
    }
    return true;
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const VhRamSpan *x = a, *y = b;

    return (x->start > y->start) - (x->start < y->start);
}

/* Sort; what overlaps or touches becomes one. */
static void tidy(VhHeatAxis *axis)
{
    guint n = 0;

    g_array_sort(axis->spans, by_start);
    for (guint i = 0; i < axis->spans->len; i++) {
        VhRamSpan s = *span(axis, i);

        if (n && s.start <= span(axis, n - 1)->end) {
            span(axis, n - 1)->end = MAX(s.end, span(axis, n - 1)->end);
        } else {
            *span(axis, n++) = s;
        }
    }
    g_array_set_size(axis->spans, n);
    axis->length = 0;
    for (guint i = 0; i < n; i++) {
        span(axis, i)->at = axis->length;
        axis->length += span(axis, i)->end - span(axis, i)->start;
    }
}

/* Neighbours are joined at once: there are many regions and few spans. */
static void append(VhHeatAxis *axis, uint64_t start, uint64_t end)
{
    VhRamSpan s = { .start = MAX(start, axis->start),
                    .end = MIN(end, axis->end) };
    guint n = axis->spans->len;

    if (s.start >= s.end) {
        return;
    }
    if (n && span(axis, n - 1)->end == s.start) {
        span(axis, n - 1)->end = s.end;
    } else {
        g_array_append_val(axis->spans, s);
    }
}

void vh_heat_axis_add(VhHeatAxis *axis, const VhSnapshot *s)
{
    for (size_t i = 0; i < s->nr; i++) {
        append(axis, s->regions[i].start, s->regions[i].end);
    }
    tidy(axis);
}

void vh_heat_axis_join(VhHeatAxis *axis, const VhHeatAxis *other)
{
    for (guint i = 0; i < other->spans->len; i++) {
        append(axis, span(other, i)->start, span(other, i)->end);
    }
    tidy(axis);
}

uint64_t vh_heat_axis_address(const VhHeatAxis *axis, uint64_t at)
{
    guint lo = 0, hi = axis->spans->len;

    while (hi - lo > 1) {
        guint mid = lo + (hi - lo) / 2;

        if (span(axis, mid)->at <= at) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return span(axis, lo)->start + (at - span(axis, lo)->at);
}
