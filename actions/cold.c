/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cold, lru-deprio: make memory the first that the kernel takes (MADV_COLD).
 *
 * The kernel clears the accessed bits and moves the pages to the end of the
 * inactive list; nothing leaves memory by that. Pages that are not mapped just
 * now (the trap's) are not reached, and those that other processes have mapped
 * (vhost-user) are left alone. It stops no vCPU for long: 24 - 32 GiB/s.
 */
#include "actions/advise.h"
#include "actions/registry.h"

/* About half a millisecond. */
#define QUANTUM (16ULL << 20)

static bool cold_probe(const VhActionEnv *env, const VhActionArgs *args,
                       char **why)
{
    return vh_advise_probe(MADV_COLD, "MADV_COLD", "5.4", why);
}

static VhApplied cold_apply(void *a, const VhActionArgs *args,
                            const VhMapSection *s, uint64_t offset,
                            uint64_t size)
{
    return vh_advise(a, s, offset, size, QUANTUM, MADV_COLD);
}

#define COLD(word, text)                                                       \
    {                                                                          \
        .name = word, .summary = text, .prio = VH_PRIO_COLD,                   \
        .probe = cold_probe, .suits = vh_advise_not_hugetlb,                   \
        .open = vh_advise_open, .apply = cold_apply, .close = vh_advise_close, \
    }

const VhActionOps vh_action_cold =
    COLD("cold", "make it the first that the kernel takes when memory is "
                 "short");
const VhActionOps vh_action_lru_deprio =
    COLD("lru-deprio", "the same as cold; DAMON's name for it");
