/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting our commands into the monitors of the running QEMU.
 */
#ifndef VMHEAT_MONITOR_INSTALL_H
#define VMHEAT_MONITOR_INSTALL_H

#include <stdbool.h>
#include "monitor/monitor-internal.h"

/** vmheat_monitor_installed() - has another copy of vmheat done it? */
bool vmheat_monitor_installed(void);

/** vmheat_monitor_install_types() - the QOM type; before vmheat_qmp_install */
void vmheat_monitor_register_types(void);

/** vmheat_qmp_install() - QMP commands and their introspection; once */
void vmheat_qmp_install(void);

/**
 * vmheat_qmp_wrap() - put @fn in the place of a QMP command's function
 * @name: QEMU's command
 * @fn: called instead
 *
 * Returns: QEMU's own function, for @fn to call; NULL without such a command.
 */
QmpCommandFunc *vmheat_qmp_wrap(const char *name, QmpCommandFunc *fn);

/**
 * vmheat_capabilities_install() - stand aside while migration capabilities are
 *                                 set, in QMP and HMP; once
 */
void vmheat_capabilities_install(void);

/** vmheat_hmp_find() - QEMU's HMP command of this name, or NULL */
HMPCommand *vmheat_hmp_find(const char *name);

/** vmheat_hmp_install() - "info vmheat"; once */
void vmheat_hmp_install(void);

#endif
