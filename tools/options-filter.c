/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of reports: which regions. */
#include "options-table.h"

static const char *take_size(VhOptions *o, const char *arg)
{
    return vh_parse_sizes(arg, &o->filter.size)
               ? NULL
               : "MIN-MAX, MIN- or -MAX, such as 4K-2M or 2M-";
}

static const char *take_rate(VhOptions *o, const char *arg)
{
    return vh_parse_rates(arg, &o->filter.rate)
               ? NULL
               : "MIN-MAX, MIN- or -MAX in accesses a second, such as 0.5-100";
}

static const char time_help[] =
    "MIN-MAX, MIN- or -MAX with us, ms, s, m, h or d, such as 10s-2m or 10s-";

static const char *take_age(VhOptions *o, const char *arg)
{
    return vh_parse_durations(arg, &o->filter.age) ? NULL : time_help;
}

static const char *take_idle(VhOptions *o, const char *arg)
{
    return vh_parse_durations(arg, &o->filter.idle) ? NULL : time_help;
}

const VhOption vh_options_filter[] = {
    { 0, "size", "MIN-MAX", "only regions of such a size, as 2M-", take_size },
    { 0, "rate", "MIN-MAX", "only with so many accesses a second", take_rate },
    { 0, "age", "MIN-MAX", "only of such an age, as 10s-2m", take_age },
    { 0, "idle", "MIN-MAX", "only idle for so long, as 1m-", take_idle },
    {},
};

VhFilter vh_cli_filter(const VhOptions *o)
{
    VhFilter f = o->filter;

    f.start = o->start == UINT64_MAX ? 0 : o->start;
    f.end = o->end;
    f.nr_accesses.min =
        o->min_nr_accesses == UINT64_MAX ? 0 : o->min_nr_accesses;
    return f;
}
