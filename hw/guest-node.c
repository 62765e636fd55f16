/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Main memory's nodes are in the machine's table (-numa node,memdev=). That of
 * a DIMM or another memory device is the device's own property.
 */
#include "compat/qemu.h"
#include "hw/guest-node.h"

/* A search for the memory device that has this backend. */
typedef struct Search {
    Object *backend;
    Object *device;
} Search;

static int look_at(Object *child, void *opaque)
{
    Search *s = opaque;

    if (!object_property_find(child, "memdev") ||
        object_property_get_link(child, "memdev", NULL) != s->backend) {
        return 0;
    }
    s->device = child;
    return 1;
}

/* DIMM, virtio-mem and so on; NULL: none has @backend. */
static Object *device_of(Object *backend)
{
    Search s = { .backend = backend };

    if (!object_child_foreach(vh_machine_container("peripheral"), look_at,
                              &s)) {
        object_child_foreach(vh_machine_container("peripheral-anon"), look_at,
                             &s);
    }
    return s.device;
}

/* 0 in a guest without NUMA nodes, -1: not known. @device may be NULL. */
static int node_of(Object *backend, Object *device)
{
    const NumaState *numa = MACHINE(qdev_get_machine())->numa_state;

    for (int i = 0; numa && i < numa->num_nodes; i++) {
        if (OBJECT(numa->nodes[i].node_memdev) == backend) {
            return i;
        }
    }
    if (device && object_property_find(device, "node")) {
        return object_property_get_uint(device, "node", NULL);
    }
    return numa && numa->num_nodes > 1 ? -1 : 0;
}

bool vmheat_guest_has_nodes(void)
{
    const NumaState *numa = MACHINE(qdev_get_machine())->numa_state;

    return numa && numa->num_nodes > 0;
}

VhLabel *vmheat_guest_label(MemoryRegion *mr, int *node)
{
    Object *backend = memory_region_owner(mr);
    Object *device = device_of(backend);
    VhLabel *label = g_new0(VhLabel, 1);

    label->backend = g_strdup(object_get_canonical_path_component(backend));
    label->device = g_strdup(device ? DEVICE(device)->id : NULL);
    *node = node_of(backend, device);
    return label;
}

bool vmheat_guest_is_device(MemoryRegion *mr)
{
    Object *owner = memory_region_owner(mr);

    return owner && object_dynamic_cast(owner, TYPE_MEMORY_BACKEND) &&
           device_of(owner);
}

bool vmheat_guest_has_backend(MemoryRegion *mr)
{
    Object *owner = memory_region_owner(mr), *device;

    if (!owner || !object_dynamic_cast(owner, TYPE_MEMORY_BACKEND)) {
        return false;
    }
    device = device_of(owner);
    return !device || object_dynamic_cast(device, TYPE_MEMORY_DEVICE);
}
