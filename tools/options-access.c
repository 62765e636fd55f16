/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of what shows snapshots: which of them, and as what. */
#include <math.h>
#include <string.h>

#include "options-table.h"

#define WEIGHT_MAX 1e6

static const char *take_style(VhOptions *o, const char *arg)
{
    return vh_access_style_parse(arg, &o->style) ? NULL
                                                 : vh_access_style_names();
}

static const char *take_snapshot(VhOptions *o, const char *arg)
{
    o->which = VH_WHICH_LAST;
    if (g_str_equal(arg, "last")) {
        return NULL;
    }
    o->which = g_str_equal(arg, "all") ? VH_WHICH_ALL : VH_WHICH_NUMBER;
    if (o->which == VH_WHICH_ALL ||
        vh_take_count(arg, 0, INT64_MAX, &o->number)) {
        return NULL;
    }
    return "last, all or the number of a snapshot";
}

static bool parse_weight(const char *text, double *out)
{
    size_t n = strspn(text, "0123456789.");
    char *end;

    *out = g_ascii_strtod(text, &end);
    return n && end == text + n && !*end && *out <= WEIGHT_MAX;
}

static const char *take_weights(VhOptions *o, const char *arg)
{
    g_auto(GStrv) parts = g_strsplit(arg, ",", 4);
    VhWeights w;

    if (g_strv_length(parts) != 3 || !parse_weight(parts[0], &w.size) ||
        !parse_weight(parts[1], &w.rate) || !parse_weight(parts[2], &w.age)) {
        return "three numbers SIZE,RATE,AGE, 0 .. 1000000 each";
    }
    o->weights = w;
    return NULL;
}

const VhOption vh_options_access[] = {
    { 0, "style", "STYLE", "table (default), boxes, ...; see the manual",
      take_style },
    { 0, "reverse", NULL, "the other way round", NULL, VH_FLAG(reverse) },
    { 0, "raw", NULL, "numbers without units, tabs between them", NULL,
      VH_FLAG(raw) },
    { 0, "snapshot", "WHICH", "last, all or the number of one", take_snapshot },
    { 0, "weights", "S,R,A", "what temperatures are of; default: 0,100,100",
      take_weights },
    {},
};
