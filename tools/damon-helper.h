/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_DAMON_HELPER_H
#define VMHEAT_TOOLS_DAMON_HELPER_H

#include "damon-sysfs.h"

/**
 * struct VhDamonHelper - what the helper works with; the caller closes all
 * @sysfs: DAMON, for the one process it may watch
 * @socket: our end
 * @process: pidfd of that process, -1: none
 * @signals: signalfd of the signals that end it
 * @percent: how much of one CPU reading regions may take, 1 .. 100
 */
typedef struct VhDamonHelper {
    VhDamonSysfs *sysfs;
    int socket, process, signals;
    unsigned percent;
} VhDamonHelper;

/**
 * vh_damon_helper_run() - serve QEMU until one of the two ends
 * @h: what to work with
 * @why: a sentence on why it ended (g_free)
 *
 * DAMON is given back in any case.
 *
 * Returns: true when QEMU or the user ended it.
 */
bool vh_damon_helper_run(const VhDamonHelper *h, char **why);

#endif
