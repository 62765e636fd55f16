/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "info vmheat", a thin twin of query-vmheat. */
#include "compat/qemu.h"
#include "qemu/units.h"
#include "hw/vmheat.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "monitor/info.h"
#include "monitor/query.h"

static void print_ranges(Monitor *mon, const VmheatInfo *info)
{
    for (VmheatRangeList *l = info->ranges; l; l = l->next) {
        const VmheatRange *r = l->value;
        g_autofree char *node =
            r->has_node ? g_strdup_printf(" node %u", r->node) : NULL;

        monitor_printf(mon, "  0x%016" PRIx64 " .. 0x%016" PRIx64 " %s%s%s\n",
                       r->start, r->start + r->size, r->block, node ?: "",
                       r->monitored ? "" : " (not monitored)");
    }
}

/* As "vmheat top" shows it. */
static void print_idle(Monitor *mon, VmheatDevice *d)
{
    static const uint64_t seconds[] = { 10, 60, 600 };
    VhSnapshot *snap = vmheat_worker_snapshot(d->worker);

    for (size_t i = 0; snap && i < ARRAY_SIZE(seconds); i++) {
        uint64_t ns = seconds[i] * NANOSECONDS_PER_SECOND;

        monitor_printf(mon, "%s%" PRIu64 " MiB for %" PRIu64 " s%s",
                       i ? ", " : "idle: ", vh_snapshot_idle(snap, ns) / MiB,
                       seconds[i], i + 1 < ARRAY_SIZE(seconds) ? "" : "\n");
    }
    vh_snapshot_unref(snap);
}

static void print_size(Monitor *mon, const char *what, bool known,
                       uint64_t bytes)
{
    if (known) {
        monitor_printf(mon, "%s %" PRIu64 " MiB", what, bytes / MiB);
    }
}

/* Asking for it has it measured, so the first time nothing is known. */
static void print_memory(Monitor *mon, VmheatDevice *d)
{
    g_autoptr(VmheatMemory) m = vmheat_query_memory(d);

    print_size(mon, "host memory:", true, m->size);
    print_size(mon, ", resident", m->has_resident, m->resident);
    print_size(mon, ", swapped", m->has_swapped, m->swapped);
    print_size(mon, ", huge", m->has_huge, m->huge);
    monitor_printf(mon, "%s\n", m->has_resident ? "" : ", being measured");
    if (m->has_balloon_actual) {
        print_size(mon, "balloon:", true, m->balloon_actual);
        print_size(mon, ", target", true, m->balloon_target);
        monitor_printf(mon, "\n");
    }
}

static void print_info(Monitor *mon, VmheatDevice *d, const VmheatInfo *info)
{
    const VmheatAttrs *a = info->attrs;
    const VmheatStats *s = info->stats;

    monitor_printf(mon, "state: %s%s%s\n", VmheatState_str(info->state),
                   info->reason ? ": " : "", info->reason ?: "");
    monitor_printf(mon, "primitive: %s (%s)\n", info->primitive, s->detail);
    monitor_printf(mon, "estimator: %s\n", info->estimator);
    monitor_printf(mon,
                   "intervals: sampling %" PRIu64 " us, aggregation %" PRIu64
                   " us, update %" PRIu64 " us%s\n",
                   a->sampling_interval, a->aggregation_interval,
                   a->update_interval, s->throttled ? " (throttled)" : "");
    monitor_printf(mon, "regions: min %u, max %u\n", a->min_regions,
                   a->max_regions);
    monitor_printf(
        mon,
        "working set: %" PRIu64 " of %" PRIu64 " MiB (snapshot %" PRIu64 ")\n",
        info->working_set_size / MiB, info->total_size / MiB, info->snapshot);
    print_idle(mon, d);
    print_memory(mon, d);
    monitor_printf(mon, "traps: %" PRIu64 ", arms: %" PRIu64 "\n", s->traps,
                   s->arms);
    print_ranges(mon, info);
}

static void print_schemes(Monitor *mon, VmheatDevice *d)
{
    g_autoptr(VmheatSchemeInfoList) all =
        vmheat_schemes_query(d->schemes, false);

    for (VmheatSchemeInfoList *l = all; l; l = l->next) {
        const VmheatSchemeInfo *s = l->value;

        monitor_printf(mon,
                       "scheme: %s (%s): %s%s%s, applied to %" PRIu64
                       " of %" PRIu64 " MiB\n",
                       s->scheme->name, VmheatAction_str(s->scheme->action),
                       VmheatSchemeState_str(s->state), s->reason ? ": " : "",
                       s->reason ?: "", s->stats->sz_applied / MiB,
                       s->stats->sz_tried / MiB);
    }
}

void hmp_info_vmheat(Monitor *mon, const QDict *qdict)
{
    VmheatDevice *d = vmheat_find();
    VmheatInfo *info;

    if (!d) {
        monitor_printf(mon, "there is no vmheat device\n");
        return;
    }
    info = vmheat_query_info(d);
    print_info(mon, d, info);
    print_schemes(mon, d);
    qapi_free_VmheatInfo(info);
}
