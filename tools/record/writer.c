/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing records; format and theory of operation in record.h. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "block.h"
#include "record.h"

#define BLOCK_BYTES (4u << 20) /* enough for a block of its own */

G_DEFINE_QUARK(vh - record - error - quark, vh_record_error)

/*
 * codec: knows the snapshot before
 * pending: snapshots that are not in the file
 * first_ns, last_ns: their times
 * since_us: g_get_monotonic_time() of the first
 * appended_ns: end of the last snapshot that was there before
 * size: of the file, as far as it is good
 */
struct VhRecordWriter {
    int fd;
    char *path;
    VhSnapCodec *codec;
    GByteArray *pending;
    uint64_t first_ns;
    uint64_t last_ns;
    gint64 since_us;
    uint64_t appended_ns;
    uint64_t size;
};

static bool fail(GError **error, const char *what, const char *path, int err)
{
    g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                "cannot %s '%s': %s", what, path, g_strerror(err));
    return false;
}

/* All of it or nothing: what was written in part is cut off again. */
static bool write_all(VhRecordWriter *w, const uint8_t *data, size_t size,
                      GError **error)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(w->fd, data + done, size - done, w->size + done);

        if (n < 0 && errno != EINTR) {
            int err = errno;

            if (ftruncate(w->fd, w->size)) {
                /* the reader finds the damage */
            }
            return fail(error, "write to", w->path, err);
        }
        done += MAX(n, 0);
    }
    w->size += size;
    return true;
}

static bool write_block(VhRecordWriter *w, VhBlock *b, const uint8_t *data,
                        size_t size, GError **error)
{
    g_autoptr(GByteArray) packed = vh_block_pack(b, data, size);

    return write_all(w, packed->data, packed->len, error);
}

static void free_writer(VhRecordWriter *w)
{
    if (w->fd >= 0) {
        close(w->fd);
    }
    vh_snap_codec_free(w->codec);
    g_byte_array_unref(w->pending);
    g_free(w->path);
    g_free(w);
}

/* Two writers would overwrite each other. Not all file systems have locks. */
static bool lock(VhRecordWriter *w, GError **error)
{
    if (!flock(w->fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK) {
        return true;
    }
    g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                "'%s' is being written by another recorder", w->path);
    return false;
}

/* Goes on behind the last good block. */
static bool go_on(VhRecordWriter *w, GError **error)
{
    g_autoptr(VhRecordReader) r = vh_record_open(w->path, error);
    VhRecordItem item;

    if (!r) {
        return false;
    }
    while (vh_record_next(r, &item)) {
        if (item.type == VH_RECORD_SNAPSHOTS) {
            w->appended_ns = item.time_ns;
        }
    }
    w->size = vh_record_good(r);
    if (vh_record_is_torn(r)) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                    "'%s' is not appended to: it is damaged at byte %" PRIu64
                    ", and there are good blocks behind that",
                    w->path, w->size);
        return false;
    }
    return ftruncate(w->fd, w->size) ? fail(error, "write to", w->path, errno)
                                     : true;
}

static bool begin(VhRecordWriter *w, GError **error)
{
    uint8_t header[VH_FILE_HEADER_BYTES];

    vh_file_header(header);
    return write_all(w, header, sizeof(header), error);
}

VhRecordWriter *vh_record_create(const char *path, bool append, GError **error)
{
    VhRecordWriter *w = g_new0(VhRecordWriter, 1);
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | (append ? 0 : O_EXCL);
    bool good;

    w->path = g_strdup(path);
    w->codec = vh_snap_codec_new();
    w->pending = g_byte_array_new();
    w->fd = g_open(path, flags, 0644);
    if (w->fd < 0) {
        fail(error, append ? "open" : "create", path, errno);
        free_writer(w);
        return NULL;
    }
    good = lock(w, error) &&
           (lseek(w->fd, 0, SEEK_END) > 0 ? go_on(w, error) : begin(w, error));
    if (!good) {
        free_writer(w);
        return NULL;
    }
    return w;
}

bool vh_record_flush(VhRecordWriter *w, GError **error)
{
    VhBlock b = { .type = VH_RECORD_SNAPSHOTS,
                  .first_ns = w->first_ns,
                  .last_ns = w->last_ns };
    bool good = !w->pending->len ||
                write_block(w, &b, w->pending->data, w->pending->len, error);

    g_byte_array_set_size(w->pending, 0);
    vh_snap_codec_reset(w->codec);
    return good;
}

int64_t vh_record_flush_time(const VhRecordWriter *w)
{
    return w->pending->len ? w->since_us + VH_RECORD_BLOCK_US : INT64_MAX;
}

static bool is_full(const VhRecordWriter *w)
{
    return w->pending->len >= BLOCK_BYTES ||
           w->last_ns - w->first_ns >= VH_RECORD_BLOCK_US * 1000ull ||
           g_get_monotonic_time() >= vh_record_flush_time(w);
}

/* A snapshot was added, unless there is a reason @why not. */
static bool added(VhRecordWriter *w, const char *why, uint64_t sequence,
                  uint64_t end_ns, bool first, GError **error)
{
    if (why) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_SNAPSHOT,
                    "snapshot %" PRIu64 " has %s", sequence, why);
        return false;
    }
    if (first) {
        w->first_ns = end_ns;
        w->since_us = g_get_monotonic_time();
    }
    w->last_ns = end_ns;
    return is_full(w) ? vh_record_flush(w, error) : true;
}

bool vh_record_snapshot(VhRecordWriter *w, const VhSnapshot *s, GError **error)
{
    bool first = !w->pending->len;
    const char *why = vh_packed_encode(w->codec, s, w->pending);

    return added(w, why, s->sequence, s->end_time, first, error);
}

bool vh_record_coded(VhRecordWriter *w, const VhSnapCodec *from, GError **error)
{
    bool first = !w->pending->len;
    const VhCodedRegion *regions = (const VhCodedRegion *)from->regions->data;
    const char *why = vh_snap_encode(w->codec, &from->head, regions,
                                     from->regions->len, w->pending);

    return added(w, why, from->head.sequence, from->head.end_ns, first, error);
}

bool vh_record_json(VhRecordWriter *w, VhRecordType type, uint64_t time_ns,
                    const char *json, GError **error)
{
    VhBlock b = { .type = type, .first_ns = time_ns, .last_ns = time_ns };

    return vh_record_flush(w, error) &&
           write_block(w, &b, (const uint8_t *)json, json ? strlen(json) : 0,
                       error);
}

uint64_t vh_record_appended_to(const VhRecordWriter *w)
{
    return w->appended_ns;
}

const char *vh_record_path(const VhRecordWriter *w)
{
    return w->path;
}

uint64_t vh_record_bytes(const VhRecordWriter *w)
{
    return w->size;
}

bool vh_record_close(VhRecordWriter *w, GError **error)
{
    bool good;

    if (!w) {
        return true;
    }
    good = vh_record_json(w, VH_RECORD_END, w->last_ns, NULL, error);
    if (good && fsync(w->fd) && errno != EINVAL) {
        good = fail(error, "write to", w->path, errno);
    }
    free_writer(w);
    return good;
}
