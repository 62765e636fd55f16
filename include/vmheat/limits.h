/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_LIMITS_H
#define VMHEAT_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct VhLimits - how much monitoring may cost
 * @traps_per_second: most fires a second; 0 means the safe default
 *                    (VH_TRAPS_NESTED or VH_TRAPS_BARE)
 * @budget_bp: overhead budget in hundredths of a percent of one vCPU; twice
 *             that of one host core for the worker
 */
typedef struct VhLimits {
    uint32_t traps_per_second;
    uint32_t budget_bp;
} VhLimits;

#define VH_TRAPS_NESTED 100U
#define VH_TRAPS_BARE 1000U
#define VH_TRAPS_MAX 1000000U
#define VH_BUDGET_BP_DEFAULT 50U /* 0.5 % of a vCPU, 1 % of a host core */
#define VH_BUDGET_BP_MAX 10000U

/** vh_limits_check() - as vh_attrs_check() */
bool vh_limits_check(const VhLimits *l, char **why);

#endif
