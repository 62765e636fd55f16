/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Region arithmetic; see region.h. */
#include <glib.h>
#include <string.h>

#include "region.h"

void vh_regions_reserve(VhRegions *rs, size_t nr)
{
    if (nr > rs->room) {
        rs->room = MAX(nr, rs->room * 2);
        rs->v = g_renew(VhRegion, rs->v, rs->room);
    }
}

void vh_regions_clear(VhRegions *rs)
{
    g_free(rs->v);
    *rs = (VhRegions){ 0 };
}

uint64_t vh_regions_total(const VhRegions *rs)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < rs->nr; i++) {
        sum += vh_region_size(&rs->v[i]);
    }
    return sum;
}

size_t vh_regions_find(const VhRegions *rs, uint64_t at)
{
    size_t lo = 0, hi = rs->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (rs->v[mid].end <= at) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

void vh_regions_split(VhRegions *rs, size_t i, uint64_t size)
{
    VhRegion *r;

    vh_regions_reserve(rs, rs->nr + 1);
    r = &rs->v[i];
    memmove(r + 1, r, (rs->nr - i) * sizeof(*r));
    rs->nr++;
    r[0].end = r[0].start + size;
    r[1].start = r[0].end;
}

/*
 * Cuts @r into up to @pieces at @out, left to right; returns how many.
 * DAMON cuts the left part again, so the cuts are found right to left.
 */
static size_t split_one(const VhRegion *r, unsigned pieces, VhRng *rng,
                        VhRegion *out)
{
    uint64_t cut[8], size = vh_region_size(r);
    size_t n = 0;

    for (unsigned i = 1; i < pieces && size > 2 * VH_PAGE_SIZE; i++) {
        uint64_t left = size * (1 + vh_rng_below(rng, 9)) / 10;

        left -= left % VH_PAGE_SIZE;
        if (left) {
            cut[n++] = r->start + left;
            size = left;
        }
    }
    for (size_t i = 0; i <= n; i++) {
        out[i] = *r;
        out[i].start = i ? out[i - 1].end : r->start;
        out[i].end = i < n ? cut[n - 1 - i] : r->end;
    }
    return n + 1;
}

void vh_regions_split_random(VhRegions *rs, unsigned pieces, VhRng *rng)
{
    size_t old = rs->nr, to = 0;
    VhRegion *from;

    pieces = MIN(pieces, 8);
    vh_regions_reserve(rs, old * pieces);
    from = rs->v + old * (pieces - 1);
    memmove(from, rs->v, old * sizeof(*from));
    for (size_t i = 0; i < old; i++) {
        VhRegion r = from[i];

        to += split_one(&r, r.answered ? pieces : 1, rng, rs->v + to);
    }
    rs->nr = to;
}

/* a * b / c, rounded down, without overflow on the way */
static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    return (unsigned __int128)a * b / c;
}

static uint32_t weighted(uint32_t a, uint64_t wa, uint32_t b, uint64_t wb)
{
    return ((unsigned __int128)a * wa + (unsigned __int128)b * wb) / (wa + wb);
}

static void merge_writes(VhRegion *l, const VhRegion *r)
{
    if (l->write_known && r->write_known) {
        l->nr_writes = weighted(l->nr_writes, vh_region_size(l), r->nr_writes,
                                vh_region_size(r));
    } else if (r->write_known) {
        l->nr_writes = r->nr_writes;
    }
    l->write_known |= r->write_known;
    l->write_fires += r->write_fires;
    l->write_answered += r->write_answered;
}

static void merge_two(VhRegion *l, const VhRegion *r)
{
    uint64_t wl = vh_region_size(l), wr = vh_region_size(r);

    merge_writes(l, r);
    l->nr_accesses = weighted(l->nr_accesses, wl, r->nr_accesses, wr);
    l->age = weighted(l->age, wl, r->age, wr);
    l->end = r->end;
    l->fires += r->fires;
    l->answered += r->answered;
    l->starved = MAX(l->starved, r->starved);
    l->known |= r->known;
}

static bool near(uint32_t a, uint32_t b, uint32_t threshold)
{
    return MAX(a, b) - MIN(a, b) <= threshold;
}

static bool alike(const VhRegion *l, const VhRegion *r, uint32_t threshold,
                  uint64_t size_limit)
{
    return l->end == r->start && r->end - l->start <= size_limit &&
           near(l->nr_accesses, r->nr_accesses, threshold) &&
           (!l->write_known || !r->write_known ||
            near(l->nr_writes, r->nr_writes, threshold));
}

void vh_regions_merge(VhRegions *rs, uint32_t threshold, uint64_t size_limit)
{
    size_t to = 0;

    for (size_t i = 1; i < rs->nr; i++) {
        if (alike(&rs->v[to], &rs->v[i], threshold, size_limit)) {
            merge_two(&rs->v[to], &rs->v[i]);
        } else {
            rs->v[++to] = rs->v[i];
        }
    }
    rs->nr = rs->nr ? to + 1 : 0;
}

static void push(VhRegions *rs, const VhRegion *model, uint64_t start,
                 uint64_t end)
{
    vh_regions_reserve(rs, rs->nr + 1);
    rs->v[rs->nr] = *model;
    rs->v[rs->nr].start = start;
    rs->v[rs->nr].end = end;
    rs->nr++;
}

/* New regions over [start, end): @n even ones, or as many as has pages. */
static void fill(VhRegions *rs, uint64_t start, uint64_t end, uint64_t n)
{
    const VhRegion fresh = { 0 };
    uint64_t pages = (end - start) / VH_PAGE_SIZE;
    uint64_t at = start;

    n = MIN(n, pages);
    for (uint64_t i = 1; i <= n; i++) {
        uint64_t next = start + mul_div(pages, i, n) * VH_PAGE_SIZE;

        push(rs, &fresh, at, next);
        at = next;
    }
}

/* How many new regions [start, end) gets: its share of @pieces, rounded up. */
static uint64_t share(uint64_t start, uint64_t end, uint64_t pieces,
                      uint64_t total)
{
    unsigned __int128 product = (unsigned __int128)(end - start) * pieces;

    return (product + total - 1) / total;
}

void vh_regions_set_ranges(VhRegions *rs, const VhRange *ranges, size_t n,
                           uint64_t pieces)
{
    VhRegions old = *rs;
    uint64_t total = 0;
    size_t i = 0;

    for (size_t k = 0; k < n; k++) {
        total += ranges[k].end - ranges[k].start;
    }

    *rs = (VhRegions){ 0 };
    vh_regions_reserve(rs, MAX(old.room, 1));
    for (size_t k = 0; k < n; k++) {
        uint64_t at = ranges[k].start;

        while (i < old.nr && old.v[i].end <= at) {
            i++;
        }
        /* a region may reach into the next range: keep it at i */
        for (; i < old.nr && old.v[i].start < ranges[k].end; i++) {
            uint64_t start = MAX(old.v[i].start, at);
            uint64_t end = MIN(old.v[i].end, ranges[k].end);

            fill(rs, at, start, share(at, start, pieces, total));
            push(rs, &old.v[i], start, end);
            at = end;
            if (old.v[i].end > ranges[k].end) {
                break;
            }
        }
        fill(rs, at, ranges[k].end, share(at, ranges[k].end, pieces, total));
    }
    vh_regions_clear(&old);
}
