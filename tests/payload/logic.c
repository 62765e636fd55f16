/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the payload decides: random numbers, page order, pacing, pattern. */
#include "logic.h"

#define FRACTION_BITS 8

void vhp_rng_init(VhpRng *rng, uint64_t seed)
{
    /* Spread small seeds; the constant is odd, so only one seed maps to 0. */
    rng->state = (seed + 1) * VHP_PATTERN_MUL;
    if (!rng->state) {
        rng->state = VHP_PATTERN_MUL;
    }
    for (int i = 0; i < 8; i++) {
        vhp_rng_next(rng);
    }
}

uint64_t vhp_rng_next(VhpRng *rng)
{
    uint64_t x = rng->state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    rng->state = x;
    return x;
}

bool vhp_rng_percent(VhpRng *rng, uint64_t percent)
{
    return (vhp_rng_next(rng) >> 8) % 100 < percent;
}

static void start_pass(VhpWalk *walk, VhpRng *rng)
{
    walk->key[0] = vhp_rng_next(rng);
    walk->key[1] = vhp_rng_next(rng) | 1;
    walk->key[2] = vhp_rng_next(rng);
    walk->next = 0;
    walk->left = walk->pages;
}

void vhp_walk_init(VhpWalk *walk, uint64_t pages, VhpRng *rng)
{
    unsigned int bits = 0;

    while ((1ULL << bits) < pages) {
        bits++;
    }
    walk->pages = pages;
    walk->mask = (1ULL << bits) - 1;
    walk->shift = bits / 2 + 1;
    walk->passes = 0;
    start_pass(walk, rng);
}

/* Each step is a bijection of the numbers 0 .. mask. */
static uint64_t permute(const VhpWalk *walk, uint64_t x)
{
    x = (x ^ walk->key[0]) & walk->mask;
    for (int i = 0; i < 2; i++) {
        x = (x * walk->key[1] + walk->key[2]) & walk->mask;
        x ^= x >> walk->shift;
    }
    return x;
}

uint64_t vhp_walk_next(VhpWalk *walk, VhpRng *rng)
{
    uint64_t page;

    do {
        page = permute(walk, walk->next++);
    } while (page >= walk->pages);
    if (--walk->left == 0) {
        walk->passes++;
        start_pass(walk, rng);
    }
    return page;
}

void vhp_pacer_init(VhpPacer *pacer, uint64_t rate, uint64_t tsc_khz,
                    uint64_t now)
{
    pacer->period = 0;
    pacer->backlog = 0;
    pacer->base = now;
    pacer->next = 0;
    pacer->missed = 0;
    if (rate) {
        pacer->period = ((tsc_khz * 1000) << FRACTION_BITS) / rate;
        pacer->backlog = rate * VHP_BACKLOG_MS / 1000 + 1;
    }
}

uint64_t vhp_pacer_due(VhpPacer *pacer, uint64_t now)
{
    uint64_t elapsed, due;

    if (!pacer->period) {
        return VHP_BATCH;
    }
    if (now < pacer->base) { /* the TSC was set back: start over */
        pacer->base = now;
        pacer->next = 0;
    }
    elapsed = (now - pacer->base) << FRACTION_BITS;
    if (elapsed < pacer->next) {
        return 0;
    }
    due = (elapsed - pacer->next) / pacer->period + 1;
    if (due > pacer->backlog) {
        pacer->missed += due - pacer->backlog;
        pacer->next += (due - pacer->backlog) * pacer->period;
        due = pacer->backlog;
    }
    if (due > VHP_BATCH) {
        due = VHP_BATCH;
    }
    pacer->next += due * pacer->period;
    return due;
}

uint64_t vhp_pattern(uint64_t at, uint64_t seed)
{
    return (at + seed) * VHP_PATTERN_MUL;
}

uint64_t vhp_line(uint64_t page)
{
    uint64_t lines = VHP_PAGE_SIZE / (VHP_LINE_WORDS * 8);

    return page + page / VHP_PAGE_SIZE % lines * (VHP_LINE_WORDS * 8);
}

void vhp_fill_line(volatile uint64_t *line, uint64_t at, uint64_t seed)
{
    for (uint64_t i = 0; i < VHP_LINE_WORDS; i++) {
        line[i] = vhp_pattern(at + i * 8, seed);
    }
}

static void report_bad(VhpCheck *check, uint64_t at)
{
    if (!check->bad_words++) {
        check->first_bad = at;
    }
}

void vhp_check_line(const volatile uint64_t *line, uint64_t at, uint64_t seed,
                    uint64_t most, VhpCheck *check)
{
    uint64_t written = line[0] - vhp_pattern(at, seed);

    check->slot_sum += written;
    if (written > most) {
        report_bad(check, at);
    }
    for (uint64_t i = 1; i < VHP_LINE_WORDS; i++) {
        if (line[i] != vhp_pattern(at + i * 8, seed)) {
            report_bad(check, at + i * 8);
        }
    }
}
