/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of this process are mapped, from /proc/self/pagemap.
 */
#ifndef VMHEAT_ACCEL_PAGEMAP_H
#define VMHEAT_ACCEL_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VH_PAGE_PRESENT (1u << 0)
#define VH_PAGE_HUGE (1u << 1) /* mapped by a PMD; only known with scan */
#define VH_PAGE_SWAPPED (1u << 2)
#define VH_PAGE_PROTECTED (1u << 3) /* by userfaultfd, mapped or not */

/**
 * struct VhPagemap - an open pagemap
 * @fd: of /proc/self/pagemap
 * @scan: the kernel has PAGEMAP_SCAN (Linux 6.7); tests may switch it off
 * @page_size: of this host, and so of an entry: 4, 16 or 64 KiB; tests may set
 * it
 *
 * Addresses and lengths of the functions below are multiples of VH_PAGE_SIZE,
 * whatever the host's page size is: the answer is that of the pages they are
 * in.
 */
typedef struct VhPagemap {
    int fd;
    bool scan;
    size_t page_size;
} VhPagemap;

/** vh_pagemap_offset() - where in the file the entry of @addr is */
off_t vh_pagemap_offset(size_t page_size, const void *addr);

/** vh_pagemap_open() - false and @why (g_free) when /proc is not to be had */
bool vh_pagemap_open(VhPagemap *pm, char **why);

/** vh_pagemap_wrap() - one that somebody else opened, and closes */
VhPagemap vh_pagemap_wrap(int fd);

/** vh_pagemap_close() - closes it */
void vh_pagemap_close(VhPagemap *pm);

/** vh_pagemap_query() - VH_PAGE_* bits of the page at @addr */
unsigned vh_pagemap_query(const VhPagemap *pm, const void *addr);

/** vh_pagemap_present() - is the page at @addr mapped? */
bool vh_pagemap_present(const VhPagemap *pm, const void *addr);

/**
 * vh_pagemap_state() - VH_PAGE_* bits of the page at @addr, without HUGE
 *
 * An unmapped page that is PROTECTED will be mapped write-protected.
 */
unsigned vh_pagemap_state(const VhPagemap *pm, const void *addr);

/**
 * vh_pagemap_borrowed() - is what is mapped at @addr not yet a private copy?
 *
 * In a private mapping: the zero page, or a page of the file. Needs scan.
 */
bool vh_pagemap_borrowed(const VhPagemap *pm, const void *addr);

/**
 * vh_pagemap_protect() - write-protect a range that is not yet
 *
 * It must be registered with a userfaultfd that has WP_ASYNC; else it fails and
 * does nothing, also when another userfaultfd has it. Needs scan.
 */
bool vh_pagemap_protect(const VhPagemap *pm, void *addr, size_t len);

/** vh_pagemap_any_present() - is any page of [@addr, @addr + @len) mapped? */
bool vh_pagemap_any_present(const VhPagemap *pm, const void *addr, size_t len);

/**
 * struct VhPageCount - bytes of a range, by what its page tables say
 * @present: mapped, and not to the page of zeroes if that can be told
 * @swapped: not mapped, but not empty. In private memory: in swap, or marked by
 *           a userfaultfd; never in shared memory
 * @huge: mapped by huge pages; only known with scan
 */
typedef struct VhPageCount {
    uint64_t present;
    uint64_t swapped;
    uint64_t huge;
} VhPageCount;

/** vh_pagemap_count() - look at all pages of [@addr, @addr + @len) */
VhPageCount vh_pagemap_count(const VhPagemap *pm, const void *addr, size_t len);

/** vh_pagemap_huge() - its @huge only, in less time */
uint64_t vh_pagemap_huge(const VhPagemap *pm, const void *addr, size_t len);

#endif
