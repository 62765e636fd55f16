/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QEMU device "vmheat": state and the operations that QMP and HMP use.
 * All functions are called under the BQL unless they say otherwise.
 */
#ifndef VMHEAT_HW_VMHEAT_H
#define VMHEAT_HW_VMHEAT_H

#include "compat/qemu.h"
#include "hw/bql-call.h"
#include "hw/dirty.h"
#include "hw/footprint.h"
#include "hw/grants.h"
#include "hw/map.h"
#include "hw/primitives.h"
#include "hw/schemes.h"
#include "hw/suspend.h"
#include "hw/worker.h"
#include "vmheat/monitor.h"
#include "vmheat-qapi-types.h"

#define TYPE_VMHEAT "vmheat"
OBJECT_DECLARE_SIMPLE_TYPE(VmheatDevice, VMHEAT)

/**
 * struct VmheatDevice - one guest's monitor
 * @parent_obj: QEMU's
 * @attrs: attributes in force; properties until realize, vmheat-set after it
 * @limits: cost limits in force
 * @estimator_name: property
 * @plugin_path: property primitive-plugin
 * @page_idle_path: property page-idle-bitmap
 * @pagemap_path: property pagemap
 * @fake_script: property x-fake-script
 * @schemes_path: property schemes
 * @paused: property, then by vmheat-pause and vmheat-resume
 * @host: what the primitive is given
 * @estimator: chosen at realize
 * @plugin: from @plugin_path, or NULL
 * @grants: files of the host that were handed over
 * @primitives: which are in use
 * @map: guest memory
 * @bql: how the worker reaches the main thread
 * @dirty: log of guest writes
 * @suspend: who else needs guest memory right now
 * @schemes: what is done to memory
 * @footprint: what memory takes of the host
 * @worker: the thread
 * @failure: what the worker last complained about, or NULL; @failure_lock
 * @failure_lock: protects @failure, which the worker thread writes
 * @told_primitive: the primitive last told by an event
 * @last_state: last state told by an event; at first suspended
 * @bql_max_ns: longest time one of our callbacks held the BQL
 * @bql_dropped_ns: time for which the running callback has dropped it
 * @unplugging: an unplug is on its way
 * @exit: ends the worker when QEMU exits
 */
struct VmheatDevice {
    DeviceState parent_obj;

    VhAttrs attrs;
    VhLimits limits;
    char *estimator_name;
    char *plugin_path;
    char *page_idle_path;
    char *pagemap_path;
    char *fake_script;
    char *schemes_path;
    bool paused;

    VhHost host;
    const VhEstimatorOps *estimator;
    VhPrimitiveOps *plugin;
    VmheatGrants grants;
    VmheatPrimitives primitives;
    VmheatMapTracker map;
    VmheatBqlCaller *bql;
    VmheatDirty dirty;
    VmheatSuspend suspend;
    VmheatSchemes *schemes;
    VmheatFootprint *footprint;
    VmheatWorker *worker;
    QemuMutex failure_lock;
    char *failure;
    const VhPrimitiveOps *told_primitive;
    VmheatState last_state;
    int64_t bql_max_ns;
    int64_t bql_dropped_ns;
    bool unplugging;
    Notifier exit;
};

/** vmheat_find() - the one realized device, or NULL */
VmheatDevice *vmheat_find(void);

/**
 * vmheat_get_state() - what the device is doing
 * @why: out, why it is suspended or failed, or NULL; g_free()
 */
VmheatState vmheat_get_state(VmheatDevice *d, char **why);

/** vmheat_set_paused() - vmheat-pause and vmheat-resume */
void vmheat_set_paused(VmheatDevice *d, bool paused);

/** vmheat_set_attrs() - checks both and takes both, or neither */
bool vmheat_set_attrs(VmheatDevice *d, const VhAttrs *attrs,
                      const VhLimits *limits, Error **errp);

/** vmheat_set_schemes() - replace all schemes, or on an error none */
bool vmheat_set_schemes(VmheatDevice *d, const VmheatSchemeList *list,
                        Error **errp);

/**
 * vmheat_let_go() - release guest memory until vmheat_come_back()
 *
 * Waits until it is done, at most 100 ms. @d may be NULL: nothing to do.
 */
void vmheat_let_go(VmheatDevice *d);

/** vmheat_come_back() - do again what the state says; @d may be NULL */
void vmheat_come_back(VmheatDevice *d);

/** vmheat_request_unplug() - release guest memory, then finish device_del */
void vmheat_request_unplug(VmheatDevice *d);

/** vmheat_register_types() - the QOM types; once, when the plugin loads */
void vmheat_register_types(void);

/** struct VmheatBqlTimer - measures how long a callback of ours holds the BQL
 */
typedef struct VmheatBqlTimer {
    VmheatDevice *device;
    int64_t start;
} VmheatBqlTimer;

/** vmheat_bql_timer_end() - for VMHEAT_BQL_TIMER() */
void vmheat_bql_timer_end(VmheatBqlTimer *t);

/** VMHEAT_BQL_TIMER() - measure from here to the end of the scope */
#define VMHEAT_BQL_TIMER(dev)                              \
    __attribute__((cleanup(vmheat_bql_timer_end), unused)) \
    VmheatBqlTimer bql_timer_ = { (dev), get_clock() }

#endif
