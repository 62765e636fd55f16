/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of what the user may set: monitoring attributes and cost limits. */
#include <glib.h>
#include <inttypes.h>

#include "vmheat/limits.h"
#include "vmheat/types.h"

static bool refuse(char **why, char *sentence)
{
    *why = sentence;
    return false;
}

static bool interval_ok(const char *name, uint64_t us, uint64_t min,
                        const char *min_name, char **why)
{
    if (us >= min && us <= VH_INTERVAL_US_MAX) {
        return true;
    }
    return refuse(
        why, g_strdup_printf("%s %" PRIu64 " us is out of range: allowed is "
                             "%" PRIu64 "%s .. %llu us",
                             name, us, min, min_name, VH_INTERVAL_US_MAX));
}

static bool regions_ok(const VhAttrs *a, char **why)
{
    if (a->max_regions < VH_MIN_REGIONS_MIN ||
        a->max_regions > VH_MAX_REGIONS_MAX) {
        return refuse(why, g_strdup_printf("max-regions %" PRIu32
                                           " is out of range: allowed is "
                                           "%u .. %u",
                                           a->max_regions, VH_MIN_REGIONS_MIN,
                                           VH_MAX_REGIONS_MAX));
    }
    if (a->min_regions < VH_MIN_REGIONS_MIN ||
        a->min_regions > a->max_regions) {
        return refuse(why, g_strdup_printf("min-regions %" PRIu32
                                           " is out of range: allowed is "
                                           "%u .. %" PRIu32 " (max-regions)",
                                           a->min_regions, VH_MIN_REGIONS_MIN,
                                           a->max_regions));
    }
    return true;
}

bool vh_attrs_check(const VhAttrs *a, char **why)
{
    if (!interval_ok("sampling-interval", a->sampling_us, VH_SAMPLING_US_MIN,
                     "", why) ||
        !interval_ok("aggregation-interval", a->aggregation_us, a->sampling_us,
                     " (sampling-interval)", why) ||
        !interval_ok("update-interval", a->update_us, a->aggregation_us,
                     " (aggregation-interval)", why)) {
        return false;
    }
    if (a->aggregation_us / a->sampling_us > VH_MAX_ACCESSES_MAX) {
        return refuse(
            why, g_strdup_printf(
                     "aggregation-interval %" PRIu64 " us is more "
                     "than %u times the sampling-interval %" PRIu64 " us",
                     a->aggregation_us, VH_MAX_ACCESSES_MAX, a->sampling_us));
    }
    return regions_ok(a, why);
}

uint32_t vh_attrs_max_accesses(const VhAttrs *a)
{
    uint64_t n = a->sampling_us ? a->aggregation_us / a->sampling_us : 1;

    return CLAMP(n, 1, G_MAXUINT32);
}

bool vh_limits_check(const VhLimits *l, char **why)
{
    if (l->traps_per_second > VH_TRAPS_MAX) {
        return refuse(
            why, g_strdup_printf("traps-per-second %" PRIu32 " is out of "
                                 "range: allowed is 0 (safe default) .. %u",
                                 l->traps_per_second, VH_TRAPS_MAX));
    }
    if (l->budget_bp < 1 || l->budget_bp > VH_BUDGET_BP_MAX) {
        return refuse(
            why, g_strdup_printf("overhead-budget %" PRIu32 " is out of "
                                 "range: allowed is 1 .. %u hundredths of a "
                                 "percent",
                                 l->budget_bp, VH_BUDGET_BP_MAX));
    }
    return true;
}
