/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_MONITOR_INFO_H
#define VMHEAT_MONITOR_INFO_H

/** hmp_info_vmheat() - "info vmheat" */
void hmp_info_vmheat(Monitor *mon, const QDict *qdict);

#endif
