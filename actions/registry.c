/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "actions/registry.h"

const VhActionOps *const *vh_actions(void)
{
    static const VhActionOps *const all[] = {
        &vh_action_stat,         &vh_action_cold,
        &vh_action_pageout,      &vh_action_willneed,
        &vh_action_hugepage,     &vh_action_nohugepage,
        &vh_action_collapse,     &vh_action_merge,
        &vh_action_unmerge,      &vh_action_lru_prio,
        &vh_action_lru_deprio,   &vh_action_migrate_hot,
        &vh_action_migrate_cold, NULL,
    };

    return all;
}
