/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Idle page tracking: reads and writes by the accessed bits of the guest's
 * second-level page table (EPT, NPT) and of all other page tables.
 *
 * Theory of operation
 * -------------------
 * The kernel keeps an "idle" flag for each page of the host and lets root set
 * and read it (page-idle.c). QEMU gets the files from a helper, vmheat grant.
 *   arm      find the page frame (PFN), set its flag. The kernel clears the
 *            accessed bits in all page tables that map it.
 *   access   the CPU sets an accessed bit. No fault, no exit: a check costs the
 *            guest a TLB miss at most.
 *   collect  read the flag: the kernel looks at the accessed bits, and clears
 *            the flag if one is set.
 * Nothing is unmapped and nothing is written to guest memory, so any memory
 * will do. A page that is not touched stays idle, that is armed.
 *
 * Which page frame
 * ----------------
 * Contents move between page frames (compaction, NUMA balancing, swap). So the
 * PFN is remembered with the check; when it is another at collect, the answer
 * is lost. A page that was not present is armed for free: when it is
 * present later, it was touched.
 * A huge page has one flag, on its first page frame. Where PAGEMAP_SCAN says
 * that the page is mapped by a PMD, that is the PFN aligned to 2 MiB, and the
 * answer speaks for 2 MiB. Other folios of more than one page (mTHP) are not
 * to be told without a third file (kpageflags): the flag of their other pages
 * cannot be set, and those checks are SKIPPED; an answer about the first page
 * speaks for more than the 4 KiB that are said.
 *
 * A flag that could not be set
 * ----------------------------
 * Marking is ignored for pages that are not on an LRU list: just faulted in
 * (they wait in a per-CPU batch), just isolated. It also looks as if it had
 * been ignored when the guest touched the page at once. So each marking is
 * read back, those that failed are marked once more, and what fails then is
 * SKIPPED. hugetlb pages are on no LRU list: not covered.
 *
 * Limits
 * ------
 * The TLB is not flushed: an access whose translation is in the TLB sets no
 * bit. Intervals below 5 ms see little; with longer ones, a working set that
 * stays in the TLB for all of the interval looks idle.
 * The flag is shared by all: another user of the bitmap marks pages too, which
 * does no harm; the kernel's reclaim clears the flag of a page it finds
 * accessed, which is what we want to know as well.
 */
#include <glib.h>

#include "accel/calibrate.h"
#include "accel/page-idle.h"
#include "accel/pagemap.h"
#include "accel/registry.h"
#include "accel/sections.h"

#define THP_SIZE (2ULL << 20)
#define THP_PAGES (THP_SIZE / VH_PAGE_SIZE)
#define GAIN (1.0 / 16)
/* A TLB miss and setting the bit. */
#define COST_NS 100
#define MARKINGS 2
/* Checks that nobody collects are forgotten at last. */
#define REMEMBERED_MAX 65536

typedef struct IdlePage {
    const VhHost *host;
    VhPageIdle files;
    VhPagemap pagemap; /* the same descriptor */
    VhMap *map;
    GHashTable *armed; /* page number of GPA -> PFN, 0: was not present */
    VhIdlePage *pages; /* room for nr_pages */
    size_t nr_pages;
    double arm_ns;
    double collect_ns;
    VhPrimitiveStats stats;
} IdlePage;

static bool tracked(const VhMapSection *s)
{
    return s->page_size == VH_PAGE_SIZE;
}

static char *refusal(const VhMapSection *s)
{
    g_autofree char *what = g_strdup_printf("guest RAM '%s'", s->name);

    return vh_page_idle_refusal(what, s);
}

static bool idle_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                       char **why)
{
    const VhMapSection *main = vh_section_main(map);

    *caps = (VhCaps){
        .sees = VH_SEES_READS | VH_SEES_WRITES | VH_SEES_DMA,
        .granule = VH_PAGE_SIZE,
        .persistent = true,
        .needs = "the idle page bitmap (vmheat grant)",
        .blind = "DMA of assigned devices (VFIO), and accesses to pages that "
                 "stay in the CPU's TLB",
        .cost_ns = COST_NS,
    };
    if (!main) {
        *why = g_strdup("the guest has no RAM");
    } else if (!tracked(main)) {
        *why = refusal(main);
    } else if (!vh_page_idle_granted(host)) {
        caps->waits_for_grant = true;
        *why = g_strdup(VH_PAGE_IDLE_NEEDS);
    }
    return *why == NULL;
}

