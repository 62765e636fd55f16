/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of QEMU's own, in the tables of its monitors. */
#include "compat/qemu.h"
#include "monitor/tables.h"

QmpCommandFunc *vmheat_qmp_wrap(const char *name, QmpCommandFunc *fn)
{
    QmpCommand *cmd = (QmpCommand *)qmp_find_command(&qmp_commands, name);
    QmpCommandFunc *qemus = NULL;

    if (cmd) {
        qemus = cmd->fn;
        cmd->fn = fn;
    }
    return qemus;
}

HMPCommand *vmheat_hmp_find(const char *name)
{
    for (HMPCommand *c = hmp_cmds; c->name; c++) {
        if (g_str_equal(c->name, name)) {
            return c;
        }
    }
    return NULL;
}
