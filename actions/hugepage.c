/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hugepage: allow huge pages (MADV_HUGEPAGE). They come when the guest next
 * touches what is not in memory yet, or when khugepaged gets there; collapse
 * makes them now.
 *
 * It changes the mapping, not the memory: at once, however large the range is.
 * Mappings with different advice cannot be one, so a process may run out of
 * them (vm.max_map_count; ENOMEM).
 */
#include <glib.h>

#include "actions/advise.h"
#include "actions/registry.h"

#define THP "transparent_hugepage/"

/* Do the host's settings allow what MADV_HUGEPAGE asks for? */
static bool allowed(bool shared, char **why)
{
    const char *file = shared ? THP "shmem_enabled" : THP "enabled";
    g_autofree char *now = vh_advise_sysfs(file);

    if (!now) {
        *why = g_strdup("this kernel has no transparent huge pages");
        return false;
    }
    if (g_str_equal(now, "never") || g_str_equal(now, "deny")) {
        *why = g_strdup_printf("the host forbids huge pages for %s memory: "
                               "echo %s > /sys/kernel/mm/%s, or use action "
                               "collapse",
                               shared ? "shared" : "private",
                               shared ? "advise" : "madvise", file);
        return false;
    }
    return true;
}

static bool hugepage_probe(const VhActionEnv *env, const VhActionArgs *args,
                           char **why)
{
    g_autofree char *other = NULL;

    return vh_advise_probe_huge(why) &&
           (allowed(false, &other) || allowed(true, why));
}

static bool hugepage_suits(const VhMapSection *s, char **why)
{
    return vh_advise_not_hugetlb(s, why) && vh_advise_allocates(s, why) &&
           vh_advise_aligned(s, why) && allowed(s->shared, why);
}

static VhApplied hugepage_apply(void *a, const VhActionArgs *args,
                                const VhMapSection *s, uint64_t offset,
                                uint64_t size)
{
    uint64_t lead = vh_advise_lead(s->hva + offset);
    uint64_t whole = size > lead ? (size - lead) & ~(VH_HUGE_SIZE - 1) : 0;
    VhApplied r;

    if (!whole) {
        return (VhApplied){ .size = size };
    }
    r = vh_advise(a, s, offset + lead, whole, whole, MADV_HUGEPAGE);
    r.size = size;
    return r;
}

const VhActionOps vh_action_hugepage = {
    .name = "hugepage",
    .summary = "allow huge pages for it",
    .needs = "transparent huge pages allowed on request by the host",
    .prio = VH_PRIO_HOT,
    .probe = hugepage_probe,
    .suits = hugepage_suits,
    .open = vh_advise_open,
    .apply = hugepage_apply,
    .close = vh_advise_close,
};
