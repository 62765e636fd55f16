/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a flattened device tree says of memory. Knows nothing of QEMU.
 */
#ifndef VMHEAT_HW_FDT_MAP_H
#define VMHEAT_HW_FDT_MAP_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Entries of 'reg' in all memory nodes, and of all reservations, at most. */
#define VMHEAT_FDT_ENTRIES_MAX 1024

/** Ids of NUMA nodes are below this, as QEMU's MAX_NODES. */
#define VMHEAT_FDT_NODES 128

/** enum VmheatFdtHold - why memory is not the guest's to use; later is stronger
 */
typedef enum VmheatFdtHold {
    VMHEAT_FDT_FREE,
    VMHEAT_FDT_MEMRESERVE, /* in the block before the tree */
    VMHEAT_FDT_REUSABLE,   /* a child of /reserved-memory, lent to the guest */
    VMHEAT_FDT_RESERVED,   /* a child of /reserved-memory */
    VMHEAT_FDT_NO_MAP,     /* such a child, which the guest must not even map */
} VmheatFdtHold;

/**
 * struct VmheatFdtRange - guest-physical memory that has one label throughout
 * @start: first address
 * @end: first address after it
 * @memory: a memory node has it; else only a reservation names it
 * @node: its numa-node-id; -1: none
 * @hold: why it is reserved
 * @name: node of @hold, or NULL; letters, digits and ",._+-@/?" only
 */
typedef struct VmheatFdtRange {
    uint64_t start;
    uint64_t end;
    bool memory;
    int node;
    VmheatFdtHold hold;
    char *name;
} VmheatFdtRange;

/**
 * vmheat_fdt_ranges() - read a device tree
 * @fdt: the blob; at an address that is a multiple of 8, as libfdt wants it
 * @size: bytes there are; nothing beyond them is read
 * @why: out, with NULL: one sentence (g_free)
 *
 * Returns VmheatFdtRanges, sorted and not overlapping, none empty; NULL when
 * the tree is malformed or contradicts itself. Free with g_array_unref().
 */
GArray *vmheat_fdt_ranges(const void *fdt, size_t size, char **why);

/** vmheat_fdt_hold_name() - "no-map" and so on; NULL for VMHEAT_FDT_FREE */
const char *vmheat_fdt_hold_name(VmheatFdtHold hold);

#endif
