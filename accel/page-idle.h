/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two files behind idle page tracking: the idle page bitmap, and pagemap
 * with page frame numbers (PFNs).
 */
#ifndef VMHEAT_ACCEL_PAGE_IDLE_H
#define VMHEAT_ACCEL_PAGE_IDLE_H

#include "vmheat/primitive.h"

/* What to say when they were not granted. */
#define VH_PAGE_IDLE_NEEDS                                                 \
    "needs the idle page bitmap: run 'vmheat grant' as root (kernel with " \
    "CONFIG_IDLE_PAGE_TRACKING)"

/**
 * struct VhPageIdle - the files, and what went wrong with them
 * @bitmap: /sys/kernel/mm/page_idle/bitmap, for reading and writing
 * @pagemap: of this process, opened by somebody with CAP_SYS_ADMIN
 * @failed: the first system call that should not have failed, or NULL; static
 * @error: its errno
 */
typedef struct VhPageIdle {
    int bitmap;
    int pagemap;
    const char *failed;
    int error;
} VhPageIdle;

/**
 * struct VhIdlePage - one page to ask about
 * @pfn: the page that has the flag: a huge page's first
 * @idle: not accessed since it was marked
 * @owner: the caller's
 */
typedef struct VhIdlePage {
    uint64_t pfn;
    bool idle;
    void *owner;
} VhIdlePage;

/** vh_page_idle_granted() - were both files handed over? */
bool vh_page_idle_granted(const VhHost *host);

/**
 * vh_page_idle_refusal() - why idle pages of @s, which @what names, are not told
 *
 * Of hugetlb pages the kernel tracks none; and a host with larger pages of its
 * own than VH_PAGE_SIZE was not thought of here. Returns a sentence (g_free).
 */
char *vh_page_idle_refusal(const char *what, const VhMapSection *s);

/**
 * vh_page_idle_take() - take both and verify them; false and @why (g_free)
 *
 * Writes nothing.
 */
bool vh_page_idle_take(VhPageIdle *pi, const VhHost *host, char **why);

/** vh_page_idle_close() - closes both */
void vh_page_idle_close(VhPageIdle *pi);

/**
 * vh_page_idle_verify_bitmap() - is this the idle page bitmap, writable?
 *
 * Nothing is written to find out. False and @why.
 */
bool vh_page_idle_verify_bitmap(int fd, char **why);

/** vh_page_idle_verify_pagemap() - is it this process', with PFNs? */
bool vh_page_idle_verify_pagemap(int fd, char **why);

/** vh_page_idle_pfn() - PFN of the page mapped at @addr; 0 when there is none
 */
uint64_t vh_page_idle_pfn(VhPageIdle *pi, const void *addr);

/**
 * vh_page_idle_pfns() - PFNs of @n pages from @addr on, as vh_page_idle_pfn()
 *
 * One system call. False when it failed, or when frame numbers are not shown;
 * then @failed and @error are set.
 */
bool vh_page_idle_pfns(VhPageIdle *pi, const void *addr, uint64_t *pfns,
                       size_t n);

/** vh_page_idle_sort() - as vh_page_idle_read() and _mark() need them */
void vh_page_idle_sort(VhIdlePage *pages, size_t n);

/**
 * vh_page_idle_read() - fill in @idle of all @pages, which are sorted
 *
 * One system call for all pages that share a word. False when one failed; then
 * @failed and @error are set.
 */
bool vh_page_idle_read(VhPageIdle *pi, VhIdlePage *pages, size_t n);

/**
 * vh_page_idle_mark() - mark all @pages idle, which are sorted
 *
 * The kernel ignores it for pages that are not on an LRU list; read shows.
 */
bool vh_page_idle_mark(VhPageIdle *pi, const VhIdlePage *pages, size_t n);

#endif
