/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine tells its guest of memory: which is reserved, and which NUMA
 * node it is on.
 */
#ifndef VMHEAT_HW_MACHINE_MAP_H
#define VMHEAT_HW_MACHINE_MAP_H

#include "compat/qemu.h"
#include "vmheat-qapi-types.h"
#include "vmheat/map.h"

/**
 * struct VmheatHeld - reserved memory
 * @range: where
 * @kind: why
 * @name: what has it, or NULL
 */
typedef struct VmheatHeld {
    VhRange range;
    VmheatReservedKind kind;
    char *name;
} VmheatHeld;

/** vmheat_held_new() - an array of VmheatHelds; free with g_array_unref() */
GArray *vmheat_held_new(void);

/** vmheat_held_add() - append one; @name, which may be NULL, is copied */
void vmheat_held_add(GArray *held, VhRange range, VmheatReservedKind kind,
                     const char *name);

/**
 * struct VmheatMachineMap - all of it
 * @held: VmheatHeld
 * @nodes: memory of a device tree: VmheatFdtRange; NULL: there is none
 * @numa: it tells NUMA nodes that the machine itself does not have
 */
typedef struct VmheatMachineMap {
    GArray *held;
    GArray *nodes;
    bool numa;
} VmheatMachineMap;

/**
 * vmheat_machine_map_new() - read the device tree, or the e820 table
 *
 * BQL held; the machine is made, as devices and boards may change both until
 * then. A device tree that contradicts itself is warned of, and all memory is
 * reserved.
 */
VmheatMachineMap *vmheat_machine_map_new(void);

/** vmheat_machine_map_free() - NULL is allowed */
void vmheat_machine_map_free(VmheatMachineMap *m);

/**
 * vmheat_machine_map_apply() - cut and label sections
 * @m: NULL: nothing is known yet, so all is reserved
 * @sections: VhMapSections, sorted, with labels
 */
void vmheat_machine_map_apply(const VmheatMachineMap *m, GArray *sections);

#endif
