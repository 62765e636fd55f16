/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation in source.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/json-text.h"
#include "internal.h"
#include "merge.h"
#include "reader.h"
#include "record/block.h"
#include "record/record.h"

#define MARKS_MAX 16384
#define STATES_MAX 1024
#define CLOCKS_MAX 1024
#define TOLD_MAX 64
#define BEFORE_US (2 * VH_SECOND_US)
#define JSON_MAX (8u << 20) /* of a block of text */

/*
 * Some blocks of snapshots.
 * at: the first; nr: how many
 * first_us, last_us: their times, wall clock
 * offset_us: wall clock less QEMU's
 */
typedef struct Mark {
    uint64_t at;
    unsigned nr;
    int64_t first_us, last_us;
    int64_t offset_us;
} Mark;

/* A block of type VH_RECORD_STATE. */
typedef struct State {
    uint64_t at;
    int64_t us;
} State;

/*
 * seen: up to there the index goes; device, inode: of which file
 * stride: blocks of a mark
 * has_clock: offset_us is known
 * told, warnings: what was told, and what is to be
 */
struct VhSource {
    int refs;
    char *path;
    pthread_mutex_t lock;
    uint64_t seen;
    dev_t device;
    ino_t inode;
    unsigned stride;
    bool has_clock;
    int64_t offset_us;
    GArray *marks;
    GArray *states;
    GHashTable *told;
    GQueue warnings;
};

VhSource *vh_source_new(const char *path)
{
    VhSource *s = g_new0(VhSource, 1);

    s->refs = 1;
    s->path = g_strdup(path);
    s->stride = 1;
    pthread_mutex_init(&s->lock, NULL);
    s->marks = g_array_new(false, false, sizeof(Mark));
    s->states = g_array_new(false, false, sizeof(State));
    s->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_queue_init(&s->warnings);
    return s;
}

VhSource *vh_source_ref(VhSource *s)
{
    g_atomic_int_inc(&s->refs);
    return s;
}

void vh_source_unref(VhSource *s)
{
    if (s && g_atomic_int_dec_and_test(&s->refs)) {
        g_array_unref(s->marks);
        g_array_unref(s->states);
        g_hash_table_unref(s->told);
        g_queue_clear_full(&s->warnings, g_free);
        pthread_mutex_destroy(&s->lock);
        g_free(s->path);
        g_free(s);
    }
}

const char *vh_source_path(const VhSource *s)
{
    return s->path;
}

/* ---- what is wrong ---- */

/* Each once; there may not be any number of them. Has the lock. */
static void G_GNUC_PRINTF(2, 3) warn(VhSource *s, const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_hash_table_size(s->told) < TOLD_MAX &&
        g_hash_table_add(s->told, g_strdup(text))) {
        g_queue_push_tail(&s->warnings, text);
    } else {
        g_free(text);
    }
}

static void warn_damage(VhSource *s, uint64_t at, const char *why,
                        const char *left_out)
{
    warn(s, "'%s' is damaged at byte %" PRIu64 " (%s): %s is left out", s->path,
         at, why, left_out);
}

char *vh_source_take_warning(VhSource *s)
{
    char *out;

    pthread_mutex_lock(&s->lock);
    out = g_queue_pop_head(&s->warnings);
    pthread_mutex_unlock(&s->lock);
    return out;
}

size_t vh_source_bytes(VhSource *s)
{
    size_t bytes;

    pthread_mutex_lock(&s->lock);
    bytes = sizeof(*s) + vh_array_bytes(s->marks->len, sizeof(Mark)) +
            vh_array_bytes(s->states->len, sizeof(State)) +
            g_hash_table_size(s->told) * 512;
    pthread_mutex_unlock(&s->lock);
    return bytes;
}

/* ---- blocks ---- */

static bool read_at(int fd, uint64_t at, void *out, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, (char *)out + done, size - done, at + done);

        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        done += MAX(n, 0);
    }
    return true;
}

/* Returns NULL, or what is wrong. */
static const char *read_header(int fd, uint64_t at, uint64_t size, VhBlock *b)
{
    uint8_t header[VH_BLOCK_HEADER_BYTES] = { 0 };
    uint64_t left = size - MIN(at, size);

    if (left < sizeof(header) || !read_at(fd, at, header, sizeof(header))) {
        return "it ends within the header of a block";
    }
    return vh_block_read(b, header, MIN(left, SIZE_MAX));
}

