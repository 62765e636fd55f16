/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's user knows guest memory as: NUMA node, backend, memory device.
 */
#ifndef VMHEAT_HW_GUEST_NODE_H
#define VMHEAT_HW_GUEST_NODE_H

#include "compat/qemu.h"
#include "vmheat/map.h"

/** vmheat_guest_has_nodes() - has the guest NUMA nodes? BQL held */
bool vmheat_guest_has_nodes(void);

/**
 * vmheat_guest_label() - ids of the backend that has @mr and of its device
 * @node: out: NUMA node; 0 in a guest without nodes, -1 when it is not known
 *        (memory of one backend divided between nodes)
 *
 * BQL held. For vh_section_clear().
 */
VhLabel *vmheat_guest_label(MemoryRegion *mr, int *node);

/** vmheat_guest_is_device() - has a device the memory backend of @mr? */
bool vmheat_guest_is_device(MemoryRegion *mr);

/**
 * vmheat_guest_has_backend() - is it of a backend that is guest RAM?
 *
 * BQL held. That of main memory or of a memory device; not of ivshmem, which is
 * a window to others.
 */
bool vmheat_guest_has_backend(MemoryRegion *mr);

#endif
