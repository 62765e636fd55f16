/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the payload asks of an x86-64 CPU. */
#ifndef VHP_MACHINE_H
#define VHP_MACHINE_H

#include <stdint.h>

#define START_INFO_CMDLINE 24 /* cmdline_paddr in hvm_start_info */

/** vhp_clock() - the TSC: ticks at an even rate */
static inline uint64_t vhp_clock(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/** vhp_ring() - the privilege level that the caller runs at */
static inline unsigned int vhp_ring(void)
{
    uint16_t cs;

    __asm__ volatile("mov %%cs, %0" : "=r"(cs));
    return cs & 3;
}

/** vhp_relax() - to be called while there is nothing to do */
static inline void vhp_relax(void)
{
    __asm__ volatile("pause");
}

/** vhp_command_line() - NULL: there is none; @boot: what vhp_main() was given
 */
static inline const char *vhp_command_line(uint64_t boot)
{
    volatile uint64_t *at =
        (volatile uint64_t *)(uintptr_t)(boot + START_INFO_CMDLINE);

    return (const char *)(uintptr_t)*at;
}

#endif
