/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where machines come from: sockets that are named, a folder of sockets, a
 * libvirt.
 *
 * A folder is looked at again when inotify(7) says so, and each VH_TARGETS_US
 * in case it was itself replaced. Libvirt is asked each VH_TARGETS_US, in a
 * thread of its own, because it may take its time.
 */
#ifndef VMHEAT_EXPORTER_TARGETS_H
#define VMHEAT_EXPORTER_TARGETS_H

#include "vms.h"

#define VH_TARGETS_US 10000000

typedef struct VhTargets VhTargets;

/**
 * struct VhTargetsConfig - where to look
 * @sockets: paths, NULL at the end; may be NULL
 * @folder: of sockets; NULL: none
 * @libvirt: ask it
 * @uri: of libvirt; NULL: its default
 * @timeout_us: how long libvirt may take
 */
typedef struct VhTargetsConfig {
    char **sockets;
    const char *folder;
    bool libvirt;
    const char *uri;
    gint64 timeout_us;
} VhTargetsConfig;

/**
 * vh_targets_new() - find machines, and go on to
 * @config: outlives it
 * @vms: told what there is
 * @error: the folder cannot be read, or libvirt not be asked
 */
VhTargets *vh_targets_new(const VhTargetsConfig *config, VhVms *vms,
                          GError **error);

/** vh_targets_free() - find no more; waits for libvirt's answer */
void vh_targets_free(VhTargets *targets);

/**
 * vh_targets_name() - what a machine is called by its socket
 * @path: of the socket
 *
 * Returns: its file name without .qmp, .sock, .socket, .monitor; g_free().
 */
char *vh_targets_name(const char *path);

#endif