/* What the block holds into @out, with a 0 behind. */
static const char *read_block(int fd, uint64_t at, const VhBlock *b,
                              GByteArray *scratch, GByteArray *out)
{
    g_byte_array_set_size(scratch, VH_BLOCK_HEADER_BYTES + b->stored);
    g_byte_array_set_size(out, b->unpacked + 1);
    out->data[b->unpacked] = 0;
    if (!read_at(fd, at, scratch->data, scratch->len)) {
        return "it ends within a block";
    }
    return vh_block_unpack(b, scratch->data, out->data);
}

/* Text of a block, for g_free(); NULL: none. */
static char *read_json(int fd, uint64_t at, uint64_t size)
{
    g_autoptr(GByteArray) scratch = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    VhBlock b;

    if (read_header(fd, at, size, &b) || b.unpacked > JSON_MAX ||
        read_block(fd, at, &b, scratch, out)) {
        return NULL;
    }
    return g_strndup((const char *)out->data, b.unpacked);
}

static int64_t wall(int64_t offset_us, uint64_t ns)
{
    return offset_us + (int64_t)(ns / 1000);
}

/* ---- the index ---- */

/* A VM's block tells the clock of what follows. */
static void take_clock(VhSource *s, int fd, uint64_t at, uint64_t size)
{
    g_autofree char *text = read_json(fd, at, size);
    g_autoptr(JsonNode) root = vh_json_parse(text);
    JsonObject *o = vh_read_opt_object(root);
    int64_t realtime = o ? vh_read_opt_int(o, "realtime") : 0;
    int64_t monotonic = o ? vh_read_opt_int(o, "monotonic") : 0;

    if (realtime > 0 && monotonic > 0) {
        s->offset_us = realtime / 1000 - monotonic / 1000;
        s->has_clock = true;
    }
}

static void take_state(VhSource *s, uint64_t at, const VhBlock *b)
{
    State state = { at, wall(s->offset_us, b->last_ns) };

    if (!s->has_clock) {
        return;
    }
    if (s->states->len == STATES_MAX) {
        for (guint i = 0; i < STATES_MAX / 2; i++) {
            g_array_index(s->states, State, i) =
                g_array_index(s->states, State, 2 * i);
        }
        g_array_set_size(s->states, STATES_MAX / 2);
    }
    g_array_append_val(s->states, state);
}

/* Two each become one. */
static void join_marks(VhSource *s)
{
    guint n = 0;

    for (guint i = 0; i < s->marks->len; i++) {
        Mark *m = &g_array_index(s->marks, Mark, i);
        Mark *to = n ? &g_array_index(s->marks, Mark, n - 1) : NULL;

        if (to && to->nr + m->nr <= 2 * s->stride &&
            to->offset_us == m->offset_us) {
            to->nr += m->nr;
            to->last_us = MAX(to->last_us, m->last_us);
        } else {
            g_array_index(s->marks, Mark, n++) = *m;
        }
    }
    g_array_set_size(s->marks, n);
    s->stride *= 2;
}

static void take_snapshots(VhSource *s, uint64_t at, const VhBlock *b)
{
    Mark m = { .at = at,
               .nr = 1,
               .first_us = wall(s->offset_us, b->first_ns),
               .last_us = wall(s->offset_us, b->last_ns),
               .offset_us = s->offset_us };
    Mark *last = s->marks->len
                     ? &g_array_index(s->marks, Mark, s->marks->len - 1)
                     : NULL;

    if (!s->has_clock) {
        warn(s, "'%s' does not tell the time of day: it is left out", s->path);
        return;
    }
    if (m.last_us < m.first_us || (last && m.first_us < last->last_us)) {
        return; /* a header that was damaged, or a clock that was set back */
    }
    if (last && last->nr < s->stride && last->offset_us == m.offset_us) {
        last->nr++;
        last->last_us = m.last_us;
        return;
    }
    if (s->marks->len == MARKS_MAX) {
        join_marks(s);
    }
    g_array_append_val(s->marks, m);
}

static void begin_index(VhSource *s, const struct stat *st)
{
    s->device = st->st_dev;
    s->inode = st->st_ino;
    s->seen = 0;
    s->stride = 1;
    s->has_clock = false;
    g_array_set_size(s->marks, 0);
    g_array_set_size(s->states, 0);
}

