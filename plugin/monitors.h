/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting our commands into the monitors of a QEMU that knows nothing of them.
 */
#ifndef VMHEAT_PLUGIN_MONITORS_H
#define VMHEAT_PLUGIN_MONITORS_H

#include <stdbool.h>

/** vmheat_monitor_installed() - has another copy of vmheat done it? */
bool vmheat_monitor_installed(void);

/** vmheat_monitor_register_types() - the QOM type; before vmheat_qmp_install */
void vmheat_monitor_register_types(void);

/** vmheat_qmp_install() - QMP commands and their introspection; once */
void vmheat_qmp_install(void);

/** vmheat_hmp_install() - "info vmheat"; once */
void vmheat_hmp_install(void);

#endif
