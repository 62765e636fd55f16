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
 * where it is, as it does where a page of it is write-protected (uffd-wp): the
 * latter are left alone. What does not come back as a huge page was in vain and
 * held the guest up, so after a few failures in a row it is tried ever more
 * seldom, and told.
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

/* After so many failures in a row some are left out before the next try: 1, 2,
 * 4, ... and at most 2^10. */
#define TRIES 4
#define DOUBLINGS 10

typedef struct Collapse {
    const VhActionEnv *env;
    VhMap *map;
    VhAlias alias;
    VhPagemap pagemap;
    bool open;
    bool worked;       /* something was done that held the guest up */
    unsigned failures; /* in a row: watched memory that got no huge page */
    unsigned skip;     /* so many are left out now */
} Collapse;

static bool collapse_probe(const VhActionEnv *env, const VhActionArgs *args,
                           char **why)
{
    return vh_advise_probe_huge(why) &&
           vh_advise_probe(MADV_COLLAPSE, "MADV_COLLAPSE", "6.1", why);
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

static unsigned first_of(const uint64_t *bits)
{
    unsigned i = 0;

    while (i < VH_RESIDENT_PAGES - 1 && !vh_resident_bit(bits, i)) {
        i++;
    }
    return i;
}

/*
 * Is there a huge page, though it may not be mapped as one? Of memory that has
 * a second mapping; the first is not touched. That may have been made of memory
 * with the advice of action nohugepage. @bits: pages that are in memory.
 */
static bool is_made(Collapse *c, uint64_t offset, const uint64_t *bits)
{
    uint8_t *huge = c->alias.addr + offset;
    uint8_t *page = huge + first_of(bits) * VH_PAGE_SIZE;
    bool made;

    madvise(huge, VH_HUGE_SIZE, MADV_HUGEPAGE);
    made = madvise(page, VH_PAGE_SIZE, MADV_POPULATE_READ) == 0 &&
           is_huge(c, page);
    vh_alias_forget(&c->alias, offset, VH_HUGE_SIZE);
    return made;
}

/* It is left out for having failed too often. */
static bool holds_off(Collapse *c)
{
    if (!c->skip) {
        return false;
    }
    c->skip--;
    return true;
}

static bool failed(Collapse *c)
{
    c->failures = MIN(c->failures + 1, TRIES + DOUBLINGS);
    if (c->failures >= TRIES) {
        c->skip = 1U << (c->failures - TRIES);
    }
    return false;
}

/*
 * Finds a page that is mapped; NULL: there is none. False when one of the 2 MiB
 * is write-protected, which keeps the table of small pages.
 */
static bool find_mapped(const Collapse *c, uint8_t *addr, uint8_t **page)
{
    *page = NULL;
    for (unsigned i = VH_RESIDENT_PAGES; i-- > 0;) {
        uint8_t *p = addr + i * VH_PAGE_SIZE;
        unsigned state = vh_pagemap_state(&c->pagemap, p);

        if (state & VH_PAGE_PROTECTED) {
            return false;
        }
        *page = state & VH_PAGE_PRESENT ? p : *page;
    }
    return true;
}

/*
 * Has a huge page mapped as what it is. Of memory that has a second mapping. By
 * a write to @page, which changes nothing: what a read maps in memory watched
 * with userfaultfd is split again by the guest's first write. It was mapped
 * before, so that it does not seem to be accessed for that. Where nothing was
 * mapped there is nothing to be gained yet.
 */
static bool map_anew(Collapse *c, uint8_t *addr, uint8_t *page)
{
    if (!page) {
        return false;
    }
    if (madvise(addr, VH_HUGE_SIZE, MADV_DONTNEED) < 0 ||
        madvise(page, VH_PAGE_SIZE, MADV_POPULATE_WRITE) < 0 ||
        !is_huge(c, page)) {
        return failed(c);
    }
    c->failures = 0;
    return true;
}

static bool collapse_shared(Collapse *c, uint8_t *addr, uint64_t offset,
                            const uint64_t *bits, int *error)
{
    uint8_t *page;

    if (holds_off(c)) {
        return false;
    }
    c->worked = true; /* to look at 512 pages is work, too */
    if (!find_mapped(c, addr, &page)) {
        return false;
    }
    if (is_made(c, offset, bits)) { /* by khugepaged, or unmapped by the trap */
        return map_anew(c, addr, page);
    }
    if (madvise(addr, VH_HUGE_SIZE, MADV_COLLAPSE) == 0) {
        return true;
    }
    *error = errno;
    if (errno != EINVAL) {
        return false;
    }
    return is_made(c, offset, bits) ? map_anew(c, addr, page) : failed(c);
}

static bool collapse_private(Collapse *c, uint8_t *addr, const uint64_t *bits,
                             int *error)
{
    c->worked = true;
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
               ? collapse_shared(c, addr, offset, bits, error)
               : collapse_private(c, addr, bits, error);
}

static VhApplied collapse_apply(void *a, const VhActionArgs *args,
                                const VhMapSection *s, uint64_t offset,
                                uint64_t size)
{
    Collapse *c = a;
    uint64_t start = vh_clock_now(&c->env->clock);
    VhApplied r = { .size = vh_advise_chunk(s->hva + offset, size) };
    int error = 0;

    c->worked = false;
    if (r.size == VH_HUGE_SIZE && collapse(c, s, offset, &error)) {
        r.applied = r.size;
    }
    r.error = vh_advise_passes(error) ? error : 0;
    r.spent_ns = vh_clock_now(&c->env->clock) - start;
    if (c->worked && c->env->kvm) {
        r.wait_ns = vh_pace_wait(c->env, r.spent_ns, VH_PACE_ALIAS);
    }
    return r;
}

static char *collapse_detail(void *a)
{
    const Collapse *c = a;

    return c->failures >= TRIES
               ? g_strdup("huge pages are made, but not mapped as such while "
                          "the memory is watched with userfaultfd; Linux 6.14 "
                          "or later does")
               : NULL;
}

const VhActionOps vh_action_collapse = {
    .name = "collapse",
    .summary = "make huge pages of it now",
    .needs = "Linux 6.1 or later; 6.14 for shared memory that trap or uffd-wp "
             "watches",
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