static void *idle_open(const VhHost *host, char **why)
{
    IdlePage *p;

    if (!vh_page_idle_granted(host)) {
        *why = g_strdup(VH_PAGE_IDLE_NEEDS);
        return NULL;
    }
    p = g_new0(IdlePage, 1);
    if (!vh_page_idle_take(&p->files, host, why)) {
        g_free(p);
        return NULL;
    }
    p->host = host;
    p->pagemap = vh_pagemap_wrap(p->files.pagemap);
    p->armed = g_hash_table_new(NULL, NULL);
    p->stats.fire_ns = COST_NS;
    return p;
}

static void idle_idle(void *opaque)
{
    IdlePage *p = opaque;

    g_hash_table_remove_all(p->armed);
    g_clear_pointer(&p->map, vh_map_unref);
}

static bool idle_set_map(void *opaque, VhMap *map, char **why)
{
    IdlePage *p = opaque;
    const VhMapSection *main = vh_section_main(map);

    vh_map_ref(map);
    idle_idle(p);
    if (main && tracked(main)) {
        p->map = map;
        return true;
    }
    *why = main ? refusal(main) : g_strdup("the guest has no RAM");
    vh_map_unref(map);
    return false;
}

static bool idle_covers(void *opaque, const VhMapSection *section)
{
    IdlePage *p = opaque;

    return p->map && tracked(section);
}

static void idle_release(void *opaque)
{
    IdlePage *p = opaque;

    idle_idle(p);
    g_hash_table_destroy(p->armed);
    vh_page_idle_close(&p->files);
    g_free(p->pages);
    g_free(p);
}

static uint8_t *find_page(IdlePage *p, uint64_t gpa)
{
    const VhMapSection *s = p->map ? vh_map_find(p->map, gpa) : NULL;

    return s && tracked(s) ? s->hva + (gpa - s->gpa) : NULL;
}

static gpointer key_of(const VhCheck *c)
{
    return GSIZE_TO_POINTER(c->gpa / VH_PAGE_SIZE);
}

/* Was it armed before, with this PFN? */
static bool known(IdlePage *p, const VhCheck *c, uint64_t pfn)
{
    gpointer was;

    return g_hash_table_lookup_extended(p->armed, key_of(c), NULL, &was) &&
           GPOINTER_TO_SIZE(was) == pfn;
}

static void remember(IdlePage *p, VhCheck *c, uint64_t pfn, bool present)
{
    c->state = VH_CHECK_ARMED;
    c->present = present;
    p->stats.arms += present;
    p->stats.arms_free += !present;
    g_hash_table_insert(p->armed, key_of(c), GSIZE_TO_POINTER(pfn));
}

static void reserve(IdlePage *p, size_t n)
{
    if (n > p->nr_pages) {
        p->nr_pages = n;
        p->pages = g_renew(VhIdlePage, p->pages, n);
    }
}

static void forget_some(IdlePage *p, size_t n)
{
    if (g_hash_table_size(p->armed) > MAX(4 * n, REMEMBERED_MAX)) {
        g_hash_table_remove_all(p->armed);
    }
}

/* PFN of the page that has the flag for @hva; 0 when nothing is mapped. */
static uint64_t flag_pfn(IdlePage *p, const uint8_t *hva, uint64_t *granule)
{
    uint64_t pfn = vh_page_idle_pfn(&p->files, hva);

    *granule = VH_PAGE_SIZE;
    if (pfn && (vh_pagemap_query(&p->pagemap, hva) & VH_PAGE_HUGE)) {
        *granule = THP_SIZE;
        return pfn & ~(THP_PAGES - 1);
    }
    return pfn;
}

/*
 * Arms what is not present and lists the rest; returns how many are listed.
 * Those are @idle as far as known: armed before and not found accessed.
 */
static size_t list_to_arm(IdlePage *p, VhCheck *checks, size_t n)
{
    size_t nr = 0;

    for (size_t i = 0; i < n; i++) {
        VhCheck *c = &checks[i];
        uint8_t *hva = find_page(p, c->gpa);
        uint64_t pfn;

        c->state = VH_CHECK_SKIPPED;
        if (!hva) {
            continue;
        }
        pfn = flag_pfn(p, hva, &c->granule);
        if (pfn) {
            p->pages[nr++] = (VhIdlePage){ .pfn = pfn,
                                           .owner = c,
                                           .idle = known(p, c, pfn) };
        } else if (!p->files.failed) {
            remember(p, c, 0, false);
        }
    }
    vh_page_idle_sort(p->pages, nr);
    return nr;
}

/*
 * Moves those that are armed to their checks, keeps the others in order.
 * Returns how many are left.
 */
static size_t settle(IdlePage *p, size_t nr, bool present)
{
    size_t left = 0;

    for (size_t i = 0; i < nr; i++) {
        const VhIdlePage *page = &p->pages[i];

        if (page->idle) {
            remember(p, page->owner, page->pfn, present);
        } else {
            p->pages[left++] = *page;
        }
    }
    return left;
}

