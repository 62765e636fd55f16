/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write log: guest writes to RAM of any kind, without privilege.
 *
 * Theory of operation
 * -------------------
 * QEMU can log which pages are written: KVM keeps a bitmap, or TCG does it
 * while translating, and QEMU's own device models add what they write. We are
 * one more client of that log (hw/dirty.c), beside migration and displays.
 *   arm      clear the page's bit: KVM write-protects the page, so that the
 *            next write faults and sets the bit again. A page whose bit is
 *            clear already costs nothing.
 *   access   a write faults once; KVM notes it and the guest goes on.
 *   collect  fetch KVM's bitmap, look at the page's bit.
 * Nothing is unmapped and no page is touched, so any memory will do (private,
 * shared, hugetlb), nothing can be lost, and monitoring of a guest whose
 * RAMBlocks have at most 1 GiB can go on while an outgoing migration runs.
 *
 * Costs
 * -----
 * collect fetches the bitmap of all guest memory, however few pages are asked
 * about: tens of microseconds a GiB of QEMU's main thread. Each page that is
 * cleared is a system call with a flush of the guest's TLBs. Both are measured
 * and charged to the budget. While the log is on, KVM maps guest memory that it
 * maps anew with 4 KiB pages; that is the price of any write tracking in KVM.
 *
 * KVM maps a page it does not map yet writable at its first read, if it can,
 * and notes it as written. A page that somebody unmapped so looks written once.
 *
 * What it cannot see: reads; writes by vhost (in which case it refuses) and by
 * assigned devices.
 *
 * Source: Linux Documentation/virt/kvm/api.rst, KVM_GET_DIRTY_LOG and
 * KVM_CLEAR_DIRTY_LOG.
 */
#include <glib.h>

#include "accel/calibrate.h"
#include "accel/registry.h"

#define GAIN (1.0 / 16)
/* Migration has KVM protect pages again in steps of this size as it sends them
 * (QEMU's CLEAR_BITMAP_SHIFT_DEFAULT). */
#define MIGRATION_STEP (1ULL << 30)

typedef struct DirtyLog {
    const VhHost *host;
    VhMap *map;         /* NULL: not logging */
    VhDirtyPage *pages; /* room for nr_pages */
    VhCheck **whose;
    size_t nr_pages;
    double arm_ns;
    double collect_ns;
    uint64_t spent_before_ns; /* by others, before open */
    VhPrimitiveStats stats;
} DirtyLog;

/*
 * Our sync marks again what migration has noted but not yet had protected. In a
 * RAMBlock of one step that is next to nothing; a larger one would be sent up
 * to twice. TCG's own log loses writes in a live migration as it is.
 */
static bool spares_migration(const VhMap *map, const VhHost *host)
{
    for (size_t i = 0; i < map->nr; i++) {
        if (map->sections[i].block_size > MIGRATION_STEP) {
            return false;
        }
    }
    return host->kvm;
}

/* KVM's bits are of the host's pages, TCG's of ours. */
static uint64_t granule(const VhHost *host)
{
    return host->kvm ? vh_host_page(host) : VH_PAGE_SIZE;
}

static bool log_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                      char **why)
{
    const char *refusal =
        host->dirty_refusal ? host->dirty_refusal(host->dirty_opaque) : NULL;

    *caps = (VhCaps){
        .sees = VH_SEES_WRITES | VH_SEES_DMA,
        .granule = granule(host),
        .persistent = true,
        .needs = "a QEMU without vhost devices and without dirty rings",
        .blind = "reads, and writes by assigned devices (VFIO)",
        .through_migration = spares_migration(map, host),
        .cost_ns = vh_calibrate_write_fault(host->kvm, host->nested),
    };
    if (host->dirty_kind == VH_DIRTY_RING) {
        *why = g_strdup("QEMU was started with dirty rings (-accel kvm,"
                        "dirty-ring-size=), so KVM has no dirty bitmap; use "
                        "primitive dirty-ring");
    } else if (host->dirty_kind == VH_DIRTY_NONE) {
        *why = g_strdup("there is no log of guest writes here");
    } else if (refusal) {
        *why = g_strdup(refusal);
    } else if (!map->nr) {
        *why = g_strdup("the guest has no RAM");
    }
    return *why == NULL;
}

static void *log_open(const VhHost *host, char **why)
{
    DirtyLog *l = g_new0(DirtyLog, 1);

    l->host = host;
    l->spent_before_ns = host->dirty->spent_ns(host->dirty_opaque);
    l->stats.fire_ns = vh_calibrate_write_fault(host->kvm, host->nested);
    return l;
}

static void log_idle(void *p)
{
    DirtyLog *l = p;

    if (l->map) {
        l->host->dirty->stop(l->host->dirty_opaque);
        g_clear_pointer(&l->map, vh_map_unref);
    }
}

