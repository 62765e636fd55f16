/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the payload decides, without the machine it runs on: random numbers,
 * the order of pages, pacing, the memory pattern.  Freestanding; also compiled
 * natively for test-logic.c.
 */
#ifndef VHP_LOGIC_H
#define VHP_LOGIC_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

/** struct VhpRng - xorshift64; a state of 0 is not allowed */
typedef struct VhpRng {
    uint64_t state;
} VhpRng;

/**
 * struct VhpWalk - visits pages 0 .. pages - 1 in random order, for ever
 *
 * A pass visits every page exactly once, in an order that is drawn anew for
 * each pass: a keyed permutation of the next power of two, of which numbers
 * that are no page are skipped.  No memory per page.
 */
typedef struct VhpWalk {
    uint64_t pages;
    uint64_t mask; /* next power of two, minus 1 */
    unsigned int shift;
    uint64_t key[3];
    uint64_t next;   /* position in the permutation */
    uint64_t left;   /* pages of this pass not visited yet */
    uint64_t passes; /* complete passes */
} VhpWalk;

/**
 * struct VhpPacer - how many touches are due
 *
 * Times are TSC ticks with 8 fractional bits since @base, so that the period
 * of a fast range is not rounded by more than 0.4 % of a tick.  A guest that
 * did not run for long (host busy, stopped) does not catch up in one burst:
 * what is older than VHP_BACKLOG_MS is dropped and counted in @missed.
 */
typedef struct VhpPacer {
    uint64_t period;  /* 0: unpaced */
    uint64_t backlog; /* most touches that may be owed */
    uint64_t base;
    uint64_t next;
    uint64_t missed;
} VhpPacer;

#define VHP_BACKLOG_MS 250
#define VHP_BATCH 64 /* most touches between two looks at the clock */

/** struct VhpCheck - result of checking lines of pattern words */
typedef struct VhpCheck {
    uint64_t bad_words;
    uint64_t first_bad;
    uint64_t slot_sum;
} VhpCheck;

/** vhp_rng_init() - start a random sequence; every seed is good, 0 too */
void vhp_rng_init(VhpRng *rng, uint64_t seed);

/** vhp_rng_next() - the next 64 random bits */
uint64_t vhp_rng_next(VhpRng *rng);

/** vhp_rng_percent() - true in @percent of 100 cases */
bool vhp_rng_percent(VhpRng *rng, uint64_t percent);

/** vhp_walk_init() - start walking over @pages (at least 1) pages */
void vhp_walk_init(VhpWalk *walk, uint64_t pages, VhpRng *rng);

/** vhp_walk_next() - the next page to visit; @rng orders the next pass */
uint64_t vhp_walk_next(VhpWalk *walk, VhpRng *rng);

/**
 * vhp_pacer_init() - start pacing
 * @rate: touches a second, 0: unpaced
 * @tsc_khz: ticks a millisecond; not looked at if unpaced
 * @now: TSC; the first touch is due at once
 */
void vhp_pacer_init(VhpPacer *pacer, uint64_t rate, uint64_t tsc_khz,
                    uint64_t now);

/**
 * vhp_pacer_due() - how many touches to do now
 *
 * The caller must do them all: they count as done.  At most VHP_BATCH.
 */
uint64_t vhp_pacer_due(VhpPacer *pacer, uint64_t now);

/** vhp_pattern() - what the word at address @at is filled with */
uint64_t vhp_pattern(uint64_t at, uint64_t seed);

/** vhp_line() - address of the pattern line (its slot first) of a page */
uint64_t vhp_line(uint64_t page);

/** vhp_fill_line() - write the pattern; @line is memory of address @at */
void vhp_fill_line(volatile uint64_t *line, uint64_t at, uint64_t seed);

/**
 * vhp_check_line() - check one line and add the result to @check
 * @most: writes there can have been at most; more in the slot is corruption
 */
void vhp_check_line(const volatile uint64_t *line, uint64_t at, uint64_t seed,
                    uint64_t most, VhpCheck *check);

#endif
