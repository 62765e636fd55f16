/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records: what was written is read, and damage is found, not believed. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "record/block.h"
#include "record/record.h"

#define GIB (1ull << 30)
#define PAGE 4096ull
#define MS 1000000ull

typedef struct Case {
    char *dir;
    char *path;
    GRand *rand;
    GPtrArray *written; /* VhSnapshot */
} Case;

static void case_begin(Case *c, guint32 seed)
{
    c->dir = g_dir_make_tmp("vmheat-record-XXXXXX", NULL);
    g_assert_nonnull(c->dir);
    c->path = g_build_filename(c->dir, "a.vmheat", NULL);
    c->rand = g_rand_new_with_seed(seed);
    c->written =
        g_ptr_array_new_with_free_func((GDestroyNotify)vh_snapshot_free);
}

static void case_end(Case *c)
{
    g_unlink(c->path);
    g_assert_cmpint(g_rmdir(c->dir), ==, 0);
    g_free(c->dir);
    g_free(c->path);
    g_rand_free(c->rand);
    g_ptr_array_unref(c->written);
}

static bool one_in(Case *c, int n)
{
    return g_rand_int_range(c->rand, 0, n) == 0;
}

static double some_rate(Case *c)
{
    return one_in(c, 3) ? 0 : exp(g_rand_double_range(c->rand, -5, 6.6));
}

static void some_heat(Case *c, VhSnapshot *s, VhRegion *r)
{
    r->nr_accesses = one_in(c, 2) ? 0 : g_rand_int_range(c->rand, 0, 21);
    r->age = one_in(c, 3) ? 0 : g_rand_int(c->rand);
    r->nr_writes = s->has_writes ? r->nr_accesses / 2 : 0;
    if (s->has_rates) {
        r->rate = some_rate(c);
        r->rate_low = r->rate / 2;
        r->rate_high = r->rate * 1.5 + 0.01;
        r->idle_us = one_in(c, 2) ? g_rand_int_range(c->rand, 0, 100) * 1000ull
                                  : g_rand_int(c->rand) * 1000ull;
    }
    r->write_rate = s->has_write_rates ? r->rate / 3 : 0;
}

/* All of [lo, hi), in regions. */
static void some_regions(Case *c, VhSnapshot *s, GArray *v, uint64_t lo,
                         uint64_t hi)
{
    uint64_t unit = one_in(c, 10) ? 1 : PAGE;

    while (lo < hi) {
        uint64_t size = unit * (1 + g_rand_int_range(c->rand, 0, 1 << 18));
        VhRegion r = { .start = lo, .end = lo + MIN(size, hi - lo) };

        some_heat(c, s, &r);
        g_array_append_val(v, r);
        lo = r.end;
    }
}

static VhSnapshot *first_snapshot(Case *c)
{
    VhSnapshot *s = g_new0(VhSnapshot, 1);
    GArray *v = g_array_new(false, false, sizeof(VhRegion));

    s->sequence = g_rand_int(c->rand);
    s->start_time = 1000 * MS;
    s->end_time = 1100 * MS;
    s->sampling_interval = 5000;
    s->aggregation_interval = 100000;
    s->max_nr_accesses = 20;
    s->total_size = 2 * GIB;
    s->has_rates = !one_in(c, 3);
    s->has_writes = one_in(c, 2);
    s->has_write_rates = s->has_rates && s->has_writes;
    some_regions(c, s, v, 0, GIB);
    some_regions(c, s, v, 4 * GIB, 5 * GIB);
    s->nr = s->nr_regions = v->len;
    s->regions = (VhRegion *)g_array_free(v, false);
    return s;
}

/* As it would be a moment later: most is the same. */
static VhSnapshot *next_snapshot(Case *c, const VhSnapshot *old)
{
    VhSnapshot *s = g_memdup2(old, sizeof(*old));

    s->regions = g_memdup2(old->regions, old->nr * sizeof(*s->regions));
    s->sequence += one_in(c, 10) ? 3 : 1;
    s->start_time = old->end_time;
    s->end_time += (100 + g_rand_int_range(c->rand, 0, 20)) * MS;
    s->working_set_size = g_rand_int(c->rand);
    s->truncated = one_in(c, 20);
    s->nr_regions = s->nr + (s->truncated ? 7 : 0);
    for (size_t i = 0; i < s->nr; i++) {
        VhRegion *r = &s->regions[i];

        r->age = MIN(r->age + s->sequence - old->sequence, UINT32_MAX);
        r->idle_us += s->has_rates ? (s->end_time - old->end_time) / 1000 : 0;
        if (one_in(c, 8)) {
            some_heat(c, s, r);
        }
        if (one_in(c, 8) && i && s->regions[i - 1].end == r->start &&
            r->end - r->start > 2 * PAGE) {
            r->start = s->regions[i - 1].end += PAGE;
        }
    }
    return s;
}

