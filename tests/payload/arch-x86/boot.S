/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the PVH entry point to ring 3.
 *
 * PVH enters here in 32-bit protected mode, paging off, ebx = address of the
 * hvm_start_info.  We load page tables that were built by the assembler (8 GiB
 * identity-mapped in 2 MiB pages, everything open to ring 3, accessed and
 * dirty bits set in advance so that the CPU never writes to them), switch to
 * long mode and iretq to vhp_main(hvm_start_info) in ring 3, interrupts off.
 *
 * Ring 0 runs about 40 instructions, once.  There is no IDT: any exception is
 * a triple fault, which resets the machine (run QEMU with -no-reboot).
 */
#include "layout.h"

#define TABLE_BITS 0x27 /* present, writable, user, accessed */
#define PAGE_BITS 0xe7 /* the same, dirty, 2 MiB page */
#define CODE0 0x08
#define USER_DATA (0x10 | 3)
#define USER_CODE (0x18 | 3)

    .section .note.pvh, "a", @note
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long vhp_start32

    .section .text.boot, "ax"
    .code32
    .globl vhp_start32
vhp_start32:
    cli
    cld
    movl $pml4, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx /* EFER */
    rdmsr
    orl $0x100, %eax /* LME */
    wrmsr
    movl %cr0, %eax
    orl $0x80000001, %eax /* PG, PE */
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $CODE0, $long_mode

    .code64
long_mode:
    movl $USER_DATA, %eax
    movw %ax, %ds
    movw %ax, %es
    movl $stack_top, %esp
    movl %ebx, %edi /* first argument; clears the upper half */
    xorl %ebp, %ebp
    pushq $USER_DATA
    pushq $(stack_top - 8) /* as if vhp_main had been called */
    pushq $2 /* rflags: interrupts off, IOPL 0 */
    pushq $USER_CODE
    pushq $vhp_main
    iretq

    .section .data.boot, "aw"
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* ring 0 code, 64 bit */
    .quad 0x00cff3000000ffff /* ring 3 data */
    .quad 0x00affb000000ffff /* ring 3 code, 64 bit */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
    .long 0

    .balign 4096
pml4:
    .quad pdpt + TABLE_BITS
    .fill 511, 8, 0
pdpt:
    .set n, 0
    .rept 8
    .quad pds + n * 4096 + TABLE_BITS
    .set n, n + 1
    .endr
    .fill 504, 8, 0
pds:
    .set n, 0
    .rept 8 * 512
    .quad n * 0x200000 + PAGE_BITS
    .set n, n + 1
    .endr

    .section .bss.stack, "aw", @nobits
    .balign 16
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
