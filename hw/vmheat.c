/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The device ties the parts together: properties, the guest memory map
 * (hw/map.c), reasons to stay away from memory (hw/suspend.c) and the worker
 * thread that does the monitoring (hw/worker.c). It has no bus, no MMIO and no
 * guest driver; the guest cannot see it.
 *
 *            map changed ──┐
 *   suspend reason changed ┼──> update() ──> worker: map, active/idle
 *        pause and resume ─┘        └──────> event when the state changed
 *
 * All of that runs under the BQL and only hands requests to the worker. Four
 * moments wait for the worker: unrealize, exit, and, for 100 ms at most, when
 * an outgoing migration begins or migration capabilities are set (a background
 * snapshot and the test for it need our userfaultfd registration gone).
 *
 * device_del is asynchronous, as for a device that needs the guest's consent:
 * the worker is asked to end, releases guest memory, and its last act
 * schedules the bottom half that finishes the unplug. DEVICE_DELETED tells the
 * user when.
 */
#include "compat/qemu.h"
#include "accel/calibrate.h"
#include "accel/primitive-plugin.h"
#include "accel/uffd-share.h"
#include "hw/choose.h"
#include "hw/scheme-qapi.h"
#include "hw/events.h"
#include "hw/vcpu.h"
#include "hw/vmheat.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

/* How long QEMU may wait for the worker to let go of guest memory. */
#define RELEASE_WAIT_MS 100

void vmheat_bql_timer_end(VmheatBqlTimer *t)
{
    VmheatDevice *d = t->device;

    if (d) {
        int64_t held = get_clock() - t->start - d->bql_dropped_ns;

        d->bql_max_ns = MAX(d->bql_max_ns, held);
        d->bql_dropped_ns = 0;
    }
}

static uint64_t host_now_ns(void *opaque)
{
    return get_clock();
}

/* Is this host a virtual machine itself? */
static bool host_is_nested(void)
{
#ifdef __x86_64__
    unsigned eax, ebx, ecx = 0, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & (1u << 31));
#else
    return false;
#endif
}

static int take_if_realized(Object *child, void *opaque)
{
    VmheatDevice **found = opaque;
    Object *o = object_dynamic_cast(child, TYPE_VMHEAT);

    if (o && DEVICE(o)->realized) {
        *found = VMHEAT(o);
    }
    return *found != NULL;
}

VmheatDevice *vmheat_find(void)
{
    VmheatDevice *found = NULL;

    /* -device and device_add put a device into one of these, by its id */
    object_child_foreach(vh_machine_container("peripheral"), take_if_realized,
                         &found);
    if (!found) {
        object_child_foreach(vh_machine_container("peripheral-anon"),
                             take_if_realized, &found);
    }
    return found;
}

static const char *suspend_reason(VmheatDevice *d, bool *release)
{
    bool through = d->suspend.migrating &&
                   vmheat_primitives_through_migration(&d->primitives);

    return vmheat_suspend_reason(&d->suspend, through, release);
}

VmheatState vmheat_get_state(VmheatDevice *d, char **why)
{
    bool release;
    const char *reason = suspend_reason(d, &release);

    *why = NULL;
    WITH_QEMU_LOCK_GUARD(&d->failure_lock)
    {
        if (d->failure) {
            *why = g_strdup(d->failure);
            return VMHEAT_STATE_FAILED;
        }
    }
    if (d->paused) {
        return VMHEAT_STATE_PAUSED;
    }
    if (reason) {
        *why = g_strdup(reason);
        return VMHEAT_STATE_SUSPENDED;
    }
    return VMHEAT_STATE_RUNNING;
}

/*
 * The worker sends the event: writing to the monitor's socket wakes the client,
 * which may well preempt the writer, and that must not be a holder of the BQL.
 */
static void tell_state(VmheatDevice *d)
{
    g_autofree char *why = NULL;
    VmheatState state = vmheat_get_state(d, &why);

    if (d->worker && state != d->last_state) {
        d->last_state = state;
        vmheat_worker_post(d->worker, vmheat_state_event_send,
                           vmheat_state_event_new(DEVICE(d)->id, state, why));
    }
}

/* A provider of regions looks by itself, until memory is let go of. */
static VmheatWorkerMode resting(const VmheatDevice *d)
{
    return d->primitives.primitive.ops->regions ? VMHEAT_WORKER_RELEASE
                                                : VMHEAT_WORKER_HOLD;
}

