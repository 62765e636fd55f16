/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP events, hiding that QAPI's generated signatures differ between QEMU
 * versions. Any thread.
 */
#ifndef VMHEAT_HW_EVENTS_H
#define VMHEAT_HW_EVENTS_H

#include "compat/qemu.h"
#include "vmheat-qapi-types.h"

/** struct VmheatStateEvent - a VMHEAT_STATE_CHANGED yet to be sent */
typedef struct VmheatStateEvent VmheatStateEvent;

/** vmheat_state_event_new() - @id and @why are copied and may be NULL */
VmheatStateEvent *vmheat_state_event_new(const char *id, VmheatState state,
                                         const char *why);

/** vmheat_state_event_send() - send and free the VmheatStateEvent @opaque */
void vmheat_state_event_send(void *opaque);

/** vmheat_event_primitive() - VMHEAT_PRIMITIVE_CHANGED; @id may be NULL */
void vmheat_event_primitive(const char *id, const char *primitive,
                            const char *reason);

/** vmheat_event_back_off() - VMHEAT_SCHEME_BACK_OFF; @id may be NULL */
void vmheat_event_back_off(const char *id, const char *scheme,
                           const char *reason, uint64_t duration_us);

/** vmheat_event_goal_reached() - VMHEAT_SCHEME_GOAL_REACHED; likewise */
void vmheat_event_goal_reached(const char *id, const char *scheme,
                               uint64_t score);

#endif
