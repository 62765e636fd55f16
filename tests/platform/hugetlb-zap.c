/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hugetlbfs pages are zapped whole and keep their data; a range that does not
 * begin at a page is refused.
 */
#include "check.h"

int main(void)
{
    int fd = memfd_create("vmheat-hugetlb", MFD_CLOEXEC | MFD_HUGETLB);
    VhPagemap pm = check_pagemap();
    uint8_t *p;

    if (fd < 0 || ftruncate(fd, HUGE) != 0) {
        SKIP_FIX("a kernel with CONFIG_HUGETLBFS", "no hugetlb memfd: %s",
                 strerror(errno));
    }
    p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        SKIP_FIX("sysctl vm.nr_hugepages=1", "no free 2 MiB hugetlb page: %s",
                 strerror(errno));
    }
    check_fill(p, HUGE);
    CHECK(madvise(p + PAGE, PAGE, MADV_DONTNEED) == -1 && errno == EINVAL,
          "a 4 KiB zap inside a hugetlb page is not refused");
    CHECK(madvise(p, HUGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    CHECK(check_count(&pm, p, 512) == 0, "still mapped");
    (void)*(volatile uint8_t *)(p + 300 * PAGE);
    CHECK(check_count(&pm, p, 512) == 512, "a touch maps only a part");
    check_filled(p, HUGE);
    check_seen("a hugetlb page is zapped whole and keeps its data");
    return 0;
}
