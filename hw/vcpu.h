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

#endif