static bool check_file(VhSource *s, int fd, uint64_t size)
{
    uint8_t header[VH_FILE_HEADER_BYTES];
    uint32_t version;

    if (size < sizeof(header) || !read_at(fd, 0, header, sizeof(header))) {
        if (size) {
            warn(s, "'%s' is no record of vmheat", s->path);
        }
        return false;
    }
    version = vh_file_version(header, sizeof(header));
    if (!version) {
        warn(s, "'%s' is no record of vmheat", s->path);
    } else if (version != VH_RECORD_VERSION) {
        warn(s,
             "'%s' is a record of version %" PRIu32
             ", this vmheat reads version %d",
             s->path, version, VH_RECORD_VERSION);
    }
    s->seen = sizeof(header);
    return version == VH_RECORD_VERSION;
}

/* Blocks that were not seen yet. */
static void look_on(VhSource *s, int fd, uint64_t size)
{
    VhBlock b;

    while (s->seen < size) {
        const char *why = read_header(fd, s->seen, size, &b);

        if (why) {
            /* the end may be just being written */
            if (!g_str_has_prefix(why, "it ends")) {
                warn_damage(s, s->seen, why, "what follows");
            }
            return;
        }
        if (b.type == VH_RECORD_VM) {
            take_clock(s, fd, s->seen, size);
        } else if (b.type == VH_RECORD_STATE) {
            take_state(s, s->seen, &b);
        } else if (b.type == VH_RECORD_SNAPSHOTS) {
            take_snapshots(s, s->seen, &b);
        }
        s->seen += VH_BLOCK_HEADER_BYTES + b.stored;
    }
}

/*
 * Open the file and bring the index up to date; has the lock.
 *
 * Returns: -1: there is nothing to read.
 */
static int open_file(VhSource *s, uint64_t *size)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0) {
        if (errno != ENOENT || s->seen) {
            warn(s, "cannot read '%s': %s", s->path, g_strerror(errno));
        }
        return -1;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        warn(s, "cannot read '%s': it is no regular file", s->path);
        close(fd);
        return -1;
    }
    *size = st.st_size;
    if (st.st_dev != s->device || st.st_ino != s->inode || *size < s->seen) {
        begin_index(s, &st);
    }
    if (!s->seen && !check_file(s, fd, *size)) {
        s->seen = 0;
        close(fd);
        return -1;
    }
    look_on(s, fd, *size);
    return fd;
}

