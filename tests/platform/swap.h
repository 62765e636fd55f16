/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Swap space of a test's own: a zram device that is added for it and goes when
 * the test ends, however it ends.
 */
#ifndef VMHEAT_TESTS_SWAP_H
#define VMHEAT_TESTS_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct Swap - what swap_stop() needs
 * @guard: process that takes the swap space away when this one is gone
 * @pipe: tells it; no child of this process may keep it open
 */
typedef struct Swap {
    pid_t guard;
    int pipe;
} Swap;

/**
 * swap_start() - @size bytes of swap more
 * @why: out, why there are none (a constant); the test is to be skipped
 */
bool swap_start(Swap *s, size_t size, const char **why);

/** swap_stop() - brings back what is in it, and takes it away */
void swap_stop(Swap *s);

#endif
