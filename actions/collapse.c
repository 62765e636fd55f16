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
 * Pages that are not mapped just now (the trap's) are mapped first, or the
 * kernel may not find them. ENOMEM, EAGAIN and EBUSY may pass: no free huge
 * page, a page that is locked or on its way to a list. EINVAL does not: it is
 * not fit.
 *
 * Memory that was cold once carries the MADV_NOHUGEPAGE of action nohugepage,
 * which is lifted first.
 */
#include <errno.h>
#include <glib.h>

#include "accel/pagemap.h"
#include "actions/advise.h"
#include "actions/pace.h"
#include "actions/registry.h"
#include "actions/resident.h"

typedef struct Collapse {
    const VhActionEnv *env;
    VhPagemap pagemap;
    bool open;
} Collapse;

static bool collapse_probe(const VhActionEnv *env, const VhActionArgs *args,
                           char **why)
{
    return vh_advise_probe(MADV_COLLAPSE, "MADV_COLLAPSE", "6.1", why);
}

static bool collapse_suits(const VhMapSection *s, char **why)
{
    return vh_advise_not_hugetlb(s, why) && vh_advise_allocates(s, why);
}

static void *collapse_open(const VhActionEnv *env)
{
    Collapse *c = g_new0(Collapse, 1);
    g_autofree char *why = NULL;

    c->env = env;
    c->open = vh_pagemap_open(&c->pagemap, &why);
    return c;
}

static void collapse_close(void *a)
{
    Collapse *c = a;

    if (c->open) {
        vh_pagemap_close(&c->pagemap);
    }
    g_free(c);
}

static bool is_huge(const Collapse *c, const uint8_t *addr)
{
    return c->open && vh_pagemap_query(&c->pagemap, addr) & VH_PAGE_HUGE;
}

/* Of 2 MiB; was it done? */
static bool collapse(const Collapse *c, uint8_t *addr, int *error)
{
    uint64_t bits[VH_RESIDENT_WORDS];

    if (is_huge(c, addr) ||
        vh_resident(addr, VH_RESIDENT_PAGES, bits) < VH_RESIDENT_PAGES / 2) {
        return false;
    }
    madvise(addr, VH_HUGE_SIZE, MADV_HUGEPAGE);
    vh_populate(addr, VH_RESIDENT_PAGES, bits);
    if (madvise(addr, VH_HUGE_SIZE, MADV_COLLAPSE) < 0) {
        *error = errno;
        return false;
    }
    return true;
}

static VhApplied collapse_apply(void *a, const VhActionArgs *args,
                                const VhMapSection *s, uint64_t offset,
                                uint64_t size)
{
    const Collapse *c = a;
    uint8_t *addr = s->hva + offset;
    uint64_t start = vh_clock_now(&c->env->clock);
    VhApplied r = { .size = vh_advise_chunk(addr, size) };
    int error = 0;

    if (r.size == VH_HUGE_SIZE && collapse(c, addr, &error)) {
        r.applied = r.size;
    }
    r.error = vh_advise_passes(error) ? error : 0;
    r.spent_ns = vh_clock_now(&c->env->clock) - start;
    if (r.applied && c->env->kvm) {
        r.wait_ns = vh_pace_wait(c->env, r.spent_ns, VH_PACE_ALIAS);
    }
    return r;
}

const VhActionOps vh_action_collapse = {
    .name = "collapse",
    .summary = "make huge pages of it now",
    .needs = "Linux 6.1 or later",
    .prio = VH_PRIO_HOT,
    .probe = collapse_probe,
    .suits = collapse_suits,
    .open = collapse_open,
    .apply = collapse_apply,
    .close = collapse_close,
};
