/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_QEMU_ARGS_H
#define VMHEAT_TOOLS_LIBVIRT_QEMU_ARGS_H

#include "xml.h"

/* Arguments of vmheat among those of <qemu:commandline>. */
typedef struct VhQemuArgs {
    unsigned nr_plugins, nr_devices;
    /* the last of each: the element of the value; before it that of the word */
    xmlNode *plugin_word, *plugin, *device_word, *device;
} VhQemuArgs;

/**
 * vh_qemu_args_find() - look for them
 * @domain: the root element
 */
VhQemuArgs vh_qemu_args_find(xmlNode *domain);

/**
 * vh_qemu_args_add() - append them
 * @domain: the root element
 * @notes: where it is noted whether <qemu:commandline> was made
 * @plugin: value of "-plugin"
 * @device: value of "-device"
 */
void vh_qemu_args_add(xmlNode *domain, xmlNode *notes, const char *plugin,
                      const char *device);

/**
 * vh_qemu_args_undo() - remove them
 * @domain: the root element
 * @notes: what vh_qemu_args_add() noted
 */
void vh_qemu_args_undo(xmlNode *domain, xmlNode *notes);

#endif
