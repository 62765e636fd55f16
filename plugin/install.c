/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QEMU's -plugin option loads any shared object for TCG instrumentation, with
 * every accelerator, and distributions' QEMU exports all its symbols to it. So
 * the entry point below, called after the machine object exists and before
 * CPUs and -device, can register a device type, QMP commands, HMP commands and
 * events just as if they were built in. It instruments nothing: guest code
 * runs at full speed.
 *
 * The price is that we depend on QEMU's internal structures. Therefore the
 * very first thing is to compare the running QEMU with the one whose headers
 * we were built with, by version and by the size of the structures we share,
 * and to refuse in one sentence when they differ.
 */
#include "compat/qemu.h"
#include "compat/type-size.h"
#include "hw/vmheat-hotplug.h"
#include "hw/vmheat.h"
#include "monitor/capabilities.h"
#include "monitors.h"
#include "qapi/qapi-commands-control.h"
#include "qemu/plugin.h"
#include "qemu/qemu-plugin.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static bool same_version(void)
{
    VersionInfo *v = qmp_query_version(&error_abort);
    bool same = v->qemu->major == QEMU_VERSION_MAJOR &&
                v->qemu->minor == QEMU_VERSION_MINOR &&
                v->qemu->micro == QEMU_VERSION_MICRO;

    if (!same) {
        error_report("vmheat was built for QEMU " QEMU_VERSION
                     " but this is QEMU %" PRId64 ".%" PRId64 ".%" PRId64
                     "%s%s: rebuild vmheat for it",
                     v->qemu->major, v->qemu->minor, v->qemu->micro,
                     *v->package ? " " : "", v->package);
    }
    qapi_free_VersionInfo(v);
    return same;
}

static bool same_size(const char *type, size_t size)
{
    size_t theirs = vh_type_size(type);

    if (theirs != size) {
        error_report("vmheat was built for another build of QEMU " QEMU_VERSION
                     ": a '%s' has %zu bytes here, not %zu: rebuild vmheat",
                     type, theirs, size);
    }
    return theirs == size;
}

static bool right_qemu(void)
{
    return same_version() && same_size(TYPE_DEVICE, sizeof(DeviceState)) &&
           same_size(TYPE_MEMORY_REGION, sizeof(MemoryRegion)) &&
           same_size(TYPE_MACHINE, sizeof(MachineState)) &&
           same_size(TYPE_CPU, sizeof(CPUState));
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
                                           const qemu_info_t *info, int argc,
                                           char **argv)
{
    if (!right_qemu()) {
        return -1;
    }
    if (argc > 0) {
        error_report("vmheat: the plugin takes no argument ('%s'); settings "
                     "are properties of -device vmheat",
                     argv[0]);
        return -1;
    }
    if (vmheat_monitor_installed()) {
        error_report("vmheat: the plugin is loaded already");
        return -1;
    }
    vmheat_register_types();
    vmheat_hotplug_register_types();
    vmheat_monitor_register_types();
    vmheat_hotplug_install();
    vmheat_qmp_install();
    vmheat_hmp_install();
    vmheat_capabilities_install();
    return 0;
}
