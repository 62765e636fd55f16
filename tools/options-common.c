/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of most verbs: which machine, how to print. */
#include "options-table.h"
#include "units.h"

static const char *take_socket(VhOptions *o, const char *arg)
{
    o->socket = arg;
    return *arg ? NULL : "the path of a QMP socket";
}

static const char *take_connect(VhOptions *o, const char *arg)
{
    o->uri = arg;
    return *arg ? NULL : "a libvirt URI, such as qemu:///system";
}

static const char *take_color(VhOptions *o, const char *arg)
{
    o->color = VH_COLOR_ALWAYS;
    return NULL;
}

static const char *take_no_color(VhOptions *o, const char *arg)
{
    o->color = VH_COLOR_NEVER;
    return NULL;
}

static const char *take_timeout(VhOptions *o, const char *arg)
{
    return vh_parse_seconds(arg, &o->timeout_us)
               ? NULL
               : "a number of seconds, 0.01 .. 86400";
}

const VhOption vh_options_common[] = {
    { 's', "socket", "PATH", "QMP unix socket of QEMU; default: $VMHEAT_SOCKET",
      take_socket },
    { 'c', "connect", "URI", "libvirt to look for DOMAIN in; default: as virsh",
      take_connect },
    { 't', "timeout", "SECONDS", "how long to wait for an answer; default: 5",
      take_timeout },
    { 0, "json", NULL, "print JSON, as vmheat(1) tells", NULL, VH_FLAG(json) },
    { 0, "color", NULL, "use colours, whatever the output is", take_color },
    { 0, "no-color", NULL, "use no colours", take_no_color },
    {},
};
