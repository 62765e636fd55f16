/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * There is no system call that says "keep this". But MADV_POPULATE_READ of a
 * page that is mapped already marks it accessed, as a read(2) of a file does,
 * and the second time that moves it from the inactive to the active list
 * (mark_page_accessed()). So it is done three times: the first may only map the
 * page. Pages move in batches of 31 for each CPU; the last ones follow when the
 * kernel next empties the batch.
 *
 * What it cannot do: hold a page there. One that nobody accesses goes down the
 * lists again, so a scheme should apply it again and again, as DAMON_LRU_SORT
 * does. Pages mapped by a PMD only get their accessed bit set. With the
 * multi-generational LRU marking is worth less: a page of an old generation
 * counts as used, and moves when reclaim next looks at it.
 *
 * Only pages that are in memory are touched. It sets accessed bits, so
 * primitives that read those (idle-page) see the range as accessed once.
 */
#include <glib.h>

#include "actions/advise.h"
#include "actions/registry.h"
#include "actions/resident.h"

#define TIMES 3

static VhApplied lru_prio_apply(void *a, const VhActionArgs *args,
                                const VhMapSection *s, uint64_t offset,
                                uint64_t size)
{
    const VhActionEnv *env = a;
    uint8_t *addr = s->hva + offset;
    uint64_t start = vh_clock_now(&env->clock), bits[VH_RESIDENT_WORDS];
    VhApplied r = { .size = vh_advise_chunk(addr, size) };
    unsigned pages = r.size / VH_PAGE_SIZE, there;
    int error = 0;

    there = vh_resident(addr, pages, bits);
    for (int i = 0; i < TIMES && !error; i++) {
        error = vh_populate(addr, pages, bits);
    }
    if (!error) {
        r.applied = there * VH_PAGE_SIZE;
    }
    r.error = vh_advise_passes(error) ? error : 0;
    r.spent_ns = vh_clock_now(&env->clock) - start;
    return r;
}

const VhActionOps vh_action_lru_prio = {
    .name = "lru-prio",
    .summary = "make it the last that the kernel takes when memory is short",
    .needs = "Linux 5.14 or later",
    .prio = VH_PRIO_HOT,
    .probe = vh_advise_probe_populate,
    .suits = vh_advise_not_hugetlb,
    .open = vh_advise_open,
    .apply = lru_prio_apply,
    .close = vh_advise_close,
};
