/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actions there are. A new one is a line here and a line in registry.c. */
#ifndef VMHEAT_ACTIONS_REGISTRY_H
#define VMHEAT_ACTIONS_REGISTRY_H

#include "vmheat/action.h"

extern const VhActionOps vh_action_stat;
extern const VhActionOps vh_action_cold;
extern const VhActionOps vh_action_pageout;
extern const VhActionOps vh_action_willneed;
extern const VhActionOps vh_action_hugepage;
extern const VhActionOps vh_action_nohugepage;
extern const VhActionOps vh_action_collapse;
extern const VhActionOps vh_action_merge;
extern const VhActionOps vh_action_unmerge;
extern const VhActionOps vh_action_lru_prio;
extern const VhActionOps vh_action_lru_deprio;
extern const VhActionOps vh_action_migrate_hot;
extern const VhActionOps vh_action_migrate_cold;

#endif
