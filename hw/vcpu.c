/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "hw/vcpu.h"

typedef struct VcpuWork {
    void (*fn)(void *arg);
    void *arg;
} VcpuWork;

/*
 * QEMU runs queued work with the BQL held. Ours makes system calls, so it is
 * dropped meanwhile, as QEMU itself does for "safe" work items at this place.
 */
static void do_work(CPUState *cpu, run_on_cpu_data data)
{
    g_autofree VcpuWork *work = data.host_ptr;

    vh_bql_unlock();
    work->fn(work->arg);
    vh_bql_lock();
}

bool vmheat_run_on_vcpu(void *opaque, void (*fn)(void *arg), void *arg)
{
    CPUState *cpu;
    VcpuWork *work;

    RCU_READ_LOCK_GUARD();
    cpu = qemu_get_cpu(0);
    if (!cpu) {
        return false;
    }
    work = g_new(VcpuWork, 1);
    *work = (VcpuWork){ .fn = fn, .arg = arg };
    async_run_on_cpu(cpu, do_work, RUN_ON_CPU_HOST_PTR(work));
    return true;
}
