/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a QEMU with vmheat built in: types are registered as those of any
 * device, commands and events are in QEMU's own schema, "info vmheat" is in
 * QEMU's own table. What needs the machine waits until it is made: the device
 * is there before that, but cannot be unplugged yet, nor can anybody set a
 * capability of migration.
 */
#include "compat/qemu.h"
#include "hw/vmheat-hotplug.h"
#include "hw/vmheat.h"
#include "monitor/capabilities.h"

static void install(Notifier *notifier, void *data)
{
    vmheat_hotplug_install();
    vmheat_capabilities_install();
}

static void vmheat_in_tree_register(void)
{
    static Notifier machine_done = { .notify = install };

    vmheat_register_types();
    vmheat_hotplug_register_types();
    qemu_add_machine_init_done_notifier(&machine_done);
}

type_init(vmheat_in_tree_register)
