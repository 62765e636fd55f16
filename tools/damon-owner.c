/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that says which helper uses the kernel's DAMON, and what it has left
 * there. The helper holds a lock on the file: it is alive as long as the lock is
 * held, whatever the process numbers in the file say. So the file is
 * emptied in the end, never removed: a lock on a removed file excludes nobody.
 * Only its owner may open it: who may read a file may lock it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "damon-owner.h"

#define FORMAT "vmheat-damon-1 helper %d target %d kdamond %d mark %lu\n"
#define RECORD_MAX 256

static void read_record(int fd, VhDamonRecord *out)
{
    char text[RECORD_MAX + 1];
    ssize_t n = pread(fd, text, RECORD_MAX, 0);
    int helper, target, kdamond;
    unsigned long mark;

    *out = (VhDamonRecord){ 0 };
    text[MAX(n, 0)] = 0;
    if (sscanf(text, FORMAT, &helper, &target, &kdamond, &mark) == 4) {
        *out = (VhDamonRecord){ helper, target, kdamond, mark };
    }
}

static char *problem(const char *path, int fd, int err)
{
    VhDamonRecord r;

    if (fd < 0 || err != EWOULDBLOCK) {
        return g_strdup_printf("cannot use %s: %s", path, g_strerror(err));
    }
    read_record(fd, &r);
    return g_strdup_printf("another owner holds DAMON: a 'vmheat grant --damon' "
                           "(process %d) watches process %d; the kernel's DAMON "
                           "serves one at a time",
                           r.helper, r.target);
}

int vh_damon_owner_open(const char *path, VhDamonRecord *old, char **why)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd;

    g_mkdir_with_parents(folder, 0755); /* open() tells if that failed */
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
        *why = problem(path, fd, errno);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    read_record(fd, old);
    return fd;
}

bool vh_damon_owner_write(int fd, const VhDamonRecord *r)
{
    char text[RECORD_MAX] = "";
    int n = 0;

    if (r) {
        n = snprintf(text, sizeof(text), FORMAT, r->helper, r->target,
                     r->kdamond, (unsigned long)r->mark);
    }
    return !ftruncate(fd, 0) && pwrite(fd, text, n, 0) == n;
}