static VhSnapshot *some_snapshot(Case *c, const VhSnapshot *old)
{
    return !old || one_in(c, 20) ? first_snapshot(c) : next_snapshot(c, old);
}

static void assert_rate(double got, double is)
{
    g_assert_cmpfloat(fabs(got - is), <=, is * 0.006 + 1e-9);
}

static void assert_region(const VhSnapshot *s, const VhRegion *got,
                          const VhRegion *is)
{
    uint64_t ms = is->idle_us / 1000, got_ms = got->idle_us / 1000;

    g_assert_cmpuint(got->start, ==, is->start);
    g_assert_cmpuint(got->end, ==, is->end);
    g_assert_cmpuint(got->nr_accesses, ==, is->nr_accesses);
    g_assert_cmpuint(got->nr_writes, ==, is->nr_writes);
    g_assert_cmpuint(got->age, ==, is->age);
    assert_rate(got->rate, is->rate);
    assert_rate(got->rate_low, is->rate_low);
    assert_rate(got->rate_high, is->rate_high);
    assert_rate(got->write_rate, is->write_rate);
    if (s->has_rates) {
        g_assert_cmpuint(MAX(ms, got_ms) - MIN(ms, got_ms), <=, 1 + ms / 120);
    }
}

static void assert_snapshot(const VhSnapshot *got, const VhSnapshot *is)
{
    g_assert_cmpuint(got->sequence, ==, is->sequence);
    g_assert_cmpuint(got->start_time, ==, is->start_time);
    g_assert_cmpuint(got->end_time, ==, is->end_time);
    g_assert_cmpuint(got->sampling_interval, ==, is->sampling_interval);
    g_assert_cmpuint(got->aggregation_interval, ==, is->aggregation_interval);
    g_assert_cmpuint(got->max_nr_accesses, ==, is->max_nr_accesses);
    g_assert_cmpuint(got->working_set_size, ==, is->working_set_size);
    g_assert_cmpuint(got->total_size, ==, is->total_size);
    g_assert_cmpuint(got->nr_regions, ==, is->nr_regions);
    g_assert_cmpint(got->truncated, ==, is->truncated);
    g_assert_cmpint(got->has_rates, ==, is->has_rates);
    g_assert_cmpint(got->has_writes, ==, is->has_writes);
    g_assert_cmpint(got->has_write_rates, ==, is->has_write_rates);
    g_assert_cmpuint(got->nr, ==, is->nr);
    for (size_t i = 0; i < is->nr; i++) {
        assert_region(is, &got->regions[i], &is->regions[i]);
    }
}

/* Some more of them, a block for every @each. */
static void write_some(Case *c, size_t n, size_t each, bool append)
{
    g_autoptr(GError) error = NULL;
    VhRecordWriter *w = vh_record_create(c->path, append, &error);

    g_assert_no_error(error);
    vh_record_json(w, VH_RECORD_VM, 0, "{\"name\":\"vm1\"}", &error);
    g_assert_no_error(error);
    for (size_t i = 0; i < n; i++) {
        VhSnapshot *old =
            c->written->len ? c->written->pdata[c->written->len - 1] : NULL;
        VhSnapshot *s = some_snapshot(c, old);

        g_ptr_array_add(c->written, s);
        vh_record_snapshot(w, s, &error);
        g_assert_no_error(error);
        if (i % each == each - 1) {
            vh_record_flush(w, &error);
            g_assert_no_error(error);
        }
    }
    vh_record_close(w, &error);
    g_assert_no_error(error);
}

/* Reads what there is; returns how many snapshots, all of them right. */
static size_t read_back(Case *c, bool *ended, bool *damaged)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhRecordReader) r = vh_record_open(c->path, &error);
    VhRecordItem item;
    size_t n = 0;

    *ended = false;
    g_assert_no_error(error);
    while (vh_record_next(r, &item)) {
        *ended = item.type == VH_RECORD_END;
        if (item.type == VH_RECORD_SNAPSHOTS) {
            g_assert_cmpuint(n, <, c->written->len);
            assert_snapshot(item.snapshot, c->written->pdata[n++]);
        } else if (item.type == VH_RECORD_VM) {
            g_assert_cmpstr(item.json, ==, "{\"name\":\"vm1\"}");
        }
    }
    *damaged = vh_record_damage(r);
    return n;
}

