/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mlocked pages (-overcommit mem-lock=on): MADV_DONTNEED is refused with
 * EINVAL, MADV_DONTNEED_LOCKED (Linux 5.18) does the same and keeps the data.
 */
#include <sys/syscall.h>

#include "accel/zap.h"
#include "check.h"

int main(void)
{
    size_t len = 8 * PAGE;
    uint8_t *p = check_shared(len, PAGE);
    VhPagemap pm = check_pagemap();

    check_fill(p, len);
    /* Not mlock(): sanitizers turn that into nothing. */
    if (syscall(SYS_mlock, p, len) != 0) {
        SKIP_FIX("raise the limit 'ulimit -l'", "cannot lock memory: %s",
                 strerror(errno));
    }
    CHECK(madvise(p, len, MADV_DONTNEED) == -1 && errno == EINVAL,
          "MADV_DONTNEED of mlocked memory is not refused");
    CHECK(check_count(&pm, p, 8) == 8, "and unmapped something");
    CHECK(vh_zap(p, len), "vh_zap() of mlocked memory");
    CHECK(check_count(&pm, p, 8) == 0, "still mapped");
    check_filled(p, len);
    CHECK(madvise(p, len, MADV_DONTNEED) == -1, "no longer locked");
    check_seen("mlocked memory refuses MADV_DONTNEED; MADV_DONTNEED_LOCKED "
               "zaps it and keeps its data");
    return 0;
}
