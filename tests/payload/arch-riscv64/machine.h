/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the payload asks of a 64-bit RISC-V CPU; see arch-x86/machine.h. */
#ifndef VHP_MACHINE_H
#define VHP_MACHINE_H

#include <stdint.h>

#include "fdt.h"

static inline uint64_t vhp_clock(void)
{
    uint64_t now;

    __asm__ volatile("rdtime %0" : "=r"(now) : : "memory");
    return now;
}

/* U mode cannot see its level, but M mode sees who called it (boot.S). */
static inline unsigned int vhp_ring(void)
{
    register uint64_t level __asm__("a0");

    __asm__ volatile("ecall" : "=r"(level) : : "memory");
    return level;
}

static inline void vhp_relax(void)
{
    __asm__ volatile("nop");
}

#endif
