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
static int convert(VhInput *in, VhDamoWriter *to, VhStop *stop)
{
    g_autoptr(GError) error = NULL;
    bool good = add_all(in, to, stop, &error);
    int code = vh_input_close(in);

    if (vh_stop_requested(stop)) {
        vh_damo_drop(to);
        vh_stop_obey(stop);
        return VH_EXIT_FILE;
    }
    vh_stop_clear(stop);
    good = vh_damo_close(to, good ? &error : NULL) && good;
    return good ? code : vh_cli_fail(error);
}

/* Replacing what is read would lose what damo has no place for. */
static bool is_not_input(const VhOptions *o, const char *path, GError **error)
{
    const char *input = vh_input_file(o);
    GStatBuf in, out;

    if (g_stat(input, &in) || g_lstat(path, &out) || in.st_dev != out.st_dev ||
        in.st_ino != out.st_ino) {
        return true;
    }
    g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                "'%s' is the record itself; -o FILE takes another", path);
    return false;
}

static VhDamoWriter *open_output(const VhOptions *o, GError **error)
{
    const char *path = o->output ? o->output : "damon.data";

    if (!is_not_input(o, path, error) ||
        !vh_cli_may_replace(path, o->force, error)) {
        return NULL;
    }
    return vh_damo_create(path, o->force, error);
}

int vh_cmd_convert(const VhOptions *options, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    VhDamoWriter *to;
    VhInput *in;
    VhStop stop;
    int code;

    in = vh_input_open(options, &code);
    if (!in) {
        return code;
    }
    vh_stop_init(&stop); /* before there is a file that would be left behind */
    to = open_output(options, &error);
    if (!to) {
        vh_input_close(in);
        vh_stop_obey(&stop);
        return vh_cli_fail(error);
    }
    return convert(in, to, &stop);
}
