/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write protection by userfaultfd: writes, without privilege, to RAM of any
 * kind, private anonymous memory included.
 *
 * Theory of operation
 * -------------------
 * Guest memory is registered with a userfaultfd that has WP_ASYNC (Linux 6.7):
 * the kernel lifts the protection of a page that is written by itself and
 * lets the writer go on; nobody is told and nobody is waited for.
 *   arm      write-protect the page. The MMU notifier takes the writable
 *            mapping away from KVM's page tables at the same time.
 *   access   a write by the guest, a device model or the kernel (vhost, read()
 *            into guest memory) faults and lifts the protection.
 *   collect  is the page still protected (bit 57 of its pagemap entry)?
 * A page that is not written stays armed and costs nothing. Nothing is ever
 * unmapped or thrown away, so any kind of memory will do.
 *
 * Pages that cost nothing to arm
 * ------------------------------
 *   protected        armed already
 *   absent, shared   the protection is put into the page table as a marker;
 *                    whatever maps the page next maps it protected
 *   absent, private  never touched: the first write shows by a private copy, so
 *                    nothing is done. A marker would keep the kernel from
 *                    giving the guest a huge page there.
 *   borrowed         private, but only read so far: the zero page or the file's
 * "Absent" and "borrowed" of a private mapping are one state here, PRISTINE.
 *
 * What is mapped is protected with PAGEMAP_SCAN, on a vCPU's thread or by the
 * worker (zap.c): it does nothing to a range that lost its registration, or
 * that now belongs to another userfaultfd, so that a batch which a vCPU runs
 * late cannot disturb a migration. UFFDIO_WRITEPROTECT costs the same, but does
 * not check. It is needed for what is not mapped, as PAGEMAP_SCAN leaves
 * absent hugetlb pages alone.
 *
 * Granules
 * --------
 * 4 KiB, or hugetlb's page size. Protecting 4 KiB of a transparent huge page
 * splits its mapping, and it stays split while a page of it is armed. That
 * keeps the answers true, and costs the guest some of its speed: where there
 * is a choice, QEMU's write log is better for such memory.
 *
 * Sharing
 * -------
 * Memory that another userfaultfd has (postcopy, background snapshot) cannot be
 * registered. Main memory: refused. Other memory: not covered. The trap uses
 * the same userfaultfd (uffd-share.c); a page it unmaps stays protected.
 *
 * What it cannot see: reads, writes by other processes that map the same memory
 * (vhost-user), and DMA of assigned devices.
 */
#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "accel/calibrate.h"
#include "accel/pagemap.h"
#include "accel/registry.h"
#include "accel/sections.h"
#include "accel/uffd-share.h"
#include "accel/uffd.h"
#include "accel/zap.h"

#define GAIN (1.0 / 16)

/* What write-protects; lives as long as any batch for a vCPU. */
typedef struct Protector {
    int refs; /* atomic */
    VhPagemap pagemap;
} Protector;

/* What is known about a section of the current map. */
typedef struct Section {
    bool ok;    /* registered */
    bool armed; /* a page of it was armed since it is in the map */
} Section;

typedef enum PageState {
    PAGE_PROTECTED,
    PAGE_PRISTINE, /* private and not written yet */
    PAGE_ABSENT,   /* not mapped; contents may be anywhere */
    PAGE_SWAPPED,
    PAGE_OPEN, /* mapped, writes are not noticed */
} PageState;

typedef struct UffdWp {
    const VhHost *host;
    VhUffd *uffd;
    Protector *protector;
    VhMap *map;
    Section *sections;
    VhZapper zapper;
    VhZap *zaps;          /* room for nr_zaps */
    VhCheck **zap_checks; /* whose zap it is */
    size_t nr_zaps;
    double collect_ns;
    VhPrimitiveStats stats;
} UffdWp;

static bool protector_run(void *arg, void *addr, size_t len)
{
    Protector *p = arg;

    return vh_pagemap_protect(&p->pagemap, addr, len);
}

static void protector_ref(void *arg)
{
    Protector *p = arg;

    __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
}

static void protector_unref(void *arg)
{
    Protector *p = arg;

    if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        vh_pagemap_close(&p->pagemap);
        g_free(p);
    }
}