static bool log_set_map(void *p, VhMap *map, char **why)
{
    DirtyLog *l = p;

    if (!l->host->dirty->start(l->host->dirty_opaque, map, why)) {
        if (!*why) {
            *why = g_strdup("QEMU wanted guest memory back meanwhile");
        }
        log_idle(l);
        return false;
    }
    vh_map_ref(map);
    vh_map_unref(l->map);
    l->map = map;
    return true;
}

static void log_release(void *p)
{
    DirtyLog *l = p;

    log_idle(l);
    g_free(l->pages);
    g_free(l->whose);
    g_free(l);
}

static void reserve(DirtyLog *l, size_t n)
{
    if (n > l->nr_pages) {
        l->nr_pages = n;
        l->pages = g_renew(VhDirtyPage, l->pages, n);
        l->whose = g_renew(VhCheck *, l->whose, n);
    }
}

/* Lists the checks in @state whose page is in the map; returns how many. */
static size_t list_pages(DirtyLog *l, VhCheck *checks, size_t n,
                         VhCheckState state)
{
    size_t nr = 0;

    reserve(l, n);
    for (size_t i = 0; i < n; i++) {
        if (checks[i].state == state && l->map &&
            vh_map_find(l->map, checks[i].gpa)) {
            l->pages[nr] = (VhDirtyPage){ .gpa = checks[i].gpa };
            l->whose[nr++] = &checks[i];
        }
    }
    return nr;
}

static uint64_t spent_ns(const DirtyLog *l)
{
    return l->host->dirty->spent_ns(l->host->dirty_opaque);
}

/* Waiting for the main thread is no cost: only what it spent counts. */
static void learn(const DirtyLog *l, double *cost, uint64_t before, size_t n)
{
    double ns = (double)(spent_ns(l) - before) / n;

    *cost += (ns - *cost) * (*cost ? GAIN : 1);
}

/* What became of the @n checks that were armed. */
static void take_armed(DirtyLog *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        VhCheck *c = l->whose[i];

        c->state = VH_CHECK_ARMED;
        c->granule = granule(l->host);
        c->present = l->pages[i].dirty;
        l->stats.arms += c->present;
        l->stats.arms_free += !c->present;
    }
}

static void log_arm(void *p, VhCheck *checks, size_t n)
{
    DirtyLog *l = p;
    uint64_t before = spent_ns(l);
    uint64_t arms = l->stats.arms;
    size_t nr;

    for (size_t i = 0; i < n; i++) {
        checks[i].state = VH_CHECK_NEW;
    }
    nr = list_pages(l, checks, n, VH_CHECK_NEW);
    if (nr && l->host->dirty->clear(l->host->dirty_opaque, l->pages, nr)) {
        take_armed(l, nr);
    }
    for (size_t i = 0; i < n; i++) {
        if (checks[i].state == VH_CHECK_NEW) {
            checks[i].state = VH_CHECK_SKIPPED;
        }
    }
    if (l->stats.arms > arms) {
        learn(l, &l->arm_ns, before, l->stats.arms - arms);
    }
}

static void log_collect(void *p, VhCheck *checks, size_t n)
{
    DirtyLog *l = p;
    uint64_t before = spent_ns(l);
    size_t nr = list_pages(l, checks, n, VH_CHECK_ARMED);
    bool answered =
        nr && l->host->dirty->read(l->host->dirty_opaque, l->pages, nr);

    for (size_t i = 0; i < nr && answered; i++) {
        l->whose[i]->state =
            l->pages[i].dirty ? VH_CHECK_FIRED : VH_CHECK_SILENT;
        l->stats.fires += l->pages[i].dirty;
    }
    for (size_t i = 0; i < n; i++) {
        if (checks[i].state == VH_CHECK_ARMED) {
            checks[i].state = VH_CHECK_LOST;
            l->stats.lost++;
        }
    }
    if (answered) {
        learn(l, &l->collect_ns, before, nr);
    }
}

static void log_stats(void *p, VhPrimitiveStats *out)
{
    DirtyLog *l = p;

    l->stats.arm_ns = l->arm_ns;
    l->stats.collect_ns = l->collect_ns;
    l->stats.host_ns = spent_ns(l) - l->spent_before_ns;
    l->stats.detail =
        l->host->kvm ? "KVM dirty bitmap, manual clear" : "TCG dirty bitmap";
    *out = l->stats;
}

/* Something may have come up since set_map: a vhost device. */
static char *log_broken(void *p)
{
    DirtyLog *l = p;
    const char *why = l->host->dirty->lost(l->host->dirty_opaque);

    return l->map && why ? g_strdup(why) : NULL;
}

const VhPrimitiveOps vh_primitive_dirty_log = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "dirty-log",
    .summary = "reads KVM's (or TCG's) dirty bitmap; sees writes",
    .probe = log_probe,
    .open = log_open,
    .set_map = log_set_map,
    .arm = log_arm,
    .collect = log_collect,
    .idle = log_idle,
    .release = log_release,
    .stats = log_stats,
    .broken = log_broken,
};
