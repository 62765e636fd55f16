/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * willneed: bring memory in before the guest needs it.
 *
 * MADV_WILLNEED starts reading from swap or the file, MADV_POPULATE_READ
 * (Linux 5.14) waits for it and maps the pages. Holes of shared memory get
 * memory by that, as a touch of the guest would; of private memory they get the
 * zero page. Applied is what was not in memory and is now.
 */
#include <errno.h>
#include <glib.h>

#include "actions/advise.h"
#include "actions/registry.h"
#include "actions/resident.h"

static VhApplied willneed_apply(void *a, const VhActionArgs *args,
                                const VhMapSection *s, uint64_t offset,
                                uint64_t size)
{
    const VhActionEnv *env = a;
    uint8_t *addr = s->hva + offset;
    uint64_t start = vh_clock_now(&env->clock), bits[VH_RESIDENT_WORDS];
    VhApplied r = { .size = vh_advise_chunk(addr, size) };
    unsigned pages = r.size / VH_PAGE_SIZE, before, after;

    before = vh_resident(addr, pages, bits);
    if (before < pages) {
        madvise(addr, r.size, MADV_WILLNEED); /* a hint; swap read in order */
        if (madvise(addr, r.size, MADV_POPULATE_READ) < 0 &&
            vh_advise_passes(errno)) {
            r.error = errno;
        }
        after = vh_resident(addr, pages, bits);
        r.applied = after > before ? (after - before) * VH_PAGE_SIZE : 0;
    }
    r.spent_ns = vh_clock_now(&env->clock) - start;
    return r;
}

const VhActionOps vh_action_willneed = {
    .name = "willneed",
    .summary = "bring it into host memory before the guest needs it",
    .needs = "Linux 5.14 or later",
    .prio = VH_PRIO_HOT,
    .probe = vh_advise_probe_populate,
    .suits = vh_advise_allocates,
    .open = vh_advise_open,
    .apply = willneed_apply,
    .close = vh_advise_close,
};