static void test_round_trip(void)
{
    for (guint32 seed = 1; seed <= 40; seed++) {
        bool ended, damaged;
        Case c;

        case_begin(&c, seed);
        write_some(&c, 50, 1 + seed, false);
        g_assert_cmpuint(read_back(&c, &ended, &damaged), ==, 50);
        g_assert_true(ended);
        g_assert_false(damaged);
        case_end(&c);
    }
}

static void test_append(void)
{
    bool ended, damaged;
    Case c;

    case_begin(&c, 1);
    write_some(&c, 10, 4, true); /* there is nothing yet */
    write_some(&c, 10, 4, true);
    g_assert_cmpuint(read_back(&c, &ended, &damaged), ==, 20);
    g_assert_true(ended);
    case_end(&c);
}

static void test_exists(void)
{
    g_autoptr(GError) error = NULL;
    Case c;

    case_begin(&c, 1);
    write_some(&c, 1, 1, false);
    g_assert_null(vh_record_create(c.path, false, &error));
    g_assert_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_nonnull(strstr(error->message, "File exists"));
    case_end(&c);
}

static void test_two_writers(void)
{
    g_autoptr(GError) error = NULL;
    VhRecordWriter *w;
    Case c;

    case_begin(&c, 3);
    w = vh_record_create(c.path, false, NULL);
    g_assert_nonnull(w);
    g_assert_null(vh_record_create(c.path, true, &error));
    g_assert_nonnull(strstr(error->message, "another recorder"));
    g_assert_true(vh_record_close(w, NULL));
    w = vh_record_create(c.path, true, NULL);
    g_assert_nonnull(w);
    g_assert_true(vh_record_close(w, NULL));
    case_end(&c);
}

/* Cut anywhere, the whole blocks before are read; and it can be gone on. */
static void test_truncated(void)
{
    g_autofree char *whole = NULL;
    gsize size;
    Case c;

    case_begin(&c, 3);
    write_some(&c, 12, 3, false);
    g_assert_true(g_file_get_contents(c.path, &whole, &size, NULL));
    for (gsize cut = size; cut >= VH_FILE_HEADER_BYTES; cut -= 1 + cut / 16) {
        bool ended, damaged;
        size_t n;

        g_assert_true(g_file_set_contents(c.path, whole, cut, NULL));
        n = read_back(&c, &ended, &damaged);
        g_assert_cmpuint(n % 3, ==, 0);
        g_assert_cmpint(ended, ==, cut == size);
        g_ptr_array_set_size(c.written, n);
        write_some(&c, 2, 1, true);
        g_assert_cmpuint(read_back(&c, &ended, &damaged), ==, n + 2);
        g_assert_true(ended);
        g_assert_false(damaged);
        g_ptr_array_set_size(c.written, 0);
        g_rand_set_seed(c.rand, 3);
        g_unlink(c.path);
        write_some(&c, 12, 3, false);
    }
    case_end(&c);
}

/* A byte that changed is found by the checksum, or does not matter. */
static void test_flipped(void)
{
    g_autofree char *whole = NULL;
    gsize size;
    Case c;

    case_begin(&c, 5);
    write_some(&c, 6, 2, false);
    g_assert_true(g_file_get_contents(c.path, &whole, &size, NULL));
    for (gsize at = VH_FILE_HEADER_BYTES; at < size; at += 1 + at / 200) {
        bool ended, damaged;
        g_autofree char *copy = g_memdup2(whole, size);

        copy[at] ^= 1 << g_rand_int_range(c.rand, 0, 8);
        g_assert_true(g_file_set_contents(c.path, copy, size, NULL));
        read_back(&c, &ended, &damaged);
        g_assert_true(damaged || ended);
    }
    case_end(&c);
}

