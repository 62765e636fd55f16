/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's log of guest writes, for the primitives dirty-log and dirty-ring.
 */
#ifndef VMHEAT_HW_DIRTY_H
#define VMHEAT_HW_DIRTY_H

#include "compat/qemu.h"
#include "hw/bql-call.h"
#include "vmheat/primitive.h"

/**
 * struct VmheatDirty - our part in the log
 * @caller: how the worker reaches the main thread
 * @realize: sees devices being plugged in
 * @logged: MemoryRegions with our logging switched on, each referenced
 * @map: the map of the latest start; worker thread
 * @synced_ns: when QEMU last fetched KVM's bitmap, 0 if bits were cleared since
 * @lost: why logging was ended under the worker, or NULL; atomic
 * @spent_ns: main thread's time; atomic
 * @max_ns: longest single hold of the BQL
 */
typedef struct VmheatDirty {
    VmheatBqlCaller *caller;
    DeviceListener realize;
    GPtrArray *logged;
    VhMap *map;
    int64_t synced_ns;
    const char *lost;
    uint64_t spent_ns;
    int64_t max_ns;
} VmheatDirty;

/** vmheat_dirty_start() - fill in what @host says about the log; BQL held */
void vmheat_dirty_start(VmheatDirty *d, VmheatBqlCaller *caller, VhHost *host);

/** vmheat_dirty_stop() - end logging and clean up; BQL held */
void vmheat_dirty_stop(VmheatDirty *d);

/** vmheat_dirty_quiet() - end logging; the worker may start it again */
void vmheat_dirty_quiet(VmheatDirty *d);

#endif
