/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host kernel's DAMON: reads and writes, by the accessed bits of QEMU's page
 * table and of the guest's second-level page table (EPT, NPT).
 *
 * Theory of operation
 * -------------------
 * DAMON is driven with files that only root may write. A helper that root
 * started, "vmheat grant --damon", does that; QEMU got one end of a socket to
 * it (damon-wire.h). So this is a region provider: the kernel samples, merges,
 * splits and ages regions by itself, and here they are only translated.
 *   set_map, attrs   send WATCH: guest memory as ranges of QEMU's addresses
 *   regions          take what has come; the latest complete snapshot becomes
 *                    one of guest-physical addresses
 *   idle             send STOP: the kernel's DAMON is free for others. If that
 *                    does not fit, hang up, which ends the helper
 * What lay in the socket for long, because monitoring was paused, is thrown away.
 * Nothing waits. A message that does not fit into the socket now is sent the
 * next time.
 *
 * Translation
 * -----------
 * DAMON's regions are cut where a section begins or ends; what is in no section
 * is dropped (with the kernel's "vaddr" DAMON chooses the ranges and watches
 * more than the guest). Memory that the guest has at two addresses shows at both.
 * Sections are sorted by GPA and regions by HVA, so what comes out is sorted by
 * GPA.
 *
 * Failure
 * -------
 * The helper ended, said why it must end, or said nonsense: broken() tells. What
 * was granted is still there then, so probe() looks whether anybody is at the
 * other end.
 *
 * What it cannot see: DAMON looks at one random page of each region, so a few hot
 * pages in a large region are found late or never; the TLB is not flushed, so
 * what stays in the TLB looks idle; DMA of assigned devices. Intervals are
 * limited: see damon-wire.h.
 */
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accel/damon-wire.h"
#include "accel/registry.h"
#include "vmheat/snapshot.h"

/* A TLB miss and setting the bit. */
#define COST_NS 100
/* Messages taken at a time; a helper that sends more waits. */
#define MESSAGES_MAX 64
#define STALE_NS 5000000000ULL

#define RUN_GRANT "run 'vmheat grant --damon -s SOCKET' as root"

/* A snapshot of which parts are still to come. */
typedef struct Parts {
    uint64_t snapshot;
    uint32_t total;
    uint32_t have;
    VhDamonRegion *regions; /* room for VH_DAMON_REGIONS_MAX */
} Parts;

typedef struct Damon {
    const VhHost *host;
    int fd;
    VhMap *map;
    VhAttrs attrs;        /* as near as possible to those asked for */
    uint64_t stale_ns;    /* snapshots older than this are of no interest */
    VhDamonMessage watch; /* the latest; type 0: none */
    bool unsent;          /* @watch did not fit into the socket */
    VhDamonMessage in;
    Parts parts;
    VhSnapshot *fresh; /* complete, not handed out yet */
    bool any;          /* a snapshot has come since the latest WATCH */
    char *broken;
    uint64_t lost;
} Damon;

/* NULL, or why @fd is of no use. */
static const char *socket_problem(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (!vh_damon_is_socket(fd)) {
        return "what was granted as 'damon' is not the socket of a running "
               "'vmheat grant --damon'; " RUN_GRANT;
    }
    if (poll(&p, 1, 0) == 1 && p.revents & POLLHUP) {
        return "the helper 'vmheat grant --damon' has ended; " RUN_GRANT;
    }
    return NULL;
}

static bool granted(const VhHost *host, int *fd)
{
    return host->granted && host->granted(host->grant_opaque, VH_GRANT_DAMON, fd);
}

