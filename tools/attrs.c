/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "attrs.h"
#include "reader.h"
#include "vmheat/limits.h"
#include "vmheat/types.h"

#define FIELD(name, member, meaning)                        \
    {                                                       \
        name, meaning, G_STRUCT_OFFSET(VhAttrsInfo, member) \
    }

#define SAMPLING "sampling-interval"
#define AGGREGATION "aggregation-interval"
#define UPDATE "update-interval"
#define MIN_REGIONS "min-regions"
#define MAX_REGIONS "max-regions"

const VhAttrField *vh_attr_fields(void)
{
    static const VhAttrField fields[] = {
        FIELD(SAMPLING, sampling_interval,
              "time between two rounds of access checks"),
        FIELD(AGGREGATION, aggregation_interval, "time between two snapshots"),
        FIELD(UPDATE, update_interval,
              "time between two looks at the guest memory map"),
        FIELD(MIN_REGIONS, min_regions, "fewest regions in a snapshot"),
        FIELD(MAX_REGIONS, max_regions, "most regions in a snapshot"),
        FIELD("traps-per-second", traps_per_second,
              "most faults a second that monitoring causes in the guest"),
        FIELD("overhead-budget", overhead_budget,
              "cost of monitoring, of a vCPU; of a host core twice that"),
        {},
    };

    return fields;
}

uint64_t vh_attr_value(const VhAttrsInfo *attrs, const VhAttrField *field)
{
    return G_STRUCT_MEMBER(uint64_t, attrs, field->offset);
}

static bool is(const VhAttrField *field, const char *name)
{
    return g_str_equal(field->name, name);
}

static char *time_str(uint64_t us)
{
    if (us < 1000) {
        return g_strdup_printf("%" PRIu64 " us", us);
    }
    return us < 1000000 ? g_strdup_printf("%.10g ms", us / 1e3)
                        : g_strdup_printf("%.10g s", us / 1e6);
}

char *vh_attr_str(const VhAttrField *field, uint64_t value)
{
    if (g_str_has_suffix(field->name, "-interval")) {
        return time_str(value);
    }
    if (is(field, "overhead-budget")) {
        return g_strdup_printf("%.10g %%", value / 100.0);
    }
    return !value && is(field, "traps-per-second")
               ? g_strdup("0 (safe default)")
               : g_strdup_printf("%" PRIu64, value);
}

static void at_least(VhAttrBounds *b, uint64_t min, const char *why)
{
    if (min > b->min) {
        b->min = min;
        b->min_why = why;
    }
}

static void at_most(VhAttrBounds *b, uint64_t max, const char *why)
{
    if (max < b->max) {
        b->max = max;
        b->max_why = why;
    }
}

/* As core/attrs.c checks them; at most so many samples in an aggregation. */
static VhAttrBounds interval_bounds(const VhAttrsInfo *a, const VhAttrField *f)
{
    VhAttrBounds b = { VH_SAMPLING_US_MIN, VH_INTERVAL_US_MAX };
    uint64_t samples = VH_MAX_ACCESSES_MAX + 1;

    G_STATIC_ASSERT(VH_MAX_ACCESSES_MAX == 10000);

    if (is(f, SAMPLING)) {
        at_least(&b, a->aggregation_interval / samples + 1,
                 AGGREGATION " / 10000");
        at_most(&b, a->aggregation_interval, AGGREGATION);
    } else if (is(f, AGGREGATION)) {
        at_least(&b, a->sampling_interval, SAMPLING);
        at_most(&b, a->update_interval, UPDATE);
        if (a->sampling_interval <= UINT64_MAX / samples) {
            at_most(&b, a->sampling_interval * samples - 1,
                    SAMPLING " * 10000");
        }
    } else {
        at_least(&b, a->aggregation_interval, AGGREGATION);
    }
    return b;
}

VhAttrBounds vh_attr_bounds(const VhAttrsInfo *a, const VhAttrField *f)
{
    VhAttrBounds regions = { VH_MIN_REGIONS_MIN, VH_MAX_REGIONS_MAX };

    if (is(f, "traps-per-second")) {
        return (VhAttrBounds){ 0, VH_TRAPS_MAX };
    }
    if (is(f, "overhead-budget")) {
        return (VhAttrBounds){ 1, VH_BUDGET_BP_MAX };
    }
    if (is(f, MIN_REGIONS)) {
        at_most(&regions, a->max_regions, MAX_REGIONS);
        return regions;
    }
    if (is(f, MAX_REGIONS)) {
        at_least(&regions, a->min_regions, MIN_REGIONS);
        return regions;
    }
    return interval_bounds(a, f);
}

bool vh_attrs_parse(JsonNode *node, VhAttrsInfo *attrs, GError **error)
{
    VhReader r = { .command = "vmheat-set" };

    vh_read_attrs(&r, vh_read_root(&r, node), attrs);
    return !vh_read_end(&r, error);
}
