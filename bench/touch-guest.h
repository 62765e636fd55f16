/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM guest of one vCPU that does nothing but touch pages, in ring 3 and long
 * mode from its first instruction on: where KVM itself is nested, code in ring
 * 0 is slow, and no kernel is needed.
 */
#ifndef VMHEAT_BENCH_TOUCH_GUEST_H
#define VMHEAT_BENCH_TOUCH_GUEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The guest's own pages are below. */
#define TOUCH_FIRST_FREE 0x100000UL

/**
 * struct TouchGuest - a running guest
 * @mem: its memory, at guest-physical 0
 * @size: bytes of it
 * @tid: of its thread, for /proc
 */
typedef struct TouchGuest {
    int kvm;
    int vm;
    int vcpu;
    void *run;
    size_t run_size;
    uint8_t *mem;
    size_t size;
    pthread_t thread;
    int tid;
    bool stop;
    bool change;
    bool pause;
    bool paused;
    uint64_t from;
    uint64_t to;
    bool failed;
    unsigned exit_reason;
} TouchGuest;

/**
 * touch_guest_start() - run over [@from, @to), a page after the other, for ever
 *
 * Reads the first 8 bytes of each page and counts the visits in the next 8.
 * NULL and @why (a constant) when there is no KVM.
 */
TouchGuest *touch_guest_start(uint8_t *mem, size_t size, uint64_t from,
                              uint64_t to, const char **why);

/** touch_guest_pause() - its vCPU does not run from now on, or runs again */
void touch_guest_pause(TouchGuest *g, bool pause);

/** touch_guest_range() - from now on over this range */
void touch_guest_range(TouchGuest *g, uint64_t from, uint64_t to);

/** touch_guest_count() - pages touched so far */
uint64_t touch_guest_count(const TouchGuest *g);

/** touch_guest_stop() - ends and frees it; its memory stays */
void touch_guest_stop(TouchGuest *g);

#endif
