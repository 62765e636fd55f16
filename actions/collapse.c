/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * MADV_COLLAPSE (Linux 6.1) makes a huge page of 2 MiB at once, whatever
 * /sys/kernel/mm/transparent_hugepage says of the memory. It takes 6 - 10 ms,
 * most of it copying, and for a part of that the guest cannot use the 2 MiB.
 * One a quantum.
 *
 * It fills what is missing: holes get memory, and what is in swap comes back.
 * Of a range that is mostly missing that would make a large range of little
 * use, so at least half of it must be in memory.
 *
 * Private pages that are not mapped just now are mapped first, or the kernel
 * may not find them. Shared ones are found, and are not touched here: a page
 * that the trap has armed would seem to be accessed by the guest, and keep what
 * is cold by now hot for ever. ENOMEM, EAGAIN and EBUSY may pass: no free huge
 * page, a page that is locked or on its way to a list. EINVAL does not: it is
 * not fit.
 *
 * On memory that is registered with userfaultfd, as trap and uffd-wp have it,
 * the kernel makes the huge page of shared memory but keeps its table of small
 * pages, and says EINVAL. So the second mapping (alias.c) is asked whether
 * there is a huge page; if so, and small pages are mapped, the 2 MiB are
 * unmapped once and come back as one. Until Linux 6.14 an emptied table stays
 * where it is: then that is tried a few times, and told.
 *
 * Memory that was cold once carries the MADV_NOHUGEPAGE of action nohugepage,
 * which is lifted first.
 */
#include <errno.h>
#include <glib.h>

#include "accel/pagemap.h"
#include "actions/advise.h"
#include "actions/alias.h"
#include "actions/pace.h"
#include "actions/registry.h"
#include "actions/resident.h"

/* So often it is tried whether this kernel maps huge pages as such. */
#define TRIES 16

typedef struct Collapse {
    const VhActionEnv *env;
    VhMap *map;
    VhAlias alias;
    VhPagemap pagemap;
    bool open;
    bool maps;         /* a huge page was mapped anew as one */
    unsigned maps_not; /* how many were not, before */
} Collapse;

static bool collapse_probe(const VhActionEnv *env, const VhActionArgs *args,
                           char **why)
{
    return vh_advise_probe(MADV_COLLAPSE, "MADV_COLLAPSE", "6.1", why);
}

static bool collapse_suits(const VhMapSection *s, char **why)
{
    return vh_advise_not_hugetlb(s, why) && vh_advise_allocates(s, why) &&
           vh_advise_aligned(s, why);
}

static void *collapse_open(const VhActionEnv *env)
{
    Collapse *c = g_new0(Collapse, 1);
    g_autofree char *why = NULL;

    c->env = env;
    c->open = vh_pagemap_open(&c->pagemap, &why);
    return c;
}

static void collapse_rest(void *a)
{
    Collapse *c = a;

    vh_alias_close(&c->alias);
}

static void collapse_set_map(void *a, VhMap *map)
{
    Collapse *c = a;

    collapse_rest(c);
    vh_map_unref(c->map);
    c->map = vh_map_ref(map);
}

static void collapse_close(void *a)
{
    Collapse *c = a;

    collapse_set_map(c, NULL);
    if (c->open) {
        vh_pagemap_close(&c->pagemap);
    }
    g_free(c);
}

static bool is_huge(const Collapse *c, const uint8_t *addr)
{
    return c->open && vh_pagemap_query(&c->pagemap, addr) & VH_PAGE_HUGE;
}

/* Is there a huge page, though it may not be mapped as one? Of memory that has
 * a second mapping; the first is not touched. */
static bool is_made(Collapse *c, uint64_t offset)
{
    const uint64_t first[VH_RESIDENT_WORDS] = { 1 };
    uint8_t *addr = c->alias.addr + offset;
    bool huge = !vh_populate(addr, 1, first) && is_huge(c, addr);

    vh_alias_forget(&c->alias, offset, VH_HUGE_SIZE);
    return huge;
}

