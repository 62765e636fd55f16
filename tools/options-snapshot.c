/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of what shows regions: which, and how often. */
#include "options-table.h"
#include "units.h"

static const char *take_delay(VhOptions *o, const char *arg)
{
    return vh_parse_seconds(arg, &o->delay_us)
               ? NULL
               : "a number of seconds, 0.01 .. 86400";
}

static const char address_help[] =
    "a decimal or 0x hexadecimal number, with K, M, G or T for KiB to TiB";

static const char *take_start(VhOptions *o, const char *arg)
{
    return vh_parse_size(arg, &o->start) ? NULL : address_help;
}

static const char *take_end(VhOptions *o, const char *arg)
{
    return vh_parse_size(arg, &o->end) ? NULL : address_help;
}

static const char *take_min(VhOptions *o, const char *arg)
{
    return vh_take_count(arg, 0, UINT32_MAX, &o->min_nr_accesses)
               ? NULL
               : "a number, 0 .. 4294967295";
}

static const char *take_limit(VhOptions *o, const char *arg)
{
    return vh_take_count(arg, 1, 100000, &o->limit) ? NULL
                                                    : "a number, 1 .. 100000";
}

static const char *take_iterations(VhOptions *o, const char *arg)
{
    return vh_take_count(arg, 1, UINT32_MAX, &o->iterations)
               ? NULL
               : "a number, 1 .. 4294967295";
}

static const char *take_once(VhOptions *o, const char *arg)
{
    o->iterations = 1;
    return NULL;
}

static const char *take_sort(VhOptions *o, const char *arg)
{
    static const char *const names[] = {
        [VH_SORT_ADDRESS] = "address",
        [VH_SORT_HEAT] = "heat",
        [VH_SORT_SIZE] = "size",
        [VH_SORT_AGE] = "age",
        [VH_SORT_RATE] = "rate",
        [VH_SORT_IDLE] = "idle",
        [VH_SORT_TEMPERATURE] = "temperature",
        [VH_SORT_TIME] = "time",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(arg, names[i])) {
            o->sort = i;
            return NULL;
        }
    }
    return "address, heat, size, age, rate, idle or temperature";
}

const VhOption vh_options_snapshot[] = {
    { 0, "start", "ADDRESS", "leave out memory below; regions are cut",
      take_start },
    { 0, "end", "ADDRESS", "leave out memory from there on; regions are cut",
      take_end },
    { 0, "min-nr-accesses", "N", "leave out regions with fewer accesses",
      take_min },
    { 0, "limit", "N", "show at most N", take_limit },
    { 0, "sort", "BY", "heat, size, age, rate, idle, temperature or address",
      take_sort },
    { 'd', "delay", "SECONDS", "time between updates; default: 1", take_delay },
    { 'n', "iterations", "N", "end after N updates", take_iterations },
    { 0, "once", NULL, "same as -n 1", take_once },
    {},
};
