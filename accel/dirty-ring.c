/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's dirty rings: guest writes, when QEMU runs with dirty-ring-size.
 *
 * Theory of operation
 * -------------------
 * With rings KVM has no bitmap to clear bits of. Each vCPU notes each page it
 * writes for the first time; emptying the rings re-arms every page noted, and
 * a full ring makes the vCPU wait for that. So there is no such thing as
 * watching a few pages: logging costs the guest a fault for each page that it
 * writes, over and over. Watching all the time would stop a guest with a large
 * write-hot set.
 *
 * Hence pictures: logging is on for one exposure, which tells of every page
 * whether it was written in it, then off until what that cost has been paid back
 * out of the budget (allow()). Between pictures checks are answered from the
 * latest one, at no cost. The more the guest writes, the rarer the pictures:
 * `detail` says how old the latest may be.
 *
 * An exposure lasts one sampling interval or a few. The faults slow the guest
 * down while it lasts: when they seem to have taken a good part of it, the guest
 * did not get to all that it writes, so the next one is twice as long, and the
 * next pictures are laid over this one. Until they are enough, the last complete
 * picture stands in for what is missing. When monitoring rests, a running
 * exposure ends early and what it shows is kept.
 *
 * A ring that fills up is emptied at once, and then its pages fault again in the
 * same exposure. With rings that hold all that a vCPU writes (65536 entries are
 * 256 MiB, and take 1 MiB) each page faults once an exposure, and one picture
 * shows far more.
 *
 * Logging is switched with QEMU's memory API (hw/dirty.c), as for the dirty
 * log; migration and displays are not disturbed, and nothing can be lost.
 *
 * KVM maps a page it does not map yet writable at its first read, if it can, and
 * notes it as written. A page that somebody unmapped so looks written once.
 *
 * What it cannot see: reads; writes by vhost (in which case it refuses) and by
 * assigned devices; changes between two pictures.
 *
 * Source: Linux Documentation/virt/kvm/api.rst, KVM_CAP_DIRTY_LOG_RING.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "accel/calibrate.h"
#include "accel/registry.h"

#define EXPOSURE_MAX 8    /* sampling intervals */
#define CUT_SHORT 0.25    /* part of an exposure that faults took */
#define AMPLE (1.0 / 16)  /* the same, if it could have been half as long */
#define OVERLAYS_MAX 4

/* Of each section of the map, a bit a page: it was written. */
typedef uint64_t **Picture;

typedef struct Ring {
    const VhHost *host;
    VhMap *map;
    Picture latest;
    Picture before;    /* complete; stands in while the latest is not */
    bool complete;     /* the latest is */
    bool exposing;     /* logging is on */
    unsigned exposure; /* how long, in sampling intervals */
    unsigned left;     /* of the present one */
    uint64_t begun_ns; /* the present one */
    unsigned overlays; /* exposures that the latest is made of */
    bool have;         /* there is a picture */
    double allowance;  /* fires that may be caused */
    uint64_t taken_ns;
    uint64_t gap_ns; /* between the latest two pictures */
    uint64_t spent_before_ns; /* by others, before open */
    char *why; /* it cannot go on */
    VhPrimitiveStats stats;
    char detail[64];
} Ring;

static bool ring_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                       char **why)
{
    const char *refusal =
        host->dirty_refusal ? host->dirty_refusal(host->dirty_opaque) : NULL;

    *caps = (VhCaps){
        .sees = VH_SEES_WRITES | VH_SEES_DMA,
        .granule = vh_host_page(host),
        .needs = "QEMU started with -accel kvm,dirty-ring-size=65536, and "
                 "without vhost devices",
        .blind = "reads, writes by assigned devices (VFIO), and what happens "
                 "between two pictures",
        .through_migration = true,
        .batch = true,
        .cost_ns = 16 * vh_calibrate_write_fault(host->kvm, host->nested),
    };
    if (host->dirty_kind != VH_DIRTY_RING) {
        *why = g_strdup("QEMU runs without dirty rings; start it with -accel "
                        "kvm,dirty-ring-size=65536");
    } else if (refusal) {
        *why = g_strdup(refusal);
    } else if (!map->nr) {
        *why = g_strdup("the guest has no RAM");
    }
    return *why == NULL;
}

