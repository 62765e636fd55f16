/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
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

/* "from-to perms ..."; by hand, as sscanf() measures all the text each time. */
static bool parse_line(const char *line, uint64_t *from, uint64_t *to,
                       bool *shared)
{
    char *end;

    *from = g_ascii_strtoull(line, &end, 16);
    if (end == line || *end != '-') {
        return false;
    }
    line = end + 1;
    *to = g_ascii_strtoull(line, &end, 16);
    if (end == line || *end != ' ' || *from >= *to) {
        return false;
    }
    line = end + 1;
    *shared = strcspn(line, " \n") == 4 && line[3] == 's';
    return true;
}

bool vh_proc_maps_shared(const char *text, uint64_t start, uint64_t end)
{
    uint64_t proved = start;
    const char *line = text;

    while (line && *line && proved < end) {
        const char *nl = strchr(line, '\n');
        uint64_t from, to;
        bool shared;

        if (!parse_line(line, &from, &to, &shared)) {
            return false;
        }
        if (to > proved) {
            if (from > proved || !shared) {
                return false;
            }
            proved = to;
        }
        line = nl ? nl + 1 : NULL;
    }
    return start < end && proved >= end;
}
