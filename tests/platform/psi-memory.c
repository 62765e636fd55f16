/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/pressure/memory tells how long tasks waited for memory. */
#include "check.h"

#define PSI "/proc/pressure/memory"

int main(void)
{
    FILE *f = fopen(PSI, "r");
    char line[128] = "";
    float avg10;

    if (!f) {
        SKIP_FIX("a kernel with CONFIG_PSI; where it is off by default, boot "
                 "with psi=1",
                 "cannot open " PSI ": %s", strerror(errno));
    }
    if (!fgets(line, sizeof(line), f)) {
        SKIP_FIX("boot with psi=1", "cannot read " PSI ": %s", strerror(errno));
    }
    fclose(f);
    CHECK(sscanf(line, "some avg10=%f avg60=%*f avg300=%*f total=%*u",
                 &avg10) == 1,
          "the first line of " PSI " is '%s'", line);
    check_seen("memory pressure of this host: %.2f %% of the last 10 s", avg10);
    return 0;
}
