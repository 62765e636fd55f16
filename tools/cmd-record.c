/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Write snapshots of a virtual machine to a file until it is enough. */
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "progress.h"
#include "recorder.h"
#include "report/input.h"
#include "stop.h"
#include "units.h"

#define LOOK_US 200000 /* between two looks at the progress */

typedef struct Record {
    const VhOptions *options;
    const char *path;
    VhRecorder recorder;
    VhStop stop;
    VhProgress *progress;
    int64_t begin_us;
} Record;

static bool is_damo(const VhOptions *o)
{
    return o->format && g_str_equal(o->format, "damo");
}

static bool open_native(Record *rec, GError **error)
{
    const VhOptions *o = rec->options;

    if (!(o->append ? vh_cli_is_for_files(rec->path, error)
                    : vh_cli_make_room(rec->path, o->force, error))) {
        return false;
    }
    rec->recorder.native = vh_record_create(rec->path, o->append, error);
    return rec->recorder.native;
}

/* What is there is replaced when the new file is whole. */
static bool open_damo(Record *rec, GError **error)
{
    bool force = rec->options->force;

    if (!vh_cli_may_replace(rec->path, force, error)) {
        return false;
    }
    rec->recorder.damo = vh_damo_create(rec->path, force, error);
    return rec->recorder.damo;
}

static bool open_file(Record *rec, GError **error)
{
    return is_damo(rec->options) ? open_damo(rec, error)
                                 : open_native(rec, error);
}

static void show_progress(Record *rec)
{
    const VhRecorder *r = &rec->recorder;
    int64_t passed = g_get_monotonic_time() - rec->begin_us;
    int64_t all = rec->options->duration_us;
    g_autofree char *time = vh_duration_str(passed);
    g_autofree char *wss = vh_size_str(r->taken->head.working_set);
    g_autofree char *size =
        vh_size_str(r->native ? vh_record_bytes(r->native) : 0);
    g_autofree char *text =
        g_strdup_printf("%s, %" PRIu64 " snapshot%s, working set %s%s%s", time,
                        r->snapshots, r->snapshots == 1 ? "" : "s", wss,
                        r->native ? ", file " : "", r->native ? size : "");

    vh_progress_to(rec->progress, all ? (double)passed / all : -1, text);
}

/* Returns whether it ended as it should; @error tells what it did not. */
static bool loop(Record *rec, GError **error)
{
    int64_t end = rec->options->duration_us
                      ? rec->begin_us + rec->options->duration_us
                      : INT64_MAX;

    for (int64_t now; (now = g_get_monotonic_time()) < end;) {
        if (!vh_recorder_step(&rec->recorder, MIN(end, now + LOOK_US), error)) {
            if (rec->stop.requested) {
                g_clear_error(error);
            }
            return !*error;
        }
        show_progress(rec);
    }
    return true;
}

static void tell(const Record *rec, uint64_t snapshots, uint64_t missed)
{
    int64_t passed = g_get_monotonic_time() - rec->begin_us;
    g_autofree char *time = vh_duration_str(passed);
    g_autofree char *size = NULL;
    g_autofree char *text = NULL;
    GStatBuf st = { 0 };

    if (rec->options->quiet) {
        return;
    }
    g_stat(rec->path, &st);
    size = vh_size_str(st.st_size);
    text = g_strdup_printf("%s: %" PRIu64 " snapshot%s in %s, %s", rec->path,
                           snapshots, snapshots == 1 ? "" : "s", time, size);
    fprintf(stderr, "%s", text);
    if (missed) {
        fprintf(stderr, "; %" PRIu64 " %s missed: QEMU or this host was busy",
                missed, missed == 1 ? "was" : "were");
    }
    fputc('\n', stderr);
}

/* Both the recording and the file can fail; the first one is told. */
static int finish(Record *rec, GError *error)
{
    g_autoptr(GError) of_file = NULL;
    bool gone = error && error->domain == VH_CLIENT_ERROR;
    uint64_t snapshots = rec->recorder.snapshots, missed = rec->recorder.missed;
    bool good;

    g_clear_pointer(&rec->progress, vh_progress_free);
    /* one more signal ends the last questions, not the file */
    vh_stop_again(&rec->stop);
    good = vh_recorder_end(&rec->recorder, !gone, &of_file);
    if (good) {
        tell(rec, snapshots, missed);
    }
    if (error) {
        return vh_cli_fail(error);
    }
    return good ? VH_EXIT_OK : vh_cli_fail(of_file);
}

/* Before a file is made or replaced. */
static bool has_monitor(VhClient *client, GError **error)
{
    g_autoptr(JsonNode) node =
        vh_client_command(client, "query-vmheat", NULL, error);

    return node;
}

static int run(Record *rec)
{
    g_autoptr(GError) error = NULL;
    VhRecorder *r = &rec->recorder;

    vh_stop_init(&rec->stop);
    vh_client_set_wait(r->client, vh_stop_wait, &rec->stop);
    rec->begin_us = g_get_monotonic_time();
    if (!has_monitor(r->client, &error) || !open_file(rec, &error)) {
        return vh_cli_fail(error);
    }
    rec->progress = rec->options->quiet ? NULL : vh_progress_new(rec->path);
    if (vh_recorder_begin(r, &error)) {
        loop(rec, &error);
    }
    return finish(rec, error);
}

int vh_cmd_record(const VhOptions *options, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhClient) client = vh_cli_open(options, &error);
    Record rec = {
        .options = options,
        .path = options->output ? options->output : VH_INPUT_DEFAULT,
        .recorder = { .client = client, .interval_us = options->interval_us },
    };
    int code;

    if (!client) {
        return vh_cli_fail(error);
    }
    code = run(&rec);
    vh_stop_clear(&rec.stop);
    return code;
}
