/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A workload in granules: segments that fill whole granules keep their shape,
 * and granules in which a segment ends are summed up, each for itself.
 */
#include <glib.h>

#include "workload.h"

typedef struct Coarsening {
    const Workload *w;
    uint64_t granule;
    GArray *lines;
} Coarsening;

static int by_time(const void *a, const void *b)
{
    uint64_t x = ((const Line *)a)->from_ns, y = ((const Line *)b)->from_ns;

    return (x > y) - (x < y);
}

/* Many granules that do the same: they are filled by @s alone. */
static void add_filled(Coarsening *c, const Segment *s, VhRange r)
{
    double pages = (double)c->granule / VH_PAGE_SIZE;

    for (size_t i = 0; i < s->nr; i++) {
        Line line = { s->steps[i].from_ns, r.start, r.end,
                      s->steps[i].rate * pages, s->steps[i].writes };

        g_array_append_val(c->lines, line);
    }
}

/* What all of @r does at @now_ns; @first is its first segment. */
static Line sum_up(const Coarsening *c, size_t first, VhRange r,
                   uint64_t now_ns)
{
    Line line = { now_ns, r.start, r.end, 0, 0 };
    double writes = 0;

    for (size_t k = first; k < c->w->nr && c->w->segments[k].start < r.end;
         k++) {
        const Segment *s = &c->w->segments[k];
        double pages = (double)(MIN(s->end, r.end) - MAX(s->start, r.start)) /
                       VH_PAGE_SIZE;

        line.rate += pages * segment_rate(s, now_ns, false);
        writes += pages * segment_rate(s, now_ns, true);
    }
    line.writes = line.rate > 0 ? MIN(writes / line.rate, 1) : 0;
    return line;
}

/* One granule of several segments, at each time at which one changes. */
static void add_mixed(Coarsening *c, size_t first, VhRange r)
{
    for (size_t k = first; k < c->w->nr && c->w->segments[k].start < r.end;
         k++) {
        const Segment *s = &c->w->segments[k];

        for (size_t i = 0; i < s->nr; i++) {
            Line line = sum_up(c, first, r, s->steps[i].from_ns);

            g_array_append_val(c->lines, line);
        }
    }
}

/* What begins at @at: whole granules of one segment, or one that is mixed. */
static uint64_t add_next(Coarsening *c, uint64_t at)
{
    size_t k = workload_find(c->w, at);
    const Segment *s = &c->w->segments[k];
    uint64_t filled = s->end - s->end % c->granule;
    VhRange r = { at, MIN(at + c->granule, c->w->size) };

    if (filled > at) {
        r.end = filled;
        add_filled(c, s, r);
    } else {
        add_mixed(c, k, r);
    }
    return r.end;
}

Workload *workload_coarsen(const Workload *w, uint64_t granule, char **why)
{
    g_autoptr(GArray) lines = g_array_new(false, false, sizeof(Line));
    Coarsening c = { w, granule, lines };

    for (uint64_t at = 0; at < w->size;) {
        at = add_next(&c, at);
    }
    g_array_sort(lines, by_time);
    return workload_new(w->size, (const Line *)lines->data, lines->len, why);
}
