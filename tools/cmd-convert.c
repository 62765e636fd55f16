/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Make a record for damo of one of ours. */
#include <glib/gstdio.h>

#include "cli.h"
#include "record/damo.h"
#include "report/input.h"

static bool add_all(VhInput *in, VhDamoWriter *to, GError **error)
{
    const VhSnapshot *s;

    while ((s = vh_input_snapshot(in))) {
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
    bool good = add_all(in, to, &error);
    int code = vh_input_close(in);

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
