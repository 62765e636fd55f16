/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest memory map of QEMU, kept as VhMaps.
 */
#ifndef VMHEAT_HW_MAP_H
#define VMHEAT_HW_MAP_H

#include "compat/qemu.h"
#include "vmheat/map.h"

/**
 * struct VmheatMapTracker - follows address_space_memory
 * @listener: QEMU's
 * @sections: MemoryRegionSections of guest RAM, as QEMU last said (GArray)
 * @dirty: @sections changed since the last published map
 * @pinned: devices pinned guest memory then
 * @map: latest published map
 * @changed: called under the BQL when @map was replaced
 * @opaque: for @changed
 * @max_ns: longest time it took, under the BQL, to make a map
 */
typedef struct VmheatMapTracker {
    MemoryListener listener;
    GArray *sections;
    bool dirty;
    bool pinned;
    VhMap *map;
    void (*changed)(void *opaque, VhMap *map);
    void *opaque;
    int64_t max_ns;
} VmheatMapTracker;

/**
 * vmheat_map_start() - begin to follow guest memory
 *
 * BQL held. On return @t->map is the present map; @changed is called for
 * later ones only.
 */
void vmheat_map_start(VmheatMapTracker *t,
                      void (*changed)(void *opaque, VhMap *map), void *opaque);

/** vmheat_map_stop() - BQL held; drops the tracker's map reference */
void vmheat_map_stop(VmheatMapTracker *t);

#endif
