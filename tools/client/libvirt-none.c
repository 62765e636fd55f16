/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instead of libvirt.c and libvirt-list.c in a build without libvirt. */
#include "transport.h"

static void say_none(GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                "this vmheat was built without libvirt; give it a QMP socket "
                "with -s, or build it where libvirt-dev is installed");
}

VhTransport *vh_libvirt_open(const char *uri, const char *domain,
                             VhDomain *known, const VhTransportHooks *hooks,
                             gint64 timeout_us, GError **error)
{
    say_none(error);
    return NULL;
}

GPtrArray *vh_libvirt_list(const char *uri, gint64 timeout_us, GError **error)
{
    say_none(error);
    return NULL;
}
