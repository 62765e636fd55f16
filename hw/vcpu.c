/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "hw/vcpu.h"

#define BUSY_INTERVAL_NS 100000000

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

/* CPU time of another thread of ours (clock_getcpuclockid(3) by thread). */
static uint64_t thread_cpu_ns(pid_t tid)
{
    const int sched = 2, per_thread = 4; /* of linux/posix-timers.h */
    clockid_t clock = (~(unsigned)tid << 3) | per_thread | sched;
    struct timespec ts;

    if (clock_gettime(clock, &ts) < 0) {
        return 0;
    }
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* CPU time of a vCPU since the last look. */
static uint64_t ran_ns(VmheatVcpuBusy *b, CPUState *cpu)
{
    uint64_t now = thread_cpu_ns(cpu->thread_id), *last, ran;

    if (cpu->cpu_index >= b->cpu_ns->len) {
        g_array_set_size(b->cpu_ns, cpu->cpu_index + 1);
    }
    last = &g_array_index(b->cpu_ns, uint64_t, cpu->cpu_index);
    if (!*last || now < *last) {
        *last = now; /* a new vCPU: nothing is known of it yet */
    }
    ran = now - *last;
    *last = now;
    return ran;
}

double vmheat_vcpu_busy(VmheatVcpuBusy *b)
{
    int64_t now = get_clock(), passed = now - b->looked_ns;
    bool first = !b->cpu_ns;
    uint64_t most = 0;
    CPUState *cpu;

    if (first) {
        b->cpu_ns = g_array_new(false, true, sizeof(uint64_t));
        b->busy = 1;
    } else if (passed < BUSY_INTERVAL_NS) {
        return b->busy;
    }
    WITH_RCU_READ_LOCK_GUARD()
    {
        CPU_FOREACH(cpu)
        {
            most = MAX(most, ran_ns(b, cpu));
        }
    }
    b->looked_ns = now;
    if (!first) {
        b->busy = MIN(1.0, (double)most / passed);
    }
    return b->busy;
}

void vmheat_vcpu_busy_clear(VmheatVcpuBusy *b)
{
    if (b->cpu_ns) {
        g_array_free(b->cpu_ns, true);
    }
    *b = (VmheatVcpuBusy){ 0 };
}
