/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-table trap: reads and writes, without privilege, with KVM and TCG.
 *
 * Theory of operation
 * -------------------
 * Guest RAM that is a MAP_SHARED mapping of a file, memfd or hugetlbfs file
 * keeps its contents in the page cache, whether or not a page is mapped. So:
 *   arm      unmap the page (MADV_DONTNEED). KVM's MMU notifier unmaps it from
 *            the guest's second-level page table at the same time.
 *   access   the guest, a device model or an in-kernel vhost touches the page:
 *            a fault maps it again. Nobody has to be told.
 *   collect  is the page mapped now? Then it was accessed.
 * A page that is not touched stays armed and costs nothing. One that was not
 * mapped to begin with (never touched, swapped out, or armed earlier) is armed
 * for free.
 *
 * Safety
 * ------
 * The same madvise() on a private or anonymous mapping throws the contents
 * away. So a section is only ever armed when QEMU says its RAMBlock is shared
 * and has a file, and /proc/self/maps shows the whole section mapped "s". The
 * first is asked in probe, both at every set_map. Sections that fail are left
 * alone; trap as a whole refuses when main memory fails.
 *
 * Granules
 * --------
 * 4 KiB. A page mapped by a PMD (shmem THP) is unmapped with its 2 MiB, and any
 * page of them that comes back counts, because a touch maps all of them.
 * hugetlb mappings: their page size; where a section begins or ends inside such
 * a page (x86 has a hole at 640 KiB), the whole page is proved and unmapped.
 * Fault-around would map armed neighbours of a page that is read: a
 * userfaultfd registration prevents it (uffd.c), one that is shared with
 * uffd-wp (uffd-share.c). Where that cannot be had, the
 * answer speaks for the aligned 64 KiB, and no two checks at a time are made in
 * one such block.
 *
 * What it cannot see: accesses by other processes that map the same memory
 * (vhost-user), DMA of assigned devices (VFIO), and further accesses to a
 * page that was touched once since it was armed.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "accel/calibrate.h"
#include "accel/pagemap.h"
#include "accel/proc-maps.h"
#include "accel/registry.h"
#include "accel/sections.h"
#include "accel/uffd-share.h"
#include "accel/zap.h"

#define THP_SIZE (2ULL << 20)
#define FAULT_AROUND (64ULL << 10)
#define GAIN (1.0 / 16)

/* What is known about a section of the current map. */
typedef struct Section {
    bool ok;    /* proved; may be unmapped */
    bool uffd;  /* registered: no fault-around */
    bool armed; /* a page of it was armed since it is in the map */
} Section;

/* Where a check's page is. */
typedef struct Target {
    uint8_t *hva;
    uint64_t len;
    uint64_t granule;
    bool present;
} Target;

typedef struct Trap {
    const VhHost *host;
    VhPagemap pagemap;
    VhUffd *uffd;
    VhMap *map;
    Section *sections;
    VhZapper zapper;
    VhZap *zaps;          /* room for nr_zaps */
    VhCheck **zap_checks; /* whose zap it is */
    size_t nr_zaps;
    uint64_t *blocks; /* fault-around blocks in this batch, hashed */
    size_t nr_blocks; /* a power of two, at least twice nr_zaps */
    double collect_ns;
    VhPrimitiveStats stats;
    char detail[64];
} Trap;

static bool qualifies(const VhMapSection *s)
{
    return s->shared && s->file_backed;
}

static char *refusal(const VhMapSection *s, const char *what)
{
    return g_strdup_printf(
        "guest RAM '%s' (%" G_GUINT64_FORMAT " MiB) %s, and unmapping its "
        "pages would lose their contents; use shared memory: "
        "-object memory-backend-memfd,id=mem0,size=%" G_GUINT64_FORMAT
        "M,share=on -machine memory-backend=mem0, or in libvirt XML: "
        "<memoryBacking><source type='memfd'/><access mode='shared'/>"
        "</memoryBacking>",
        s->name, s->block_size >> 20, what, s->block_size >> 20);
}

