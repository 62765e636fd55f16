/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "hw/balloon.h"
#include "monitor/query.h"

static void tell_figures(VmheatMemory *m, const VmheatFootprintNews *news)
{
    bool known = news->measurements > 0;

    m->measurements = news->measurements;
    m->has_measured_ms = m->has_resident = known;
    m->measured_ms = news->age_ns / SCALE_MS;
    m->resident = news->latest.resident;
    m->has_swapped = known && news->latest.knows_swapped;
    m->swapped = news->latest.swapped;
    m->has_huge = known && news->latest.knows_huge;
    m->huge = news->latest.huge;
}

VmheatMemory *vmheat_query_memory(VmheatDevice *d)
{
    VmheatMemory *m = g_new0(VmheatMemory, 1);
    VmheatFootprintNews news;

    if (vmheat_footprint_ask(d->footprint, &news)) {
        vmheat_worker_wake(d->worker);
    }
    m->size = vh_map_total(d->map.watched);
    tell_figures(m, &news);
    m->has_balloon_actual = m->has_balloon_target =
        vmheat_balloon_size(&m->balloon_actual, &m->balloon_target);
    return m;
}
