/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Setting migration capabilities makes QEMU try whether a background snapshot
 * would work: it registers all guest memory with a userfaultfd of its own, and
 * that fails while ours is registered. So vmheat lets go of guest memory for as
 * long as such a command runs.
 *
 * The commands' functions are wrapped in the tables of QMP and HMP. QEMU's own
 * functions hang off the machine as a QOM object.
 */
#include "compat/qemu.h"
#include "hw/vmheat.h"
#include "monitor/capabilities.h"
#include "monitor/tables.h"

#define TYPE_VMHEAT_CAPABILITIES "vmheat-capabilities"
OBJECT_DECLARE_SIMPLE_TYPE(VmheatCapabilities, VMHEAT_CAPABILITIES)

struct VmheatCapabilities {
    Object parent_obj;
    QmpCommandFunc *qmp;
    void (*hmp)(Monitor *mon, const QDict *qdict);
};

static const TypeInfo capabilities_info = {
    .name = TYPE_VMHEAT_CAPABILITIES,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(VmheatCapabilities),
};

static VmheatCapabilities *qemus(void)
{
    return VMHEAT_CAPABILITIES(
        object_resolve_path("/machine/vmheat-capabilities", NULL));
}

static void set_by_qmp(QDict *args, QObject **ret, Error **errp)
{
    VmheatDevice *d = vmheat_find();

    vmheat_let_go(d);
    qemus()->qmp(args, ret, errp);
    vmheat_come_back(d);
}

static void set_by_hmp(Monitor *mon, const QDict *qdict)
{
    VmheatDevice *d = vmheat_find();

    vmheat_let_go(d);
    qemus()->hmp(mon, qdict);
    vmheat_come_back(d);
}

void vmheat_capabilities_install(void)
{
    HMPCommand *hmp = vmheat_hmp_find("migrate_set_capability");
    Object *o;

    type_register_static(&capabilities_info);
    o = object_new(TYPE_VMHEAT_CAPABILITIES);
    VMHEAT_CAPABILITIES(o)->qmp =
        vmheat_qmp_wrap("migrate-set-capabilities", set_by_qmp);
    if (hmp) {
        VMHEAT_CAPABILITIES(o)->hmp = hmp->cmd;
        hmp->cmd = set_by_hmp;
    }
    object_property_add_child(qdev_get_machine(), "vmheat-capabilities", o);
    object_unref(o);
}
