/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Immutable, reference counted snapshots. */
#include <glib.h>

#include "vmheat/snapshot.h"

VhSnapshot *vh_snapshot_new(size_t nr_regions)
{
    VhSnapshot *s = g_malloc0(sizeof(*s) + nr_regions * sizeof(s->regions[0]));

    s->refs = 1;
    s->nr_regions = nr_regions;
    return s;
}

VhSnapshot *vh_snapshot_ref(VhSnapshot *s)
{
    if (s) {
        g_atomic_int_inc(&s->refs);
    }
    return s;
}

void vh_snapshot_unref(VhSnapshot *s)
{
    if (s && g_atomic_int_dec_and_test(&s->refs)) {
        g_free(s);
    }
}

uint64_t vh_snapshot_total(const VhSnapshot *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        sum += s->regions[i].end - s->regions[i].start;
    }
    return sum;
}

uint64_t vh_snapshot_wss(const VhSnapshot *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        const VhSnapRegion *r = &s->regions[i];

        sum += r->nr_accesses ? r->end - r->start : 0;
    }
    return sum;
}

uint64_t vh_snapshot_idle(const VhSnapshot *s, uint64_t min_idle_ns)
{
    uint64_t aggregation_ns = s->attrs.aggregation_us * 1000;
    uint64_t sum = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        const VhSnapRegion *r = &s->regions[i];

        if (!r->nr_accesses && r->age * aggregation_ns >= min_idle_ns) {
            sum += r->end - r->start;
        }
    }
    return sum;
}
