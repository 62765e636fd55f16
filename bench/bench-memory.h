/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of known contents that actions are measured on.
 */
#ifndef VMHEAT_BENCH_MEMORY_H
#define VMHEAT_BENCH_MEMORY_H

#include "vmheat/action.h"

#define MIB (1ULL << 20)
#define PAGE VH_PAGE_SIZE
/* Word of each page that may change: a guest counts in it. */
#define BENCH_COUNTER 1

/** bench_now_ns() - CLOCK_MONOTONIC; for VhClock */
uint64_t bench_now_ns(void *opaque);

/** bench_action() - the ops of action @name, which must exist */
const VhActionOps *bench_action(const char *name);

/** bench_memory() - anonymous memory without transparent huge pages, aligned to
 * 2 MiB; NULL: none */
uint8_t *bench_memory(uint64_t size, bool shared);

/** bench_map() - a map of one section, at guest address 0 */
VhMap *bench_map(uint8_t *mem, uint64_t size, bool shared);

/** bench_fill() - every page from @from to @to gets contents of its own */
void bench_fill(uint8_t *mem, uint64_t from, uint64_t to);

/** bench_intact() - are they still there, but for BENCH_COUNTER? */
bool bench_intact(const uint8_t *mem, uint64_t from, uint64_t to);

/** bench_median() - of @n values, which are sorted */
double bench_median(double *values, int n);

#endif
