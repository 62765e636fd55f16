/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/ioctl.h>

#include "accel/uffd.h"
#include "check.h"
#include "wp.h"

/* From linux/fs.h of 6.7, which the oldest distributions lack. */
typedef struct PageRegion {
    uint64_t start, end, categories;
} PageRegion;

typedef struct ScanArg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask;
    uint64_t return_mask;
} ScanArg;

#define SCAN_IOCTL _IOWR('f', 16, ScanArg)
#define SCAN_WP_MATCHING (1 << 0)
#define SCAN_CHECK_WPASYNC (1 << 1)
#define SCAN_WRITTEN (1 << 1)

#define ENTRY_PROTECTED_BIT 57

int wp_plain_open(void)
{
    int fd = vh_uffd_open();

    if (fd < 0) {
        SKIP_FIX("Linux 5.19 or later with CONFIG_USERFAULTFD, and a sandbox "
                 "that permits userfaultfd(2)",
                 "no userfaultfd for user %d: %s", geteuid(), strerror(errno));
    }
    return fd;
}

int wp_async_open(void)
{
    int fd;

    close(wp_plain_open());
    fd = vh_uffd_open_async();
    if (fd < 0) {
        SKIP_FIX("Linux 6.7 or later",
                 "userfaultfd of this kernel has no asynchronous "
                 "write-protection (WP_ASYNC): %s",
                 strerror(errno));
    }
    return fd;
}

static unsigned long bits(const PageRegion *r, int n, uintptr_t start)
{
    unsigned long out = 0;

    for (int i = 0; i < n; i++) {
        CHECK(r[i].categories == SCAN_WRITTEN, "categories 0x%lx",
              (unsigned long)r[i].categories);
        for (uintptr_t a = r[i].start; a < r[i].end; a += PAGE) {
            out |= 1UL << (a - start) / PAGE;
        }
    }
    return out;
}

unsigned long wp_written(int pagemap, const void *addr, size_t pages,
                         bool protect)
{
    PageRegion found[64];
    ScanArg arg = {
        .size = sizeof(arg),
        .flags = SCAN_CHECK_WPASYNC | (protect ? SCAN_WP_MATCHING : 0),
        .start = (uintptr_t)addr,
        .end = (uintptr_t)addr + pages * PAGE,
        .vec = (uintptr_t)found,
        .vec_len = 64,
        .category_mask = SCAN_WRITTEN,
        .return_mask = SCAN_WRITTEN,
    };
    int n = ioctl(pagemap, SCAN_IOCTL, &arg);

    CHECK(n >= 0, "PAGEMAP_SCAN for written pages");
    CHECK(arg.walk_end == arg.end, "PAGEMAP_SCAN ended before the end");
    return bits(found, n, arg.start);
}

unsigned long wp_protected(int pagemap, const void *addr, size_t pages)
{
    uint64_t e[64];
    ssize_t size = pages * sizeof(*e);
    unsigned long out = 0;

    CHECK(pread(pagemap, e, size, (uintptr_t)addr / PAGE * sizeof(*e)) == size,
          "cannot read pagemap");
    for (size_t i = 0; i < pages; i++) {
        out |= (e[i] >> ENTRY_PROTECTED_BIT & 1) << i;
    }
    return out;
}
