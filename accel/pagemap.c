/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A page that is mapped has bit 63 set in its pagemap entry; reading entries of
 * one's own process needs no privilege. PAGEMAP_SCAN answers the same for a
 * range in one call, tells pages mapped by a PMD, and stops at the first match
 * when asked to. Without it a PMD cannot be told from 512 PTEs, and all
 * pages are treated as 4 KiB.
 *
 * Both say what is mapped into this process, not what is in memory: a shmem
 * page that was swapped out, or unmapped but still in the page cache, is
 * "not present". That is just what the trap wants to know.
 *
 * Bit 57 of an entry tells that userfaultfd write-protects the page, also when
 * it is not mapped (a marker is kept in the page table). PAGEMAP_SCAN can also
 * protect, and checks first that the range is one with asynchronous protection.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "vmheat/types.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_SWAPPED (1ULL << 62)
#define ENTRY_PROTECTED (1ULL << 57)

/* From linux/fs.h of 6.7, which the oldest supported distributions lack. */
typedef struct PageRegion {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
} PageRegion;

typedef struct ScanArg {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t vec;
    uint64_t vec_len;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
} ScanArg;

#define SCAN_IOCTL _IOWR('f', 16, ScanArg)
#define SCAN_WRITTEN (1ULL << 1)
#define SCAN_FILE (1ULL << 2)
#define SCAN_PRESENT (1ULL << 3)
#define SCAN_SWAPPED (1ULL << 4)
#define SCAN_PFNZERO (1ULL << 5)
#define SCAN_HUGE (1ULL << 6)
#define SCAN_WP_MATCHING (1ULL << 0)
#define SCAN_CHECK_WPASYNC (1ULL << 1)

/* The whole pages that a range is in, as the kernel wants them. */
static uint64_t first_page(const VhPagemap *pm, const void *addr)
{
    return (uintptr_t)addr & ~(uint64_t)(pm->page_size - 1);
}

static uint64_t end_page(const VhPagemap *pm, const void *addr, size_t len)
{
    return first_page(pm, (const uint8_t *)addr + len + pm->page_size - 1);
}

/* The first present page of a range; false when there is none. */
static bool scan_first(const VhPagemap *pm, const void *addr, size_t len,
                       PageRegion *out)
{
    ScanArg arg = {
        .size = sizeof(arg),
        .start = first_page(pm, addr),
        .end = end_page(pm, addr, len),
        .vec = (uintptr_t)out,
        .vec_len = 1,
        .max_pages = 1,
        .category_mask = SCAN_PRESENT,
        .return_mask = SCAN_PRESENT | SCAN_FILE | SCAN_PFNZERO | SCAN_HUGE,
    };

    return ioctl(pm->fd, SCAN_IOCTL, &arg) > 0;
}

static bool has_scan(const VhPagemap *pm)
{
    PageRegion r;
    ScanArg arg = {
        .size = sizeof(arg),
        .start = first_page(pm, &arg),
        .end = first_page(pm, &arg) + pm->page_size,
        .vec = (uintptr_t)&r,
        .vec_len = 1,
        .category_mask = SCAN_PRESENT,
        .return_mask = SCAN_PRESENT,
    };

    return ioctl(pm->fd, SCAN_IOCTL, &arg) == 1;
}

bool vh_pagemap_open(VhPagemap *pm, char **why)
{
    pm->page_size = sysconf(_SC_PAGESIZE);
    pm->fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pm->fd < 0) {
        *why = g_strdup_printf("cannot open /proc/self/pagemap: %s",
                               g_strerror(errno));
        return false;
    }
    pm->scan = has_scan(pm);
    return true;
}

VhPagemap vh_pagemap_wrap(int fd)
{
    VhPagemap pm = { .fd = fd, .page_size = sysconf(_SC_PAGESIZE) };

    pm.scan = has_scan(&pm);
    return pm;
}

void vh_pagemap_close(VhPagemap *pm)
{
    close(pm->fd);
    pm->fd = -1;
}

off_t vh_pagemap_offset(size_t page_size, const void *addr)
{
    return (uintptr_t)addr / page_size * sizeof(uint64_t);
}

static uint64_t entry(const VhPagemap *pm, const void *addr)
{
    off_t at = vh_pagemap_offset(pm->page_size, addr);
    uint64_t e = 0;

    return pread(pm->fd, &e, sizeof(e), at) == sizeof(e) ? e : 0;
}

bool vh_pagemap_present(const VhPagemap *pm, const void *addr)
{
    return entry(pm, addr) & ENTRY_PRESENT;
}

unsigned vh_pagemap_state(const VhPagemap *pm, const void *addr)
{
    uint64_t e = entry(pm, addr);

    return (e & ENTRY_PRESENT ? VH_PAGE_PRESENT : 0) |
           (e & ENTRY_SWAPPED ? VH_PAGE_SWAPPED : 0) |
           (e & ENTRY_PROTECTED ? VH_PAGE_PROTECTED : 0);
}

bool vh_pagemap_borrowed(const VhPagemap *pm, const void *addr)
{
    PageRegion r;

    return scan_first(pm, addr, VH_PAGE_SIZE, &r) &&
           (r.categories & (SCAN_FILE | SCAN_PFNZERO));
}

