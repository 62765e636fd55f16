/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's DAMON can be driven through sysfs and nobody does it now. Only
 * looks: it may be in use.
 */
#include "check.h"

#define ADMIN "/sys/kernel/mm/damon/admin"
#define COUNT ADMIN "/kdamonds/nr_kdamonds"

static FILE *open_count(void)
{
    FILE *f = fopen(COUNT, "r");

    if (f) {
        return f;
    }
    if (errno == EACCES || errno == EPERM) {
        SKIP_PRIVILEGE("run as root", "cannot read " COUNT ": %s",
                       strerror(errno));
    }
    SKIP_FIX("a kernel with CONFIG_DAMON_SYSFS=y and CONFIG_DAMON_VADDR=y "
             "(Linux 5.18)",
             "there is no " ADMIN);
}

int main(void)
{
    FILE *f = open_count();
    int n;

    CHECK(fscanf(f, "%d", &n) == 1, COUNT " holds no number");
    fclose(f);
    if (n) {
        SKIP_FIX("stop who uses it (damo stop)",
                 "DAMON is in use: " COUNT " is %d", n);
    }
    check_seen("DAMON has its sysfs files and nobody uses them");
    return 0;
}
