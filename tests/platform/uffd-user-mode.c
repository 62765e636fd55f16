/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userfaultfd(UFFD_USER_MODE_ONLY) opens and registers without privilege. */
#include <grp.h>

#include "accel/uffd.h"
#include "check.h"

#define NOBODY 65534

int main(void)
{
    uint8_t *p = check_shared(16 * PAGE, PAGE);
    int a, b;

    if (geteuid() == 0) {
        CHECK(setgroups(0, NULL) == 0, "setgroups");
        CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0, "setresgid");
        CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
    }
    a = vh_uffd_open();
    if (a < 0) {
        SKIP("no userfaultfd for user %d: %s", geteuid(), strerror(errno));
    }
    CHECK(vh_uffd_register(a, p, 16 * PAGE), "UFFDIO_REGISTER");
    CHECK(vh_uffd_register(a, p, 16 * PAGE), "registering again");
    b = vh_uffd_open();
    CHECK(b >= 0, "a second userfaultfd");
    CHECK(!vh_uffd_register(b, p, 16 * PAGE),
          "two owners of a range: nobody would see that postcopy has it");
    vh_uffd_unregister(a, p, 16 * PAGE);
    CHECK(vh_uffd_register(b, p, 16 * PAGE), "after unregistering");
    p[0] = 1; /* no fault is delivered, or this would hang */
    return 0;
}