/* Appended to is what is damaged at the end; no good block is cut off. */
static void test_append_to_damage(void)
{
    g_autofree char *whole = NULL;
    gsize size;
    Case c;

    case_begin(&c, 7);
    write_some(&c, 6, 2, false);
    g_assert_true(g_file_get_contents(c.path, &whole, &size, NULL));
    for (gsize at = VH_FILE_HEADER_BYTES; at < size; at += 1 + at / 50) {
        g_autoptr(GError) error = NULL;
        g_autofree char *copy = g_memdup2(whole, size);
        g_autofree char *after = NULL;
        bool at_end = at >= size - VH_BLOCK_HEADER_BYTES, ended, damaged;
        VhRecordWriter *w;
        gsize now;

        copy[at] ^= 0x10;
        g_assert_true(g_file_set_contents(c.path, copy, size, NULL));
        read_back(&c, &ended, &damaged);
        w = vh_record_create(c.path, true, &error);
        g_assert_cmpint(!w, ==, damaged && !at_end);
        if (!w) {
            g_assert_nonnull(strstr(error->message, "good blocks behind"));
            g_assert_true(g_file_get_contents(c.path, &after, &now, NULL));
            g_assert_cmpmem(after, now, copy, size);
            continue;
        }
        g_assert_true(vh_record_close(w, NULL));
    }
    case_end(&c);
}

static void test_foreign(void)
{
    static const char *texts[] = { "", "VMHEAT", "hello, this is no record",
                                   "VMHEAT\n\nxxxxxxxx" };
    g_autoptr(GError) error = NULL;
    g_autofree char *later = NULL;
    Case c;

    case_begin(&c, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_true(g_file_set_contents(c.path, texts[i], -1, NULL));
        g_assert_null(vh_record_open(c.path, &error));
        g_assert_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_FOREIGN);
        g_clear_error(&error);
        if (texts[i][0]) {
            g_assert_null(vh_record_create(c.path, true, &error));
            g_assert_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_FOREIGN);
            g_clear_error(&error);
        }
    }
    g_assert_true(
        g_file_set_contents(c.path, "VMHEAT\r\n\2\0\0\0\0\0\0", 16, NULL));
    g_assert_null(vh_record_open(c.path, &error));
    g_assert_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_VERSION);
    g_clear_error(&error);
    later = g_build_filename(c.dir, "none", NULL);
    g_assert_null(vh_record_open(later, &error));
    g_assert_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_READ);
    case_end(&c);
}

/* The disk is full: what is there stays good. */
static void test_full(void)
{
    g_autoptr(GError) error = NULL;
    struct rlimit old, limit;
    bool ended, damaged;
    VhRecordWriter *w;
    size_t n;
    Case c;

    case_begin(&c, 1);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    w = vh_record_create(c.path, false, &error);
    g_assert_no_error(error);
    while (!error) {
        g_ptr_array_add(c.written, first_snapshot(&c));
        if (vh_record_snapshot(w, c.written->pdata[c.written->len - 1],
                               &error)) {
            vh_record_flush(w, &error);
        }
    }
    g_assert_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    vh_record_close(w, NULL);
    setrlimit(RLIMIT_FSIZE, &old);
    n = read_back(&c, &ended, &damaged);
    g_assert_cmpuint(n, ==, c.written->len - 1);
    g_assert_false(damaged);
    case_end(&c);
}

/* Snapshots that no vmheat tells. */
static void test_impossible(void)
{
    g_autoptr(GError) error = NULL;
    VhRegion regions[] = { { .start = 0, .end = PAGE },
                           { .start = PAGE, .end = 2 * PAGE } };
    VhSnapshot s = { .nr = 2, .nr_regions = 2, .regions = regions };
    g_autoptr(VhSnapCodec) codec = vh_snap_codec_new();
    g_autoptr(GByteArray) out = g_byte_array_new();

    g_assert_null(vh_packed_encode(codec, &s, out));
    g_byte_array_set_size(out, 0);
    regions[1].start = 0;
    g_assert_nonnull(vh_packed_encode(codec, &s, out));
    regions[1].start = 2 * PAGE;
    g_assert_nonnull(vh_packed_encode(codec, &s, out));
    regions[1].start = PAGE;
    regions[1].age = 1ull << 32;
    g_assert_nonnull(vh_packed_encode(codec, &s, out));
    regions[1].age = 0;
    s.nr_regions = 1;
    g_assert_nonnull(vh_packed_encode(codec, &s, out));
    g_assert_cmpuint(out->len, ==, 0);
}

