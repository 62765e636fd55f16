/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot: the immutable, reference counted result of one aggregation.
 *
 * The monitor publishes one at the end of each aggregation interval. Readers
 * take a reference and look at it for as long as they like; nothing in it
 * ever changes, so queries never wait for the monitor.
 */
#ifndef VMHEAT_SNAPSHOT_H
#define VMHEAT_SNAPSHOT_H

#include "vmheat/types.h"

/**
 * struct VhSnapRegion - one region of a snapshot
 * @start: first guest-physical byte
 * @end: one past the last byte
 * @nr_accesses: checks that found the region accessed, scaled to
 *               VhSnapshot::max_nr_accesses checks
 * @age: aggregation intervals since nr_accesses last changed notably
 * @nr_writes: as @nr_accesses, for writes; 0 without VhSnapshot::has_writes
 * @rate: accesses a second and page, most likely; see VhSnapshot::has_rates
 * @rate_low: with 90 % probability it is not below
 * @rate_high: nor above
 * @write_rate: as @rate, for writes
 * @idle_ms: time since its pages were accessed last, the median
 */
typedef struct VhSnapRegion {
    uint64_t start;
    uint64_t end;
    uint32_t nr_accesses;
    uint32_t age;
    uint32_t nr_writes;
    float rate;
    float rate_low;
    float rate_high;
    float write_rate;
    uint64_t idle_ms;
} VhSnapRegion;

/**
 * struct VhSnapshot - one aggregation's result; never changes once published
 * @refs: atomic reference count; use vh_snapshot_ref() and _unref()
 * @sequence: 1 for the first snapshot of a monitor, then one more each
 * @start_ns: monitor clock at which the aggregation began
 * @end_ns: monitor clock at which it ended
 * @attrs: the attributes that were in force
 * @max_nr_accesses: largest possible nr_accesses
 * @has_writes: writes were told apart (a second primitive was in use)
 * @has_rates: the estimator tells rates and idle times
 * @nr_regions: length of @regions
 * @regions: sorted by address, never overlapping
 */
typedef struct VhSnapshot {
    int refs;
    uint64_t sequence;
    uint64_t start_ns;
    uint64_t end_ns;
    VhAttrs attrs;
    uint32_t max_nr_accesses;
    bool has_writes;
    bool has_rates;
    size_t nr_regions;
    VhSnapRegion regions[];
} VhSnapshot;

/** vh_snapshot_new() - zeroed snapshot of @nr_regions regions, one reference */
VhSnapshot *vh_snapshot_new(size_t nr_regions);

/** vh_snapshot_ref() - one more reference; any thread; NULL is allowed */
VhSnapshot *vh_snapshot_ref(VhSnapshot *s);

/** vh_snapshot_unref() - drop a reference; any thread; NULL is allowed */
void vh_snapshot_unref(VhSnapshot *s);

/** vh_snapshot_total() - bytes covered by all regions */
uint64_t vh_snapshot_total(const VhSnapshot *s);

/**
 * vh_snapshot_wss() - working set size: bytes of regions with nr_accesses > 0
 *
 * damo's ``report wss`` counts the same way.
 */
uint64_t vh_snapshot_wss(const VhSnapshot *s);

/**
 * vh_snapshot_idle() - bytes of regions not accessed for at least @min_idle_ns
 *
 * A region's idle time is its idle_ms where VhSnapshot::has_rates, else its
 * age while nr_accesses is 0.
 */
uint64_t vh_snapshot_idle(const VhSnapshot *s, uint64_t min_idle_ns);

/**
 * vh_snapshot_rate() - a rate as users are told it
 * @hz: VhSnapRegion::rate or its like
 *
 * Rounds to nine binary digits, at most 0.2 % away: QEMU prints 17 decimal
 * digits of any number, of which these need few. Order is kept, so that a rate
 * stays within its interval.
 *
 * Returns: a number that JSON can tell: 0 .. 1048576; 0 for what is none.
 */
double vh_snapshot_rate(float hz);

#endif
