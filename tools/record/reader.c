/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading records; format and theory of operation in record.h. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "record.h"

/*
 * bytes: all of it; a file's are mapped
 * at: the next block; good: the end of the last good one
 * data: what the running block holds; left: of its snapshots
 */
struct VhRecordReader {
    GBytes *bytes;
    char *path;
    const uint8_t *begin;
    size_t size;
    size_t at;
    size_t good;
    uint64_t from;
    uint64_t to;
    VhSnapCodec *codec;
    GByteArray *data;
    VhBytes left;
    VhSnapshot snapshot;
    char *damage;
};

static void reader_damage(VhRecordReader *r, const char *why)
{
    r->damage = g_strdup_printf(
        "'%s' is damaged at byte %zu (%s): what follows is left out", r->path,
        r->good, why);
}

static bool check_header(const VhRecordReader *r, GError **error)
{
    uint32_t version = vh_file_version(r->begin, r->size);

    if (!version) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_FOREIGN,
                    "'%s' is no record of vmheat", r->path);
    } else if (version != VH_RECORD_VERSION) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_VERSION,
                    "'%s' is a record of version %" PRIu32
                    ", this vmheat reads version %d",
                    r->path, version, VH_RECORD_VERSION);
    }
    return version == VH_RECORD_VERSION;
}

VhRecordReader *vh_record_open_bytes(const char *name, GBytes *bytes,
                                     GError **error)
{
    VhRecordReader *r = g_new0(VhRecordReader, 1);

    r->bytes = g_bytes_ref(bytes);
    r->path = g_strdup(name);
    r->begin = g_bytes_get_data(bytes, &r->size);
    r->at = r->good = VH_FILE_HEADER_BYTES;
    r->to = UINT64_MAX;
    r->codec = vh_snap_codec_new();
    r->data = g_byte_array_new();
    if (!check_header(r, error)) {
        vh_record_reader_free(r);
        return NULL;
    }
    return r;
}

VhRecordReader *vh_record_open(const char *path, GError **error)
{
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    g_autoptr(GMappedFile) file =
        fd < 0 ? NULL : g_mapped_file_new_from_fd(fd, false, NULL);
    g_autoptr(GBytes) bytes = NULL;

    if (!file) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_READ,
                    "cannot read '%s': %s", path,
                    fd < 0 ? g_strerror(errno)
                           : "it is no regular file, or cannot be mapped");
    }
    if (fd >= 0) {
        close(fd);
    }
    if (!file) {
        return NULL;
    }
    bytes = g_mapped_file_get_bytes(file);
    return vh_record_open_bytes(path, bytes, error);
}

void vh_record_reader_free(VhRecordReader *r)
{
    if (r) {
        g_bytes_unref(r->bytes);
        vh_snap_codec_free(r->codec);
        g_byte_array_unref(r->data);
        g_free(r->snapshot.regions);
        g_free(r->damage);
        g_free(r->path);
        g_free(r);
    }
}

void vh_record_range(VhRecordReader *r, uint64_t from, uint64_t to)
{
    r->from = from;
    r->to = to;
}

GArray *vh_record_blocks(const VhRecordReader *r)
{
    GArray *out = g_array_new(false, false, sizeof(VhRecordBlock));
    size_t at = VH_FILE_HEADER_BYTES;
    VhBlock b;

    while (at < r->size && !vh_block_read(&b, r->begin + at, r->size - at)) {
        VhRecordBlock block = { .type = b.type,
                                .at = at,
                                .end = at + VH_BLOCK_HEADER_BYTES + b.stored,
                                .first_ns = b.first_ns,
                                .last_ns = b.last_ns };

        g_array_append_val(out, block);
        at = block.end;
    }
    return out;
}

bool vh_record_span(const VhRecordReader *r, uint64_t *first, uint64_t *last)
{
    g_autoptr(GArray) blocks = vh_record_blocks(r);
    bool found = false;

    for (guint i = 0; i < blocks->len; i++) {
        const VhRecordBlock *b = &g_array_index(blocks, VhRecordBlock, i);

        if (b->type == VH_RECORD_SNAPSHOTS) {
            *first = found ? *first : b->first_ns;
            *last = b->last_ns;
            found = true;
        }
    }
    return found;
}

