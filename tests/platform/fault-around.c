/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A read fault also maps neighbours that are in the page cache, at most the
 * aligned 64 KiB. A userfaultfd registration in write-protect mode stops that.
 */
#include "accel/uffd.h"
#include "check.h"
#include "wp.h"

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
    int uffd = wp_plain_open();
    size_t plain, n;

    check_fill(p, PAGES * PAGE);
    plain = read_maps(&pm, p);
    CHECK(plain >= 1 && plain <= 16, "a read fault maps %zu pages", plain);
    CHECK(vh_uffd_register(uffd, p, PAGES * PAGE), "UFFDIO_REGISTER");
    n = read_maps(&pm, p);
    CHECK(n == 1, "a read fault in a uffd-WP range maps %zu pages", n);
    vh_uffd_unregister(uffd, p, PAGES * PAGE);
    check_filled(p, PAGES * PAGE);
    check_seen("a read fault maps %zu pages, in a uffd-WP range 1", plain);
    return 0;
}
