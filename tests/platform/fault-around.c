/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A read fault also maps neighbours that are in the page cache, at most the
 * aligned 64 KiB. A userfaultfd registration in write-protect mode stops that.
 */
#include "accel/uffd.h"
#include "check.h"

#define PAGES 64

/* How many pages one read maps; all must lie in its aligned 64 KiB. */
static size_t read_maps(const VhPagemap *pm, uint8_t *p)
{
    size_t all, block;

    CHECK(madvise(p, PAGES * PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    (void)*(volatile uint8_t *)(p + 20 * PAGE);
    all = check_count(pm, p, PAGES);
    block = check_count(pm, p + 16 * PAGE, 16);
    CHECK(block == all, "%zu of %zu pages mapped outside the 64 KiB",
          all - block, all);
    return all;
}

int main(void)
{
    uint8_t *p = check_shared(PAGES * PAGE, PAGES * PAGE);
    VhPagemap pm = check_pagemap();
    int uffd = vh_uffd_open();
    size_t n;

    check_fill(p, PAGES * PAGE);
    n = read_maps(&pm, p);
    printf("a read fault maps %zu pages\n", n);
    CHECK(n >= 1 && n <= 16, "%zu pages", n);
    if (uffd < 0) {
        SKIP("no userfaultfd here: %s", strerror(errno));
    }
    CHECK(vh_uffd_register(uffd, p, PAGES * PAGE), "UFFDIO_REGISTER");
    n = read_maps(&pm, p);
    printf("in a uffd-WP range it maps %zu\n", n);
    CHECK(n == 1, "%zu pages", n);
    vh_uffd_unregister(uffd, p, PAGES * PAGE);
    printf("unregistered again: %zu\n", read_maps(&pm, p));
    check_filled(p, PAGES * PAGE);
    return 0;
}