static Protector *protector_new(char **why)
{
    Protector *p = g_new0(Protector, 1);

    p->refs = 1;
    if (vh_pagemap_open(&p->pagemap, why)) {
        if (p->pagemap.scan) {
            return p;
        }
        vh_pagemap_close(&p->pagemap);
        *why = g_strdup("needs Linux 6.7 (PAGEMAP_SCAN); this kernel does not "
                        "have it");
    }
    g_free(p);
    return NULL;
}

/* What to tell the user about an errno of vh_uffd_open_async(). */
static char *refusal(int error)
{
    if (error == EINVAL) {
        return g_strdup("needs Linux 6.7 (userfaultfd WP_ASYNC); this kernel "
                        "does not have it");
    }
    if (error == ENOSYS) {
        return g_strdup("this kernel has no userfaultfd (CONFIG_USERFAULTFD)");
    }
    return g_strdup_printf("userfaultfd is refused: %s%s", g_strerror(error),
                           error == EPERM
                               ? " (a seccomp sandbox or security policy "
                                 "forbids it)"
                               : "");
}

static bool wp_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                     char **why)
{
    Protector *p;
    int fd;

    *caps = (VhCaps){
        .sees = VH_SEES_WRITES | VH_SEES_DMA,
        .granule = VH_PAGE_SIZE,
        .persistent = true,
        .needs = "Linux 6.7 (userfaultfd with asynchronous write protection)",
        .blind = "reads, and writes by vhost-user processes and by assigned "
                 "devices (VFIO)",
        .cost_ns = vh_estimate_fire(host->kvm, host->nested, host->fault_ns),
    };
    if (!map->nr) {
        *why = g_strdup("the guest has no RAM");
        return false;
    }
    fd = vh_uffd_open_async();
    if (fd < 0) {
        *why = refusal(errno);
        return false;
    }
    close(fd);
    p = protector_new(why);
    g_clear_pointer(&p, protector_unref);
    return *why == NULL;
}

static void *wp_open(const VhHost *host, char **why)
{
    Protector *protector = protector_new(why);
    UffdWp *w;

    if (!protector) {
        return NULL;
    }
    w = g_new0(UffdWp, 1);
    w->host = host;
    w->protector = protector;
    w->uffd = vh_uffd_get(host);
    if (vh_uffd_error(w->uffd)) {
        *why = refusal(vh_uffd_error(w->uffd));
        vh_uffd_unref(w->uffd);
        protector_unref(protector);
        g_free(w);
        return NULL;
    }
    w->stats.fire_ns = vh_calibrate_protect(host->kvm, host->nested, w->uffd);
    vh_zapper_init(&w->zapper, host,
                   (VhZapOp){ .run = protector_run,
                              .arg = protector,
                              .ref = protector_ref,
                              .unref = protector_unref });
    return w;
}

static Section *state_of(UffdWp *w, const VhMapSection *s)
{
    return &w->sections[s - w->map->sections];
}

/*
 * The section and, with hugetlb, the rest of the pages it begins and ends in.
 * Returns its length; 0 when @s makes no sense.
 */
static size_t whole_pages(const VhMapSection *s, uint8_t **start)
{
    uintptr_t mask = s->page_size - 1;
    uintptr_t from = (uintptr_t)s->hva & ~mask;

    *start = (uint8_t *)from;
    if (s->page_size < VH_PAGE_SIZE || (s->page_size & mask)) {
        return 0;
    }
    return (((uintptr_t)s->hva + s->size + mask) & ~mask) - from;
}

static void let_go(UffdWp *w, const VhMapSection *s, bool armed)
{
    uint8_t *start;
    size_t len = whole_pages(s, &start);

    vh_uffd_drop(w->uffd, start, len, armed);
}

/* Lets go of the current map, but not of what is in @next too. */
static void forget_map(UffdWp *w, const VhMap *next, Section *kept)
{
    for (size_t i = 0; w->map && i < w->map->nr; i++) {
        const VhMapSection *s = &w->map->sections[i];
        const VhMapSection *same = vh_section_same(next, s);

        if (!w->sections[i].ok) {
            continue;
        }
        if (same) {
            kept[same - next->sections] = w->sections[i];
        } else {
            let_go(w, s, w->sections[i].armed);
        }
    }
    g_clear_pointer(&w->sections, g_free);
    g_clear_pointer(&w->map, vh_map_unref);
}