static bool damon_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                        char **why)
{
    const char *problem;
    int fd;

    *caps = (VhCaps){
        .sees = VH_SEES_READS | VH_SEES_WRITES | VH_SEES_DMA,
        .granule = vh_host_page(host),
        .needs = "a kernel with DAMON (Linux 6.2, CONFIG_DAMON_SYSFS), used by "
                 "nobody else; " RUN_GRANT,
        .blind = "what one random page per region misses (a few hot pages in a "
                 "large region), what the CPU finds in its TLB, and assigned "
                 "devices (VFIO)",
        .cost_ns = COST_NS,
    };
    if (!map->nr) {
        *why = g_strdup("the guest has no RAM");
        return false;
    }
    if (!granted(host, &fd)) {
        caps->waits_for_grant = true;
        *why = g_strdup("needs the kernel's DAMON: " RUN_GRANT);
        return false;
    }
    problem = socket_problem(fd);
    close(fd);
    if (problem) {
        caps->waits_for_grant = true; /* of another helper */
        *why = g_strdup(problem);
    }
    return !problem;
}

static void set_attrs(Damon *d, const VhAttrs *asked)
{
    d->attrs = vh_damon_attrs(asked);
    d->stale_ns = MAX(STALE_NS, 1000 * MAX(2 * asked->sampling_us,
                                           4 * d->attrs.aggregation_us));
}

static void *damon_open(const VhHost *host, char **why)
{
    const char *problem;
    Damon *d;
    int fd;

    if (!granted(host, &fd)) {
        *why = g_strdup("needs the kernel's DAMON: " RUN_GRANT);
        return NULL;
    }
    problem = socket_problem(fd);
    if (problem) {
        *why = g_strdup(problem);
        close(fd);
        return NULL;
    }
    d = g_new0(Damon, 1);
    d->host = host;
    d->fd = fd;
    set_attrs(d, &VH_ATTRS_DEFAULT);
    d->parts.regions = g_new(VhDamonRegion, VH_DAMON_REGIONS_MAX);
    return d;
}

static void break_down(Damon *d, const char *format, const char *detail)
{
    if (!d->broken) {
        d->broken = g_strdup_printf(format, detail);
    }
}

static bool receive(Damon *d);

/* The other end is gone; maybe it has said why. */
static void take_last_words(Damon *d)
{
    while (receive(d)) {
        /* what breaks it down is among them */
    }
}

/* Sends @m; false when the other end is gone. */
static bool say(Damon *d, const VhDamonMessage *m, bool *full)
{
    int err = vh_damon_send(d->fd, m, vh_damon_length(m));

    *full = err == EAGAIN;
    if (err && !*full) {
        take_last_words(d);
        break_down(d, "the helper 'vmheat grant --damon' has ended (%s); "
                      RUN_GRANT, g_strerror(err));
    }
    return !err || *full;
}

static bool send_watch(Damon *d)
{
    return say(d, &d->watch, &d->unsent);
}

static int by_start(const void *a, const void *b)
{
    uint64_t x = ((const VhRange *)a)->start;
    uint64_t y = ((const VhRange *)b)->start;

    return (x > y) - (x < y);
}

/* Guest memory as it lies in QEMU; touching and overlapping ranges joined. */
static size_t host_ranges(const VhMap *map, VhRange *out)
{
    size_t n = 0;

    for (size_t i = 0; i < map->nr; i++) {
        uint64_t hva = (uintptr_t)map->sections[i].hva;

        out[i] = (VhRange){ hva, hva + map->sections[i].size };
    }
    qsort(out, map->nr, sizeof(*out), by_start);
    for (size_t i = 0; i < map->nr; i++) {
        if (n && out[i].start <= out[n - 1].end) {
            out[n - 1].end = MAX(out[n - 1].end, out[i].end);
        } else if (out[i].start < out[i].end) {
            out[n++] = out[i];
        }
    }
    return n;
}

static bool fill_watch(Damon *d, VhDamonWatch *w, char **why)
{
    g_autofree VhRange *ranges = g_new(VhRange, d->map->nr + 1);
    size_t n = host_ranges(d->map, ranges);

    if (!n || n > VH_DAMON_RANGES_MAX) {
        *why = g_strdup_printf("guest RAM lies in %zu separate pieces of QEMU's "
                               "memory; 1 to %u can be watched",
                               n, VH_DAMON_RANGES_MAX);
        return false;
    }
    w->header = vh_damon_header(VH_DAMON_WATCH);
    w->sampling_us = d->attrs.sampling_us;
    w->aggregation_us = d->attrs.aggregation_us;
    w->update_us = d->attrs.update_us;
    w->min_regions = d->attrs.min_regions;
    w->max_regions = d->attrs.max_regions;
    w->nr = n;
    for (size_t i = 0; i < n; i++) {
        w->ranges[i] = ranges[i];
    }
    return true;
}

