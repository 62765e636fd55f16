/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a schema of our own leave through QEMU's emitter. The event number
 * it takes only selects rate limiting and tracing, and ours means nothing to
 * it: number 0 (SHUTDOWN) is the one that is never rate limited. What clients
 * see is the name inside the QDict.
 */
#include "compat/qemu.h"
#include "hw/events.h"
#include "qapi/qapi-emit-events.h"
#include "qapi/qmp/qdict.h"
#include "vmheat-qapi-emit-events.h"
#include "vmheat-qapi-events.h"

void vmheat_qapi_event_emit(vmheat_QAPIEvent event, QDict *qdict)
{
    qapi_event_emit(QAPI_EVENT_SHUTDOWN, qdict);
}

void vmheat_event_state(const char *id, VmheatState state, const char *why)
{
    qapi_event_send_vmheat_state_changed(id != NULL, id, state, why != NULL,
                                         why);
}

void vmheat_event_primitive(const char *id, const char *primitive,
                            const char *reason)
{
    qapi_event_send_vmheat_primitive_changed(id != NULL, id, primitive,
                                             reason);
}
