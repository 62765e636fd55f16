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

/*
 * temporary: what is written, until it is whole
 * text: JSON that is not packed yet
 * failed: a call did, and said so
 */
struct VhDamoWriter {
    char *path;
    char *temporary;
    int fd;
    z_stream z;
    GString *text;
    uint64_t snapshots;
    bool failed;
};

static bool fail(VhDamoWriter *w, int err, GError **error)
{
    w->failed = true;
    g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                "cannot write '%s': %s", w->path, g_strerror(err));
    return false;
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

VhDamoWriter *vh_damo_create(const char *path, GError **error)
{
    VhDamoWriter *w = g_new0(VhDamoWriter, 1);

    w->path = g_strdup(path);
    w->temporary = g_strdup_printf("%s.XXXXXX", path);
    w->text = g_string_new(NULL);
    deflateInit(&w->z, Z_DEFAULT_COMPRESSION);
    w->fd = -1;
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
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
    g_string_append_printf(
        w->text,
        "[{\"kdamond_idx\": 0, \"context_idx\": 0, \"intervals\": "
        "{\"sample_us\": %" PRIu64 ", \"aggr_us\": %" PRIu64
        ", \"ops_update_us\": %" PRIu64
        "}, \"scheme_idx\": null, \"target_id\": 0, \"scheme_filters\": [], "
        "\"snapshots\": [",
        s->sampling_interval, s->aggregation_interval, s->aggregation_interval);
}

static void put_region(GString *text, const VhRegion *r, bool first)
{
    g_string_append_printf(text,
                           "%s{\"start\": %" PRIu64 ", \"end\": %" PRIu64
                           ", \"nr_accesses\": {\"samples\": %" PRIu64
                           ", \"percent\": null}, \"age\": {\"usec\": null, "
                           "\"aggr_intervals\": %" PRIu64 "}}",
                           first ? "" : ", ", r->start, r->end, r->nr_accesses,
                           r->age);
}

bool vh_damo_snapshot(VhDamoWriter *w, const VhSnapshot *s, GError **error)
{
    uint64_t total = 0;

    if (!w->snapshots++) {
        begin(w, s);
    }
    g_string_append_printf(w->text,
                           "%s\n{\"start_time\": %" PRIu64
                           ", \"end_time\": %" PRIu64 ", \"regions\": [",
                           w->snapshots > 1 ? "," : "", s->start_time,
                           s->end_time);
    for (size_t i = 0; i < s->nr; i++) {
        put_region(w->text, &s->regions[i], !i);
        total += s->regions[i].end - s->regions[i].start;
    }
    g_string_append_printf(w->text, "], \"total_bytes\": %" PRIu64 "}", total);
    return pack(w, Z_NO_FLUSH, error);
}

static bool finish(VhDamoWriter *w, GError **error)
{
    g_string_append(w->text, "\n]}]\n");
    if (!pack(w, Z_FINISH, error)) {
        return false;
    }
    if ((fsync(w->fd) && errno != EINVAL) || g_rename(w->temporary, w->path)) {
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
    good = !w->failed && w->snapshots;
    if (good) {
        good = finish(w, error);
    } else if (!w->failed) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_SNAPSHOT,
                    "there is no snapshot to write to '%s'", w->path);
    }
    free_writer(w);
    return good;
}
