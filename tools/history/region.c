/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One region at a time. */
#include "internal.h"
#include "packed.h"
#include "report/filter.h"

#define LATE_US (10 * VH_SECOND_US) /* behind the latest: that one is meant */

/* What is looked for; found: @out is set. */
typedef struct Search {
    int64_t time_us;
    uint64_t address;
    VhHistoryRegion *out;
    bool found;
} Search;

static const VhRegion *find(const VhSnapshot *s, uint64_t address)
{
    size_t lo = 0, hi = s->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->regions[mid].end > address) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo < s->nr && s->regions[lo].start <= address ? &s->regions[lo]
                                                         : NULL;
}

static void take(void *opaque, const VhPiece *p)
{
    Search *search = opaque;
    VhSnapshot s = { 0 };
    const VhRegion *r;

    vh_packed_snapshot(p->codec, &s);
    r = find(&s, search->address);
    if (r) {
        *search->out = (VhHistoryRegion){ .time_us = p->entry ? p->entry->end_us
                                                              : p->end_us,
                                          .has_writes = s.has_write_rates,
                                          .region = *r,
                                          .age_us = vh_snapshot_age_us(&s, r),
                                          .max_nr_accesses = s.max_nr_accesses,
                                          .node = -1 };
        if (!s.has_rates) {
            VhRegion *o = &search->out->region;

            o->rate = o->rate_low = o->rate_high = vh_region_rate(&s, r);
        }
    }
    search->found = r;
    g_free(s.regions);
}

/* The end of the snapshot of a level that is meant; INT64_MIN: none. */
static int64_t entry_end(const GPtrArray *blocks, int64_t us, bool late)
{
    const VhHistoryBlock *b;
    const VhEntry *e;
    guint at = vh_history_block_at(blocks, us);

    if (at == blocks->len) {
        b = at ? blocks->pdata[at - 1] : NULL;
        return b && late && us - vh_history_block_end(b) <= LATE_US
                   ? vh_history_block_end(b)
                   : INT64_MIN;
    }
    b = blocks->pdata[at];
    e = &b->entries[vh_history_entry_at(b, us)];
    return e->start_us <= us ? e->end_us : INT64_MIN;
}

static void set_place(const VhHistoryView *v, VhHistoryRegion *out,
                      uint64_t address, bool of_record)
{
    g_autoptr(VhRanges) old =
        of_record ? vh_source_ranges(v->source, out->time_us) : NULL;
    const VhRanges *then = old;
    const VhStateRange *range;

    for (guint i = 0; i < v->ranges->len && !old; i++) {
        const VhRanges *r = v->ranges->pdata[i];

        if (!then || r->since_us <= out->time_us) {
            then = r;
        }
    }
    range = vh_ranges_find(then, address);
    if (range) {
        out->block = g_strdup(range->block);
        out->device = g_strdup(range->device);
        out->reserved = g_strdup(range->reserved);
        out->node = range->node;
    }
}

bool vh_history_region(const VhHistoryView *v, int64_t time_us,
                       uint64_t address, VhHistoryRegion *out)
{
    Search search = { time_us, address, out, false };
    bool known = false;

    for (unsigned i = 0; i < VH_LEVELS && !known; i++) {
        int64_t end = entry_end(v->blocks[i], time_us, !i);

        known = end != INT64_MIN;
        if (known) {
            vh_walk_last(v, i, end, take, &search);
        }
    }
    if (!known && v->source) {
        vh_walk_last(v, VH_LEVELS, time_us + 1, take, &search);
    }
    if (search.found) {
        set_place(v, out, address, !known);
    }
    return search.found;
}

void vh_history_region_clear(VhHistoryRegion *r)
{
    g_clear_pointer(&r->block, g_free);
    g_clear_pointer(&r->device, g_free);
    g_clear_pointer(&r->reserved, g_free);
}
