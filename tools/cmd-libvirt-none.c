/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instead of cmd-libvirt.c in a build without libvirt. */
#include "cli.h"

static int say_none(void)
{
    vh_cli_complain("this vmheat was built without libvirt; build it where "
                    "libvirt-dev and libxml2-dev are installed");
    return VH_EXIT_CONNECT;
}

int vh_cmd_libvirt_enable(const VhOptions *options, const VhTerm *term)
{
    return say_none();
}

int vh_cmd_libvirt_disable(const VhOptions *options, const VhTerm *term)
{
    return say_none();
}

int vh_cmd_libvirt_show(const VhOptions *options, const VhTerm *term)
{
    return say_none();
}
