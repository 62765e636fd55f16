/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device_add and device_del for a device without a bus.
 */
#ifndef VMHEAT_HW_HOTPLUG_H
#define VMHEAT_HW_HOTPLUG_H

/** vmheat_hotplug_register_types() - the QOM type; before the next one */
void vmheat_hotplug_register_types(void);

/** vmheat_hotplug_install() - teach the present machine about our device */
void vmheat_hotplug_install(void);

#endif