/* Something that decides whether to sample has changed. */
static void update(VmheatDevice *d)
{
    bool release;
    bool suspended = suspend_reason(d, &release) != NULL;
    bool acts = vmheat_schemes_any(d->schemes);
    bool wait = d->suspend.migrating && (release || acts);

    if (!d->worker) {
        return; /* QEMU is exiting */
    }
    vmheat_worker_set_mode(d->worker,
                           release                  ? VMHEAT_WORKER_RELEASE
                           : d->paused || suspended ? resting(d)
                                                    : VMHEAT_WORKER_RUN,
                           acts && !d->suspend.migrating,
                           wait ? RELEASE_WAIT_MS : 0);
    if (wait && release) {
        vmheat_dirty_quiet(&d->dirty); /* nobody answered the worker */
    }
    tell_state(d);
}

static void suspend_changed(void *opaque)
{
    VmheatDevice *d = opaque;
    VMHEAT_BQL_TIMER(d->suspend.migrating ? NULL : d);

    update(d);
}

static void map_changed(void *opaque, VhMap *map) /* what is watched */
{
    VmheatDevice *d = opaque;

    d->primitives.chooser.map = map;
    if (d->worker) {
        vmheat_worker_set_map(d->worker, map);
    }
}

void vmheat_set_paused(VmheatDevice *d, bool paused)
{
    d->paused = paused;
    update(d);
}

void vmheat_let_go(VmheatDevice *d)
{
    if (d && d->worker) {
        vmheat_worker_set_mode(d->worker, VMHEAT_WORKER_RELEASE, false,
                               RELEASE_WAIT_MS);
        vmheat_dirty_quiet(&d->dirty);
    }
}

void vmheat_come_back(VmheatDevice *d)
{
    if (d) {
        update(d);
    }
}

/* Of a part of memory nobody can tell what the guest needs. */
static bool suits_target(VmheatDevice *d, const VmheatSchemeList *list,
                         Error **errp)
{
    for (; list && vmheat_target_is_restricted(&d->map.target);
         list = list->next) {
        if (list->value->action == VMHEAT_ACTION_BALLOON) {
            error_setg(errp, "action 'balloon' cannot be used with a target: "
                             "it has to see all of the guest's memory");
            return false;
        }
    }
    return true;
}

bool vmheat_set_schemes(VmheatDevice *d, const VmheatSchemeList *list,
                        Error **errp)
{
    if (!suits_target(d, list, errp) ||
        !vmheat_schemes_set(d->schemes, list, d->map.watched, errp)) {
        return false;
    }
    update(d);
    return true;
}

bool vmheat_set_attrs(VmheatDevice *d, const VhAttrs *attrs,
                      const VhLimits *limits, Error **errp)
{
    g_autofree char *why = NULL;

    if (!vh_attrs_check(attrs, &why) || !vh_limits_check(limits, &why)) {
        error_setg(errp, "%s", why);
        return false;
    }
    d->attrs = *attrs;
    d->limits = *limits;
    if (d->worker) {
        vmheat_worker_set_attrs(d->worker, attrs, limits);
    }
    return true;
}

/* A VmheatFault on its way from the worker to the main thread. */
typedef struct FaultNews {
    VmheatDevice *d;
    const VhPrimitiveOps *ops;
    char *why;
} FaultNews;

static void fault_bh(void *opaque)
{
    FaultNews *news = opaque;
    VmheatDevice *d = news->d;

    if (DEVICE(d)->realized) {
        if (news->why) {
            vmheat_primitives_failed(&d->primitives, news->ops, news->why);
        }
        update(d); /* what is left may have to stand aside, or not */
    }
    object_unref(OBJECT(d));
    g_free(news->why);
    g_free(news);
}

static void set_failure(VmheatDevice *d, const char *why)
{
    QEMU_LOCK_GUARD(&d->failure_lock);
    g_free(d->failure);
    d->failure = g_strdup(why);
}

/* Worker thread. */
static void worker_fault(void *opaque, const VmheatFault *f)
{
    VmheatDevice *d = opaque;
    FaultNews *news = g_new(FaultNews, 1);

    if (!f->writes) {
        set_failure(d, f->why);
    }
    *news = (FaultNews){ d, f->ops, g_strdup(f->why) };
    object_ref(OBJECT(d));
    aio_bh_schedule_oneshot(qemu_get_aio_context(), fault_bh, news);
}

