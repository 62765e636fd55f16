/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the payload asks of an AArch64 CPU; see arch-x86/machine.h. */
#ifndef VHP_MACHINE_H
#define VHP_MACHINE_H

#include <stdint.h>

#include "fdt.h"

static inline uint64_t vhp_clock(void)
{
    uint64_t now;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now) : : "memory");
    return now;
}

/* EL0 cannot see its level, but EL1 sees who called it (boot.S). */
static inline unsigned int vhp_ring(void)
{
    register uint64_t level __asm__("x0");

    __asm__ volatile("svc #0" : "=r"(level) : : "memory");
    return level;
}

static inline void vhp_relax(void)
{
    __asm__ volatile("yield");
}

#endif
