/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP events, hiding that QAPI's generated signatures differ between QEMU
 * versions. Any thread.
 */
#ifndef VMHEAT_HW_EVENTS_H
#define VMHEAT_HW_EVENTS_H

#include "compat/qemu.h"
#include "vmheat-qapi-types.h"

/** vmheat_event_state() - VMHEAT_STATE_CHANGED; @id and @why may be NULL */
void vmheat_event_state(const char *id, VmheatState state, const char *why);

/** vmheat_event_primitive() - VMHEAT_PRIMITIVE_CHANGED; @id may be NULL */
void vmheat_event_primitive(const char *id, const char *primitive,
                            const char *reason);

#endif
