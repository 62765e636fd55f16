/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zapping what is not mapped succeeds, maps nothing and allocates nothing. */
#include <sys/stat.h>

#include "check.h"

int main(void)
{
    size_t len = 16 * PAGE;
    int fd = check_memfd(len, 0);
    uint8_t *p = check_mmap(len, MAP_SHARED, fd);
    VhPagemap pm = check_pagemap();
    struct stat st;

    CHECK(madvise(p, len, MADV_DONTNEED) == 0, "never touched");
    CHECK(fstat(fd, &st) == 0 && st.st_blocks == 0, "%ld blocks",
          (long)st.st_blocks);
    p[3 * PAGE] = 9;
    CHECK(madvise(p, len, MADV_DONTNEED) == 0, "first");
    CHECK(madvise(p, len, MADV_DONTNEED) == 0, "second");
    CHECK(check_count(&pm, p, 16) == 0, "mapped something");
    CHECK(fstat(fd, &st) == 0 && st.st_blocks == (blkcnt_t)(PAGE / 512),
          "%ld blocks", (long)st.st_blocks);
    CHECK(p[3 * PAGE] == 9, "reads %u", p[3 * PAGE]);
    check_seen("zapping absent pages maps and allocates nothing");
    return 0;
}