bool vh_pagemap_protect(const VhPagemap *pm, void *addr, size_t len)
{
    ScanArg arg = {
        .size = sizeof(arg),
        .flags = SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC,
        .start = first_page(pm, addr),
        .end = end_page(pm, addr, len),
        .category_mask = SCAN_WRITTEN,
    };

    return ioctl(pm->fd, SCAN_IOCTL, &arg) >= 0;
}

unsigned vh_pagemap_query(const VhPagemap *pm, const void *addr)
{
    PageRegion r;

    if (!pm->scan) {
        return vh_pagemap_present(pm, addr) ? VH_PAGE_PRESENT : 0;
    }
    if (!scan_first(pm, addr, VH_PAGE_SIZE, &r)) {
        return 0;
    }
    return VH_PAGE_PRESENT | (r.categories & SCAN_HUGE ? VH_PAGE_HUGE : 0);
}

/*
 * Reads entries from that of @at on, of at most @nr that are before @end.
 * Returns how many; 0 at the end, or when they cannot be read.
 */
static size_t read_entries(const VhPagemap *pm, uint64_t at, uint64_t end,
                           uint64_t *e, size_t nr)
{
    size_t n = MIN((end - at) / pm->page_size, nr);
    ssize_t got =
        pread(pm->fd, e, n * sizeof(*e),
              vh_pagemap_offset(pm->page_size, (void *)(uintptr_t)at));

    return got > 0 ? got / sizeof(*e) : 0;
}

/* Plain pagemap, in pieces that fit the stack. */
static bool any_entry_present(const VhPagemap *pm, const void *addr, size_t len)
{
    uint64_t at = first_page(pm, addr), end = end_page(pm, addr, len);
    uint64_t e[512];
    size_t n;

    for (; (n = read_entries(pm, at, end, e, G_N_ELEMENTS(e)));
         at += n * pm->page_size) {
        for (size_t i = 0; i < n; i++) {
            if (e[i] & ENTRY_PRESENT) {
                return true;
            }
        }
    }
    return false;
}

bool vh_pagemap_any_present(const VhPagemap *pm, const void *addr, size_t len)
{
    PageRegion r;

    if (len <= VH_PAGE_SIZE) {
        return vh_pagemap_present(pm, addr);
    }
    return pm->scan ? scan_first(pm, addr, len, &r)
                    : any_entry_present(pm, addr, len);
}

static void add_region(VhPageCount *c, const PageRegion *r)
{
    uint64_t len = r->end - r->start;

    if (r->categories & SCAN_SWAPPED) {
        c->swapped += len;
    } else if (!(r->categories & SCAN_PFNZERO)) {
        c->present += len;
        c->huge += r->categories & SCAN_HUGE ? len : 0;
    }
}

/* @r may begin and end outside of what was asked for, if pages are large. */
static const PageRegion *clip(PageRegion *r, const void *addr, size_t len)
{
    r->start = MAX(r->start, (uintptr_t)addr);
    r->end = MIN(r->end, (uintptr_t)addr + len);
    return r;
}

/* Adds up what is of all of @all and, unless that is 0, of any of @any. */
static VhPageCount scan_sum(const VhPagemap *pm, const void *addr, size_t len,
                            uint64_t all, uint64_t any)
{
    PageRegion r[16];
    VhPageCount c = { 0 };
    ScanArg arg = {
        .size = sizeof(arg),
        .walk_end = first_page(pm, addr),
        .end = end_page(pm, addr, len),
        .vec = (uintptr_t)r,
        .vec_len = G_N_ELEMENTS(r),
        .category_mask = all,
        .category_anyof_mask = any,
        .return_mask = all | any | SCAN_PFNZERO | SCAN_HUGE,
    };

    while (arg.walk_end < arg.end) {
        int n;

        arg.start = arg.walk_end;
        n = ioctl(pm->fd, SCAN_IOCTL, &arg);
        if (n < 0 || arg.walk_end <= arg.start) {
            break;
        }
        for (int i = 0; i < n; i++) {
            add_region(&c, clip(&r[i], addr, len));
        }
    }
    return c;
}

/* By plain pagemap, in pieces that fit the stack. */
static VhPageCount entries_sum(const VhPagemap *pm, const void *addr,
                               size_t len)
{
    uint64_t at = first_page(pm, addr), end = end_page(pm, addr, len);
    VhPageCount c = { 0 };
    uint64_t e[512];
    size_t n;

    while ((n = read_entries(pm, at, end, e, G_N_ELEMENTS(e)))) {
        for (size_t i = 0; i < n; i++, at += pm->page_size) {
            PageRegion r = { .start = at, .end = at + pm->page_size };
            uint64_t size;

            clip(&r, addr, len);
            size = r.end - r.start;
            c.present += e[i] & ENTRY_PRESENT ? size : 0;
            c.swapped += e[i] & ENTRY_SWAPPED ? size : 0;
        }
    }
    return c;
}

VhPageCount vh_pagemap_count(const VhPagemap *pm, const void *addr, size_t len)
{
    return pm->scan ? scan_sum(pm, addr, len, 0, SCAN_PRESENT | SCAN_SWAPPED)
                    : entries_sum(pm, addr, len);
}

uint64_t vh_pagemap_huge(const VhPagemap *pm, const void *addr, size_t len)
{
    return pm->scan ? scan_sum(pm, addr, len, SCAN_PRESENT | SCAN_HUGE, 0).huge
                    : 0;
}
