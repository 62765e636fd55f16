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

const VhOption vh_options_report[] = {
    { 'i', "input", "FILE", "the record; default: vmheat.data", take_input },
    { 'o', "output", "FILE", "write to a file", take_output },
    { 0, "from", "TIME", "leave out what was before, from its begin",
      take_from },
    { 0, "to", "TIME", "leave out what was after, from its begin", take_to },
    {},
};
