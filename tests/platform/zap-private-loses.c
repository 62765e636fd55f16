/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same call on a private mapping throws away what was written, be it
 * anonymous memory or a private mapping of a memfd. This is why the trap
 * refuses private guest RAM.
 */
#include "check.h"

static void loses(uint8_t *p, uint8_t left, const char *what)
{
    p[0] = 42;
    CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED, %s", what);
    CHECK(p[0] == left, "%s: reads %u after a zap", what, p[0]);
}

int main(void)
{
    int fd = check_memfd(PAGE, 0);

    CHECK(pwrite(fd, "\7", 1, 0) == 1, "pwrite");
    loses(check_mmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1), 0, "anonymous");
    loses(check_mmap(PAGE, MAP_PRIVATE, fd), 7, "private memfd");
    check_seen("zapping private memory throws its data away");
    return 0;
}
