/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a schema of our own leave through QEMU's emitter. The event number
 * it takes only selects rate limiting and tracing, and ours means nothing to
 * it: number 0 (SHUTDOWN) is the one that is never rate limited. What clients
 * see is the name inside the QDict.
 */
#include "compat/qemu.h"
#include "qapi/qapi-emit-events.h"
#include "vmheat-qapi-emit-events.h"

void vmheat_qapi_event_emit(vmheat_QAPIEvent event, QDict *qdict)
{
    qapi_event_emit(QAPI_EVENT_SHUTDOWN, qdict);
}
