/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of QEMU's own, in the tables of its monitors. Under the BQL. */
#ifndef VMHEAT_MONITOR_TABLES_H
#define VMHEAT_MONITOR_TABLES_H

#include "monitor/monitor-internal.h"

/**
 * vmheat_qmp_wrap() - put @fn in the place of a QMP command's function
 * @name: QEMU's command
 * @fn: called instead
 *
 * Returns: QEMU's own function, for @fn to call; NULL without such a command.
 */
QmpCommandFunc *vmheat_qmp_wrap(const char *name, QmpCommandFunc *fn);

/** vmheat_hmp_find() - QEMU's HMP command of this name, or NULL */
HMPCommand *vmheat_hmp_find(const char *name);

#endif
