/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stat: nothing but count. The engine does that.
 */
#include <stddef.h>

#include "actions/registry.h"

static bool stat_probe(const VhActionEnv *env, const VhActionArgs *args,
                       char **why)
{
    return true;
}

static void *stat_open(const VhActionEnv *env)
{
    static char nothing; /* state of no size */

    return &nothing;
}

static VhApplied stat_apply(void *a, const VhActionArgs *args,
                            const VhMapSection *s, uint64_t offset,
                            uint64_t size)
{
    return (VhApplied){ .size = size, .applied = size };
}

static void stat_close(void *a)
{
}

const VhActionOps vh_action_stat = {
    .name = "stat",
    .summary = "count matching memory, do nothing to it",
    .prio = VH_PRIO_NONE,
    .keeps_age = true,
    .probe = stat_probe,
    .open = stat_open,
    .apply = stat_apply,
    .close = stat_close,
};
