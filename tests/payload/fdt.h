/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one thing the payload wants from a device tree.  Freestanding. */
#ifndef VHP_FDT_H
#define VHP_FDT_H

#include <stdint.h>

/**
 * vhp_fdt_bootargs() - bootargs of /chosen: QEMU's -append
 * @fdt: a flattened device tree, aligned to 4 bytes
 *
 * Return: text in @fdt, or NULL: there is none, or @fdt is no device tree.
 */
const char *vhp_fdt_bootargs(const void *fdt);

/** vhp_command_line() - see arch-x86/machine.h; @boot: address of the tree */
static inline const char *vhp_command_line(uint64_t boot)
{
    return vhp_fdt_bootargs((const void *)(uintptr_t)boot);
}

#endif
