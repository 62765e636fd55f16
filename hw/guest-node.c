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
    int node;
} Search;

static int look_at(Object *child, void *opaque)
{
    Search *s = opaque;

    if (!object_property_find(child, "memdev") ||
        !object_property_find(child, "node") ||
        object_property_get_link(child, "memdev", NULL) != s->backend) {
        return 0;
    }
    s->node = object_property_get_uint(child, "node", NULL);
    return 1;
}

static bool device_node(Object *backend, int *node)
{
    Search s = { .backend = backend };
    bool found =
        object_child_foreach(vh_machine_container("peripheral"), look_at, &s) ||
        object_child_foreach(vh_machine_container("peripheral-anon"), look_at,
                             &s);

    *node = s.node;
    return found;
}

int vmheat_guest_node(MemoryRegion *mr)
{
    const NumaState *numa = MACHINE(qdev_get_machine())->numa_state;
    Object *backend = memory_region_owner(mr);
    int node;

    for (int i = 0; numa && i < numa->num_nodes; i++) {
        if (OBJECT(numa->nodes[i].node_memdev) == backend) {
            return i;
        }
    }
    if (device_node(backend, &node)) {
        return node;
    }
    return numa && numa->num_nodes > 1 ? -1 : 0;
}

bool vmheat_guest_has_nodes(void)
{
    const NumaState *numa = MACHINE(qdev_get_machine())->numa_state;

    return numa && numa->num_nodes > 0;
}
