/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records for damo; see damo.h. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "damo.h"

#define CHUNK (64u << 10)
#define LEAST_ADDRESS 4096ull  /* see damo.h */
#define MOST_MISSED (1u << 20) /* snapshots in a row */

/*
 * temporary: what is written, until it is whole
 * text: JSON that is not packed yet
 * sample_us, aggr_us: intervals of the record, which are those of the first
 *     snapshot
 * last_sequence, last_end: of the snapshot before
 * failed: a part was not written, so there will be no file
 */
struct VhDamoWriter {
    char *path;
    char *temporary;
    int fd;
    z_stream z;
    GString *text;
    uint64_t snapshots;
    uint64_t sample_us;
    uint64_t aggr_us;
    bool replace;
    uint64_t last_sequence;
    uint64_t last_end;
    bool failed;
};

static bool fail(VhDamoWriter *w, int err, GError **error)
{
    w->failed = true;
    g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                "cannot write '%s': %s", w->path, g_strerror(err));
    return false;
}

static bool failed_before(const VhDamoWriter *w, GError **error)
{
    if (w->failed) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                    "cannot write '%s': a part of it was not written", w->path);
    }
    return w->failed;
}

static void free_writer(VhDamoWriter *w)
{
    if (w->fd >= 0) {
        close(w->fd);
        g_unlink(w->temporary);
    }
    deflateEnd(&w->z);
    g_string_free(w->text, true);
    g_free(w->temporary);
    g_free(w->path);
    g_free(w);
}

void vh_damo_drop(VhDamoWriter *w)
{
    free_writer(w);
}

VhDamoWriter *vh_damo_create(const char *path, bool replace, GError **error)
{
    VhDamoWriter *w = g_new0(VhDamoWriter, 1);

    w->path = g_strdup(path);
    w->replace = replace;
    w->temporary = g_strdup_printf("%s.XXXXXX", path);
    w->text = g_string_new(NULL);
    deflateInit(&w->z, Z_DEFAULT_COMPRESSION);
    w->fd = -1;
    if (!replace && g_file_test(path, G_FILE_TEST_EXISTS)) {
        fail(w, EEXIST, error);
    } else {
        w->fd = g_mkstemp_full(w->temporary, O_WRONLY | O_CLOEXEC, 0644);
        if (w->fd < 0) {
            fail(w, errno, error);
        }
    }
    if (w->failed) {
        free_writer(w);
        return NULL;
    }
    return w;
}

static bool write_all(VhDamoWriter *w, const uint8_t *data, size_t size,
                      GError **error)
{
    while (size) {
        ssize_t n = write(w->fd, data, size);

        if (n < 0 && errno != EINTR) {
            return fail(w, errno, error);
        }
        data += MAX(n, 0);
        size -= MAX(n, 0);
    }
    return true;
}

/* Packs and writes the text there is; @flush: of deflate(). */
static bool pack(VhDamoWriter *w, int flush, GError **error)
{
    uint8_t out[CHUNK];

    w->z.next_in = (uint8_t *)w->text->str;
    w->z.avail_in = w->text->len;
    do {
        w->z.next_out = out;
        w->z.avail_out = sizeof(out);
        deflate(&w->z, flush);
        if (!write_all(w, out, sizeof(out) - w->z.avail_out, error)) {
            return false;
        }
    } while (!w->z.avail_out);
    g_string_truncate(w->text, 0);
    return true;
}

static void begin(VhDamoWriter *w, const VhSnapshot *s)
{
    w->sample_us = MAX(s->sampling_interval, 1);
    w->aggr_us = MAX(s->aggregation_interval, w->sample_us);
    g_string_append_printf(
        w->text,
        "[{\"kdamond_idx\": 0, \"context_idx\": 0, \"intervals\": "
        "{\"sample_us\": %" PRIu64 ", \"aggr_us\": %" PRIu64
        ", \"ops_update_us\": %" PRIu64
        "}, \"scheme_idx\": null, \"target_id\": 0, \"scheme_filters\": [], "
        "\"snapshots\": [",
        w->sample_us, w->aggr_us, w->aggr_us);
}

