/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest memory map of QEMU, kept as VhMaps.
 */
#ifndef VMHEAT_HW_MAP_H
#define VMHEAT_HW_MAP_H

#include "compat/qemu.h"
#include "hw/machine-map.h"
#include "hw/target.h"
#include "vmheat/map.h"

/**
 * struct VmheatMapTracker - follows address_space_memory
 * @listener: QEMU's
 * @sections: MemoryRegionSections of guest RAM, as QEMU last said (GArray)
 * @firmware: those of memory that the guest can only read
 * @machine: what the machine tells its guest; NULL until it is made
 * @made: tells that it is
 * @read_machine: reads it, when all others have been told, too
 * @dirty: @sections changed since the last published map
 * @pinned: devices pinned guest memory then
 * @map: latest published map: all guest RAM
 * @target: which of it is watched; set before vmheat_map_start()
 * @watched: that part of @map
 * @changed: called under the BQL when both were replaced
 * @opaque: for @changed
 * @max_ns: longest time it took, under the BQL, to make a map
 */
typedef struct VmheatMapTracker {
    MemoryListener listener;
    GArray *sections;
    GArray *firmware;
    VmheatMachineMap *machine;
    Notifier made;
    QEMUBH *read_machine;
    bool dirty;
    bool pinned;
    VhMap *map;
    VmheatMapTarget target;
    VhMap *watched;
    void (*changed)(void *opaque, VhMap *watched);
    void *opaque;
    int64_t max_ns;
} VmheatMapTracker;

/**
 * vmheat_map_start() - begin to follow guest memory
 *
 * BQL held. On return @t->map and @t->watched are the present ones; @changed is
 * called for later ones only.
 */
void vmheat_map_start(VmheatMapTracker *t,
                      void (*changed)(void *opaque, VhMap *watched),
                      void *opaque);

/** vmheat_map_stop() - BQL held; drops the tracker's references to maps */
void vmheat_map_stop(VmheatMapTracker *t);

/**
 * vmheat_map_reserved() - all that is reserved, sorted by address
 *
 * BQL held. Returns VmheatHelds; free with g_array_unref().
 */
GArray *vmheat_map_reserved(const VmheatMapTracker *t);

#endif
