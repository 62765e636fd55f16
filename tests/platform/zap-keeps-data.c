/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MADV_DONTNEED on a shared memfd mapping unmaps pages and keeps their data. */
#include "check.h"

int main(void)
{
    size_t len = 64 * PAGE;
    uint8_t *p = check_shared(len, PAGE);
    VhPagemap pm = check_pagemap();

    check_fill(p, len);
    CHECK(check_count(&pm, p, 64) == 64, "written pages are not all present");
    CHECK(madvise(p, len, MADV_DONTNEED) == 0, "MADV_DONTNEED");
    CHECK(check_count(&pm, p, 64) == 0, "zapped pages are still mapped");
    check_filled(p, len);
    check_seen(
        "64 zapped pages of a shared memfd are unmapped, with their data");
    return 0;
}
