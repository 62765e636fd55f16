/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accel/proc-maps.h"

char *vh_proc_maps_read(char **why)
{
    g_autoptr(GError) err = NULL;
    char *text = NULL;

    if (!g_file_get_contents("/proc/self/maps", &text, NULL, &err)) {
        *why = g_strdup(err->message);
    }
    return text;
}

bool vh_proc_maps_shared(const char *text, uint64_t start, uint64_t end)
{
    uint64_t proved = start;
    const char *line = text;

    while (line && *line && proved < end) {
        uint64_t from, to;
        char perms[5];
        const char *nl = strchr(line, '\n');

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, perms) !=
            3) {
            return false;
        }
        if (to > proved) {
            if (from > proved || perms[3] != 's') {
                return false;
            }
            proved = to;
        }
        line = nl ? nl + 1 : NULL;
    }
    return proved >= end;
}