/* Whatever the bytes are, what is read could have been written. */
static void test_any_bytes(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VhSnapshot s = { 0 };
    size_t read = 0;
    Case c;

    case_begin(&c, 9);
    for (int i = 0; i < 3000; i++) {
        g_autoptr(VhSnapCodec) codec = vh_snap_codec_new();
        g_autoptr(VhSnapshot) a = first_snapshot(&c);
        g_autoptr(VhSnapshot) b = next_snapshot(&c, a);
        VhBytes in;

        g_byte_array_set_size(bytes, 0);
        a->nr = a->nr_regions = MIN(a->nr, 20);
        b->nr = b->nr_regions = MIN(b->nr, 20);
        g_assert_null(vh_packed_encode(codec, a, bytes));
        g_assert_null(vh_packed_encode(codec, b, bytes));
        for (int k = g_rand_int_range(c.rand, 0, 4); k >= 0; k--) {
            bytes->data[g_rand_int_range(c.rand, 0, bytes->len)] =
                g_rand_int(c.rand);
        }
        in = (VhBytes){ bytes->data, bytes->data + bytes->len, false };
        vh_snap_codec_reset(codec);
        while (in.at < in.end && vh_snap_decode(codec, &in)) {
            uint64_t at = 0;

            read++;
            vh_packed_snapshot(codec, &s);
            for (size_t j = 0; j < s.nr; j++) {
                g_assert_cmpuint(s.regions[j].start, >=, at);
                g_assert_cmpuint(s.regions[j].end, >, s.regions[j].start);
                at = s.regions[j].end;
            }
        }
    }
    g_assert_cmpuint(read, >, 1000);
    g_free(s.regions);
    case_end(&c);
}

/* The longest idle time there is, and one that was never written. */
static void test_idle(void)
{
    VhRegion region = { .end = PAGE, .idle_us = UINT64_MAX };
    VhSnapshot s = { .nr = 1, .nr_regions = 1, .has_rates = true }, got = { 0 };
    g_autoptr(VhSnapCodec) w = vh_snap_codec_new();
    g_autoptr(VhSnapCodec) r = vh_snap_codec_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    VhBytes in;

    s.regions = &region;
    for (int i = 0; i < 4; i++) { /* even longer; none; a little */
        s.end_time += 1ull << 62;
        region.idle_us = i < 2 ? UINT64_MAX : i == 2 ? 0 : 1000;
        g_byte_array_set_size(out, 0);
        g_assert_null(vh_packed_encode(w, &s, out));
        if (i == 3) {
            out->len -= 2; /* a code, behind: 0, it is no difference */
            g_assert_cmpuint(out->data[out->len - 1], ==, 0);
            out->data[out->len - 1] = 1; /* -1 */
        }
        in = (VhBytes){ out->data, out->data + out->len, false };
        g_assert_cmpint(vh_snap_decode(r, &in), ==, i < 3);
        vh_packed_snapshot(r, &got);
        if (i < 2) {
            g_assert_cmpuint(got.regions->idle_us, >, UINT64_MAX / 100 * 98);
        } else if (i == 2) {
            g_assert_cmpuint(got.regions->idle_us, ==, 0);
        }
    }
    g_free(got.regions);
}

/* A few bytes do not make a reader ask for more memory than they can fill. */
static void test_lie(void)
{
    g_autofree uint8_t *zeros = g_malloc0(VH_RECORD_PAYLOAD_MAX);
    g_autoptr(GByteArray) block = NULL;
    VhBlock b = { .type = VH_RECORD_EVENT };

    block = vh_block_pack(&b, zeros, VH_RECORD_PAYLOAD_MAX);
    g_assert_null(vh_block_read(&b, block->data, block->len));
    g_assert_cmpuint(b.unpacked, ==, VH_RECORD_PAYLOAD_MAX);
    block->data[10] = 0; /* stored in less */
    g_assert_nonnull(vh_block_read(&b, block->data, block->len));
}

/* 1000 regions of which most stay as they are. */
static void test_small(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(VhSnapCodec) codec = vh_snap_codec_new();
    VhSnapshot *s = NULL;
    size_t regions = 0;
    Case c;

    case_begin(&c, 2);
    do {
        vh_snapshot_free(s);
        s = first_snapshot(&c);
    } while (!s->has_rates || s->nr < 3);
    for (int i = 0; i < 100; i++) {
        VhSnapshot *next = next_snapshot(&c, s);

        g_assert_null(vh_packed_encode(codec, next, out));
        regions += next->nr;
        vh_snapshot_free(s);
        s = next;
    }
    g_test_message("%.2f bytes a region", (double)out->len / regions);
    g_assert_cmpfloat((double)out->len / regions, <, 8);
    vh_snapshot_free(s);
    case_end(&c);
}

