/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userfaultfd in write-protect mode: the system calls.
 */
#ifndef VMHEAT_ACCEL_UFFD_H
#define VMHEAT_ACCEL_UFFD_H

#include <stdbool.h>
#include <stddef.h>

/**
 * vh_uffd_open() - a userfaultfd that can register shmem for write-protection
 *
 * Unprivileged (UFFD_USER_MODE_ONLY). Returns -1 and errno when the kernel or a
 * sandbox does not let us have one.
 */
int vh_uffd_open(void);

/**
 * vh_uffd_open_async() - one that resolves its write faults by itself
 *
 * And that can protect pages which are not populated. Needs Linux 6.7; on an
 * older kernel -1 and EINVAL.
 */
int vh_uffd_open_async(void);

/**
 * vh_uffd_register() - register a range; no page is write-protected by this
 *
 * False and errno when it is registered already (EBUSY: QEMU's postcopy or
 * background snapshot) or its kind of file is not supported.
 */
bool vh_uffd_register(int fd, void *addr, size_t len);

/** vh_uffd_unregister() - undo vh_uffd_register(); all protection goes */
void vh_uffd_unregister(int fd, void *addr, size_t len);

/**
 * vh_uffd_protect() - write-protect all pages of a registered range, or lift it
 *
 * Also those that are not populated.
 */
bool vh_uffd_protect(int fd, void *addr, size_t len, bool on);

#endif
