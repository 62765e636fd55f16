/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userfaultfd(UFFD_USER_MODE_ONLY) opens and registers without privilege. */
#include <grp.h>

#include "accel/uffd.h"
#include "check.h"
#include "wp.h"

#define NOBODY 65534

int main(void)
{
    uint8_t *p = check_shared(16 * PAGE, PAGE);
    int fd;

    if (geteuid() == 0) {
        CHECK(setgroups(0, NULL) == 0, "setgroups");
        CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0, "setresgid");
        CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
    }
    fd = wp_plain_open();
    CHECK(vh_uffd_register(fd, p, 16 * PAGE), "UFFDIO_REGISTER");
    p[0] = 1; /* no fault is delivered, or this would hang */
    check_seen("user %d may register memory with userfaultfd", geteuid());
    return 0;
}
