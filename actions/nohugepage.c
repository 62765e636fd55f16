/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * MADV_NOHUGEPAGE forbids new huge pages; those that are there stay. What
 * splits one is MADV_COLD of a part of it: the kernel does not put a part of a
 * page on another list, so it splits the page first (Linux 5.4), if nobody else
 * maps or pins it. The page that is used for it becomes cold; that is all.
 *
 * Whether a split worked shows only where huge pages can be mapped as such:
 * splitting shared memory also unmaps it, and with MADV_NOHUGEPAGE it would be
 * mapped page by page either way. So a huge page is split first, touched,
 * looked at, and new ones are forbidden after that. A huge page that is not
 * mapped as one just now (by the trap) cannot be seen: it is given back its
 * mapping by a touch before. Nothing that is not in memory is touched.
 *
 * Counted as applied is memory that was mapped by huge pages and is not any
 * more. Then those of its pages that hold only zeroes are given back
 * (zeroes.c): that is what a huge page wasted.
 */
#include <errno.h>
#include <glib.h>

#include "accel/pagemap.h"
#include "actions/advise.h"
#include "actions/pace.h"
#include "actions/registry.h"
#include "actions/resident.h"
#include "actions/zeroes.h"

typedef struct Split {
    const VhActionEnv *env;
    VhMap *map;
    VhAlias alias;
    VhPagemap pagemap;
    bool open;
    uint64_t tried;
    uint64_t split;
    uint64_t zeroes; /* bytes given back */
} Split;

static bool nohugepage_probe(const VhActionEnv *env, const VhActionArgs *args,
                             char **why)
{
    VhPagemap pm;
    bool scan;

    if (!vh_advise_probe_huge(why) ||
        !vh_advise_probe(MADV_COLD, "MADV_COLD", "5.4", why) ||
        !vh_pagemap_open(&pm, why)) {
        return false;
    }
    scan = pm.scan;
    vh_pagemap_close(&pm);
    if (!scan) {
        *why = g_strdup("this kernel does not tell which memory is mapped by "
                        "huge pages (PAGEMAP_SCAN); Linux 6.7 or later does");
    }
    return scan;
}

static void *nohugepage_open(const VhActionEnv *env)
{
    Split *p = g_new0(Split, 1);
    g_autofree char *why = NULL;

    p->env = env;
    p->open = vh_pagemap_open(&p->pagemap, &why);
    return p;
}

static void nohugepage_rest(void *a)
{
    Split *p = a;

    vh_alias_close(&p->alias);
}

static void nohugepage_set_map(void *a, VhMap *map)
{
    Split *p = a;

    nohugepage_rest(p);
    vh_map_unref(p->map);
    p->map = vh_map_ref(map);
}

static void nohugepage_close(void *a)
{
    Split *p = a;

    nohugepage_set_map(p, NULL);
    if (p->open) {
        vh_pagemap_close(&p->pagemap);
    }
    g_free(p);
}

/* Of the aligned 2 MiB at @addr; a page that is in memory is touched first. */
static bool is_huge(const Split *p, uint8_t *addr)
{
    uint64_t bits[VH_RESIDENT_WORDS];

    if (vh_resident(addr, 1, bits) == 1) {
        vh_populate(addr, 1, bits);
    }
    return p->open && vh_pagemap_query(&p->pagemap, addr) & VH_PAGE_HUGE;
}

/* Splits the huge page at @addr, if it is one; was it and is not any more? */
static bool split(Split *p, uint8_t *addr, int *error)
{
    if (!is_huge(p, addr)) {
        return false;
    }
    p->tried++;
    if (madvise(addr, VH_PAGE_SIZE, MADV_COLD) < 0) {
        *error = errno;
        return false;
    }
    if (is_huge(p, addr)) {
        return false;
    }
    p->split++;
    return true;
}

/* Of the pieces of a huge page that was split. */
static void give_back_zeroes(Split *p, const VhMapSection *s, uint64_t offset)
{
    if (vh_alias_of(&p->alias, s) || !s->shared) {
        p->zeroes += vh_zeroes_out(&p->alias, s, offset);
    }
}

static VhApplied nohugepage_apply(void *a, const VhActionArgs *args,
                                  const VhMapSection *s, uint64_t offset,
                                  uint64_t size)
{
    Split *p = a;
    uint8_t *addr = s->hva + offset;
    uint64_t start = vh_clock_now(&p->env->clock);
    VhApplied r = { .size = vh_advise_chunk(addr, size) };
    int error = 0;

    if (r.size == VH_HUGE_SIZE) {
        r.applied = split(p, addr, &error) ? r.size : 0;
        if (madvise(addr, r.size, MADV_NOHUGEPAGE) < 0) {
            error = errno;
        }
        if (r.applied) {
            give_back_zeroes(p, s, offset);
        }
    }
    r.error = vh_advise_passes(error) ? error : 0;
    r.spent_ns = vh_clock_now(&p->env->clock) - start;
    if (r.applied && p->env->kvm) {
        r.wait_ns = vh_pace_wait(p->env, r.spent_ns, VH_PACE_EACH);
    }
    return r;
}

static char *nohugepage_detail(void *a)
{
    const Split *p = a;
    g_autofree char *zeroes =
        p->zeroes ? g_strdup_printf(", and gave back %" G_GUINT64_FORMAT
                                    " KiB of zeroes in them",
                                    p->zeroes >> 10)
                  : g_strdup("");

    return g_strdup_printf("split %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                           " huge pages%s",
                           p->split, p->tried, zeroes);
}

const VhActionOps vh_action_nohugepage = {
    .name = "nohugepage",
    .summary = "forbid huge pages for it, and split those it has",
    .needs = "Linux 6.7 or later",
    .prio = VH_PRIO_COLD,
    .probe = nohugepage_probe,
    .suits = vh_advise_not_hugetlb,
    .open = nohugepage_open,
    .set_map = nohugepage_set_map,
    .rest = nohugepage_rest,
    .apply = nohugepage_apply,
    .close = nohugepage_close,
    .detail = nohugepage_detail,
};