/* What was armed before may have been touched since it was collected. */
static bool still_idle(IdlePage *p, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        if (p->pages[i].idle) {
            return vh_page_idle_read(&p->files, p->pages, nr);
        }
    }
    return true;
}

static void idle_arm(void *opaque, VhCheck *checks, size_t n)
{
    IdlePage *p = opaque;
    uint64_t start;
    size_t nr, fresh;

    reserve(p, n);
    forget_some(p, n);
    nr = list_to_arm(p, checks, n);
    if (!still_idle(p, nr)) {
        return;
    }
    nr = fresh = settle(p, nr, false);
    start = vh_calibrate_now();
    for (int i = 0; i < MARKINGS && nr; i++) {
        if (!vh_page_idle_mark(&p->files, p->pages, nr) ||
            !vh_page_idle_read(&p->files, p->pages, nr)) {
            return;
        }
        nr = settle(p, nr, true);
    }
    if (fresh) {
        double ns = (double)(vh_calibrate_now() - start) / fresh;

        p->arm_ns += (ns - p->arm_ns) * (p->arm_ns ? GAIN : 1);
    }
}

static void conclude(IdlePage *p, VhCheck *c, VhCheckState state)
{
    c->state = state;
    p->stats.fires += state == VH_CHECK_FIRED;
    p->stats.lost += state == VH_CHECK_LOST;
    if (state != VH_CHECK_SILENT) {
        g_hash_table_remove(p->armed, key_of(c));
    }
}

/*
 * Answers those that need no look at their flag and lists the others. A page
 * that came is an access; one that went, or moved, took the answer along.
 */
static size_t list_to_collect(IdlePage *p, VhCheck *checks, size_t n)
{
    size_t nr = 0;

    for (size_t i = 0; i < n; i++) {
        VhCheck *c = &checks[i];
        uint8_t *hva = find_page(p, c->gpa);
        uint64_t pfn = 0, granule = 0;

        if (c->state != VH_CHECK_ARMED) {
            continue;
        }
        if (hva) {
            pfn = flag_pfn(p, hva, &granule);
        }
        if (pfn && known(p, c, pfn) && granule == c->granule) {
            p->pages[nr++] = (VhIdlePage){ .pfn = pfn, .owner = c };
        } else if (known(p, c, 0) && !p->files.failed) {
            conclude(p, c, pfn ? VH_CHECK_FIRED : VH_CHECK_SILENT);
        } else {
            conclude(p, c, VH_CHECK_LOST);
        }
    }
    vh_page_idle_sort(p->pages, nr);
    return nr;
}

static void idle_collect(void *opaque, VhCheck *checks, size_t n)
{
    IdlePage *p = opaque;
    uint64_t start = vh_calibrate_now();
    size_t nr;
    bool ok;

    reserve(p, n);
    nr = list_to_collect(p, checks, n);
    ok = vh_page_idle_read(&p->files, p->pages, nr);
    for (size_t i = 0; i < nr; i++) {
        conclude(p, p->pages[i].owner,
                 !ok                ? VH_CHECK_LOST
                 : p->pages[i].idle ? VH_CHECK_SILENT
                                    : VH_CHECK_FIRED);
    }
    if (n) {
        double ns = (double)(vh_calibrate_now() - start) / n;

        p->collect_ns += (ns - p->collect_ns) * (p->collect_ns ? GAIN : 1);
    }
}

static char *idle_broken(void *opaque)
{
    IdlePage *p = opaque;

    return p->files.failed ? g_strdup_printf("%s failed: %s", p->files.failed,
                                             g_strerror(p->files.error))
                           : NULL;
}

static void idle_stats(void *opaque, VhPrimitiveStats *out)
{
    IdlePage *p = opaque;

    p->stats.arm_ns = p->arm_ns;
    p->stats.collect_ns = p->collect_ns;
    p->stats.detail = p->pagemap.scan ? "idle page bitmap, pagemap scan"
                                      : "idle page bitmap, plain pagemap";
    *out = p->stats;
}

const VhPrimitiveOps vh_primitive_idle_page = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "idle-page",
    .summary = "reads the accessed bits of page tables by the kernel's idle "
               "page bitmap; sees reads and writes",
    .probe = idle_probe,
    .open = idle_open,
    .set_map = idle_set_map,
    .arm = idle_arm,
    .collect = idle_collect,
    .idle = idle_idle,
    .release = idle_release,
    .stats = idle_stats,
    .covers = idle_covers,
    .broken = idle_broken,
};