void vh_record_part_of(VhRecordReader *r, size_t at, size_t end)
{
    r->at = r->good = at;
    r->size = MIN(end, r->size);
    r->left = (VhBytes){ 0 };
}

static bool is_wanted(const VhRecordReader *r, const VhBlock *b)
{
    return b->type != VH_RECORD_SNAPSHOTS ||
           (b->last_ns >= r->from && b->first_ns <= r->to);
}

/* The next block that is wanted, unpacked, with a 0 behind it. */
static bool next_block(VhRecordReader *r, VhBlock *b)
{
    while (r->at < r->size) {
        const uint8_t *in = r->begin + r->at;
        const char *why = vh_block_read(b, in, r->size - r->at);

        if (!why && is_wanted(r, b)) {
            g_byte_array_set_size(r->data, b->unpacked + 1);
            r->data->data[b->unpacked] = 0;
            why = vh_block_unpack(b, in, r->data->data);
        }
        if (why) {
            reader_damage(r, why);
            return false;
        }
        r->at += VH_BLOCK_HEADER_BYTES + b->stored;
        if (is_wanted(r, b)) {
            return true;
        }
        r->good = r->at;
    }
    return false;
}

uint64_t vh_record_last(const VhRecordReader *r)
{
    size_t at = VH_FILE_HEADER_BYTES;
    uint64_t last = 0;
    VhBlock b;

    while (at < r->size && !vh_block_read(&b, r->begin + at, r->size - at)) {
        if (b.type == VH_RECORD_SNAPSHOTS && is_wanted(r, &b)) {
            last = b.first_ns;
        }
        at += VH_BLOCK_HEADER_BYTES + b.stored;
    }
    return last;
}

static bool next_snapshot(VhRecordReader *r, VhRecordItem *item)
{
    if (!vh_snap_decode(r->codec, &r->left)) {
        reader_damage(r, "a block holds something else than it says");
        return false;
    }
    vh_packed_snapshot(r->codec, &r->snapshot);
    if (r->left.at == r->left.end) {
        r->good = r->at;
    }
    *item = (VhRecordItem){ .type = VH_RECORD_SNAPSHOTS,
                            .time_ns = r->snapshot.end_time,
                            .snapshot = &r->snapshot };
    return true;
}

bool vh_record_next(VhRecordReader *r, VhRecordItem *item)
{
    VhBlock b;

    if (r->damage) {
        return false;
    }
    if (r->left.at != r->left.end) {
        return next_snapshot(r, item);
    }
    if (!next_block(r, &b)) {
        return false;
    }
    if (b.type == VH_RECORD_SNAPSHOTS) {
        r->left = (VhBytes){ r->data->data, r->data->data + b.unpacked, false };
        vh_snap_codec_reset(r->codec);
        return next_snapshot(r, item);
    }
    r->good = r->at;
    *item = (VhRecordItem){ .type = b.type,
                            .time_ns = b.last_ns,
                            .json = (const char *)r->data->data };
    return true;
}

const char *vh_record_damage(const VhRecordReader *r)
{
    return r->damage;
}

static bool is_good_block(const uint8_t *in, size_t size)
{
    g_autofree uint8_t *data = NULL;
    VhBlock b;

    if (vh_block_read(&b, in, size)) {
        return false;
    }
    data = g_malloc(b.unpacked + 1);
    return !vh_block_unpack(&b, in, data);
}

bool vh_record_is_torn(const VhRecordReader *r)
{
    const uint8_t *at = r->begin + r->good, *end = r->begin + r->size;

    /* nor the damaged one, be it good but for what it says */
    while (r->damage && at + 1 < end &&
           (at = memmem(at + 1, end - at - 1, VH_BLOCK_MARK, 4))) {
        if (is_good_block(at, end - at)) {
            return true;
        }
    }
    return false;
}

uint64_t vh_record_good(const VhRecordReader *r)
{
    return r->good;
}

double vh_record_part(const VhRecordReader *r)
{
    return (double)r->at / r->size;
}
