/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The named hosts; see hosts.h. */
#include <string.h>

#include "hosts.h"

const HostKind *host_kinds(void)
{
    static const HostKind all[] = {
        { "nested", "a virtual machine: measured; 100 traps/s",
          SIM_COSTS_NESTED, true },
        { "bare", "bare-metal KVM: estimated; 1000 traps/s", SIM_COSTS_BARE,
          false },
        { 0 },
    };

    return all;
}

const HostKind *host_kind_find(const char *name)
{
    for (const HostKind *h = host_kinds(); h->name; h++) {
        if (!strcmp(h->name, name)) {
            return h;
        }
    }
    return NULL;
}
