/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From QEMU's entry point in EL1 to EL0.
 *
 * QEMU enters here with the MMU off; the device tree lies where RAM begins.
 * Page tables are built by the assembler: 8 GiB of RAM identity-mapped, the
 * first GiB in blocks of 2 MiB, the rest in blocks of 1 GiB, all open to EL0,
 * accessed flag set in advance. What EL0 may write EL1 may not execute, so this
 * file's code has a block of its own, which is EL1's: the second one. Then eret
 * to vhp_main(device tree) in EL0, interrupts off.
 *
 * EL1 answers one call, svc, with the level it came from. Any other exception
 * resets the machine (run QEMU with -no-reboot).
 */
#include "place.h"

#define MAIR_NORMAL 0xff
/* 39 bits of address, 4 KiB granule, write-back, 40 bits of physical address */
#define TCR ((2 << 32) | (1 << 23) | (3 << 12) | (1 << 10) | (1 << 8) | 25)
#define SCTLR_MMU 0x1005 /* I, C, M */
#define BLOCK 0x701 /* inner shareable, accessed, block */
#define EL0_MAY 0x40
#define TABLE 3
#define SPSR_EL0 0x3c0 /* interrupts off */
#define PSCI_SYSTEM_RESET 0x84000009
#define EXCEPTION_SVC 0x15

    .section .text.boot, "ax"
    .globl vhp_start
vhp_start:
    ldr x1, =MAIR_NORMAL
    msr mair_el1, x1
    ldr x1, =TCR
    msr tcr_el1, x1
    ldr x1, =level1
    msr ttbr0_el1, x1
    ldr x1, =vectors
    msr vbar_el1, x1
    mov x1, #2 /* EL0 may read cntvct_el0 */
    msr cntkctl_el1, x1
    tlbi vmalle1
    dsb sy
    isb
    mrs x1, sctlr_el1
    ldr x2, =SCTLR_MMU
    orr x1, x1, x2
    msr sctlr_el1, x1
    isb
    ldr x1, =stack_top
    msr sp_el0, x1
    ldr x1, =SPSR_EL0
    msr spsr_el1, x1
    ldr x1, =vhp_main
    msr elr_el1, x1
    ldr x0, =VHP_BASE
    mov x29, xzr
    mov x30, xzr
    eret

reset:
    ldr w0, =PSCI_SYSTEM_RESET
    hvc #0
    b reset

from_el0:
    mrs x0, esr_el1
    lsr x0, x0, #26
    cmp x0, #EXCEPTION_SVC
    b.ne reset
    mrs x0, spsr_el1
    ubfx x0, x0, #2, #2
    eret
    .ltorg

    .balign 2048
vectors:
    .set n, 0
    .rept 16
    .balign 128
    .if n == 8 /* synchronous, from EL0 in 64 bits */
    b from_el0
    .else
    b reset
    .endif
    .set n, n + 1
    .endr

    .section .data.boot, "aw"
    .balign 4096
level1:
    .quad 0
    .quad level2 + TABLE
    .set n, 1
    .rept 8 /* GiB of RAM 2 .. 9, the first of which begins at 2 GiB */
    .quad VHP_BASE + n * 0x40000000 + BLOCK + EL0_MAY
    .set n, n + 1
    .endr
    .fill 502, 8, 0
level2:
    .quad VHP_BASE + BLOCK + EL0_MAY
    .quad VHP_BASE + 0x200000 + BLOCK /* this code */
    .set n, 2
    .rept 510
    .quad VHP_BASE + n * 0x200000 + BLOCK + EL0_MAY
    .set n, n + 1
    .endr

    .section .bss.stack, "aw", @nobits
    .balign 16
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
