/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_MONITOR_CAPABILITIES_H
#define VMHEAT_MONITOR_CAPABILITIES_H

/**
 * vmheat_capabilities_install() - stand aside while migration capabilities are
 *                                 set, in QMP and HMP; once, with a machine
 */
void vmheat_capabilities_install(void);

#endif
