/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty bits. exec/ram_addr.h declares what reads them, and much that is made
 * for one target only, which we are not.
 */
#ifndef VMHEAT_COMPAT_MEMORY_H
#define VMHEAT_COMPAT_MEMORY_H

#include "compat/includes.h"

#ifdef VH_PHYSICAL_MEMORY_SNAPSHOT /* QEMU 10.2 dropped "cpu_" */
#define vh_dirty_take physical_memory_snapshot_and_clear_dirty
#else
#define vh_dirty_take cpu_physical_memory_snapshot_and_clear_dirty
#endif
DirtyBitmapSnapshot *vh_dirty_take(MemoryRegion *mr, hwaddr offset,
                                   hwaddr length, unsigned client);

/* Has all writes so far noted in QEMU's bitmaps. */
static inline void vh_dirty_sync(void)
{
#ifdef VH_DIRTY_SYNC_LAST_STAGE
    memory_global_dirty_log_sync(false);
#else
    memory_global_dirty_log_sync();
#endif
}

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
 * QEMU 7.2's sysemu/kvm.h declares it for one target only, and a QEMU whose
 * target is not the host's architecture has no KVM: then it is NULL, and
 * vmheat.so loads.
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

#endif