static void test_numbers(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const int64_t some[] = { 0,   1,   -1,        63,        64,
                             -64, -65, INT32_MAX, INT64_MAX, INT64_MIN };
    VhCodes codes;
    VhBytes in;

    vh_codes_init(&codes);
    for (size_t i = 0; i < G_N_ELEMENTS(some); i++) {
        vh_put_signed(out, some[i]);
        vh_put_number(out, some[i]);
    }
    in = (VhBytes){ out->data, out->data + out->len, false };
    for (size_t i = 0; i < G_N_ELEMENTS(some); i++) {
        g_assert_cmpint(vh_get_signed(&in), ==, some[i]);
        g_assert_cmpuint(vh_get_number(&in), ==, (uint64_t)some[i]);
    }
    g_assert_true(in.at == in.end && !in.bad);
    g_assert_cmpuint(vh_get_number(&in), ==, 0);
    g_assert_true(in.bad);
    for (unsigned code = 0; code < VH_CODES; code++) {
        double v = vh_code_value(&codes, code);

        g_assert_cmpuint(vh_code_of(&codes, v), ==, code);
        if (code) {
            double off = log2(v / VH_CODE_LEAST) * VH_CODES_PER_OCTAVE;

            g_assert_cmpfloat(fabs(off - (code - 1)), <, 1e-6);
        }
    }
    for (double v = 1e-6; v < 1e12; v *= 1.0003) {
        double near = vh_code_value(&codes, vh_code_of(&codes, v));

        g_assert_cmpfloat(fabs(log2(near / v)), <, 0.6 / VH_CODES_PER_OCTAVE);
    }
    g_assert_cmpuint(vh_code_of(&codes, 0), ==, 0);
    g_assert_cmpuint(vh_code_of(&codes, VH_CODE_LEAST / 3), ==, 0);
    g_assert_cmpuint(vh_code_of(&codes, VH_CODE_LEAST * 0.99), ==, 1);
    g_assert_cmpuint(vh_code_of(&codes, 1e300), ==, VH_CODES - 1);
}

/* One block, by a reader of its own; returns how many snapshots it holds. */
static guint read_block(const Case *c, const VhRecordBlock *b, guint n)
{
    g_autoptr(VhRecordReader) r = vh_record_open(c->path, NULL);
    VhRecordItem item = { .time_ns = b->last_ns };
    guint first = n;

    vh_record_part_of(r, b->at, b->end);
    while (vh_record_next(r, &item)) {
        g_assert_cmpint(item.type, ==, b->type);
        if (item.type == VH_RECORD_SNAPSHOTS) {
            g_assert_cmpuint(n == first ? item.time_ns : b->first_ns, ==,
                             b->first_ns);
            assert_snapshot(item.snapshot, c->written->pdata[n++]);
        }
    }
    g_assert_cmpuint(item.time_ns, ==, b->last_ns);
    g_assert_null(vh_record_damage(r));
    g_assert_cmpuint(vh_record_good(r), ==, b->end);
    return n - first;
}

static void test_blocks(void)
{
    g_autoptr(VhRecordReader) r = NULL;
    g_autoptr(GArray) blocks = NULL;
    uint64_t first, last;
    const VhSnapshot *s;
    guint n = 0;
    Case c;

    case_begin(&c, 17);
    write_some(&c, 50, 7, false);
    r = vh_record_open(c.path, NULL);
    blocks = vh_record_blocks(r);
    g_assert_cmpuint(blocks->len, >=, 1 + 8 + 1);
    for (guint i = 0; i < blocks->len; i++) {
        n += read_block(&c, &g_array_index(blocks, VhRecordBlock, i), n);
    }
    g_assert_cmpuint(n, ==, 50);
    g_assert_true(vh_record_span(r, &first, &last));
    s = c.written->pdata[0];
    g_assert_cmpuint(first, ==, s->end_time);
    s = c.written->pdata[49];
    g_assert_cmpuint(last, ==, s->end_time);
    case_end(&c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/numbers", test_numbers);
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/append", test_append);
    g_test_add_func("/record/append-to-damage", test_append_to_damage);
    g_test_add_func("/record/exists", test_exists);
    g_test_add_func("/record/two-writers", test_two_writers);
    g_test_add_func("/record/truncated", test_truncated);
    g_test_add_func("/record/flipped", test_flipped);
    g_test_add_func("/record/foreign", test_foreign);
    g_test_add_func("/record/full", test_full);
    g_test_add_func("/record/impossible", test_impossible);
    g_test_add_func("/record/any-bytes", test_any_bytes);
    g_test_add_func("/record/idle", test_idle);
    g_test_add_func("/record/lie", test_lie);
    g_test_add_func("/record/blocks", test_blocks);
    g_test_add_func("/record/small", test_small);
    return g_test_run();
}
