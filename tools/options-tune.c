/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of tune. What is in range is for QEMU to say, which knows the other
 * attributes; here only what cannot be sent is refused.
 */
#include "options-table.h"
#include "units.h"

static const char duration_help[] = "a number with us, ms, s, m, h or d";
static const char damo_help[] =
    "a number of microseconds, or one with us, ms, s, m, h or d";
static const char count_help[] = "a number, 0 .. 4294967295";

static const char *take_time(const char *arg, uint64_t *out)
{
    return vh_parse_duration(arg, out) ? NULL : duration_help;
}

/* As damo: without a unit it is microseconds. */
static const char *take_damo_time(const char *arg, uint64_t *out)
{
    return vh_take_count(arg, 0, INT64_MAX, out) || vh_parse_duration(arg, out)
               ? NULL
               : damo_help;
}

static const char *take_number(const char *arg, uint64_t *out)
{
    return vh_take_count(arg, 0, UINT32_MAX, out) ? NULL : count_help;
}

static const char *take_sampling(VhOptions *o, const char *arg)
{
    return take_time(arg, &o->attrs.sampling_interval);
}

static const char *take_aggregation(VhOptions *o, const char *arg)
{
    return take_time(arg, &o->attrs.aggregation_interval);
}

static const char *take_update(VhOptions *o, const char *arg)
{
    return take_time(arg, &o->attrs.update_interval);
}

static const char *take_min_regions(VhOptions *o, const char *arg)
{
    return take_number(arg, &o->attrs.min_regions);
}

static const char *take_max_regions(VhOptions *o, const char *arg)
{
    return take_number(arg, &o->attrs.max_regions);
}

static const char *take_traps(VhOptions *o, const char *arg)
{
    return take_number(arg, &o->attrs.traps_per_second);
}

/* "0.5%", or hundredths of a percent, as the property is. */
static const char *take_budget(VhOptions *o, const char *arg)
{
    double percent, hundredths;

    if (vh_take_count(arg, 0, UINT32_MAX, &o->attrs.overhead_budget)) {
        return NULL;
    }
    if (!g_str_has_suffix(arg, "%") || !vh_parse_percent(arg, &percent)) {
        return "a percentage such as 0.5%, or a number of hundredths of a "
               "percent";
    }
    hundredths = percent * 100 + 0.5;
    if (!(hundredths >= 0 && hundredths <= UINT32_MAX)) {
        return "at most 100%";
    }
    o->attrs.overhead_budget = hundredths;
    return NULL;
}

static const char *take_sample(VhOptions *o, const char *arg)
{
    return take_damo_time(arg, &o->attrs.sampling_interval);
}

static const char *take_aggr(VhOptions *o, const char *arg)
{
    return take_damo_time(arg, &o->attrs.aggregation_interval);
}

static const char *take_updr(VhOptions *o, const char *arg)
{
    return take_damo_time(arg, &o->attrs.update_interval);
}

const VhOption vh_options_tune[] = {
    { 0, "sampling-interval", "TIME", "time between two rounds of checks: 50ms",
      take_sampling },
    { 0, "aggregation-interval", "TIME", "time between two snapshots",
      take_aggregation },
    { 0, "update-interval", "TIME", "time between two looks at the memory map",
      take_update },
    { 0, "min-regions", "N", "fewest regions in a snapshot", take_min_regions },
    { 0, "max-regions", "N", "most regions in a snapshot", take_max_regions },
    { 0, "traps-per-second", "N", "most faults caused in the guest; 0: safe",
      take_traps },
    { 0, "overhead-budget", "B", "cost: 0.5% of a vCPU, or 50 (hundredths)",
      take_budget },
    { 0, "sample", "TIME", "as damo: --sampling-interval, default unit us",
      take_sample },
    { 0, "aggr", "TIME", "as damo: --aggregation-interval", take_aggr },
    { 0, "updr", "TIME", "as damo: --update-interval", take_updr },
    { 0, "minr", "N", "as damo: --min-regions", take_min_regions },
    { 0, "maxr", "N", "as damo: --max-regions", take_max_regions },
    {},
};