static bool trap_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                       char **why)
{
    const VhMapSection *main = vh_section_main(map);

    *caps = (VhCaps){
        .sees = VH_SEES_READS | VH_SEES_WRITES | VH_SEES_DMA,
        .granule = VH_PAGE_SIZE,
        .persistent = true,
        .needs = "guest RAM in shared memory (memfd, file or hugetlbfs)",
        .blind = "accesses by vhost-user processes and by assigned devices "
                 "(VFIO)",
        .cost_ns = vh_estimate_fire(host->kvm, host->nested, host->fault_ns),
    };
    if (!main) {
        *why = g_strdup("the guest has no RAM");
        return false;
    }
    if (!qualifies(main)) {
        *why = refusal(main, main->shared ? "is anonymous memory"
                                          : "is private memory");
        return false;
    }
    return true;
}

static void *trap_open(const VhHost *host, char **why)
{
    Trap *t = g_new0(Trap, 1);

    if (!vh_pagemap_open(&t->pagemap, why)) {
        g_free(t);
        return NULL;
    }
    t->host = host;
    t->uffd = vh_uffd_get(host);
    t->stats.fire_ns = vh_calibrate_fire(host->kvm, host->nested);
    vh_zapper_init(&t->zapper, host, vh_zap_op);
    return t;
}

static Section *state_of(Trap *t, const VhMapSection *s)
{
    return &t->sections[s - t->map->sections];
}

/*
 * Lets go of the current map, but not of what is in @next and proved by
 * @proved too: unregistering makes the host map all pages of a section anew,
 * which a guest feels.
 */
static void forget_map(Trap *t, const VhMap *next, Section *proved)
{
    for (size_t i = 0; t->map && i < t->map->nr; i++) {
        const VhMapSection *s = &t->map->sections[i];
        const VhMapSection *same = vh_section_same(next, s);
        Section *kept = same ? &proved[same - next->sections] : NULL;

        if (kept && kept->ok) {
            kept->armed = t->sections[i].armed;
            kept->uffd = t->sections[i].uffd;
        } else if (t->sections[i].uffd) {
            vh_uffd_drop(t->uffd, s->hva, s->size, false);
        }
    }
    g_clear_pointer(&t->sections, g_free);
    g_clear_pointer(&t->map, vh_map_unref);
}

/* Is all of @s, and of the pages it shares with others, safe to unmap? */
static bool prove(const VhMapSection *s, const char *maps)
{
    uint64_t start = (uintptr_t)s->hva;
    uint64_t mask = s->page_size - 1;

    return qualifies(s) && s->page_size >= VH_PAGE_SIZE &&
           !(s->page_size & mask) &&
           vh_proc_maps_shared(maps, start & ~mask,
                               (start + s->size + mask) & ~mask);
}

/* Proves all sections of @map; NULL and @why when main memory fails. */
static Section *prove_map(const VhMap *map, char **why)
{
    g_autofree char *maps = vh_proc_maps_read(why);
    g_autofree Section *out = g_new0(Section, map->nr + 1);
    const VhMapSection *main = vh_section_main(map);

    if (!maps) {
        return NULL;
    }
    if (!main) {
        *why = g_strdup("the guest has no RAM");
        return NULL;
    }
    for (size_t i = 0; i < map->nr; i++) {
        out[i].ok = prove(&map->sections[i], maps);
    }
    if (!out[main - map->sections].ok) {
        *why = refusal(main, "is not a shared file mapping in this process");
        return NULL;
    }
    return g_steal_pointer(&out);
}

/* Those that are registered already stay as they are. */
static void register_map(Trap *t)
{
    for (size_t i = 0; i < t->map->nr; i++) {
        const VhMapSection *s = &t->map->sections[i];

        if (t->sections[i].ok && !t->sections[i].uffd &&
            !(s->flags & VH_SECTION_HUGETLB)) {
            t->sections[i].uffd = vh_uffd_hold(t->uffd, s->hva, s->size);
        }
    }
}

static bool trap_set_map(void *p, VhMap *map, char **why)
{
    Trap *t = p;
    Section *proved = prove_map(map, why);

    vh_map_ref(map);
    forget_map(t, proved ? map : NULL, proved);
    if (!proved) {
        vh_map_unref(map);
        return false;
    }
    t->map = map;
    t->sections = proved;
    register_map(t);
    return true;
}

static bool trap_covers(void *p, const VhMapSection *section)
{
    Trap *t = p;

    return t->map && state_of(t, section)->ok;
}