static void *ring_open(const VhHost *host, char **why)
{
    Ring *r = g_new0(Ring, 1);

    r->host = host;
    r->spent_before_ns = host->dirty->spent_ns(host->dirty_opaque);
    r->exposure = EXPOSURE_MAX; /* until it turns out to need less */
    r->stats.fire_ns = vh_calibrate_write_fault(host->kvm, host->nested);
    return r;
}

static void end_exposure(Ring *r)
{
    if (r->exposing) {
        r->host->dirty->stop(r->host->dirty_opaque);
        r->exposing = false;
    }
}

static size_t words(const VhMapSection *s)
{
    return (s->size / VH_PAGE_SIZE + 63) / 64;
}

static Picture new_picture(const VhMap *map)
{
    Picture p = g_new0(uint64_t *, map->nr + 1);

    for (size_t i = 0; i < map->nr; i++) {
        p[i] = g_new0(uint64_t, words(&map->sections[i]));
    }
    return p;
}

static void wipe(Picture p, const VhMap *map)
{
    for (size_t i = 0; i < map->nr; i++) {
        memset(p[i], 0, words(&map->sections[i]) * sizeof(uint64_t));
    }
}

static void free_picture(Picture p, const VhMap *map)
{
    for (size_t i = 0; i < map->nr; i++) {
        g_free(p[i]);
    }
    g_free(p);
}

/* Nothing is known: the next picture begins anew. */
static void forget(Ring *r)
{
    r->have = false;
    r->complete = false;
    r->overlays = 0;
}

static void ring_idle(void *p)
{
    Ring *r = p;

    end_exposure(r);
    if (r->map) {
        free_picture(r->latest, r->map);
        free_picture(r->before, r->map);
    }
    g_clear_pointer(&r->map, vh_map_unref);
    g_clear_pointer(&r->why, g_free);
    forget(r);
}

static void ring_release(void *p)
{
    ring_idle(p);
    g_free(p);
}

static bool ring_set_map(void *p, VhMap *map, char **why)
{
    Ring *r = p;

    vh_map_ref(map);
    ring_idle(r);
    r->map = map;
    r->latest = new_picture(map);
    r->before = new_picture(map);
    return true;
}

static void ring_allow(void *p, double fires)
{
    Ring *r = p;

    r->allowance = fires;
}

/* Where @gpa's bit of a picture is; false when it is not in the map. */
static bool find_bit(const Ring *r, uint64_t gpa, size_t *section,
                     size_t *page)
{
    const VhMapSection *s = r->map ? vh_map_find(r->map, gpa) : NULL;

    if (s) {
        *section = s - r->map->sections;
        *page = (gpa - s->gpa) / VH_PAGE_SIZE;
    }
    return s != NULL;
}

static bool shows(const Picture p, size_t section, size_t page)
{
    return p[section][page / 64] & (1ULL << (page % 64));
}

static void expose(Ring *r)
{
    if (r->exposing || r->why || r->allowance <= 0) {
        return;
    }
    r->exposing =
        r->host->dirty->start(r->host->dirty_opaque, r->map, &r->why);
    r->left = r->exposure;
    r->begun_ns = vh_clock_now(&r->host->clock);
}

static void ring_arm(void *p, VhCheck *checks, size_t n)
{
    Ring *r = p;
    size_t section, page;

    for (size_t i = 0; i < n; i++) {
        checks[i].present = false;
        checks[i].granule = vh_host_page(r->host);
        checks[i].state = find_bit(r, checks[i].gpa, &section, &page)
                              ? VH_CHECK_ARMED
                              : VH_CHECK_SKIPPED;
    }
    r->stats.arms_free += n;
    if (n && r->map) {
        expose(r);
    }
}

static void mark(void *opaque, uint64_t gpa)
{
    Ring *r = opaque;
    size_t section, page;

    if (find_bit(r, gpa, &section, &page)) {
        r->latest[section][page / 64] |= 1ULL << (page % 64);
        r->stats.fires++;
    }
}

