/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"
#include "../progress.h"

/*
 * begin: time of the first snapshot, from which the options count; 0: not seen
 */
struct VhInput {
    VhRecordReader *reader;
    VhProgress *progress;
    const char *path;
    uint64_t begin;
    uint64_t from;
    uint64_t to;
};

const char *vh_input_file(const VhOptions *options)
{
    return options->input ? options->input : VH_INPUT_DEFAULT;
}

uint64_t vh_input_after(uint64_t ns, uint64_t us)
{
    return us > (UINT64_MAX - ns) / 1000 ? UINT64_MAX : ns + us * 1000;
}

/* When the first snapshot of that time ended; 0: there is none. */
static uint64_t first_time(const char *path, uint64_t from, uint64_t to,
                           GError **error)
{
    g_autoptr(VhRecordReader) r = vh_record_open(path, error);
    VhRecordItem item;

    if (r) {
        vh_record_range(r, from, to);
    }
    while (r && vh_record_next(r, &item)) {
        if (item.type == VH_RECORD_SNAPSHOTS && item.time_ns >= from &&
            item.time_ns <= to) {
            return item.time_ns;
        }
    }
    return 0;
}

VhInput *vh_input_open(const VhOptions *options, int *exit_code)
{
    const char *path = vh_input_file(options);
    g_autoptr(GError) error = NULL;
    g_autofree char *what = NULL;
    uint64_t begin = first_time(path, 0, UINT64_MAX, &error);
    VhRecordReader *reader = error ? NULL : vh_record_open(path, &error);
    VhInput *in;

    if (!reader) {
        *exit_code = vh_cli_fail(error);
        return NULL;
    }
    in = g_new0(VhInput, 1);
    in->reader = reader;
    in->path = path;
    in->begin = begin;
    in->from = vh_input_after(begin, options->from_us);
    in->to = vh_input_after(begin, options->to_us);
    vh_record_range(reader, in->from, in->to);
    what = g_strdup_printf("reading %s", path);
    in->progress = vh_progress_new(what);
    return in;
}

bool vh_input_next(VhInput *in, VhRecordItem *item)
{
    while (vh_record_next(in->reader, item)) {
        bool snapshot = item->type == VH_RECORD_SNAPSHOTS;

        vh_progress_to(in->progress, vh_record_part(in->reader), NULL);
        if (!snapshot ||
            (item->time_ns >= in->from && item->time_ns <= in->to)) {
            return true;
        }
    }
    return false;
}

const VhSnapshot *vh_input_snapshot(VhInput *in)
{
    VhRecordItem item;

    while (vh_input_next(in, &item)) {
        if (item.type == VH_RECORD_SNAPSHOTS) {
            return item.snapshot;
        }
    }
    return NULL;
}

void vh_input_skip(VhInput *in)
{
    uint64_t from = MAX(in->from, vh_record_last(in->reader));

    if (first_time(in->path, from, in->to, NULL)) {
        in->from = from;
        vh_record_range(in->reader, in->from, in->to);
    }
}

void vh_input_quiet(VhInput *in)
{
    g_clear_pointer(&in->progress, vh_progress_free);
}

const char *vh_input_path(const VhInput *in)
{
    return in->path;
}

uint64_t vh_input_begin(const VhInput *in)
{
    return in->begin;
}

int vh_input_close(VhInput *in)
{
    const char *damage = vh_record_damage(in->reader);
    int code = VH_EXIT_OK;

    g_clear_pointer(&in->progress, vh_progress_free);
    if (damage) {
        vh_cli_complain(damage);
        code = VH_EXIT_DAMAGED;
    }
    vh_record_reader_free(in->reader);
    g_free(in);
    return code;
}

int vh_input_read(const VhOptions *options, VhAbout *about, VhItemFunc take,
                  void *opaque)
{
    int code;
    VhInput *in = vh_input_open(options, &code);
    VhRecordItem item;

    if (!in) {
        return code;
    }
    about->path = in->path;
    about->origin = in->begin;
    while (vh_input_next(in, &item)) {
        vh_about_take(about, &item);
        take(opaque, &item);
    }
    return vh_input_close(in);
}