static void trap_idle(void *p)
{
    forget_map(p, NULL, NULL);
}

static void trap_release(void *p)
{
    Trap *t = p;

    forget_map(t, NULL, NULL);
    vh_uffd_unref(t->uffd);
    vh_pagemap_close(&t->pagemap);
    g_free(t->blocks);
    g_free(t->zaps);
    g_free(t->zap_checks);
    g_free(t);
}

/*
 * The aligned 2 MiB around @off as far as they belong to the section. What
 * is beyond may be none of ours, and goes with the PMD anyway.
 */
static void take_thp(const VhMapSection *s, uint64_t off, Target *out)
{
    uintptr_t begin = (uintptr_t)s->hva;
    uintptr_t addr = (begin + off) & ~(THP_SIZE - 1);
    uintptr_t end = MIN(addr + THP_SIZE, begin + s->size);

    addr = MAX(addr, begin);
    out->hva = (uint8_t *)addr;
    out->len = end - addr;
    out->granule = THP_SIZE;
}

/* Bytes that an answer about a page of @s speaks for. */
static uint64_t granule_of(Trap *t, const VhMapSection *s)
{
    bool alone = (s->flags & VH_SECTION_HUGETLB) || state_of(t, s)->uffd;

    return alone ? s->page_size : MAX(s->page_size, FAULT_AROUND);
}

/* The page of the section, of the host's size or hugetlb's, that holds @off. */
static Target whole_page(Trap *t, const VhMapSection *s, uint64_t off)
{
    uintptr_t in_page = ((uintptr_t)s->hva + off) & (s->page_size - 1);

    return (Target){ .hva = s->hva + off - in_page,
                     .len = s->page_size,
                     .granule = granule_of(t, s) };
}

/* Finds where @check's page is; false when it cannot be checked. */
static bool find_target(Trap *t, const VhCheck *check, Target *out)
{
    const VhMapSection *s = t->map ? vh_map_find(t->map, check->gpa) : NULL;
    uint64_t off;
    unsigned bits;

    if (!s || !state_of(t, s)->ok) {
        return false;
    }
    off = check->gpa - s->gpa;
    state_of(t, s)->armed = true;
    *out = whole_page(t, s, off);
    if (s->page_size > VH_PAGE_SIZE) {
        out->present = vh_pagemap_present(&t->pagemap, out->hva);
        return true;
    }
    bits = vh_pagemap_query(&t->pagemap, out->hva);
    out->present = bits & VH_PAGE_PRESENT;
    if (bits & VH_PAGE_HUGE) {
        take_thp(s, off, out);
    }
    return true;
}

/* Is this the first check of its fault-around block in this batch? */
static bool first_in_block(Trap *t, const Target *target)
{
    uint64_t block = (uintptr_t)target->hva / FAULT_AROUND;
    size_t mask = t->nr_blocks - 1;
    size_t at = block * 0x9e3779b97f4a7c15ULL >> 32 & mask;

    while (t->blocks[at] && t->blocks[at] != block) {
        at = (at + 1) & mask;
    }
    if (t->blocks[at]) {
        return false;
    }
    t->blocks[at] = block;
    return true;
}

static void reserve_zaps(Trap *t, size_t n)
{
    if (n > t->nr_zaps) {
        t->nr_zaps = n;
        t->zaps = g_renew(VhZap, t->zaps, n);
        t->zap_checks = g_renew(VhCheck *, t->zap_checks, n);
        for (t->nr_blocks = 64; t->nr_blocks < 2 * n; t->nr_blocks *= 2) {
        }
        t->blocks = g_renew(uint64_t, t->blocks, t->nr_blocks);
    }
    if (t->blocks) {
        memset(t->blocks, 0, t->nr_blocks * sizeof(*t->blocks));
    }
}

/* Arms what costs nothing and lists the rest; returns how many are listed. */
static size_t prepare(Trap *t, VhCheck *checks, size_t n)
{
    size_t nz = 0;

    for (size_t i = 0; i < n; i++) {
        VhCheck *c = &checks[i];
        Target target;

        c->state = VH_CHECK_SKIPPED;
        if (!find_target(t, c, &target) ||
            (target.granule == FAULT_AROUND && !first_in_block(t, &target))) {
            continue;
        }
        c->granule = target.granule;
        c->present = target.present;
        if (target.present) {
            t->zaps[nz] = (VhZap){ .addr = target.hva, .len = target.len };
            t->zap_checks[nz++] = c;
        } else {
            c->state = VH_CHECK_ARMED;
            t->stats.arms_free++;
        }
    }
    return nz;
}

