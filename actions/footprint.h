/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest memory takes of the host: in memory, in swap, in huge pages.
 */
#ifndef VMHEAT_ACTIONS_FOOTPRINT_H
#define VMHEAT_ACTIONS_FOOTPRINT_H

#include "vmheat/map.h"

/**
 * struct VhFootprint - bytes of a map's memory
 * @size: all of it
 * @resident: in host memory, mapped or not
 * @swapped: in the host's swap and not in its memory
 * @huge: in host memory and mapped by huge pages
 * @knows_swapped: @swapped is known
 * @knows_huge: @huge is known
 */
typedef struct VhFootprint {
    uint64_t size;
    uint64_t resident;
    uint64_t swapped;
    uint64_t huge;
    bool knows_swapped;
    bool knows_huge;
} VhFootprint;

/**
 * typedef VhFootprintFile - the file that backs a section
 * @offset: out, where in the file the section begins
 *
 * Returns a descriptor that stays the owner's, or -1.
 */
typedef int (*VhFootprintFile)(const VhMapSection *s, uint64_t *offset);

typedef struct VhFootprintScan VhFootprintScan;

/** vh_footprint_scan_new() - nothing is looked at yet; @file may be NULL */
VhFootprintScan *vh_footprint_scan_new(VhFootprintFile file);

/** vh_footprint_scan_free() - lets go of the map and frees; NULL is allowed */
void vh_footprint_scan_free(VhFootprintScan *f);

/**
 * vh_footprint_scan() - go on for about @max_ns
 * @map: the same as before, else it begins anew; own reference until the scan
 *       is finished or dropped
 * @clock: for @max_ns
 * @out: set when true is returned
 *
 * True when all of the map was looked at; the next call begins anew.
 */
bool vh_footprint_scan(VhFootprintScan *f, VhMap *map, const VhClock *clock,
                       uint64_t max_ns, VhFootprint *out);

/** vh_footprint_scan_drop() - let go of the map; the next scan begins anew */
void vh_footprint_scan_drop(VhFootprintScan *f);

/** vh_footprint_scan_map() - what is being looked at, or NULL */
const VhMap *vh_footprint_scan_map(const VhFootprintScan *f);

#endif
