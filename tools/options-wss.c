/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of reports of the working set, and of times. */
#include <math.h>
#include <string.h>

#include "options-table.h"
#include "units.h"

static bool take_percentile(VhOptions *o, const char *text)
{
    double v;

    if (o->nr_percentiles == VH_PERCENTILES_MAX ||
        !vh_parse_percent(text, &v) || v > 100) {
        return false;
    }
    o->percentiles[o->nr_percentiles++] = v;
    return true;
}

static bool take_one_within(VhOptions *o, const char *text)
{
    return o->nr_within < VH_WITHIN_MAX &&
           vh_parse_duration(text, &o->within[o->nr_within++]);
}

/* Each part of a list. */
static bool take_list(VhOptions *o, const char *arg,
                      bool (*take)(VhOptions *o, const char *text))
{
    g_auto(GStrv) parts = g_strsplit(arg, ",", -1);
    bool ok = *arg;

    for (int i = 0; ok && parts[i]; i++) {
        ok = take(o, parts[i]);
    }
    return ok;
}

static const char *take_percentiles(VhOptions *o, const char *arg)
{
    o->nr_percentiles = 0;
    return take_list(o, arg, take_percentile)
               ? NULL
               : "1 .. 32 numbers, 0 .. 100 each, such as 50,99,99.9";
}

static const char *take_within(VhOptions *o, const char *arg)
{
    o->nr_within = 0;
    return take_list(o, arg, take_one_within)
               ? NULL
               : "1 .. 6 times with us, ms, s, m, h or d, such as 1s,1m";
}

static const char *take_min_size(VhOptions *o, const char *arg)
{
    return vh_parse_size(arg, &o->min_size)
               ? NULL
               : "a decimal or 0x hexadecimal number, with K, M, G or T";
}

const VhOption vh_options_wss[] = {
    { 0, "within", "TIME,...", "accessed in the last TIME; 6 at most",
      take_within },
    { 0, "percentiles", "P,...", "which; default: 0,25,50,75,90,99,100",
      take_percentiles },
    { 0, "plot", NULL, "draw it over time", NULL, VH_FLAG(plot) },
    { 0, "min-size", "BYTES", "only while there is so much of it",
      take_min_size },
    {},
};