static void trap_arm(void *p, VhCheck *checks, size_t n)
{
    Trap *t = p;
    size_t nz;
    bool answered;

    reserve_zaps(t, n);
    nz = prepare(t, checks, n);
    answered = vh_zapper_run(&t->zapper, t->map, t->zaps, nz);
    for (size_t i = 0; i < nz; i++) {
        VhCheck *c = t->zap_checks[i];

        if (!answered) {
            c->state = VH_CHECK_LOST;
            t->stats.lost++;
        } else if (t->zaps[i].ok) {
            c->state = VH_CHECK_ARMED;
            t->stats.arms++;
        }
    }
}

/* What became of an armed check; LOST when it was armed under another map. */
static VhCheckState answer(Trap *t, const VhCheck *c)
{
    const VhMapSection *s = t->map ? vh_map_find(t->map, c->gpa) : NULL;
    Target target;

    if (!s || !state_of(t, s)->armed) {
        return VH_CHECK_LOST;
    }
    target = whole_page(t, s, c->gpa - s->gpa);
    if (s->flags & VH_SECTION_HUGETLB) {
        target.len = VH_PAGE_SIZE; /* one entry tells of all */
    }
    if (s->page_size == VH_PAGE_SIZE && c->granule == THP_SIZE) {
        take_thp(s, c->gpa - s->gpa, &target);
    }
    return vh_pagemap_any_present(&t->pagemap, target.hva, target.len)
               ? VH_CHECK_FIRED
               : VH_CHECK_SILENT;
}

static void trap_collect(void *p, VhCheck *checks, size_t n)
{
    Trap *t = p;
    uint64_t start = vh_calibrate_now();
    size_t answered = 0;

    for (size_t i = 0; i < n; i++) {
        VhCheck *c = &checks[i];

        if (c->state != VH_CHECK_ARMED) {
            continue;
        }
        c->state = answer(t, c);
        t->stats.fires += c->state == VH_CHECK_FIRED;
        t->stats.lost += c->state == VH_CHECK_LOST;
        answered++;
    }
    if (answered) {
        double ns = (double)(vh_calibrate_now() - start) / answered;

        t->collect_ns += (ns - t->collect_ns) * (t->collect_ns ? GAIN : 1);
    }
}

static bool all_registered(const Trap *t)
{
    for (size_t i = 0; t->map && i < t->map->nr; i++) {
        if (t->sections[i].ok && !t->sections[i].uffd &&
            !(t->map->sections[i].flags & VH_SECTION_HUGETLB)) {
            return false;
        }
    }
    return true;
}

static void trap_stats(void *p, VhPrimitiveStats *out)
{
    Trap *t = p;
    const VhZapper *z = &t->zapper;
    const VhZapCost *cost = &z->cost[z->mode];

    snprintf(t->detail, sizeof(t->detail), "%s, %s, %s",
             z->mode == VH_ZAP_VCPU ? "armed on vCPU threads"
                                    : "armed by the worker",
             all_registered(t) ? "no fault-around" : "64 KiB granule",
             t->pagemap.scan ? "pagemap scan" : "plain pagemap");
    t->stats.arm_ns = cost->each_ns;
    t->stats.arm_batch_ns = cost->batch_ns;
    t->stats.collect_ns = t->collect_ns;
    t->stats.vcpu_ns = z->vcpu_ns;
    t->stats.detail = t->detail;
    *out = t->stats;
}

const VhPrimitiveOps vh_primitive_trap = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "trap",
    .summary = "unmaps pages and looks which are mapped again; sees reads and "
               "writes",
    .probe = trap_probe,
    .open = trap_open,
    .set_map = trap_set_map,
    .arm = trap_arm,
    .collect = trap_collect,
    .idle = trap_idle,
    .release = trap_release,
    .stats = trap_stats,
    .covers = trap_covers,
};
