/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Immutable, reference counted snapshots. */
#include <glib.h>
#include <math.h>

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

static bool is_idle(const VhSnapshot *s, const VhSnapRegion *r, uint64_t ns)
{
    if (s->has_rates) {
        return r->idle_ms >= ns / 1000000 + !!(ns % 1000000);
    }
    return !r->nr_accesses && r->age * s->attrs.aggregation_us * 1000 >= ns;
}

uint64_t vh_snapshot_idle(const VhSnapshot *s, uint64_t min_idle_ns)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        const VhSnapRegion *r = &s->regions[i];

        sum += is_idle(s, r, min_idle_ns) ? r->end - r->start : 0;
    }
    return sum;
}

#define TOLD_MAX 1048576.0f
#define TOLD_BITS 9
#define TOLD_FINEST (-20) /* steps of a millionth */

double vh_snapshot_rate(float hz)
{
    int exponent;
    double step;

    if (!(hz > 0)) {
        return 0; /* nor NaN */
    }
    hz = MIN(hz, TOLD_MAX);
    frexp(hz, &exponent);
    step = ldexp(1, MAX(exponent - TOLD_BITS, TOLD_FINEST));
    return rint(hz / step) * step;
}
