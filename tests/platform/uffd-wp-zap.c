/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write-protected page of shared memory stays so when it is unmapped and
 * mapped again by a read: zapping and swapping hide no write and make none up.
 */
#include "accel/uffd.h"
#include "check.h"
#include "wp.h"

#define PAGES 16

int main(void)
{
    uint8_t *p = check_shared(PAGES * PAGE, PAGE);
    VhPagemap pm = check_pagemap();
    int uffd = wp_async_open();
    unsigned long w;

    check_fill(p, PAGES * PAGE);
    CHECK(vh_uffd_register(uffd, p, PAGES * PAGE), "UFFDIO_REGISTER");
    wp_written(pm.fd, p, PAGES, true);
    CHECK(madvise(p, PAGES * PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    CHECK(check_count(&pm, p, PAGES) == 0, "zapped pages are still mapped");
    w = wp_written(pm.fd, p, PAGES, false);
    CHECK(!w, "pages 0x%lx look written because they were zapped", w);
    check_filled(p, PAGES * PAGE);
    CHECK(check_count(&pm, p, PAGES) == PAGES, "reads did not map all pages");
    w = wp_written(pm.fd, p, PAGES, false);
    CHECK(!w, "pages 0x%lx look written because they were read", w);
    p[7 * PAGE] = 1;
    w = wp_written(pm.fd, p, PAGES, false);
    CHECK(w == 1UL << 7, "pages 0x%lx look written instead of page 7", w);
    check_seen("zapped pages keep their write-protection through a read");
    return 0;
}
