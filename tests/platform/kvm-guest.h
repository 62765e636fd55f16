/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest guest: one vCPU in 16-bit real mode that reads or writes a byte
 * when told to. Its memory is one slot at address 0, at most 1 MiB.
 */
#ifndef VMHEAT_TESTS_KVM_GUEST_H
#define VMHEAT_TESTS_KVM_GUEST_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages below hold the code and what it says. */
#define KVM_GUEST_FIRST_FREE 3

/**
 * struct KvmGuest - a virtual machine
 * @kvm: /dev/kvm
 * @vm: the virtual machine
 * @vcpu: its only vCPU
 * @run: what the vCPU shares with us
 * @run_size: bytes of that
 * @mem: guest memory
 * @pages: of guest memory
 */
typedef struct KvmGuest {
    int kvm;
    int vm;
    int vcpu;
    struct kvm_run *run;
    size_t run_size;
    uint8_t *mem;
    size_t pages;
} KvmGuest;

/** kvm_guest_open() - a VM without memory and vCPU; skips without /dev/kvm */
void kvm_guest_open(KvmGuest *g);

/** kvm_guest_cap() - what KVM_CHECK_EXTENSION says of @cap; at least 0 */
int kvm_guest_cap(const KvmGuest *g, int cap);

/** kvm_guest_enable() - KVM_ENABLE_CAP of @cap with one argument */
void kvm_guest_enable(const KvmGuest *g, int cap, uint64_t arg);

/**
 * kvm_guest_start() - give it memory and a vCPU
 * @g: open
 * @mem: its memory; the code is put there
 * @pages: pages of @mem, at most 256
 * @flags: KVM_MEM_LOG_DIRTY_PAGES or 0
 */
void kvm_guest_start(KvmGuest *g, uint8_t *mem, size_t pages, unsigned flags);

/** kvm_guest_write() - the guest writes @value to the first byte of @page */
void kvm_guest_write(KvmGuest *g, unsigned page, uint8_t value);

/** kvm_guest_read() - what the guest reads from the first byte of @page */
uint8_t kvm_guest_read(KvmGuest *g, unsigned page);

/**
 * kvm_guest_spin() - run until kvm_guest_stop_spin()
 *
 * It reads @page again and again and says what it saw and how often it did.
 * For a thread of its own.
 */
void kvm_guest_spin(KvmGuest *g, unsigned page);

/** kvm_guest_seen() - what the spinning guest read last */
uint8_t kvm_guest_seen(const KvmGuest *g);

/** kvm_guest_rounds() - how often it did, modulo 65536 */
uint16_t kvm_guest_rounds(const KvmGuest *g);

/** kvm_guest_stop_spin() - ends kvm_guest_spin() */
void kvm_guest_stop_spin(KvmGuest *g);

/** kvm_guest_close() - end it; its memory stays */
void kvm_guest_close(KvmGuest *g);

#endif
