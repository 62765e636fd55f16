/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions: a sorted array of touching or separate address ranges, each with
 * its access history. Arithmetic only; when to do what is the estimator's.
 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include "vmheat/types.h"

/**
 * struct VhRegion - adjacent memory believed to be accessed alike
 * @start: first byte; multiple of VH_PAGE_SIZE
 * @end: one past the last byte; multiple of VH_PAGE_SIZE
 * @fires: answered checks of this aggregation that had fired
 * @answered: answered checks of this aggregation
 * @nr_accesses: scaled result, valid while an aggregation is closed
 * @last_nr_accesses: nr_accesses of the previous aggregation
 * @age: aggregations since nr_accesses last changed notably
 * @starved: aggregations in a row without an answer
 * @known: was answered at least once, so last_nr_accesses means something
 * @write_fires: as @fires, of checks for writes
 * @write_answered: as @answered, of checks for writes
 * @nr_writes: as @nr_accesses; keeps its value while no check is answered
 * @write_known: a check for writes was answered once, so nr_writes means
 *               something
 */
typedef struct VhRegion {
    uint64_t start;
    uint64_t end;
    uint32_t fires;
    uint32_t answered;
    uint32_t nr_accesses;
    uint32_t last_nr_accesses;
    uint32_t age;
    uint32_t starved;
    bool known;
    uint32_t write_fires;
    uint32_t write_answered;
    uint32_t nr_writes;
    bool write_known;
} VhRegion;

/**
 * struct VhRegions - sorted, disjoint regions
 * @v: the regions
 * @nr: how many
 * @room: how many fit in @v
 */
typedef struct VhRegions {
    VhRegion *v;
    size_t nr;
    size_t room;
} VhRegions;

/** vh_region_size() - bytes of @r */
static inline uint64_t vh_region_size(const VhRegion *r)
{
    return r->end - r->start;
}

/** vh_regions_reserve() - make room for @nr regions in all */
void vh_regions_reserve(VhRegions *rs, size_t nr);

/** vh_regions_clear() - free everything; @rs is empty then */
void vh_regions_clear(VhRegions *rs);

/** vh_regions_total() - bytes of all regions */
uint64_t vh_regions_total(const VhRegions *rs);

/** vh_regions_find() - the first region that ends above @at; nr if none does */
size_t vh_regions_find(const VhRegions *rs, uint64_t at);

/**
 * vh_regions_split() - cut region @i at @size bytes
 *
 * The new right part follows it and has the same history. @size must be a
 * multiple of the page size, above 0 and below the region's size.
 */
void vh_regions_split(VhRegions *rs, size_t i, uint64_t size);

/**
 * vh_regions_split_random() - cut every region into up to @pieces at random
 *
 * As DAMON: the cut is at 10 .. 90 % of the region, in tenths, rounded down to
 * a page; the next cut is in the left part. Regions of up to two pages and
 * regions without an answer in this aggregation stay whole.
 */
void vh_regions_split_random(VhRegions *rs, unsigned pieces, VhRng *rng);

/**
 * vh_regions_merge() - merge touching neighbours
 * @threshold: most their nr_accesses may differ, and nr_writes if known
 * @size_limit: most bytes of a merged region
 *
 * As DAMON: left to right, nr_accesses and age weighted by size.
 */
void vh_regions_merge(VhRegions *rs, uint32_t threshold, uint64_t size_limit);

/**
 * vh_regions_set_ranges() - cover exactly these sorted, disjoint ranges
 * @pieces: into how many regions all of it would be divided
 *
 * Regions are cut at the ranges' edges and keep their history; memory that
 * was not covered gets its share of @pieces, rounded up, of even size.
 */
void vh_regions_set_ranges(VhRegions *rs, const VhRange *ranges, size_t n,
                           uint64_t pieces);

#endif
