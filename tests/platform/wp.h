/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userfaultfd and PAGEMAP_SCAN as the platform programs use them: which pages
 * were written since they were write-protected.
 */
#ifndef VMHEAT_TESTS_WP_H
#define VMHEAT_TESTS_WP_H

#include <stdbool.h>
#include <stddef.h>

/** wp_plain_open() - the userfaultfd of accel/uffd.h, or a skip */
int wp_plain_open(void);

/** wp_async_open() - one whose write faults the kernel resolves, or a skip */
int wp_async_open(void);

/**
 * wp_written() - which pages were written
 * @pagemap: of /proc/self/pagemap
 * @addr: first page
 * @pages: how many; at most 64
 * @protect: write-protect them again
 *
 * Returns: bit N for page N.
 */
unsigned long wp_written(int pagemap, const void *addr, size_t pages,
                         bool protect);

/** wp_protected() - which pages are write-protected, says plain pagemap */
unsigned long wp_protected(int pagemap, const void *addr, size_t pages);

#endif
