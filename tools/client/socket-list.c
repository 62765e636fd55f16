/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of a folder. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "client.h"

GPtrArray *vh_socket_list(const char *folder, GError **error)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    GPtrArray *out;

    if (!dir) {
        g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                    "cannot read the folder '%s': %s", folder,
                    g_strerror(errno));
        return NULL;
    }
    out = g_ptr_array_new_with_free_func(g_free);
    while ((entry = readdir(dir))) {
        g_autofree char *path = g_build_filename(folder, entry->d_name, NULL);
        struct stat st;

        if (!stat(path, &st) && S_ISSOCK(st.st_mode)) {
            g_ptr_array_add(out, g_steal_pointer(&path));
        }
    }
    closedir(dir);
    return out;
}
