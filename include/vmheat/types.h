/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small types shared by every layer: ranges, attributes, the injected clock
 * and random number source.
 */
#ifndef VMHEAT_TYPES_H
#define VMHEAT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The host page size every address in vmheat is aligned to, in bytes. */
#define VH_PAGE_SIZE 4096ULL

/** struct VhRange - half-open range [start, end) of guest-physical bytes */
typedef struct VhRange {
    uint64_t start;
    uint64_t end;
} VhRange;

/**
 * struct VhAttrs - monitoring attributes, DAMON's five
 * @sampling_us: time between two access checks of a region, microseconds
 * @aggregation_us: time after which nr_accesses is published and reset
 * @update_us: time between two looks at the guest memory map
 * @min_regions: lower bound of the number of regions (DAMON: min_nr_regions)
 * @max_regions: upper bound of the number of regions (DAMON: max_nr_regions)
 *
 * aggregation_us / sampling_us is the largest possible nr_accesses.
 */
typedef struct VhAttrs {
    uint64_t sampling_us;
    uint64_t aggregation_us;
    uint64_t update_us;
    uint32_t min_regions;
    uint32_t max_regions;
} VhAttrs;

/* What vh_attrs_check() allows. */
#define VH_SAMPLING_US_MIN 1000ULL
#define VH_INTERVAL_US_MAX 3600000000ULL /* one hour */
#define VH_MIN_REGIONS_MIN 3U            /* as DAMON */
#define VH_MAX_REGIONS_MAX 100000U
#define VH_MAX_ACCESSES_MAX 10000U /* samples in one aggregation */

/**
 * VH_ATTRS_DEFAULT - chosen with bench/accuracy
 *
 * Finds a hot 5 % block of 1 GiB within 3 s under 100 traps a second and the
 * default budget at the fewest ticks; documented in docs/design/monitoring.md.
 */
#define VH_ATTRS_DEFAULT                                                       \
    ((VhAttrs){ .sampling_us = 50000,                                          \
                .aggregation_us = 250000,                                      \
                .update_us = 1000000,                                          \
                .min_regions = 20,                                             \
                .max_regions = 1000 })

/**
 * vh_attrs_check() - can these attributes be used together?
 * @a: the attributes
 * @why: out, a sentence naming the attribute, its value and what is allowed;
 *       the caller frees it with g_free()
 *
 * Attribute names in @why are the QMP ones (``sampling-interval``, ...).
 */
bool vh_attrs_check(const VhAttrs *a, char **why);

/** vh_attrs_max_accesses() - aggregation / sampling interval, at least 1 */
uint32_t vh_attrs_max_accesses(const VhAttrs *a);

/** struct VhClock - the only time the core knows; nanoseconds, monotonic */
typedef struct VhClock {
    uint64_t (*now_ns)(void *opaque);
    void *opaque;
} VhClock;

/** vh_clock_now() - current time of @c in nanoseconds */
static inline uint64_t vh_clock_now(const VhClock *c)
{
    return c->now_ns(c->opaque);
}

/** struct VhRng - xoroshiro128+; seeded by the caller, so tests repeat */
typedef struct VhRng {
    uint64_t s[2];
} VhRng;

/** vh_rng_seed() - start @r from @seed (splitmix64 expands it) */
void vh_rng_seed(VhRng *r, uint64_t seed);

/** vh_rng_next() - 64 random bits */
uint64_t vh_rng_next(VhRng *r);

/** vh_rng_below() - uniform in [0, @n); @n must not be 0 */
uint64_t vh_rng_below(VhRng *r, uint64_t n);

/** vh_rng_unit() - uniform in [0, 1) */
double vh_rng_unit(VhRng *r);

#endif
