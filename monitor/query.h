/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building QAPI answers from the device's state. BQL held; results are freed
 * with their qapi_free_*() function.
 */
#ifndef VMHEAT_MONITOR_QUERY_H
#define VMHEAT_MONITOR_QUERY_H

#include "hw/vmheat.h"

/** struct VmheatRegionFilter - arguments of query-vmheat-regions, checked */
typedef struct VmheatRegionFilter {
    uint64_t start;
    uint64_t end;
    uint32_t min_nr_accesses;
    uint64_t limit;
    bool columns;
    bool packed;
} VmheatRegionFilter;

/** vmheat_need_device() - the device, or NULL and the error every command gives
 * without one */
VmheatDevice *vmheat_need_device(Error **errp);

/** vmheat_query_info() - answer of query-vmheat */
VmheatInfo *vmheat_query_info(VmheatDevice *d);

/** vmheat_query_memory() - answer of query-vmheat-memory; from now on it is
 * measured for a while */
VmheatMemory *vmheat_query_memory(VmheatDevice *d);

/** vmheat_query_attrs() - attributes in force */
VmheatAttrs *vmheat_query_attrs(VmheatDevice *d);

/**
 * vmheat_query_regions() - answer of query-vmheat-regions
 *
 * Main thread; drops the BQL for the longest part of its work.
 */
VmheatSnapshot *vmheat_query_regions(VmheatDevice *d,
                                     const VmheatRegionFilter *filter);

/** vmheat_region_passes() - does @f let @r pass? But for its limit */
bool vmheat_region_passes(const VhSnapRegion *r, const VmheatRegionFilter *f);

/**
 * vmheat_pack_regions() - the regions as bytes
 * @out: all members that are no regions are set; packed and truncated are set
 *       here
 * @s: the snapshot, or NULL when there is none yet
 * @f: which regions
 *
 * Without the BQL.
 */
void vmheat_pack_regions(VmheatSnapshot *out, const VhSnapshot *s,
                         const VmheatRegionFilter *f);

#endif
