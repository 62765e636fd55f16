/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of reports: of which record, of what time, and where to. */
#include "options-table.h"
#include "units.h"

static const char duration_help[] = "a number with us, ms, s, m, h or d";

static const char *take_input(VhOptions *o, const char *arg)
{
    o->input = arg;
    return *arg ? NULL : "a record";
}

static const char *take_output(VhOptions *o, const char *arg)
{
    o->output = arg;
    return *arg ? NULL : "a file";
}

static const char *take_from(VhOptions *o, const char *arg)
{
    return vh_parse_duration(arg, &o->from_us) ? NULL : duration_help;
}

static const char *take_to(VhOptions *o, const char *arg)
{
    return vh_parse_duration(arg, &o->to_us) ? NULL : duration_help;
}

static bool take_pixels(const char *arg, unsigned *out)
{
    uint64_t v = 0;
    bool ok = vh_take_count(arg, 1, 10000, &v);

    *out = v;
    return ok;
}

static const char *take_width(VhOptions *o, const char *arg)
{
    return take_pixels(arg, &o->width) ? NULL : "a number, 1 .. 10000";
}

static const char *take_height(VhOptions *o, const char *arg)
{
    return take_pixels(arg, &o->height) ? NULL : "a number, 1 .. 10000";
}

const VhOption vh_options_report[] = {
    { 'i', "input", "FILE", "the record; default: vmheat.data", take_input },
    { 'o', "output", "FILE", "write to a file", take_output },
    { 0, "from", "TIME", "leave out what was before, from its begin",
      take_from },
    { 0, "to", "TIME", "leave out what was after, from its begin", take_to },
    { 0, "width", "N", "of the picture: pixels or columns", take_width },
    { 0, "height", "N", "of the picture: pixels or lines", take_height },
    {},
};
