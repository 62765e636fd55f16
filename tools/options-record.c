/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of record: how long, how often, in which form. */
#include "options-table.h"
#include "units.h"

static const char duration_help[] =
    "a number with us, ms, s, m, h or d, 1ms .. 365d";

static bool take_time(const char *arg, int64_t *out)
{
    const uint64_t most = 365ull * 24 * 3600 * G_USEC_PER_SEC;
    uint64_t us;

    if (!vh_parse_duration(arg, &us) || us < 1000 || us > most) {
        return false;
    }
    *out = us;
    return true;
}

static const char *take_duration(VhOptions *o, const char *arg)
{
    return take_time(arg, &o->duration_us) ? NULL : duration_help;
}

static const char *take_interval(VhOptions *o, const char *arg)
{
    return take_time(arg, &o->interval_us) ? NULL : duration_help;
}

static const char *take_format(VhOptions *o, const char *arg)
{
    o->format = arg;
    return g_str_equal(arg, "vmheat") || g_str_equal(arg, "damo")
               ? NULL
               : "vmheat or damo";
}

const VhOption vh_options_record[] = {
    { 0, "duration", "TIME", "end after that time; default: at Ctrl-C",
      take_duration },
    { 0, "interval", "TIME", "time between snapshots; default: take each",
      take_interval },
    { 0, "format", "FORMAT", "vmheat (default) or damo", take_format },
    { 0, "append", NULL, "go on behind what is in the file", NULL,
      VH_FLAG(append) },
    { 0, "force", NULL, "replace the file", NULL, VH_FLAG(force) },
    { 'q', "quiet", NULL, "tell nothing but errors", NULL, VH_FLAG(quiet) },
    {},
};
