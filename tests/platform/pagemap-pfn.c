/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A privileged reader of pagemap gets page frame numbers, others get 0. */
#include "check.h"

#define PFN_MASK ((1ULL << 55) - 1)

int main(void)
{
    uint8_t *p = check_shared(PAGE, PAGE);
    VhPagemap pm = check_pagemap();
    uint64_t e = 0;

    p[0] = 1;
    CHECK(pread(pm.fd, &e, sizeof(e), (uintptr_t)p / PAGE * sizeof(e)) ==
              sizeof(e),
          "cannot read pagemap");
    CHECK(e >> 63, "a page just written is not present");
    if (!(e & PFN_MASK)) {
        SKIP_PRIVILEGE("run as root (CAP_SYS_ADMIN)",
                       "pagemap shows no page frame numbers to user %d",
                       geteuid());
    }
    check_seen("pagemap shows page frame numbers");
    return 0;
}
