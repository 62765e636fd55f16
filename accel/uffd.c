/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A read fault on a page-cache mapping also maps up to 15 neighbours that are
 * in the page cache (fault-around), armed pages among them: they would look
 * accessed. The kernel leaves that out in a range registered with a
 * userfaultfd in write-protect mode (mm/memory.c, uffd_disable_fault_around()).
 * We register and never write-protect anything, so no fault is ever delivered
 * to the descriptor and nobody has to read it.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accel/uffd.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif

int vh_uffd_open(void)
{
    struct uffdio_api api = {
        .api = UFFD_API,
        .features =
            UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
    };
    int fd =
        syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool vh_uffd_register(int fd, void *addr, size_t len)
{
    struct uffdio_register reg = {
        .range = { .start = (uintptr_t)addr, .len = len },
        .mode = UFFDIO_REGISTER_MODE_WP,
    };

    return fd >= 0 && ioctl(fd, UFFDIO_REGISTER, &reg) == 0;
}

void vh_uffd_unregister(int fd, void *addr, size_t len)
{
    struct uffdio_range range = { .start = (uintptr_t)addr, .len = len };

    ioctl(fd, UFFDIO_UNREGISTER, &range);
}
