/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory that is a file on a disk can leave memory without swap.
 */
#ifndef VMHEAT_ACTIONS_DISK_H
#define VMHEAT_ACTIONS_DISK_H

#include "vmheat/map.h"

/** vh_disk_backs() - is the section a shared mapping of such a file? */
bool vh_disk_backs(const VhMapSection *s);

/** vh_disk_any() - is there any writable shared mapping of such a file? */
bool vh_disk_any(void);

#endif