static void forget_parts(Damon *d)
{
    d->parts.have = d->parts.total = 0;
    g_clear_pointer(&d->fresh, vh_snapshot_unref);
}

/* Asks for what the map and the attributes say, unless that goes on already. */
static bool watch(Damon *d, char **why)
{
    g_autofree VhDamonMessage *now = g_new0(VhDamonMessage, 1);
    uint64_t old = d->watch.watch.id;

    if (!fill_watch(d, &now->watch, why)) {
        return false;
    }
    now->watch.id = old;
    if (!memcmp(now, &d->watch, vh_damon_length(now))) {
        return true;
    }
    /* unlike any that another state of this primitive has used */
    now->watch.id = MAX(vh_clock_now(&d->host->clock), old + 1);
    d->watch = *now;
    d->any = false;
    forget_parts(d);
    if (!send_watch(d)) {
        *why = g_strdup(d->broken);
        return false;
    }
    return true;
}

static void damon_idle(void *p)
{
    Damon *d = p;
    VhDamonMessage stop = { .header = vh_damon_header(VH_DAMON_STOP) };
    bool full;

    if (d->watch.header.type && !d->broken && say(d, &stop, &full) && full) {
        shutdown(d->fd, SHUT_RDWR);
    }
    d->watch.header.type = 0;
    d->unsent = false;
    forget_parts(d);
    g_clear_pointer(&d->map, vh_map_unref);
}

static void damon_release(void *p)
{
    Damon *d = p;

    damon_idle(d);
    close(d->fd);
    g_free(d->parts.regions);
    g_free(d->broken);
    g_free(d);
}

static bool damon_set_map(void *p, VhMap *map, char **why)
{
    Damon *d = p;

    if (d->broken) {
        *why = g_strdup(d->broken);
        return false;
    }
    vh_map_ref(map);
    vh_map_unref(d->map);
    d->map = map;
    return watch(d, why);
}

static void damon_attrs(void *p, const VhAttrs *attrs)
{
    Damon *d = p;
    g_autofree char *why = NULL;

    set_attrs(d, attrs);
    if (d->map && !d->broken) {
        watch(d, &why);
    }
}

