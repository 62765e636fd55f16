/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the reset vector in M mode to U mode.
 *
 * With -bios none QEMU enters here, where RAM begins, a1 = address of the
 * device tree. The page table is built by the assembler: 8 GiB of RAM
 * identity-mapped in Sv39 pages of 1 GiB, open to U mode, accessed and dirty
 * bits set in advance. M mode itself has no paging. Then mret to
 * vhp_main(device tree) in U mode, interrupts off.
 *
 * M mode answers one call, ecall, with the level it came from. Any other
 * exception resets the machine (run QEMU with -no-reboot).
 */
#include "place.h"

#define PAGE_BITS 0xdf /* dirty, accessed, user, executable, R, W, valid */
#define SV39 (8 << 60)
#define PMP_ALL 0x1f /* one range of any size, readable and so on */
#define COUNTER_TIME 2
#define MSTATUS_CLEAR 0x188a /* MPP: U; no interrupts */
#define FROM_U 8 /* mcause of ecall */
#define TEST_DEVICE 0x100000
#define TEST_RESET 0x7777

    .section .text.boot, "ax"
    .globl vhp_start
vhp_start:
    la t0, trap
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, PMP_ALL
    csrw pmpcfg0, t0
    li t0, COUNTER_TIME
    csrw mcounteren, t0
    csrw scounteren, t0
    la t0, root
    srli t0, t0, 12
    li t1, SV39
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    li t0, MSTATUS_CLEAR
    csrc mstatus, t0
    csrw mie, zero
    la t0, vhp_main
    csrw mepc, t0
    la sp, stack_top
    mv a0, a1
    li s0, 0
    li ra, 0
    mret

    .balign 4
trap:
    csrr a0, mcause
    addi a0, a0, -FROM_U
    bnez a0, reset
    csrr a0, mepc
    addi a0, a0, 4
    csrw mepc, a0
    csrr a0, mstatus
    srli a0, a0, 11
    andi a0, a0, 3
    mret

reset:
    li t0, TEST_DEVICE
    li t1, TEST_RESET
    sw t1, 0(t0)
    j reset

    .section .data.boot, "aw"
    .balign 4096
root:
    .fill 2, 8, 0
    .set n, 0
    .rept 8
    .quad ((VHP_BASE + n * 0x40000000) >> 2) + PAGE_BITS
    .set n, n + 1
    .endr
    .fill 502, 8, 0

    .section .bss.stack, "aw", @nobits
    .balign 16
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