bool vh_source_span(VhSource *s, int64_t *from_us, int64_t *to_us)
{
    uint64_t size;
    bool found = false;
    int fd;

    pthread_mutex_lock(&s->lock);
    fd = open_file(s, &size);
    if (fd >= 0) {
        found = s->marks->len;
        if (found) {
            *from_us = g_array_index(s->marks, Mark, 0).first_us;
            *to_us = g_array_index(s->marks, Mark, s->marks->len - 1).last_us;
        }
        close(fd);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

VhRanges *vh_source_ranges(VhSource *s, int64_t us)
{
    g_autofree char *text = NULL;
    uint64_t size;
    int64_t since = 0;
    int fd;

    pthread_mutex_lock(&s->lock);
    fd = open_file(s, &size);
    for (guint i = 0; fd >= 0 && i < s->states->len; i++) {
        const State *state = &g_array_index(s->states, State, i);
        bool next = i + 1 < s->states->len && state[1].us <= us;

        if (!next) {
            since = state->us;
            text = read_json(fd, state->at, size);
            break;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    pthread_mutex_unlock(&s->lock);
    return text ? vh_ranges_parse(since, text) : NULL;
}

/* ---- reading ---- */

/*
 * before: head of the snapshot before; end_ns 0: none
 * every: so many blocks are passed over for each that is decoded
 * nr: blocks so far
 */
typedef struct Reading {
    VhSource *source;
    int fd;
    uint64_t size;
    int64_t from_us, to_us;
    VhSnapCodec *codec;
    GByteArray *scratch, *data;
    VhSnapHead before;
    int64_t told_us;
    unsigned every;
    unsigned nr;
    VhSourceFunc *func;
    void *opaque;
} Reading;

static void tell(Reading *r, int64_t offset_us)
{
    const VhSnapHead *head = &r->codec->head;
    int64_t start = wall(offset_us, vh_stands_since(head, &r->before));
    int64_t end = wall(offset_us, head->end_ns);

    start = MAX(start, r->told_us);
    r->before = *head;
    if (start < end && end > r->from_us && start < r->to_us) {
        r->func(r->opaque, start, end, r->codec);
    }
    r->told_us = MAX(r->told_us, end);
}

static const char *decode(Reading *r, uint64_t at, const VhBlock *b,
                          int64_t offset_us)
{
    const char *why = read_block(r->fd, at, b, r->scratch, r->data);
    VhBytes bytes = { r->data->data, r->data->data + b->unpacked, false };

    if (why) {
        return why;
    }
    vh_snap_codec_reset(r->codec);
    while (bytes.at != bytes.end) {
        if (!vh_snap_decode(r->codec, &bytes)) {
            return "a block holds something else than it says";
        }
        tell(r, offset_us);
        if (r->every > 1) {
            break;
        }
    }
    return NULL;
}

static void complain(Reading *r, uint64_t at, const char *why)
{
    pthread_mutex_lock(&r->source->lock);
    warn_damage(r->source, at, why, "that part");
    pthread_mutex_unlock(&r->source->lock);
    r->before = (VhSnapHead){ 0 };
}

/* Blocks of a mark: one of r->every, counted over all marks. */
static void read_mark(Reading *r, const Mark *m)
{
    uint64_t at = m->at;
    VhBlock b;

    for (unsigned i = 0; i < m->nr;) {
        unsigned due = i + (r->every - (r->nr + i) % r->every) % r->every;
        const char *why =
            due < m->nr ? read_header(r->fd, at, r->size, &b) : NULL;

        if (why) {
            complain(r, at, why);
        }
        if (why || due >= m->nr) {
            break;
        }
        if (b.type == VH_RECORD_SNAPSHOTS) {
            why = i == due ? decode(r, at, &b, m->offset_us) : NULL;
            i++;
        }
        if (why) {
            complain(r, at, why);
        }
        at += VH_BLOCK_HEADER_BYTES + b.stored;
    }
    r->nr += m->nr;
}

/* Marks of the time. */
static GArray *find_marks(const VhSource *s, int64_t from_us, int64_t to_us)
{
    GArray *out = g_array_new(false, false, sizeof(Mark));

    for (guint i = 0; i < s->marks->len; i++) {
        const Mark *m = &g_array_index(s->marks, Mark, i);

        if (m->last_us > from_us && m->first_us < to_us) {
            g_array_append_vals(out, m, 1);
        }
    }
    return out;
}

static unsigned blocks_of(const GArray *marks)
{
    unsigned nr = 0;

    for (guint i = 0; i < marks->len; i++) {
        nr += g_array_index(marks, Mark, i).nr;
    }
    return nr;
}

void vh_source_read(VhSource *s, int64_t from_us, int64_t to_us,
                    unsigned blocks, VhSourceFunc *func, void *opaque)
{
    Reading r = { .source = s,
                  .from_us = from_us,
                  .to_us = to_us,
                  .told_us = G_MININT64,
                  .func = func,
                  .opaque = opaque };
    int64_t each = (to_us - from_us) / MAX(blocks, 1);
    int64_t before = MAX(2 * each, BEFORE_US);
    GArray *marks = NULL;

    pthread_mutex_lock(&s->lock);
    r.fd = open_file(s, &r.size);
    if (r.fd >= 0) {
        /* what ends behind it may stand for a time within it */
        marks = find_marks(s, from_us - before, to_us + before);
    }
    pthread_mutex_unlock(&s->lock);
    if (!marks) {
        return;
    }
    r.every = MAX((blocks_of(marks) + blocks - 1) / MAX(blocks, 1), 1);
    r.codec = vh_snap_codec_new();
    r.scratch = g_byte_array_new();
    r.data = g_byte_array_new();
    for (guint i = 0; i < marks->len; i++) {
        read_mark(&r, &g_array_index(marks, Mark, i));
    }
    vh_snap_codec_free(r.codec);
    g_byte_array_unref(r.scratch);
    g_byte_array_unref(r.data);
    g_array_unref(marks);
    close(r.fd);
}