/* @part of @whole, of @of; what is not 0 stays so */
static uint64_t scale(uint64_t part, uint64_t whole, uint64_t of)
{
    uint64_t v = whole ? (uint64_t)((unsigned __int128)part * of / whole) : 0;

    return part && whole ? MAX(v, 1) : 0;
}

static void put_region(VhDamoWriter *w, const VhSnapshot *s, const VhRegion *r,
                       uint64_t start, bool first)
{
    uint64_t most = w->aggr_us / w->sample_us;
    uint64_t milli = scale(r->nr_accesses, s->max_nr_accesses, 100000);

    g_string_append_printf(
        w->text,
        "%s{\"start\": %" PRIu64 ", \"end\": %" PRIu64
        ", \"nr_accesses\": {\"samples\": %" PRIu64 ", \"percent\": %" PRIu64
        ".%03u}, \"age\": {\"usec\": %" PRIu64 ", \"aggr_intervals\": 0}}",
        first ? "" : ", ", start, r->end,
        scale(r->nr_accesses, s->max_nr_accesses, most), milli / 1000,
        (unsigned)(milli % 1000), vh_snapshot_age_us(s, r));
}

static void put_regions(VhDamoWriter *w, const VhSnapshot *s)
{
    uint64_t total = 0;

    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];
        uint64_t start = MAX(r->start, LEAST_ADDRESS);

        if (start < r->end) {
            put_region(w, s, r, start, !total);
            total += r->end - start;
        }
    }
    g_string_append_printf(w->text, "], \"total_bytes\": %" PRIu64 "}", total);
}

/* It stands for those between it and the one before, while there were any. */
static uint64_t start_of(const VhDamoWriter *w, const VhSnapshot *s)
{
    uint64_t missed = s->sequence - w->last_sequence - 1;
    uint64_t took = s->end_time - s->start_time;
    uint64_t gap = s->start_time - w->last_end;

    return w->snapshots && missed && missed < MOST_MISSED &&
                   s->start_time > w->last_end && gap / 2 <= missed * took
               ? w->last_end
               : s->start_time;
}

bool vh_damo_snapshot(VhDamoWriter *w, const VhSnapshot *s, GError **error)
{
    if (failed_before(w, error)) {
        return false;
    }
    if (!w->snapshots) {
        begin(w, s);
    }
    g_string_append_printf(w->text,
                           "%s\n{\"start_time\": %" PRIu64
                           ", \"end_time\": %" PRIu64 ", \"regions\": [",
                           w->snapshots ? "," : "", start_of(w, s),
                           s->end_time);
    w->snapshots++;
    w->last_sequence = s->sequence;
    w->last_end = s->end_time;
    put_regions(w, s);
    return pack(w, Z_NO_FLUSH, error);
}

/* A file that came there meanwhile is not replaced, where that can be told. */
static bool take_name(const VhDamoWriter *w)
{
    if (w->replace) {
        return !g_rename(w->temporary, w->path);
    }
    return !renameat2(AT_FDCWD, w->temporary, AT_FDCWD, w->path,
                      RENAME_NOREPLACE) ||
           ((errno == EINVAL || errno == ENOSYS) &&
            !g_rename(w->temporary, w->path));
}

static bool finish(VhDamoWriter *w, GError **error)
{
    g_string_append(w->text, "\n]}]\n");
    if (!pack(w, Z_FINISH, error)) {
        return false;
    }
    if ((fsync(w->fd) && errno != EINVAL) || !take_name(w)) {
        return fail(w, errno, error);
    }
    close(w->fd);
    w->fd = -1;
    return true;
}

bool vh_damo_close(VhDamoWriter *w, GError **error)
{
    bool good;

    if (!w) {
        return true;
    }
    good = !failed_before(w, error);
    if (good && !w->snapshots) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_SNAPSHOT,
                    "there is no snapshot to write to '%s'", w->path);
        good = false;
    }
    good = good && finish(w, error);
    free_writer(w);
    return good;
}
