/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a privileged helper handed over; see VH_GRANT_... in
 * vmheat/primitive.h.
 */
#ifndef VMHEAT_HW_GRANTS_H
#define VMHEAT_HW_GRANTS_H

#include "compat/qemu.h"
#include "vmheat/primitive.h"

#define VMHEAT_GRANTS 3

/**
 * struct VmheatGrants - the files
 * @lock: protects @fds, which the worker reads
 * @fds: descriptors in the order of vmheat_grant_names(), -1: not granted
 */
typedef struct VmheatGrants {
    QemuMutex lock;
    int fds[VMHEAT_GRANTS];
} VmheatGrants;

/** vmheat_grants_init() - nothing is granted yet; fills in @host */
void vmheat_grants_init(VmheatGrants *g, VhHost *host);

/** vmheat_grants_destroy() - closes everything */
void vmheat_grants_destroy(VmheatGrants *g);

/** vmheat_grants_check() - is @fd what it is given as? Changes nothing. */
bool vmheat_grants_check(const char *what, int fd, Error **errp);

/** vmheat_grants_set() - @fd, which is taken, is @what; -1 takes it back */
void vmheat_grants_set(VmheatGrants *g, const char *what, int fd);

#endif
