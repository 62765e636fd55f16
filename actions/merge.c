/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * merge: have KSM look for equal pages (MADV_MERGEABLE); unmerge: the opposite,
 * which gives every merged page memory of its own again.
 *
 * KSM knows private memory only; to shared memory the kernel says yes and does
 * nothing. Whether anything is merged is up to ksmd, later. What is merged can
 * be found out by a guest that measures the time of its writes (page
 * deduplication attacks): do not use it among guests that do not trust each
 * other.
 */
#include <glib.h>

#include "actions/advise.h"
#include "actions/registry.h"

/* Merged pages are copied, one by one. */
#define UNMERGE_QUANTUM (1ULL << 20)
#define RUN "ksm/run"

static bool merge_probe(const VhActionEnv *env, const VhActionArgs *args,
                        char **why)
{
    g_autofree char *run = vh_advise_sysfs(RUN);

    if (!run) {
        *why = g_strdup("this kernel has no KSM (CONFIG_KSM)");
        return false;
    }
    if (!g_str_equal(run, "1")) {
        *why = g_strdup_printf(
            "KSM, which merges private memory only, does not "
            "run (/sys/kernel/mm/" RUN " is %s): echo 1 > /sys/kernel/mm/" RUN,
            run);
        return false;
    }
    return true;
}

/* What was merged can be taken apart also when ksmd stands. */
static bool unmerge_probe(const VhActionEnv *env, const VhActionArgs *args,
                          char **why)
{
    g_autofree char *run = vh_advise_sysfs(RUN);

    if (!run) {
        *why = g_strdup("this kernel has no KSM (CONFIG_KSM)");
    }
    return run != NULL;
}

static bool merge_suits(const VhMapSection *s, char **why)
{
    if (s->shared) {
        *why = g_strdup_printf("%s is shared memory, and KSM merges private "
                               "memory only (memory backend with share=off)",
                               s->name);
        return false;
    }
    return vh_advise_not_hugetlb(s, why);
}

static VhApplied merge_apply(void *a, const VhActionArgs *args,
                             const VhMapSection *s, uint64_t offset,
                             uint64_t size)
{
    return vh_advise(a, s, offset, size, size, MADV_MERGEABLE);
}

static VhApplied unmerge_apply(void *a, const VhActionArgs *args,
                               const VhMapSection *s, uint64_t offset,
                               uint64_t size)
{
    return vh_advise(a, s, offset, size, UNMERGE_QUANTUM, MADV_UNMERGEABLE);
}

const VhActionOps vh_action_merge = {
    .name = "merge",
    .summary = "have KSM look for equal pages in it",
    .needs = "private memory, and a running KSM",
    .prio = VH_PRIO_COLD,
    .probe = merge_probe,
    .suits = merge_suits,
    .open = vh_advise_open,
    .apply = merge_apply,
    .close = vh_advise_close,
};

const VhActionOps vh_action_unmerge = {
    .name = "unmerge",
    .summary = "the opposite of merge: equal pages get memory of their own",
    .needs = "private memory, and KSM",
    .prio = VH_PRIO_HOT,
    .probe = unmerge_probe,
    .suits = merge_suits,
    .open = vh_advise_open,
    .apply = unmerge_apply,
    .close = vh_advise_close,
};