/* Other primitives, or the same ones to be opened anew. */
static void primitives_changed(void *opaque)
{
    VmheatDevice *d = opaque;
    VmheatPrimitives *p = &d->primitives;
    bool release;

    if (!d->worker) {
        return; /* QEMU is exiting */
    }
    /* one that must stand aside now is not to begin, not even for a moment */
    suspend_reason(d, &release);
    if (release) {
        update(d);
    }
    vmheat_worker_set_primitives(d->worker, &p->primitive, &p->writes);
    update(d);
    if (d->told_primitive != p->primitive.ops) {
        d->told_primitive = p->primitive.ops;
        vmheat_event_primitive(DEVICE(d)->id, p->primitive.ops->name,
                               p->choice);
    }
}

static void start_worker(VmheatDevice *d)
{
    VhMonitorConfig cfg = {
        .attrs = d->attrs,
        .limits = d->limits,
        .estimator = d->estimator,
        .primitive = d->primitives.primitive,
        .writes = d->primitives.writes,
        .host = &d->host,
        .seed = get_clock(),
    };

    VmheatActor actor = vmheat_schemes_actor(d->schemes);
    VmheatChore chore = vmheat_footprint_chore(d->footprint);

    d->worker =
        vmheat_worker_new(&cfg, d->bql, &actor, &chore, worker_fault, d);
    vmheat_schemes_attach(d->schemes, d->worker);
    vmheat_worker_set_map(d->worker, d->map.watched);
}

static void stop_worker(VmheatDevice *d)
{
    if (d->worker) {
        vmheat_worker_free(d->worker);
        d->worker = NULL;
    }
}

static void finish_unplug_bh(void *opaque)
{
    VmheatDevice *d = opaque;
    DeviceState *dev = DEVICE(d);

    if (dev->realized) {
        hotplug_handler_unplug(qdev_get_hotplug_handler(dev), dev,
                               &error_abort);
        object_unparent(OBJECT(d));
    }
    object_unref(OBJECT(d));
}

/* Worker thread, its last act. */
static void worker_done(void *opaque)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), finish_unplug_bh, opaque);
}

void vmheat_request_unplug(VmheatDevice *d)
{
    if (!d->unplugging) {
        d->unplugging = true;
        object_ref(OBJECT(d));
        vmheat_worker_stop(d->worker, worker_done, d);
    }
}

static bool check_alone(Error **errp)
{
    VmheatDevice *other = vmheat_find();

    if (other) {
        error_setg(errp,
                   "there is a vmheat device%s%s%s already: only one can be",
                   DEVICE(other)->id ? " '" : "", DEVICE(other)->id ?: "",
                   DEVICE(other)->id ? "'" : "");
        return false;
    }
    return true;
}

static bool load_plugin(VmheatDevice *d, Error **errp)
{
    g_autofree char *why = NULL;

    if (!d->plugin_path || d->plugin) {
        return true;
    }
    d->plugin = vh_primitive_plugin_load(d->plugin_path, &why);
    if (!d->plugin) {
        error_setg(errp, "%s", why);
        return false;
    }
    d->primitives.chooser.plugin = d->plugin;
    return true;
}

/* @path may be /dev/fdset/N. */
static bool open_grant(VmheatDevice *d, const char *what, const char *path,
                       int flags, Error **errp)
{
    int fd;

    if (!path) {
        return true;
    }
    fd = qemu_open(path, flags, errp);
    if (fd < 0) {
        error_prepend(errp, "%s: ", what);
        return false;
    }
    if (!vmheat_grants_check(what, fd, errp)) {
        close(fd);
        return false;
    }
    vmheat_grants_set(&d->grants, what, fd);
    return true;
}

static bool take_properties(VmheatDevice *d, Error **errp)
{
    return load_plugin(d, errp) &&
           open_grant(d, VH_GRANT_PAGE_IDLE, d->page_idle_path, O_RDWR, errp) &&
           open_grant(d, VH_GRANT_PAGEMAP, d->pagemap_path, O_RDONLY, errp);
}

