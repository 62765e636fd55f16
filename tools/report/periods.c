/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "periods.h"

void vh_periods_init(VhPeriods *p, uint64_t min_size)
{
    *p = (VhPeriods){ .list = g_array_new(false, false, sizeof(VhPeriod)),
                      .min_size = min_size };
}

void vh_periods_clear(VhPeriods *p)
{
    g_array_free(p->list, true);
}

static VhPeriod *last(const VhPeriods *p)
{
    return &g_array_index(p->list, VhPeriod, p->list->len - 1);
}

/*
 * A snapshot that began long after the one before does not go on with it. A
 * recorder may leave out some of them, but then it does so all the time.
 */
static bool follows(const VhPeriods *p, uint64_t start, uint64_t took)
{
    uint64_t gap = start - p->start;

    return start >= p->start &&
           (!p->step || gap / VH_PERIOD_GAP <= MAX(p->step, took));
}

static void remember(VhPeriods *p, uint64_t start)
{
    p->step = p->start && start > p->start ? start - p->start : p->step;
    p->start = start;
}

static void begin(VhPeriods *p, uint64_t start, uint64_t bytes)
{
    VhPeriod one = { .begin = start, .end = start, .min = bytes };

    g_array_append_val(p->list, one);
    p->weight = 0;
}

static void extend(VhPeriods *p, VhPeriod *l, uint64_t end, uint64_t took,
                   uint64_t bytes)
{
    l->end = MAX(end, l->end);
    l->min = MIN(l->min, bytes);
    l->max = MAX(l->max, bytes);
    l->nr++;
    p->matched += took;
    p->weight += took;
    l->mean += (bytes - l->mean) * took / p->weight;
}

void vh_periods_add(VhPeriods *p, uint64_t start, uint64_t end, uint64_t bytes)
{
    uint64_t took = end > start ? end - start : 1;
    bool goes_on = p->open && follows(p, start, took);

    p->seen += took;
    p->open = bytes >= p->min_size;
    if (p->open && !goes_on) {
        begin(p, start, bytes);
    }
    if (p->open) {
        extend(p, last(p), end, took, bytes);
    }
    remember(p, start);
}
