/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QEMU hot-plugs a device through the hotplug handler of its bus or, for one
 * without a bus, of the machine. No machine knows our device, so the machine
 * class's get_hotplug_handler is wrapped: for our device it returns the object
 * below, for all others it asks the machine as before. The object hangs off
 * the machine, so nothing of this is kept in variables of the file.
 *
 * Unplugging is a request: see hw/vmheat.c.
 */
#include "compat/qemu.h"
#include "hw/vmheat-hotplug.h"
#include "hw/vmheat.h"

#define TYPE_VMHEAT_HOTPLUG "vmheat-hotplug-handler"
#define VMHEAT_HOTPLUG_PATH "/machine/vmheat-hotplug"
OBJECT_DECLARE_SIMPLE_TYPE(VmheatHotplug, VMHEAT_HOTPLUG)

typedef HotplugHandler *(*GetHotplugHandler)(MachineState *machine,
                                             DeviceState *dev);

struct VmheatHotplug {
    Object parent_obj;
    GetHotplugHandler next;
};

static void plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    /* realize did it all */
}

static void unplug_request(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    vmheat_request_unplug(VMHEAT(dev));
}

static void unplug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    qdev_unrealize(dev);
}

static HotplugHandler *get_hotplug_handler(MachineState *machine,
                                           DeviceState *dev)
{
    VmheatHotplug *h =
        VMHEAT_HOTPLUG(object_resolve_path(VMHEAT_HOTPLUG_PATH, NULL));

    if (object_dynamic_cast(OBJECT(dev), TYPE_VMHEAT)) {
        return HOTPLUG_HANDLER(h);
    }
    return h->next ? h->next(machine, dev) : NULL;
}

static void hotplug_class_init(ObjectClass *oc, VhClassData *data)
{
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(oc);

    hc->plug = plug;
    hc->unplug_request = unplug_request;
    hc->unplug = unplug;
}

static const TypeInfo hotplug_info = {
    .name = TYPE_VMHEAT_HOTPLUG,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(VmheatHotplug),
    .class_init = hotplug_class_init,
    .interfaces = (VhInterfaceInfo[]){ { TYPE_HOTPLUG_HANDLER }, {} },
};

void vmheat_hotplug_register_types(void)
{
    type_register_static(&hotplug_info);
}

void vmheat_hotplug_install(void)
{
    Object *machine = qdev_get_machine();
    MachineClass *mc = MACHINE_GET_CLASS(machine);
    VmheatHotplug *h = VMHEAT_HOTPLUG(object_new(TYPE_VMHEAT_HOTPLUG));

    h->next = mc->get_hotplug_handler;
    object_property_add_child(machine, "vmheat-hotplug", OBJECT(h));
    object_unref(OBJECT(h));
    mc->get_hotplug_handler = get_hotplug_handler;
}
