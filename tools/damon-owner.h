/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_DAMON_OWNER_H
#define VMHEAT_TOOLS_DAMON_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VH_DAMON_OWNER_PATH "/run/vmheat/damon.owner"

/**
 * struct VhDamonRecord - who uses the kernel's DAMON
 * @helper: process of the helper
 * @target: process that is watched
 * @kdamond: kernel thread; 0: not started yet
 * @mark: number that was left in the kernel; 0: there is no record
 */
typedef struct VhDamonRecord {
    pid_t helper, target, kdamond;
    uint64_t mark;
} VhDamonRecord;

/**
 * vh_damon_owner_open() - take the record for oneself
 * @path: of the record; its folder is made when there is none
 * @old: what a helper that was killed has left behind, else zeros
 * @why: names the helper that has it, or what went wrong (g_free)
 *
 * It is ours until the descriptor is closed, by the end of the process at the
 * latest.
 *
 * Returns: a descriptor, or -1.
 */
int vh_damon_owner_open(const char *path, VhDamonRecord *old, char **why);

/**
 * vh_damon_owner_write() - what a later helper shall know if we are killed
 * @fd: from vh_damon_owner_open()
 * @record: the record; NULL: nothing is left behind
 *
 * Returns: false when it could not be written; errno says why.
 */
bool vh_damon_owner_write(int fd, const VhDamonRecord *record);

#endif
