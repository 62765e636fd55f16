/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on a vCPU's own thread.
 */
#ifndef VMHEAT_HW_VCPU_H
#define VMHEAT_HW_VCPU_H

#include "compat/qemu.h"

/**
 * vmheat_run_on_vcpu() - VhHost::run_on_vcpu
 *
 * Any thread, without the BQL. Uses the boot CPU, which QEMU never unplugs, so
 * the CPUState can't vanish under us.
 */
bool vmheat_run_on_vcpu(void *opaque, void (*fn)(void *arg), void *arg);

/**
 * struct VmheatVcpuBusy - how busy the vCPUs were lately; zeroed at first
 * @looked_ns: when that was last looked at
 * @cpu_ns: CPU time of each vCPU thread then, by cpu_index (GArray of uint64_t)
 * @busy: share of time the busiest ran between the last two looks
 */
typedef struct VmheatVcpuBusy {
    int64_t looked_ns;
    GArray *cpu_ns;
    double busy;
} VmheatVcpuBusy;

/**
 * vmheat_vcpu_busy() - share of time, 0 .. 1, the busiest vCPU ran lately
 *
 * One thread, without the BQL. Looks at most ten times a second.
 */
double vmheat_vcpu_busy(VmheatVcpuBusy *b);

/** vmheat_vcpu_busy_clear() - frees what it has */
void vmheat_vcpu_busy_clear(VmheatVcpuBusy *b);

#endif