/* The latest picture is complete: a new one begins. */
static void turn_over(Ring *r)
{
    Picture p = r->before;

    r->before = r->latest;
    r->latest = p;
    wipe(r->latest, r->map);
    r->complete = false;
    r->overlays = 0;
}

/* Was the guest slowed down so much that it did not write all it would? */
static void judge(Ring *r, uint64_t now, uint64_t pages)
{
    double share =
        (double)pages * r->stats.fire_ns / MAX(now - r->begun_ns, 1);

    if (share > CUT_SHORT) {
        r->complete = ++r->overlays >= OVERLAYS_MAX;
        r->exposure = MIN(r->exposure * 2, EXPOSURE_MAX);
    } else {
        r->complete = true;
        r->exposure = share < AMPLE ? MAX(r->exposure / 2, 1) : r->exposure;
    }
}

/* The exposure brought nothing: what was known before is old. */
static void spoil(Ring *r)
{
    const char *lost = r->host->dirty->lost(r->host->dirty_opaque);

    r->why = g_strdup(lost); /* it had none: it was exposing */
    forget(r);
    wipe(r->latest, r->map);
    wipe(r->before, r->map);
    end_exposure(r);
}

/*
 * What was written during the exposure makes the latest picture. One that was
 * broken off only adds to it.
 */
static void develop(Ring *r, bool broken_off)
{
    uint64_t now = vh_clock_now(&r->host->clock);
    uint64_t before = r->stats.fires;

    if (r->complete) {
        turn_over(r);
    }
    if (!r->host->dirty->each(r->host->dirty_opaque, mark, r)) {
        spoil(r);
        return;
    }
    r->have = true;
    end_exposure(r);
    if (!broken_off) {
        judge(r, now, r->stats.fires - before);
    }
    r->gap_ns = r->taken_ns ? now - r->taken_ns : 0;
    r->taken_ns = now;
}

static void ring_rest(void *p)
{
    Ring *r = p;

    if (r->exposing) {
        develop(r, true);
    }
}

static VhCheckState answer(const Ring *r, uint64_t gpa)
{
    size_t section, page;

    if (!r->have || !find_bit(r, gpa, &section, &page)) {
        return VH_CHECK_LOST;
    }
    return shows(r->latest, section, page) ||
                   (!r->complete && shows(r->before, section, page))
               ? VH_CHECK_FIRED
               : VH_CHECK_SILENT;
}

static void ring_collect(void *p, VhCheck *checks, size_t n)
{
    Ring *r = p;

    if (r->exposing && !--r->left) {
        develop(r, false);
    }
    for (size_t i = 0; i < n; i++) {
        if (checks[i].state == VH_CHECK_ARMED) {
            checks[i].state = answer(r, checks[i].gpa);
            r->stats.lost += checks[i].state == VH_CHECK_LOST;
        }
    }
}

static void ring_stats(void *p, VhPrimitiveStats *out)
{
    Ring *r = p;

    snprintf(r->detail, sizeof(r->detail), "a picture every %s",
             r->gap_ns > 60000000000ULL  ? "few minutes"
             : r->gap_ns > 10000000000ULL ? "minute or less"
             : r->gap_ns > 1000000000ULL  ? "few seconds"
                                          : "second or less");
    r->stats.host_ns =
        r->host->dirty->spent_ns(r->host->dirty_opaque) - r->spent_before_ns;
    r->stats.detail = r->detail;
    *out = r->stats;
}

static char *ring_broken(void *p)
{
    return g_strdup(((Ring *)p)->why);
}

const VhPrimitiveOps vh_primitive_dirty_ring = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "dirty-ring",
    .summary = "takes pictures with KVM's dirty rings; sees writes",
    .probe = ring_probe,
    .open = ring_open,
    .set_map = ring_set_map,
    .arm = ring_arm,
    .collect = ring_collect,
    .idle = ring_idle,
    .release = ring_release,
    .stats = ring_stats,
    .broken = ring_broken,
    .allow = ring_allow,
    .rest = ring_rest,
};
