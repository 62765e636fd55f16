/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_DAMON_SYSFS_H
#define VMHEAT_TOOLS_DAMON_SYSFS_H

#include <glib.h>
#include <sys/types.h>

#include "accel/damon-wire.h"

#define VH_DAMON_SYSFS_ROOT "/sys/kernel/mm/damon/admin"

/**
 * struct VhDamonFiles - where DAMON's files are
 * @root: folder that has kdamonds/
 * @owner: see damon-owner.h
 * @write: writes @text to @path; returns 0 or an errno. NULL: just that. Tests
 *         do what the kernel does.
 * @opaque: for @write
 */
typedef struct VhDamonFiles {
    const char *root;
    const char *owner;
    int (*write)(void *opaque, const char *path, const char *text);
    void *opaque;
} VhDamonFiles;

typedef struct VhDamonSysfs VhDamonSysfs;

/**
 * vh_damon_sysfs_new() - DAMON for one process; changes nothing yet
 * @files: must outlive it
 * @target: the only process it will ever watch
 */
VhDamonSysfs *vh_damon_sysfs_new(const VhDamonFiles *files, pid_t target);

/**
 * vh_damon_sysfs_free() - also stops
 * @s: may be NULL
 */
void vh_damon_sysfs_free(VhDamonSysfs *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhDamonSysfs, vh_damon_sysfs_free)

/**
 * vh_damon_sysfs_check() - could it be started now?
 * @s: not started
 * @why: a sentence (g_free)
 *
 * Cleans up what a helper that was killed has left behind.
 */
bool vh_damon_sysfs_check(VhDamonSysfs *s, char **why);

/**
 * vh_damon_sysfs_start() - watch
 * @s: not started
 * @watch: what; checked already
 * @why: a sentence (g_free); nothing is left behind then
 */
bool vh_damon_sysfs_start(VhDamonSysfs *s, const VhDamonWatch *watch,
                          char **why);

/**
 * vh_damon_sysfs_read() - what DAMON has found out
 * @s: started
 * @why: a sentence (g_free) when it cannot go on
 *
 * Waits for the kernel, for up to two aggregation intervals.
 *
 * Returns: sorted VhDamonRegion; or NULL and no @why: try again later.
 */
GArray *vh_damon_sysfs_read(VhDamonSysfs *s, char **why);

/**
 * vh_damon_sysfs_stop() - give DAMON back to others
 * @s: started or not
 *
 * What is not ours (any more) is left alone.
 *
 * Returns: false when the kernel did not let go of it. It is cleaned up by
 * the next helper then.
 */
bool vh_damon_sysfs_stop(VhDamonSysfs *s);

#endif
