/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bodies of the QMP commands for schemes; as those in monitor/qmp.c.
 */
#include "compat/qemu.h"
#include "hw/vmheat.h"
#include "monitor/query.h"
#include "vmheat-qapi-commands.h"

VmheatSchemeInfoList *qmp_query_vmheat_schemes(bool has_tried_regions,
                                               bool tried_regions, Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    return d ? vmheat_schemes_query(d->schemes,
                                    has_tried_regions && tried_regions)
             : NULL;
}

void qmp_vmheat_set_schemes(VmheatSchemeList *schemes, Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    if (d) {
        vmheat_set_schemes(d, schemes, errp);
    }
}

VmheatActionInfoList *qmp_query_vmheat_actions(Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    return d ? vmheat_schemes_actions(d->schemes, d->map.watched) : NULL;
}
