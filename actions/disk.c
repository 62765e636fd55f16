/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel names the file of a mapping in /proc/self/maps. Of memfd,
 * anonymous shared and System V memory the name is not one that can be opened;
 * all of these, and files of a tmpfs, are in memory or in swap. What is a tmpfs
 * is told by where it usually is: asking the file system could block, and this
 * is called with the Big QEMU Lock held.
 */
#include <glib.h>
#include <string.h>

#include "accel/proc-maps.h"
#include "actions/disk.h"

/* "from-to rw-s offset dev inode      path" */
static bool on_disk(const char *line)
{
    g_autofree char *whole = g_strndup(line, strcspn(line, "\n"));
    const char *path = strchr(whole, '/');

    return strstr(whole, " rw-s ") && path &&
           !g_str_has_prefix(path, "/dev/") &&
           !g_str_has_prefix(path, "/run/") &&
           !g_str_has_prefix(path, "/memfd:") &&
           !g_str_has_prefix(path, "/SYSV");
}

/* Of the mapping that holds @addr, or of any when it is 0. */
static bool search(uint64_t addr)
{
    g_autofree char *why = NULL;
    g_autofree char *maps = vh_proc_maps_read(&why);

    for (const char *line = maps; line && *line;) {
        const char *nl = strchr(line, '\n');
        char *dash;
        uint64_t from = g_ascii_strtoull(line, &dash, 16);
        uint64_t to = *dash == '-' ? g_ascii_strtoull(dash + 1, NULL, 16) : 0;

        if ((!addr || (addr >= from && addr < to)) && on_disk(line)) {
            return true;
        }
        line = nl ? nl + 1 : NULL;
    }
    return false;
}

bool vh_disk_backs(const VhMapSection *s)
{
    return s->shared && s->file_backed && search((uintptr_t)s->hva);
}

bool vh_disk_any(void)
{
    return search(0);
}