/* First region that ends above @hva. */
static size_t first_above(const Parts *p, uint64_t hva)
{
    size_t lo = 0, hi = p->total;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (p->regions[mid].end <= hva) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* What of the regions is in section @s, at its guest-physical addresses. */
static void translate_section(const Parts *p, const VhMapSection *s,
                              GArray *out)
{
    uint64_t hva = (uintptr_t)s->hva, end = hva + s->size;

    for (size_t i = first_above(p, hva);
         i < p->total && p->regions[i].start < end; i++) {
        const VhDamonRegion *r = &p->regions[i];
        VhSnapRegion piece = {
            .start = s->gpa + (MAX(r->start, hva) - hva),
            .end = s->gpa + (MIN(r->end, end) - hva),
            .nr_accesses = r->nr_accesses,
            .age = r->age,
        };

        g_array_append_val(out, piece);
    }
}

static VhSnapshot *translate(const Damon *d, const VhDamonRegions *m)
{
    g_autoptr(GArray) out = g_array_new(false, false, sizeof(VhSnapRegion));
    VhSnapshot *s;

    for (size_t i = 0; i < d->map->nr; i++) {
        translate_section(&d->parts, &d->map->sections[i], out);
    }
    s = vh_snapshot_new(out->len);
    for (guint i = 0; i < out->len; i++) {
        s->regions[i] = g_array_index(out, VhSnapRegion, i);
    }
    s->attrs = d->attrs;
    s->attrs.sampling_us = m->sampling_us;
    s->attrs.aggregation_us = m->aggregation_us;
    s->max_nr_accesses = m->max_nr_accesses;
    return s;
}

/* Does this part come where the ones before it ended? */
static bool continues(const Parts *p, const VhDamonRegions *m)
{
    return m->snapshot == p->snapshot && m->total == p->total &&
           m->first == p->have &&
           (!m->nr || p->regions[p->have - 1].end <= m->regions[0].start);
}

static bool stale(const Damon *d, const VhDamonRegions *m)
{
    uint64_t now = vh_clock_now(&d->host->clock);

    return now > m->taken_ns && now - m->taken_ns > d->stale_ns;
}

static void take_part(Damon *d, const VhDamonRegions *m)
{
    Parts *p = &d->parts;

    if (!d->map || m->id != d->watch.watch.id || !d->watch.header.type) {
        return;
    }
    if (m->first == 0) {
        d->lost += p->have != p->total;
        *p = (Parts){ m->snapshot, m->total, 0, p->regions };
    } else if (!p->have || !continues(p, m)) {
        return;
    }
    for (uint32_t i = 0; i < m->nr; i++) {
        p->regions[p->have++] = m->regions[i];
    }
    if (p->have == p->total && !stale(d, m)) {
        vh_snapshot_unref(d->fresh);
        d->fresh = translate(d, m);
        d->any = true;
    }
}

static void take_message(Damon *d, char *text)
{
    if (d->in.header.type == VH_DAMON_REGIONS) {
        take_part(d, &d->in.regions);
    } else if (d->in.header.type == VH_DAMON_ERROR) {
        break_down(d, "the helper 'vmheat grant --damon' says: %s", text);
    } else {
        break_down(d, "the helper 'vmheat grant --damon' said what only QEMU "
                      "may say%s", "");
    }
}

/* False when there is nothing more to take. */
static bool receive(Damon *d)
{
    g_autofree char *text = NULL, *why = NULL;

    switch (vh_damon_receive(d->fd, &d->in, &text, &why)) {
    case VH_DAMON_GOT:
        take_message(d, text);
        break;
    case VH_DAMON_NOTHING:
        return false;
    case VH_DAMON_CLOSED:
        break_down(d, "the helper 'vmheat grant --damon' has ended; " RUN_GRANT
                      "%s", "");
        break;
    case VH_DAMON_BAD:
        break_down(d, "the connection to 'vmheat grant --damon' is unusable: "
                      "%s", why);
        break;
    }
    return !d->broken;
}

static struct VhSnapshot *damon_regions(void *p)
{
    Damon *d = p;

    if (d->unsent && !d->broken) {
        send_watch(d);
    }
    for (int i = 0; i < MESSAGES_MAX && !d->broken && receive(d); i++) {
        /* the latest counts */
    }
    return d->broken ? NULL : g_steal_pointer(&d->fresh);
}

static char *damon_broken(void *p)
{
    return g_strdup(((Damon *)p)->broken);
}

/* Never called: this is a region provider. */
static void damon_arm(void *p, VhCheck *checks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        checks[i].state = VH_CHECK_SKIPPED;
        checks[i].present = false;
        checks[i].granule = VH_PAGE_SIZE;
    }
}

static void damon_collect(void *p, VhCheck *checks, size_t n)
{
}

static void damon_stats(void *p, VhPrimitiveStats *out)
{
    const Damon *d = p;

    *out = (VhPrimitiveStats){
        .lost = d->lost,
        .detail = d->any ? "regions come from the kernel's DAMON"
                         : "waiting for regions of the kernel's DAMON",
    };
}

const VhPrimitiveOps vh_primitive_damon = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "damon",
    .summary = "takes regions from the host kernel's DAMON, through 'vmheat "
               "grant --damon'; sees reads and writes",
    .probe = damon_probe,
    .open = damon_open,
    .set_map = damon_set_map,
    .arm = damon_arm,
    .collect = damon_collect,
    .idle = damon_idle,
    .release = damon_release,
    .stats = damon_stats,
    .broken = damon_broken,
    .regions = damon_regions,
    .attrs = damon_attrs,
};