/* Property schemes. */
static bool load_schemes(VmheatDevice *d, Error **errp)
{
    ERRP_GUARD();
    g_autoptr(VmheatSchemeList) list = NULL;

    if (!d->schemes_path) {
        return true;
    }
    list = vmheat_scheme_list_load(d->schemes_path, errp);
    return !*errp && vmheat_set_schemes(d, list, errp);
}

static bool choose(VmheatDevice *d, Error **errp)
{
    if (!vmheat_set_attrs(d, &d->attrs, &d->limits, errp)) {
        return false;
    }
    d->estimator = vmheat_choose_estimator(d->estimator_name, errp);
    if (!d->estimator) {
        return false;
    }
    return vmheat_primitives_start(&d->primitives, d->map.watched, &d->host,
                                   primitives_changed, d, errp);
}

/* QEMU is about to exit: nobody may look at guest memory any more. */
static void exiting(Notifier *n, void *data)
{
    stop_worker(container_of(n, VmheatDevice, exit));
}

/* All that realize starts before the worker. */
static void stop_parts(VmheatDevice *d)
{
    g_clear_pointer(&d->schemes, vmheat_schemes_free);
    g_clear_pointer(&d->footprint, vmheat_footprint_free);
    vmheat_map_stop(&d->map);
    vmheat_dirty_stop(&d->dirty);
    g_clear_pointer(&d->bql, vmheat_bql_caller_free);
    g_clear_pointer(&d->host.uffd, vh_uffd_unref);
}

static void vmheat_realize(DeviceState *dev, Error **errp)
{
    VmheatDevice *d = VMHEAT(dev);

    if (!check_alone(errp) || !take_properties(d, errp)) {
        return;
    }
    d->host.kvm = kvm_enabled();
    d->host.page_size = qemu_real_host_page_size();
    d->host.fault_ns = vh_calibrate_fault();
    d->host.script = d->fake_script;
    d->bql = vmheat_bql_caller_new();
    d->host.uffd = vh_uffd_new();
    vmheat_dirty_start(&d->dirty, d->bql, &d->host);
    vmheat_map_start(&d->map, map_changed, d);
    d->footprint = vmheat_footprint_new(&d->host.clock);
    d->schemes = vmheat_schemes_new(dev->id, d->bql, &d->host);
    if (!vmheat_target_check(&d->map.target, d->map.map, errp) ||
        !choose(d, errp) || !load_schemes(d, errp)) {
        vmheat_primitives_stop(&d->primitives);
        stop_parts(d);
        return;
    }
    start_worker(d);
    d->exit.notify = exiting;
    qemu_add_exit_notifier(&d->exit);
    d->last_state = VMHEAT_STATE_SUSPENDED; /* nothing runs yet */
    vmheat_suspend_start(&d->suspend, suspend_changed, d);
    d->told_primitive = d->primitives.primitive.ops;
    vmheat_event_primitive(dev->id, d->told_primitive->name,
                           d->primitives.choice);
    update(d);
}

static void vmheat_unrealize(DeviceState *dev)
{
    VmheatDevice *d = VMHEAT(dev);

    qemu_remove_exit_notifier(&d->exit);
    vmheat_suspend_stop(&d->suspend);
    stop_worker(d);
    vmheat_primitives_stop(&d->primitives);
    stop_parts(d);
}

static void vmheat_init(Object *obj)
{
    VmheatDevice *d = VMHEAT(obj);

    qemu_mutex_init(&d->failure_lock);
    d->attrs = VH_ATTRS_DEFAULT;
    d->limits = (VhLimits){ .budget_bp = VH_BUDGET_BP_DEFAULT };
    d->primitives.name = g_strdup("auto");
    d->primitives.writes_name = g_strdup("none");
    d->estimator_name = g_strdup(vh_estimators()[0]->name);
    d->host = (VhHost){
        .size = sizeof(VhHost),
        .run_on_vcpu = vmheat_run_on_vcpu,
        .nested = host_is_nested(),
        .clock = { .now_ns = host_now_ns },
    };
    vmheat_grants_init(&d->grants, &d->host);
}

static void vmheat_finalize(Object *obj)
{
    VmheatDevice *d = VMHEAT(obj);

    g_free(d->failure);
    vmheat_grants_destroy(&d->grants);
    g_free(d->plugin);
    qemu_mutex_destroy(&d->failure_lock);
}

