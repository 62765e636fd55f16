/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one header through which vmheat includes QEMU, and the only place that
 * knows how QEMU versions differ. Where a difference can be seen from the
 * headers themselves it is probed (__has_include), not compared by version.
 */
#ifndef VMHEAT_COMPAT_QEMU_H
#define VMHEAT_COMPAT_QEMU_H

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/thread.h"
#include "qemu/main-loop.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "monitor/qdev.h"
#include "qom/object.h"
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "hw/hotplug.h"
#include "hw/boards.h"
#include "exec/memory.h"
#include "exec/ramblock.h"
#include "exec/ramlist.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "exec/address-spaces.h"
#include "hw/core/cpu.h"
#include "sysemu/hostmem.h"
#include "sysemu/kvm.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"
#include "sysemu/tcg.h"
#include "migration/misc.h"
#include "block/aio.h"
#include "hw/virtio/virtio.h"
#include "hw/virtio/virtio-balloon.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qmp/qdict.h"
#include "qapi/qmp/qnum.h"
#include "qom/qom-qobject.h"
#include <linux/kvm.h>

/* QEMU 7.2 names the Big QEMU Lock "iothread" */
#define vh_bql_lock() qemu_mutex_lock_iothread()
#define vh_bql_unlock() qemu_mutex_unlock_iothread()

/*
 * exec/ram_addr.h declares these and much that is made for one target only,
 * which we are not.
 */
DirtyBitmapSnapshot *
cpu_physical_memory_snapshot_and_clear_dirty(MemoryRegion *mr, hwaddr offset,
                                             hwaddr length, unsigned client);

/* QEMU 10 gave it an argument */
#define vh_dirty_sync() memory_global_dirty_log_sync()

/*
 * Is the page at @offset of @mr dirty for the client VGA? RCU read lock held.
 * A bit is a page of the target: 4 KiB on x86, RISC-V and Arm's virt, 1 KiB on
 * some old machines of Arm.
 */
static inline bool vh_dirty_test(MemoryRegion *mr, hwaddr offset)
{
    unsigned long page =
        (memory_region_get_ram_addr(mr) + offset) >> qemu_target_page_bits();
    DirtyMemoryBlocks *blocks =
        qatomic_rcu_read(&ram_list.dirty_memory[DIRTY_MEMORY_VGA]);

    return test_bit(page % DIRTY_MEMORY_BLOCK_SIZE,
                    blocks->blocks[page / DIRTY_MEMORY_BLOCK_SIZE]);
}

/*
 * sysemu/kvm.h declares it for one target only, and a QEMU whose target is not
 * the host's architecture has no KVM: then it is NULL, and vmheat.so loads.
 */
int kvm_vm_check_extension(KVMState *s, unsigned int extension)
    __attribute__((weak));

/* Can bits of the log be cleared one by one? */
static inline bool vh_can_log(void)
{
    return !kvm_enabled() || kvm_dirty_ring_enabled() ||
           !kvm_vm_check_extension ||
           kvm_vm_check_extension(kvm_state, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
}

/* QEMU 10 made these const; kept as names so that a later port is one line */
typedef void VhClassData;

#endif
