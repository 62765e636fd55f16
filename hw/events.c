/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "hw/events.h"
#include "vmheat-qapi-events.h"

struct VmheatStateEvent {
    char *id;
    VmheatState state;
    char *why;
};

VmheatStateEvent *vmheat_state_event_new(const char *id, VmheatState state,
                                         const char *why)
{
    VmheatStateEvent *e = g_new(VmheatStateEvent, 1);

    *e = (VmheatStateEvent){ g_strdup(id), state, g_strdup(why) };
    return e;
}

void vmheat_state_event_send(void *opaque)
{
    VmheatStateEvent *e = opaque;

    qapi_event_send_vmheat_state_changed(vh_opt_arg(e->id), e->state,
                                         vh_opt_arg(e->why));
    g_free(e->id);
    g_free(e->why);
    g_free(e);
}

void vmheat_event_primitive(const char *id, const char *primitive,
                            const char *reason)
{
    qapi_event_send_vmheat_primitive_changed(vh_opt_arg(id), primitive, reason);
}

void vmheat_event_back_off(const char *id, const char *scheme,
                           const char *reason, uint64_t duration_us)
{
    qapi_event_send_vmheat_scheme_back_off(vh_opt_arg(id), scheme, reason,
                                           duration_us);
}

void vmheat_event_goal_reached(const char *id, const char *scheme,
                               uint64_t score)
{
    qapi_event_send_vmheat_scheme_goal_reached(vh_opt_arg(id), scheme, score);
}