#define PROP_U64(name, field)                                 \
    DEFINE_PROP_UNSIGNED_NODEFAULT(name, VmheatDevice, field, \
                                   qdev_prop_uint64, uint64_t)
#define PROP_U32(name, field)                                 \
    DEFINE_PROP_UNSIGNED_NODEFAULT(name, VmheatDevice, field, \
                                   qdev_prop_uint32, uint32_t)

static VhProperty vmheat_properties[] = {
    PROP_U64("sampling-interval", attrs.sampling_us),
    PROP_U64("aggregation-interval", attrs.aggregation_us),
    PROP_U64("update-interval", attrs.update_us),
    PROP_U32("min-regions", attrs.min_regions),
    PROP_U32("max-regions", attrs.max_regions),
    PROP_U32("traps-per-second", limits.traps_per_second),
    PROP_U32("overhead-budget", limits.budget_bp),
    DEFINE_PROP_STRING("primitive", VmheatDevice, primitives.name),
    DEFINE_PROP_STRING("write-primitive", VmheatDevice, primitives.writes_name),
    DEFINE_PROP_STRING("primitive-plugin", VmheatDevice, plugin_path),
    DEFINE_PROP_STRING("page-idle-bitmap", VmheatDevice, page_idle_path),
    DEFINE_PROP_STRING("pagemap", VmheatDevice, pagemap_path),
    DEFINE_PROP_STRING("estimator", VmheatDevice, estimator_name),
    DEFINE_PROP_STRING("schemes", VmheatDevice, schemes_path),
    DEFINE_PROP_INT32("target-node", VmheatDevice, map.target.node, -1),
    DEFINE_PROP_STRING("target-backend", VmheatDevice, map.target.backend),
    DEFINE_PROP_STRING("target-device", VmheatDevice, map.target.device),
    DEFINE_PROP_BOOL("paused", VmheatDevice, paused, false),
    DEFINE_PROP_STRING("x-fake-script", VmheatDevice, fake_script),
    VH_PROPERTIES_END
};

typedef struct PropertyHelp {
    const char *name;
    const char *text;
} PropertyHelp;

static const PropertyHelp property_help[] = {
    { "sampling-interval", "microseconds between two checks of a region" },
    { "aggregation-interval", "microseconds between two snapshots" },
    { "update-interval", "microseconds between two looks at the memory map" },
    { "min-regions", "lower bound of the number of regions" },
    { "max-regions", "upper bound of the number of regions" },
    { "traps-per-second", "most traps a second; 0: safe default" },
    { "overhead-budget", "cost limit, 1/100 percent of a vCPU" },
    { "primitive", "access check: auto, or a name that query-vmheat lists" },
    { "write-primitive", "tells writes apart: none, auto, or such a name" },
    { "primitive-plugin", "shared object with a primitive of your own" },
    { "page-idle-bitmap", "file or /dev/fdset/N, for primitive idle-page and "
                          "filter young" },
    { "pagemap", "file or /dev/fdset/N, for the same" },
    { "estimator", "exposure: tells access rates; classic: as DAMON does it" },
    { "schemes", "file of schemes (JSON), as vmheat-set-schemes takes them" },
    { "target-node", "watch only this NUMA node of the guest; -1: all" },
    { "target-backend", "watch only the memory backend with this id" },
    { "target-device", "watch only the memory device with this id (DIMM, "
                       "NVDIMM, virtio-mem, virtio-pmem)" },
    { "paused", "start paused; vmheat-resume starts it" },
};

static void vmheat_class_init(ObjectClass *oc, VhClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "guest memory access monitor";
    dc->realize = vmheat_realize;
    dc->unrealize = vmheat_unrealize;
    dc->user_creatable = true;
    dc->hotpluggable = true;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, vmheat_properties);
    for (size_t i = 0; i < ARRAY_SIZE(property_help); i++) {
        object_class_property_set_description(oc, property_help[i].name,
                                              property_help[i].text);
    }
}

static const TypeInfo vmheat_info = {
    .name = TYPE_VMHEAT,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(VmheatDevice),
    .instance_init = vmheat_init,
    .instance_finalize = vmheat_finalize,
    .class_init = vmheat_class_init,
};

void vmheat_register_types(void)
{
    type_register_static(&vmheat_info);
}