static bool hold(UffdWp *w, const VhMapSection *s)
{
    uint8_t *start;
    size_t len = whole_pages(s, &start);

    errno = EINVAL;
    return len && vh_uffd_hold(w->uffd, start, len);
}

static char *not_held(const VhMapSection *s, int error)
{
    return g_strdup_printf("guest RAM '%s' cannot be write-protected: %s",
                           s->name,
                           error == EBUSY ? "another userfaultfd has it "
                                            "(postcopy migration or "
                                            "background snapshot)"
                                          : g_strerror(error));
}

/* Registers what is not yet; false and @why when main memory cannot be. */
static bool register_map(UffdWp *w, char **why)
{
    const VhMapSection *main = vh_section_main(w->map);

    for (size_t i = 0; i < w->map->nr; i++) {
        const VhMapSection *s = &w->map->sections[i];

        if (w->sections[i].ok || hold(w, s)) {
            w->sections[i].ok = true;
        } else if (s == main) {
            *why = not_held(s, errno);
            return false;
        }
    }
    if (!main) {
        *why = g_strdup("the guest has no RAM");
    }
    return main != NULL;
}

static bool wp_set_map(void *p, VhMap *map, char **why)
{
    UffdWp *w = p;
    Section *sections = g_new0(Section, map->nr + 1);

    vh_map_ref(map);
    forget_map(w, map, sections);
    w->map = map;
    w->sections = sections;
    if (!register_map(w, why)) {
        forget_map(w, NULL, NULL);
        return false;
    }
    return true;
}

static bool wp_covers(void *p, const VhMapSection *section)
{
    UffdWp *w = p;

    return w->map && state_of(w, section)->ok;
}

static void wp_idle(void *p)
{
    forget_map(p, NULL, NULL);
}

static void wp_release(void *p)
{
    UffdWp *w = p;

    forget_map(w, NULL, NULL);
    vh_uffd_unref(w->uffd);
    protector_unref(w->protector);
    g_free(w->zaps);
    g_free(w->zap_checks);
    g_free(w);
}

/* The first write to such a page makes a private copy. */
static bool copies_on_write(const VhMapSection *s)
{
    return !s->shared && !(s->flags & VH_SECTION_HUGETLB);
}

static PageState page_state(UffdWp *w, const VhMapSection *s, const void *hva)
{
    const VhPagemap *pm = &w->protector->pagemap;
    unsigned bits = vh_pagemap_state(pm, hva);

    if (bits & VH_PAGE_PROTECTED) {
        return PAGE_PROTECTED;
    }
    if (bits & VH_PAGE_SWAPPED) {
        return PAGE_SWAPPED;
    }
    if (!(bits & VH_PAGE_PRESENT)) {
        return copies_on_write(s) ? PAGE_PRISTINE : PAGE_ABSENT;
    }
    return copies_on_write(s) && vh_pagemap_borrowed(pm, hva) ? PAGE_PRISTINE
                                                              : PAGE_OPEN;
}

/* The page of @gpa in the current map, or NULL. */
static uint8_t *find_page(UffdWp *w, uint64_t gpa, const VhMapSection **out)
{
    const VhMapSection *s = w->map ? vh_map_find(w->map, gpa) : NULL;
    uintptr_t hva;

    if (!s || !state_of(w, s)->ok) {
        return NULL;
    }
    hva = (uintptr_t)s->hva + (gpa - s->gpa);
    *out = s;
    return (uint8_t *)(hva & ~(uintptr_t)(s->page_size - 1));
}

