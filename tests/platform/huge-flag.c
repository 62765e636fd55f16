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
        SKIP_FIX("Linux 6.7 or later", "this kernel has no PAGEMAP_SCAN");
    }
    if (madvise(p, HUGE, MADV_HUGEPAGE) != 0) {
        SKIP_FIX("a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
                 "this kernel has no transparent huge pages");
    }
    check_fill(p, HUGE);
    if (!is_huge(&pm, p) && madvise(p, HUGE, MADV_COLLAPSE) != 0) {
        SKIP_FIX("echo advise > /sys/kernel/mm/transparent_hugepage/"
                 "shmem_enabled",
                 "shmem_enabled does not allow huge pages and MADV_COLLAPSE "
                 "fails: %s",
                 strerror(errno));
    }
    p[0] = p[0]; /* after a collapse nothing may be mapped */
    CHECK(is_huge(&pm, p) && is_huge(&pm, p + HUGE - PAGE), "not a PMD");
    CHECK(madvise(p + 7 * PAGE, PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    CHECK(check_count(&pm, p, 512) == 0, "the PMD was not dropped");
    (void)*(volatile uint8_t *)(p + 300 * PAGE);
    CHECK(check_count(&pm, p, 512) == 512, "a touch maps only a part");
    check_filled(p, HUGE);
    check_seen(
        "a 2 MiB page of shared memory is told, zapped and mapped whole");
    return 0;
}
