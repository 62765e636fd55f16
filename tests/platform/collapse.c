/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MADV_COLLAPSE makes one 2 MiB page of 512 small ones, at once and with their
 * data, whatever transparent_hugepage/enabled says.
 */
#include "check.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static uint8_t *small_pages(void)
{
    uint8_t *hole = check_mmap(2 * HUGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint8_t *p = (uint8_t *)(((uintptr_t)hole + HUGE - 1) & ~(HUGE - 1));

    if (madvise(p, HUGE, MADV_NOHUGEPAGE) != 0) {
        SKIP_FIX("a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
                 "this kernel has no transparent huge pages");
    }
    check_fill(p, HUGE);
    CHECK(madvise(p, HUGE, MADV_HUGEPAGE) == 0, "MADV_HUGEPAGE");
    return p;
}

int main(void)
{
    uint8_t *p = small_pages();
    VhPagemap pm = check_pagemap();

    if (madvise(p, HUGE, MADV_COLLAPSE) != 0) {
        if (errno == EINVAL) {
            SKIP_FIX("Linux 6.1 or later", "this kernel has no MADV_COLLAPSE");
        }
        SKIP_FIX("free memory, or echo 1 > /proc/sys/vm/compact_memory",
                 "no free 2 MiB page: %s", strerror(errno));
    }
    check_filled(p, HUGE);
    CHECK(!pm.scan || vh_pagemap_query(&pm, p) & VH_PAGE_HUGE,
          "MADV_COLLAPSE succeeds but the page is not mapped as 2 MiB");
    check_seen("512 small pages become one of 2 MiB and keep their data");
    return 0;
}
