/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of shared memory that was swapped out is as absent from pagemap as one
 * that was merely unmapped; mincore() tells them apart.
 */
#include "check.h"

#define PAGES 16

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static size_t resident(void *p)
{
    unsigned char vec[PAGES];
    size_t n = 0;

    CHECK(mincore(p, PAGES * PAGE, vec) == 0, "mincore");
    for (size_t i = 0; i < PAGES; i++) {
        n += vec[i] & 1;
    }
    return n;
}

static bool has_swap(void)
{
    FILE *f = fopen("/proc/swaps", "r");
    char line[256];
    int lines = 0;

    while (f && fgets(line, sizeof(line), f)) {
        lines++;
    }
    if (f) {
        fclose(f);
    }
    return lines > 1;
}

/* Until the kernel has let go of all of them; it may be busy writing. */
static void page_out(uint8_t *p)
{
    for (int i = 0; resident(p) && i < 100; i++) {
        if (madvise(p, PAGES * PAGE, MADV_PAGEOUT) != 0) {
            SKIP_FIX("Linux 5.4 or later", "no MADV_PAGEOUT: %s",
                     strerror(errno));
        }
        usleep(10000);
    }
    if (resident(p)) {
        SKIP("the kernel keeps %zu of %d pages in memory", resident(p), PAGES);
    }
}

int main(void)
{
    uint8_t *p = check_shared(PAGES * PAGE, PAGE);
    VhPagemap pm = check_pagemap();

    check_fill(p, PAGES * PAGE);
    CHECK(madvise(p, PAGES * PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    CHECK(check_count(&pm, p, PAGES) == 0, "zapped pages are still mapped");
    CHECK(resident(p) == PAGES, "mincore finds %zu of %d unmapped pages",
          resident(p), PAGES);
    check_filled(p, PAGES * PAGE);
    if (!has_swap()) {
        SKIP_FIX("swapon, if guest memory is to be swapped out at all",
                 "this host has no swap space");
    }
    page_out(p);
    CHECK(check_count(&pm, p, PAGES) == 0, "swapped out but mapped");
    check_filled(p, PAGES * PAGE);
    check_seen("swapped-out pages are absent as zapped ones are; mincore tells "
               "them apart");
    return 0;
}
