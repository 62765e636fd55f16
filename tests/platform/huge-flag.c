/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A shmem page mapped by a PMD is told by PAGEMAP_SCAN; zapping 4 KiB of it
 * drops the whole PMD and keeps the data; one touch brings all of it back.
 */
#include "check.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static bool is_huge(const VhPagemap *pm, const uint8_t *p)
{
    return vh_pagemap_query(pm, p) & VH_PAGE_HUGE;
}

int main(void)
{
    uint8_t *p = check_shared(HUGE, HUGE);
    VhPagemap pm = check_pagemap();

    if (!pm.scan) {
        SKIP("this kernel has no PAGEMAP_SCAN (needs Linux 6.7)");
    }
    if (madvise(p, HUGE, MADV_HUGEPAGE) != 0) {
        SKIP("this kernel has no transparent huge pages");
    }
    check_fill(p, HUGE);
    if (!is_huge(&pm, p) && madvise(p, HUGE, MADV_COLLAPSE) != 0) {
        SKIP("shmem_enabled does not allow huge pages and MADV_COLLAPSE "
             "fails: %s",
             strerror(errno));
    }
    p[0] = p[0]; /* after a collapse nothing may be mapped */
    CHECK(is_huge(&pm, p) && is_huge(&pm, p + HUGE - PAGE), "not a PMD");
    CHECK(madvise(p + 7 * PAGE, PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    printf("a 4 KiB zap leaves %zu of 512 pages mapped\n",
           check_count(&pm, p, 512));
    CHECK(check_count(&pm, p, 512) == 0, "the PMD was not dropped");
    (void)*(volatile uint8_t *)(p + 300 * PAGE);
    printf("one read maps %zu of 512\n", check_count(&pm, p, 512));
    CHECK(check_count(&pm, p, 512) == 512, "a touch maps only a part");
    check_filled(p, HUGE);
    return 0;
}
