/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A userfaultfd that does nothing but switch fault-around off.
 */
#ifndef VMHEAT_ACCEL_UFFD_H
#define VMHEAT_ACCEL_UFFD_H

#include <stdbool.h>
#include <stddef.h>

/**
 * vh_uffd_open() - a userfaultfd that can register shmem for write-protection
 *
 * Unprivileged (UFFD_USER_MODE_ONLY). Returns -1 when the kernel or a sandbox
 * does not let us have one.
 */
int vh_uffd_open(void);

/**
 * vh_uffd_register() - register a range; no page is ever write-protected
 *
 * False when it is registered already (QEMU's postcopy or background snapshot)
 * or its kind of file is not supported.
 */
bool vh_uffd_register(int fd, void *addr, size_t len);

/** vh_uffd_unregister() - undo vh_uffd_register() */
void vh_uffd_unregister(int fd, void *addr, size_t len);

#endif