/* Huge pages are made that this kernel does not map as such. */
static bool in_vain(const Collapse *c)
{
    return !c->maps && c->maps_not >= TRIES;
}

/*
 * Has a huge page mapped as what it is. Of memory that has a second mapping. By
 * a write, which changes nothing: what a read maps in memory watched with
 * userfaultfd is split again by the guest's first write.
 */
static bool map_anew(Collapse *c, uint8_t *addr)
{
    if (in_vain(c) || madvise(addr, VH_HUGE_SIZE, MADV_DONTNEED) < 0 ||
        madvise(addr, VH_PAGE_SIZE, MADV_POPULATE_WRITE) < 0) {
        return false;
    }
    if (!is_huge(c, addr)) {
        c->maps_not++;
        return false;
    }
    c->maps = true;
    return true;
}

static bool collapse_shared(Collapse *c, uint8_t *addr, uint64_t offset,
                            int *error)
{
    if (is_made(c, offset)) { /* by khugepaged, or unmapped by the trap */
        return vh_pagemap_any_present(&c->pagemap, addr, VH_HUGE_SIZE) &&
               map_anew(c, addr);
    }
    if (madvise(addr, VH_HUGE_SIZE, MADV_COLLAPSE) == 0) {
        return true;
    }
    *error = errno;
    return errno == EINVAL && is_made(c, offset) && map_anew(c, addr);
}

static bool collapse_private(uint8_t *addr, const uint64_t *bits, int *error)
{
    vh_populate(addr, VH_RESIDENT_PAGES, bits);
    if (madvise(addr, VH_HUGE_SIZE, MADV_COLLAPSE) == 0) {
        return true;
    }
    *error = errno;
    return false;
}

/* Of 2 MiB; was it done? */
static bool collapse(Collapse *c, const VhMapSection *s, uint64_t offset,
                     int *error)
{
    uint8_t *addr = s->hva + offset;
    uint64_t bits[VH_RESIDENT_WORDS];

    if (is_huge(c, addr) ||
        vh_resident(addr, VH_RESIDENT_PAGES, bits) < VH_RESIDENT_PAGES / 2) {
        return false;
    }
    madvise(addr, VH_HUGE_SIZE, MADV_HUGEPAGE);
    return c->open && vh_alias_of(&c->alias, s)
               ? collapse_shared(c, addr, offset, error)
               : collapse_private(addr, bits, error);
}

static VhApplied collapse_apply(void *a, const VhActionArgs *args,
                                const VhMapSection *s, uint64_t offset,
                                uint64_t size)
{
    Collapse *c = a;
    uint64_t start = vh_clock_now(&c->env->clock);
    VhApplied r = { .size = vh_advise_chunk(s->hva + offset, size) };
    int error = 0;

    if (r.size == VH_HUGE_SIZE && collapse(c, s, offset, &error)) {
        r.applied = r.size;
    }
    r.error = vh_advise_passes(error) ? error : 0;
    r.spent_ns = vh_clock_now(&c->env->clock) - start;
    if (r.applied && c->env->kvm) {
        r.wait_ns = vh_pace_wait(c->env, r.spent_ns, VH_PACE_ALIAS);
    }
    return r;
}

static char *collapse_detail(void *a)
{
    const Collapse *c = a;

    return in_vain(c)
               ? g_strdup("huge pages are made, but this kernel does not map "
                          "them as such while the memory is watched with "
                          "userfaultfd; Linux 6.14 or later does")
               : NULL;
}

const VhActionOps vh_action_collapse = {
    .name = "collapse",
    .summary = "make huge pages of it now",
    .needs = "Linux 6.1 or later",
    .prio = VH_PRIO_HOT,
    .probe = collapse_probe,
    .suits = collapse_suits,
    .open = collapse_open,
    .set_map = collapse_set_map,
    .apply = collapse_apply,
    .rest = collapse_rest,
    .close = collapse_close,
    .detail = collapse_detail,
};
