/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Whoever asks gets the latest figures, and makes the worker measure for a
 * while (actions/footprint-plan.h), a slice at a time between what else it
 * does. Until the first measurement is finished there are no figures. The lock
 * is never held while measuring, so nobody who asks waits.
 *
 * Measuring looks only, so it goes on while monitoring is paused or stands
 * aside. It keeps the map it looks at until a measurement is finished or the
 * map is replaced, which wakes the worker: memory that is unplugged waits for a
 * slice at most.
 *
 * The share of a CPU is half that of the overhead budget: a quarter of what the
 * worker may take. What was taken counts as the worker's, so monitoring
 * stretches its interval if both are too much.
 */
#include "compat/qemu.h"
#include "actions/footprint-plan.h"
#include "hw/footprint.h"

struct VmheatFootprint {
    VhClock clock;
    VhFootprintScan *scan; /* worker thread */
    QemuMutex lock;
    VhFootprintPlan plan;       /* lock */
    VmheatFootprintNews latest; /* lock */
    uint64_t measured_ns;       /* lock */
};

/* QEMU maps files from their beginning. */
static int file_of(const VhMapSection *s, uint64_t *offset)
{
    *offset = s->region_offset;
    return memory_region_get_fd(s->region);
}

/* Tells what was done; returns when to go on. */
static uint64_t worked(VmheatFootprint *f, uint64_t spent_ns, double share,
                       const VhFootprint *result)
{
    uint64_t now = vh_clock_now(&f->clock);

    QEMU_LOCK_GUARD(&f->lock);
    vh_footprint_plan_worked(&f->plan, now, spent_ns, share, result != NULL);
    if (result) {
        f->latest.latest = *result;
        f->latest.measurements++;
        f->measured_ns = now;
    }
    return vh_footprint_plan_due(&f->plan, now);
}

static uint64_t next(VmheatFootprint *f)
{
    QEMU_LOCK_GUARD(&f->lock);
    return vh_footprint_plan_due(&f->plan, vh_clock_now(&f->clock));
}

/* Worker thread. */
static uint64_t step(void *opaque, VhMap *map, const VhLimits *limits,
                     const VhClock *cpu, uint64_t *spent_ns)
{
    VmheatFootprint *f = opaque;
    uint64_t begin, due = next(f);
    VhFootprint result;
    bool finished;

    if (due == UINT64_MAX || vh_footprint_scan_map(f->scan) != map) {
        vh_footprint_scan_drop(f->scan);
    }
    if (!map) {
        return UINT64_MAX;
    }
    if (due > vh_clock_now(&f->clock)) {
        return due;
    }
    begin = vh_clock_now(cpu);
    finished = vh_footprint_scan(f->scan, map, &f->clock, VH_FOOTPRINT_SLICE_NS,
                                 &result);
    *spent_ns = vh_clock_now(cpu) - begin;
    return worked(f, *spent_ns, limits->budget_bp / 20000.0,
                  finished ? &result : NULL);
}

VmheatChore vmheat_footprint_chore(VmheatFootprint *f)
{
    return (VmheatChore){ .step = step, .opaque = f };
}

VmheatFootprint *vmheat_footprint_new(const VhClock *clock)
{
    VmheatFootprint *f = g_new0(VmheatFootprint, 1);

    f->clock = *clock;
    f->scan = vh_footprint_scan_new(file_of);
    qemu_mutex_init(&f->lock);
    return f;
}

void vmheat_footprint_free(VmheatFootprint *f)
{
    vh_footprint_scan_free(f->scan);
    qemu_mutex_destroy(&f->lock);
    g_free(f);
}

bool vmheat_footprint_ask(VmheatFootprint *f, VmheatFootprintNews *news)
{
    uint64_t now = vh_clock_now(&f->clock);

    QEMU_LOCK_GUARD(&f->lock);
    *news = f->latest;
    news->age_ns = now > f->measured_ns ? now - f->measured_ns : 0;
    return vh_footprint_plan_ask(&f->plan, now);
}
