/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grant-files.h"
#include "grant-target.h"

static void append(VhGrantFiles *files, const char *what, const char *fdname,
                   const char *path, int fd)
{
    g_assert(files->nr < VH_GRANT_FILES_MAX);
    files->v[files->nr++] =
        (VhGrantFile){ what, fdname, g_strdup(path), fd };
}

static char *open_problem(const char *path, int err)
{
    return g_strdup_printf("cannot open %s: %s%s", path, g_strerror(err),
                           err == EACCES || err == EPERM
                               ? "; run 'vmheat grant' as root"
                               : "");
}

static int open_bitmap(const char *path, char **why)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        *why = g_strdup_printf("this host's kernel has no idle-page bitmap (%s "
                               "is missing): it needs "
                               "CONFIG_IDLE_PAGE_TRACKING=y; where the kernel "
                               "has DAMON, use 'vmheat grant --damon'",
                               path);
    } else if (fd < 0) {
        *why = open_problem(path, errno);
    }
    return fd;
}

/* The kernel shows page frame numbers to who may see them when opening. */
static int open_pagemap(const char *path, char **why)
{
    int fd;

    if (!vh_grant_sees_pfns()) {
        *why = g_strdup_printf("without CAP_SYS_ADMIN the kernel shows no page "
                               "frame numbers in %s; run 'vmheat grant' as root",
                               path);
        return -1;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *why = open_problem(path, errno);
    }
    return fd;
}

bool vh_grant_files_idle_page(VhGrantFiles *files, const char *bitmap,
                              pid_t pid, char **why)
{
    g_autofree char *pagemap = g_strdup_printf("/proc/%d/pagemap", pid);
    int bitmap_fd = open_bitmap(bitmap, why), pagemap_fd;

    if (bitmap_fd < 0) {
        return false;
    }
    pagemap_fd = open_pagemap(pagemap, why);
    if (pagemap_fd < 0) {
        close(bitmap_fd);
        return false;
    }
    append(files, "page-idle-bitmap", "vmheat-page-idle-bitmap", bitmap,
           bitmap_fd);
    append(files, "pagemap", "vmheat-pagemap", pagemap, pagemap_fd);
    return true;
}

bool vh_grant_files_damon(VhGrantFiles *files, int *ours, char **why)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
        *why = g_strdup_printf("cannot make a socket: %s", g_strerror(errno));
        return false;
    }
    *ours = fds[0];
    append(files, "damon", "vmheat-damon", "the kernel's DAMON, through this "
                                           "helper", fds[1]);
    return true;
}

void vh_grant_files_close(VhGrantFiles *files)
{
    for (unsigned i = 0; i < files->nr; i++) {
        close(files->v[i].fd);
        g_free(files->v[i].path);
    }
    files->nr = 0;
}
