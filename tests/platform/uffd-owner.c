/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A range has one userfaultfd: a second one is refused with EBUSY, which is how
 * vmheat sees that postcopy or a background snapshot has it. The owner itself
 * may register again.
 */
#include "accel/uffd.h"
#include "check.h"
#include "wp.h"

int main(void)
{
    size_t len = 16 * PAGE;
    uint8_t *p = check_shared(len, PAGE);
    int a = wp_plain_open(), b = wp_plain_open();

    CHECK(vh_uffd_register(a, p, len), "UFFDIO_REGISTER");
    CHECK(vh_uffd_register(a, p, len), "registering again");
    CHECK(!vh_uffd_register(b, p, len), "a range has two owners");
    CHECK(errno == EBUSY, "the second owner is not refused with EBUSY");
    CHECK(!vh_uffd_register(b, p + PAGE, PAGE), "a part has two owners");
    vh_uffd_unregister(a, p, len);
    CHECK(vh_uffd_register(b, p, len), "refused after unregistering");
    check_seen("a second userfaultfd on the same memory is refused: EBUSY");
    return 0;
}
