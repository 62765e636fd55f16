/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bodies of the QMP commands of qapi/vmheat.json. They run in QEMU's main
 * thread under the BQL, read published data only, and never wait.
 */
#include "compat/qemu.h"
#include "hw/vmheat.h"
#include "monitor/monitor.h"
#include "monitor/query.h"
#include "vmheat-qapi-commands.h"

#define MAX_LIMIT 100000

VmheatDevice *vmheat_need_device(Error **errp)
{
    VmheatDevice *d = vmheat_find();

    if (!d) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND,
                  "there is no vmheat device; add one with "
                  "device_add vmheat,id=heat0");
    }
    return d;
}

VmheatInfo *qmp_query_vmheat(Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    return d ? vmheat_query_info(d) : NULL;
}

VmheatMemory *qmp_query_vmheat_memory(Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    return d ? vmheat_query_memory(d) : NULL;
}

static bool check_filter(VmheatRegionFilter *f, Error **errp)
{
    if (f->end <= f->start) {
        error_setg(errp,
                   "invalid 'end' %" PRIu64 ": must be above 'start' %" PRIu64,
                   f->end, f->start);
        return false;
    }
    if (f->limit < 1 || f->limit > MAX_LIMIT) {
        error_setg(errp, "invalid 'limit' %" PRIu64 ": must be 1 .. %d",
                   f->limit, MAX_LIMIT);
        return false;
    }
    if (f->columns && f->packed) {
        error_setg(errp, "'columns' and 'packed' exclude each other");
        return false;
    }
    return true;
}

VmheatSnapshot *
qmp_query_vmheat_regions(bool has_start, uint64_t start, bool has_end,
                         uint64_t end, bool has_min_nr_accesses,
                         uint32_t min_nr_accesses, bool has_limit,
                         uint64_t limit, bool has_columns, bool columns,
                         bool has_packed, bool packed, Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VmheatRegionFilter filter = {
        .start = has_start ? start : 0,
        .end = has_end ? end : UINT64_MAX,
        .min_nr_accesses = has_min_nr_accesses ? min_nr_accesses : 0,
        .limit = has_limit ? limit : MAX_LIMIT,
        .columns = has_columns && columns,
        .packed = has_packed && packed,
    };
    VMHEAT_BQL_TIMER(d);

    if (!d || !check_filter(&filter, errp)) {
        return NULL;
    }
    return vmheat_query_regions(d, &filter);
}

VmheatAttrs *
qmp_vmheat_set(bool has_sampling_interval, uint64_t sampling_interval,
               bool has_aggregation_interval, uint64_t aggregation_interval,
               bool has_update_interval, uint64_t update_interval,
               bool has_min_regions, uint32_t min_regions, bool has_max_regions,
               uint32_t max_regions, bool has_traps_per_second,
               uint32_t traps_per_second, bool has_overhead_budget,
               uint32_t overhead_budget, Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);
    VhAttrs attrs;
    VhLimits limits;

    if (!d) {
        return NULL;
    }
    attrs = d->attrs;
    limits = d->limits;
#define TAKE(name, to)     \
    do {                   \
        if (has_##name) {  \
            (to) = (name); \
        }                  \
    } while (0)
    TAKE(sampling_interval, attrs.sampling_us);
    TAKE(aggregation_interval, attrs.aggregation_us);
    TAKE(update_interval, attrs.update_us);
    TAKE(min_regions, attrs.min_regions);
    TAKE(max_regions, attrs.max_regions);
    TAKE(traps_per_second, limits.traps_per_second);
    TAKE(overhead_budget, limits.budget_bp);
#undef TAKE
    return vmheat_set_attrs(d, &attrs, &limits, errp) ? vmheat_query_attrs(d)
                                                      : NULL;
}

void qmp_vmheat_pause(Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    if (d) {
        vmheat_set_paused(d, true);
    }
}

void qmp_vmheat_resume(Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);
    VMHEAT_BQL_TIMER(d);

    if (d) {
        vmheat_set_paused(d, false);
    }
}

/* A descriptor that getfd named, or -1; true also when @name is absent. */
static bool take_fd(const char *name, int *fd, Error **errp)
{
    *fd = name ? monitor_get_fd(monitor_cur(), name, errp) : -1;
    return !name || *fd >= 0;
}

/* After files were granted or revoked. */
static void use_grants(VmheatDevice *d)
{
    vmheat_primitives_reconsider(&d->primitives);
    vmheat_schemes_regrant(d->schemes);
}

void qmp_vmheat_grant(VH_OPT_PARAM(const char *, page_idle_bitmap),
                      VH_OPT_PARAM(const char *, pagemap),
                      VH_OPT_PARAM(const char *, damon), Error **errp)
{
    const char *what[] = { VH_GRANT_PAGE_IDLE, VH_GRANT_PAGEMAP,
                           VH_GRANT_DAMON };
    const char *name[] = { page_idle_bitmap, pagemap, damon };
    VmheatDevice *d = vmheat_need_device(errp);
    int fd[ARRAY_SIZE(what)] = { -1, -1, -1 };
    bool ok = d != NULL;

    if (d && !name[0] && !name[1] && !name[2]) {
        error_setg(errp, "nothing to grant: give at least one of "
                         "'page-idle-bitmap', 'pagemap' and 'damon'");
        return;
    }
    for (size_t i = 0; ok && i < ARRAY_SIZE(what); i++) {
        ok = take_fd(name[i], &fd[i], errp) &&
             (fd[i] < 0 || vmheat_grants_check(what[i], fd[i], errp));
    }
    for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
        if (ok && fd[i] >= 0) {
            vmheat_grants_set(&d->grants, what[i], fd[i]);
        } else if (fd[i] >= 0) {
            close(fd[i]);
        }
    }
    if (ok) {
        use_grants(d);
    }
}

void qmp_vmheat_revoke(Error **errp)
{
    VmheatDevice *d = vmheat_need_device(errp);

    if (d) {
        vmheat_grants_set(&d->grants, VH_GRANT_PAGE_IDLE, -1);
        vmheat_grants_set(&d->grants, VH_GRANT_PAGEMAP, -1);
        vmheat_grants_set(&d->grants, VH_GRANT_DAMON, -1);
        use_grants(d);
    }
}
