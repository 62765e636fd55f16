/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Make a record for damo of one of ours. */
#include <glib/gstdio.h>

#include "cli.h"
#include "record/damo.h"
#include "report/input.h"
#include "stop.h"

/* Until a signal comes. */
static bool add_all(VhInput *in, VhDamoWriter *to, VhStop *stop, GError **error)
{
    const VhSnapshot *s;

    while (!vh_stop_requested(stop) && (s = vh_input_snapshot(in))) {
        if (!vh_damo_snapshot(to, s, error)) {
            return false;
        }
    }
    return true;
}

/* Both what is read and what is written can be bad; the latter is told. */
static int convert(VhInput *in, VhDamoWriter *to)
{
    g_autoptr(GError) error = NULL;
    VhStop stop;
    bool good;
    int code;

    vh_stop_init(&stop);
    good = add_all(in, to, &stop, &error);
    code = vh_input_close(in);
    if (stop.requested) {
        vh_damo_drop(to);
        vh_stop_obey(&stop);
        return VH_EXIT_FILE;
    }
    vh_stop_clear(&stop);
    good = vh_damo_close(to, good ? &error : NULL) && good;
    return good ? code : vh_cli_fail(error);
}

int vh_cmd_convert(const VhOptions *options, const VhTerm *term)
{
    const char *path = options->output ? options->output : "damon.data";
    g_autoptr(GError) error = NULL;
    VhDamoWriter *to;
    VhInput *in;
    int code;

    in = vh_input_open(options, &code);
    if (!in) {
        return code;
    }
    if (!vh_cli_may_replace(path, options->force, &error) ||
        !(to = vh_damo_create(path, options->force, &error))) {
        vh_input_close(in);
        return vh_cli_fail(error);
    }
    return convert(in, to);
}
