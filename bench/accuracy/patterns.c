/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The named workloads, each a function that says what is where when. */
#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "patterns.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define NS_PER_S 1000000000ULL

#define WRITES 0.5 /* share of accesses, where nothing else is said */

#define SPOTS 26
#define SPOT (8 * MIB)
#define CHUNK (2 * MIB)
#define ZIPF_S 1.1
#define ZIPF_TOP 8 /* the first rank's rate, in hot rates */
#define STRIPE (64 * KIB)
#define STRIPED (1 * GIB)
#define MOVE_S 10
#define PHASE_S 15
#define PHASE_FACTOR 4
#define NEEDLE (200 * MIB)
#define TINY_PAGES 64
#define MIX_RANGES 12

static uint64_t page_down(uint64_t bytes)
{
    return bytes - bytes % VH_PAGE_SIZE;
}

static void add(GArray *lines, double from_s, uint64_t start, uint64_t size,
                double rate, double writes)
{
    Line line = { .from_ns = from_s * NS_PER_S,
                  .start = start,
                  .end = start + size,
                  .rate = rate,
                  .writes = writes };

    g_array_append_val(lines, line);
}

/* A random page-aligned start of @bytes within @slot bytes. */
static uint64_t place(VhRng *rng, uint64_t slot, uint64_t bytes)
{
    return vh_rng_below(rng, (slot - bytes) / VH_PAGE_SIZE + 1) * VH_PAGE_SIZE;
}

static void make_block(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint64_t bytes = page_down(a->size / 20);

    add(lines, 0, place(rng, a->size, bytes), bytes, a->hot_hz, WRITES);
}

/* One in each of 26 equal slots, so they never overlap. */
static void make_scattered(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint64_t slot = page_down(a->size / SPOTS);

    for (int i = 0; i < SPOTS; i++) {
        add(lines, 0, i * slot + place(rng, slot, SPOT), SPOT, a->hot_hz,
            WRITES);
    }
}

/* Where @bytes don't overlap the same at @old. */
static uint64_t place_elsewhere(const PatternArgs *a, VhRng *rng,
                                uint64_t bytes, uint64_t old)
{
    uint64_t start;

    do {
        start = place(rng, a->size, bytes);
    } while (start < old + bytes && old < start + bytes);
    return start;
}

static void make_moving(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint64_t bytes = page_down(a->size / 20);
    uint64_t at = place(rng, a->size, bytes);

    add(lines, 0, at, bytes, a->hot_hz, WRITES);
    for (double t = MOVE_S; t < a->seconds; t += MOVE_S) {
        add(lines, t, at, bytes, a->cold_hz, WRITES);
        at = place_elsewhere(a, rng, bytes, at);
        add(lines, t, at, bytes, a->hot_hz, WRITES);
    }
}

/* Ranks in random order. */
static uint32_t *shuffled_ranks(uint32_t n, VhRng *rng)
{
    uint32_t *rank = g_new(uint32_t, n);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = vh_rng_below(rng, i + 1);

        rank[i] = rank[k];
        rank[k] = i + 1;
    }
    return rank;
}

static void make_zipf(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint32_t n = a->size / CHUNK;
    g_autofree uint32_t *rank = shuffled_ranks(n, rng);

    for (uint32_t i = 0; i < n; i++) {
        double rate = ZIPF_TOP * a->hot_hz / pow(rank[i], ZIPF_S);

        add(lines, 0, i * CHUNK, CHUNK, MAX(rate, a->cold_hz), WRITES);
    }
}

static void make_stripes(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint64_t begin = place(rng, a->size, STRIPED);

    begin -= begin % STRIPE;
    for (uint64_t off = 0; off < STRIPED; off += 2 * STRIPE) {
        add(lines, 0, begin + off, STRIPE, a->hot_hz, WRITES);
    }
}

static void make_phases(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint64_t small = page_down(a->size / 20), big = PHASE_FACTOR * small;
    uint64_t begin = place(rng, a->size, big);
    bool grown = false;

    add(lines, 0, begin, small, a->hot_hz, WRITES);
    for (double t = PHASE_S; t < a->seconds; t += PHASE_S) {
        grown = !grown;
        add(lines, t, begin + small, big - small,
            grown ? a->hot_hz : a->cold_hz, WRITES);
    }
}

static void make_needle(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    add(lines, 0, place(rng, a->size, NEEDLE), NEEDLE, a->hot_hz, WRITES);
}

static void make_tiny(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    uint64_t slot = page_down(a->size / TINY_PAGES);

    for (int i = 0; i < TINY_PAGES; i++) {
        add(lines, 0, i * slot + place(rng, slot, VH_PAGE_SIZE), VH_PAGE_SIZE,
            a->hot_hz, WRITES);
    }
}

/* Read only, written only, half of each, and again. */
static void make_writemix(const PatternArgs *a, GArray *lines, VhRng *rng)
{
    const double writes[] = { 0, 1, 0.5 };
    uint64_t slot = page_down(a->size / MIX_RANGES);
    uint64_t bytes = page_down(slot / 20);

    for (int i = 0; i < MIX_RANGES; i++) {
        add(lines, 0, i * slot + place(rng, slot, bytes), bytes, a->hot_hz,
            writes[i % 3]);
    }
}

const Pattern *patterns(void)
{
    static const Pattern all[] = {
        { "block", "5 % of memory, contiguous", 4 * GIB, 64 * MIB, 30,
          make_block },
        { "scattered", "26 spots of 8 MiB", 4 * GIB, SPOTS * 2 * SPOT, 30,
          make_scattered },
        { "moving", "5 % of memory, elsewhere every 10 s", 4 * GIB, 64 * MIB,
          40, make_moving },
        { "zipf", "2 MiB chunks, rates by Zipf's law, s = 1.1", 4 * GIB,
          64 * MIB, 30, make_zipf },
        { "stripes", "every second 64 KiB within 1 GiB", 4 * GIB, STRIPED, 30,
          make_stripes },
        { "phases", "5 % of memory, 20 % and back every 15 s", 4 * GIB,
          64 * MIB, 45, make_phases },
        { "needle", "200 MiB", 160 * GIB, 2 * NEEDLE, 30, make_needle },
        { "tiny", "64 single pages", 64 * GIB, 64 * MIB, 60, make_tiny },
        { "writemix", "12 ranges, 5 % in all: read, written, or both", 4 * GIB,
          64 * MIB, 30, make_writemix },
        { 0 },
    };

    return all;
}

const Pattern *pattern_find(const char *name)
{
    for (const Pattern *p = patterns(); p->name; p++) {
        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

Workload *pattern_make(const Pattern *p, const PatternArgs *a, char **why)
{
    g_autoptr(GArray) lines = g_array_new(false, false, sizeof(Line));
    VhRng rng;

    if (a->size < p->least) {
        *why =
            g_strdup_printf("--size: pattern %s needs at least %" PRIu64 " MiB",
                            p->name, (uint64_t)((p->least + MIB - 1) / MIB));
        return NULL;
    }
    vh_rng_seed(&rng, a->seed);
    add(lines, 0, 0, a->size, a->cold_hz, WRITES);
    p->make(a, lines, &rng);
    return workload_new(a->size, (const Line *)lines->data, lines->len, why);
}