/* Arms what costs nothing; true when the page has to be protected. */
static bool arm_free(UffdWp *w, VhCheck *c, VhZap *zap)
{
    const VhMapSection *s;
    uint8_t *hva = find_page(w, c->gpa, &s);
    PageState state;

    c->state = VH_CHECK_SKIPPED;
    if (!hva) {
        return false;
    }
    state = page_state(w, s, hva);
    c->granule = s->page_size;
    c->present = state == PAGE_OPEN;
    state_of(w, s)->armed = true;
    if (state == PAGE_OPEN) {
        *zap = (VhZap){ .addr = hva, .len = s->page_size };
        return true;
    }
    if ((state != PAGE_ABSENT && state != PAGE_SWAPPED) ||
        vh_uffd_set(w->uffd, hva, s->page_size, true)) {
        c->state = VH_CHECK_ARMED;
        w->stats.arms_free++;
    }
    return false;
}

static void reserve_zaps(UffdWp *w, size_t n)
{
    if (n > w->nr_zaps) {
        w->nr_zaps = n;
        w->zaps = g_renew(VhZap, w->zaps, n);
        w->zap_checks = g_renew(VhCheck *, w->zap_checks, n);
    }
}

static void wp_arm(void *p, VhCheck *checks, size_t n)
{
    UffdWp *w = p;
    size_t nz = 0;
    bool answered;

    reserve_zaps(w, n);
    for (size_t i = 0; i < n; i++) {
        if (arm_free(w, &checks[i], &w->zaps[nz])) {
            w->zap_checks[nz++] = &checks[i];
        }
    }
    answered = vh_zapper_run(&w->zapper, w->map, w->zaps, nz);
    for (size_t i = 0; i < nz; i++) {
        VhCheck *c = w->zap_checks[i];

        if (!answered) {
            c->state = VH_CHECK_LOST;
            w->stats.lost++;
        } else if (w->zaps[i].ok) {
            c->state = VH_CHECK_ARMED;
            w->stats.arms++;
        }
    }
}

/*
 * What became of an armed check. Shared memory that is absent and lost its
 * marker was written, and unmapped after that (trap, reclaim). Private
 * memory that is absent was discarded, a pristine page at that.
 */
static VhCheckState answer(UffdWp *w, const VhCheck *c)
{
    const VhMapSection *s;
    uint8_t *hva = find_page(w, c->gpa, &s);

    if (!hva || !state_of(w, s)->armed) {
        return VH_CHECK_LOST;
    }
    switch (page_state(w, s, hva)) {
    case PAGE_PROTECTED:
    case PAGE_PRISTINE:
        return VH_CHECK_SILENT;
    case PAGE_ABSENT:
        return s->shared ? VH_CHECK_FIRED : VH_CHECK_LOST;
    default:
        return VH_CHECK_FIRED;
    }
}

static void wp_collect(void *p, VhCheck *checks, size_t n)
{
    UffdWp *w = p;
    uint64_t start = vh_calibrate_now();
    size_t answered = 0;

    for (size_t i = 0; i < n; i++) {
        VhCheck *c = &checks[i];

        if (c->state != VH_CHECK_ARMED) {
            continue;
        }
        c->state = answer(w, c);
        w->stats.fires += c->state == VH_CHECK_FIRED;
        w->stats.lost += c->state == VH_CHECK_LOST;
        answered++;
    }
    if (answered) {
        double ns = (double)(vh_calibrate_now() - start) / answered;

        w->collect_ns += (ns - w->collect_ns) * (w->collect_ns ? GAIN : 1);
    }
}

static void wp_stats(void *p, VhPrimitiveStats *out)
{
    UffdWp *w = p;
    const VhZapper *z = &w->zapper;
    const VhZapCost *cost = &z->cost[z->mode];

    w->stats.arm_ns = cost->each_ns;
    w->stats.arm_batch_ns = cost->batch_ns;
    w->stats.collect_ns = w->collect_ns;
    w->stats.vcpu_ns = z->vcpu_ns;
    w->stats.detail = z->mode == VH_ZAP_VCPU ? "armed on vCPU threads"
                                             : "armed by the worker";
    *out = w->stats;
}

const VhPrimitiveOps vh_primitive_uffd_wp = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "uffd-wp",
    .summary = "write-protects pages and looks which are written; any RAM",
    .probe = wp_probe,
    .open = wp_open,
    .set_map = wp_set_map,
    .arm = wp_arm,
    .collect = wp_collect,
    .idle = wp_idle,
    .release = wp_release,
    .stats = wp_stats,
    .covers = wp_covers,
};
