/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines that are watched. Any thread may call any of these. */
#ifndef VMHEAT_EXPORTER_VMS_H
#define VMHEAT_EXPORTER_VMS_H

#include "vm.h"

#define VH_VMS_MAX 1000

typedef struct VhVms VhVms;

/**
 * struct VhVmsHooks - who wants to know; called in any thread
 * @view: there is a new view of a machine
 * @event: a machine told something
 * @opaque: handed to both
 */
typedef struct VhVmsHooks {
    void (*view)(void *opaque, VhVm *vm, VhView *view);
    void (*event)(void *opaque, const char *id, const char *name,
                  JsonObject *data);
    void *opaque;
} VhVmsHooks;

/**
 * struct VhVmsConfig - of all machines
 * @uri: of libvirt; NULL: its default
 * @timeout_us: for each question
 * @pace: how often to ask
 * @history: how much to keep of each
 * @records: folder of records; NULL: none
 * @hooks: who wants to know
 */
typedef struct VhVmsConfig {
    const char *uri;
    gint64 timeout_us;
    VhPace pace;
    VhHistoryLimits history;
    const char *records;
    VhVmsHooks hooks;
} VhVmsConfig;

/** vh_vms_new() - none yet */
VhVms *vh_vms_new(const VhVmsConfig *config);

/**
 * vh_vms_stop() - watch none from now on
 * @vms: the machines
 * @wait_us: how long their threads may take to end
 *
 * Returns: whether all have; if not, vh_vms_free() must not be called.
 */
bool vh_vms_stop(VhVms *vms, gint64 wait_us);

/** vh_vms_free() - after vh_vms_stop() */
void vh_vms_free(VhVms *vms);

/**
 * vh_vms_set() - these are there, and no others of that source
 * @vms: the machines
 * @source: who says so, such as "sockets"; those of others stay
 * @addresses: sockets, or UUIDs of domains
 * @names: what each is called until it says
 * @libvirt: they are domains
 *
 * Machines that are watched already go on.
 */
void vh_vms_set(VhVms *vms, const char *source, const GPtrArray *addresses,
                const GPtrArray *names, bool libvirt);

/**
 * vh_vms_views() - what is known of all, sorted by domain
 * @vms: the machines
 *
 * Returns: an array of VhView, that owns references.
 */
GPtrArray *vh_vms_views(VhVms *vms);

/** vh_vms_find() - a machine by VhView::id; a reference, or NULL */
VhVm *vh_vms_find(VhVms *vms, const char *id);

/** vh_vms_look() - somebody looks at the list of all */
void vh_vms_look(VhVms *vms);


#endif
