/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A read fault on a page-cache mapping also maps up to 15 neighbours that are
 * in the page cache (fault-around), armed pages among them: they would look
 * accessed. The kernel leaves that out in a range registered with a
 * userfaultfd in write-protect mode (mm/memory.c, uffd_disable_fault_around()).
 *
 * With UFFD_FEATURE_WP_ASYNC (Linux 6.7) the kernel itself lifts the protection
 * of a page that is written; without, we register and never write-protect
 * anything. So no fault is ever delivered to the descriptor, nobody has to read
 * it, and nobody waits if we are gone.
 */
#include <errno.h>
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
/* From linux/userfaultfd.h of 5.19 and 6.7. */
#define FEATURE_WP_HUGETLBFS_SHMEM (1ULL << 12)
#define FEATURE_WP_UNPOPULATED (1ULL << 13)
#define FEATURE_WP_ASYNC (1ULL << 15)
#define FEATURES (UFFD_FEATURE_PAGEFAULT_FLAG_WP | FEATURE_WP_HUGETLBFS_SHMEM)

static int open_with(uint64_t features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };
    int fd =
        syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
        int error = errno;

        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

int vh_uffd_open(void)
{
    return open_with(FEATURES);
}

int vh_uffd_open_async(void)
{
    return open_with(FEATURES | FEATURE_WP_UNPOPULATED | FEATURE_WP_ASYNC);
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

bool vh_uffd_protect(int fd, void *addr, size_t len, bool on)
{
    struct uffdio_writeprotect wp = {
        .range = { .start = (uintptr_t)addr, .len = len },
        .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
    };

    return ioctl(fd, UFFDIO_WRITEPROTECT, &wp) == 0;
}
