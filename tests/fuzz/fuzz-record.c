/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damaged records are read:
 *
 *   fuzz-record [--files=N] [--seed=S] [--first=I] [--print]
 *
 * File I of seed S is always the same, so what was found is found again with
 * --first=I --files=1; --print tells each number before its file is read. Each
 * file is in memory of its exact size, for AddressSanitizer. Of what is read
 * everything has to be something that could have been written:
 *
 * - a file is refused with a reason, or read to its end, or up to damage, which
 *   is told, at a place in the file;
 * - snapshots have regions in order, of numbers in range, and the writer would
 *   take them, and what it makes of them is read as the same;
 * - there are no more regions than bytes to tell them;
 * - up to where the file is good it is whole, and it can be gone on from there.
 */
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "record/block.h"
#include "records.h"

#define RECORDS 64
#define MOST_MEMORY_KB (512u << 10)

/*
 * again: the codecs of a second writer and reader
 * refused, whole: files; damaged: by what it says
 */
typedef struct Fuzz {
    GPtrArray *records[RECORDS];
    VhSnapCodec *writer;
    VhSnapCodec *reader;
    GByteArray *bytes;
    VhSnapshot snapshot;
    uint64_t refused;
    uint64_t whole;
    uint64_t damaged[9];
    uint64_t snapshots;
    uint64_t regions;
} Fuzz;

static const char *const damages[] = {
    "it ends within the header of a block",
    "there is no block where one should begin",
    "a block has a size that cannot be",
    "it ends within a block",
    "a block's checksum is wrong",
    "a block cannot be unpacked",
    "a block holds something else than it says",
};

static void check_rate(double rate)
{
    g_assert_true(isfinite(rate));
    g_assert_cmpfloat(rate, >=, 0);
}

static void check_region(const VhSnapshot *s, const VhRegion *r, uint64_t at)
{
    g_assert_cmpuint(r->start, >=, at);
    g_assert_cmpuint(r->end, >, r->start);
    g_assert_cmpuint(r->nr_accesses, <=, UINT32_MAX);
    g_assert_cmpuint(r->nr_writes, <=, UINT32_MAX);
    g_assert_cmpuint(r->age, <=, UINT32_MAX);
    g_assert_true(!s->has_rates || r->idle_us % 1000 == 0); /* as it is kept */
    check_rate(r->rate);
    check_rate(r->rate_low);
    check_rate(r->rate_high);
    check_rate(r->write_rate);
}

static void check_same(const VhSnapshot *a, const VhSnapshot *b)
{
    g_assert_cmpuint(a->sequence, ==, b->sequence);
    g_assert_cmpuint(a->start_time, ==, b->start_time);
    g_assert_cmpuint(a->end_time, ==, b->end_time);
    g_assert_cmpuint(a->total_size, ==, b->total_size);
    g_assert_cmpuint(a->working_set_size, ==, b->working_set_size);
    g_assert_cmpuint(a->nr_regions, ==, b->nr_regions);
    g_assert_cmpuint(a->nr, ==, b->nr);
    for (size_t i = 0; i < a->nr; i++) {
        g_assert_cmpuint(a->regions[i].start, ==, b->regions[i].start);
        g_assert_cmpuint(a->regions[i].end, ==, b->regions[i].end);
        g_assert_cmpuint(a->regions[i].age, ==, b->regions[i].age);
        g_assert_cmpuint(a->regions[i].nr_accesses, ==,
                         b->regions[i].nr_accesses);
    }
}

/* Written again it is the same, after any other. */
static void check_again(Fuzz *f, const VhSnapshot *s)
{
    VhBytes in;

    g_byte_array_set_size(f->bytes, 0);
    g_assert_null(vh_packed_encode(f->writer, s, f->bytes));
    in = (VhBytes){ f->bytes->data, f->bytes->data + f->bytes->len, false };
    g_assert_true(vh_snap_decode(f->reader, &in));
    vh_packed_snapshot(f->reader, &f->snapshot);
    g_assert_true(in.at == in.end);
    check_same(s, &f->snapshot);
}

static void check_snapshot(Fuzz *f, const VhSnapshot *s, bool again)
{
    uint64_t at = 0;

    g_assert_cmpuint(s->nr, <=, VH_SNAP_REGIONS_MAX);
    g_assert_cmpuint(s->nr_regions, >=, s->nr);
    for (size_t i = 0; i < s->nr; i++) {
        check_region(s, &s->regions[i], at);
        at = s->regions[i].end;
    }
    f->snapshots++;
    f->regions += s->nr;
    if (again) {
        check_again(f, s);
    }
}

static void check_item(Fuzz *f, const VhRecordItem *item, bool again)
{
    if (item->type == VH_RECORD_SNAPSHOTS) {
        check_snapshot(f, item->snapshot, again);
    } else {
        g_assert_cmpuint(strlen(item->json), <=, VH_RECORD_PAYLOAD_MAX);
    }
}

static void count_damage(Fuzz *f, const char *damage)
{
    size_t i = 0;

    while (i < G_N_ELEMENTS(damages) && !strstr(damage, damages[i])) {
        i++;
    }
    g_assert_cmpuint(i, <, G_N_ELEMENTS(damages));
    f->damaged[i]++;
}

static void check_end(Fuzz *f, const VhRecordReader *r, size_t size)
{
    const char *damage = vh_record_damage(r);

    if (damage) {
        g_assert_true(g_str_has_prefix(damage, "'fuzzed' is damaged at byte "));
        g_assert_cmpuint(vh_record_good(r), >=, VH_FILE_HEADER_BYTES);
        g_assert_cmpuint(vh_record_good(r), <, size);
        count_damage(f, damage);
    } else {
        g_assert_cmpuint(vh_record_good(r), ==, size);
        f->whole++;
    }
}

/* Returns how many bytes are good; 0: refused, or not all of it was read. */
static uint64_t read_file(Fuzz *f, Random *r, GBytes *bytes, bool again)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhRecordReader) reader =
        vh_record_open_bytes("fuzzed", bytes, &error);
    bool part = random_one_in(r, 8);
    VhRecordItem item;

    if (!reader) {
        g_assert_true(error && error->domain == VH_RECORD_ERROR);
        f->refused++;
        return 0;
    }
    g_assert_no_error(error);
    if (part) {
        vh_record_range(reader, random_next(r) >> random_below(r, 64),
                        random_next(r) >> random_below(r, 64));
    }
    while (vh_record_next(reader, &item)) {
        check_item(f, &item, again);
    }
    g_assert_false(vh_record_next(reader, &item));
    check_end(f, reader, g_bytes_get_size(bytes));
    return part ? 0 : vh_record_good(reader);
}

/* Up to where it is good there is no damage. */
static void check_prefix(GBytes *bytes, uint64_t good)
{
    g_autoptr(GBytes) prefix = g_bytes_new(g_bytes_get_data(bytes, NULL), good);
    g_autoptr(VhRecordReader) r = vh_record_open_bytes("prefix", prefix, NULL);
    VhRecordItem item;

    g_assert_nonnull(r);
    while (vh_record_next(r, &item)) {
    }
    g_assert_cmpstr(vh_record_damage(r), ==, NULL);
    g_assert_cmpuint(vh_record_good(r), ==, good);
}

static bool is_torn(GBytes *bytes)
{
    g_autoptr(VhRecordReader) r = vh_record_open_bytes("file", bytes, NULL);
    VhRecordItem item;

    while (vh_record_next(r, &item)) {
    }
    return vh_record_is_torn(r);
}

static void read_to_end(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhRecordReader) r = vh_record_open(path, &error);
    VhRecordItem item = { 0 };

    g_assert_no_error(error);
    while (vh_record_next(r, &item)) {
    }
    g_assert_cmpint(item.type, ==, VH_RECORD_END);
    g_assert_cmpstr(vh_record_damage(r), ==, NULL);
}

/* What a writer goes on from is whole; it refuses what it would cut off. */
static void check_append(GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = memfd_create("record", MFD_CLOEXEC);
    VhRecordWriter *w;
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    w = vh_record_create(path, true, &error);
    g_assert_cmpint(w == NULL, ==, is_torn(bytes));
    if (w) {
        g_assert_true(vh_record_close(w, NULL));
        read_to_end(path);
    }
    close(fd);
}

static void fuzz_file(Fuzz *f, uint64_t seed, uint64_t number)
{
    Random r = { seed + (number << 20) };
    GPtrArray *blocks = f->records[random_below(&r, RECORDS)];
    GPtrArray *others = f->records[random_below(&r, RECORDS)];
    GByteArray *file = record_damage(&r, blocks, others);
    g_autofree uint8_t *data = g_memdup2(file->data, file->len);
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, file->len);
    uint64_t good;

    g_byte_array_unref(file);
    good = read_file(f, &r, bytes, random_one_in(&r, 4));
    if (good && random_one_in(&r, 8)) {
        check_prefix(bytes, good);
    }
    if (good && random_one_in(&r, 32)) {
        check_append(bytes);
    }
}

static void fuzz_begin(Fuzz *f, uint64_t seed)
{
    Random r = { seed };

    *f = (Fuzz){ .writer = vh_snap_codec_new(),
                 .reader = vh_snap_codec_new(),
                 .bytes = g_byte_array_new() };
    for (int i = 0; i < RECORDS; i++) {
        g_autoptr(GByteArray) record = record_make(&r);

        f->records[i] = record_blocks(record);
    }
}

static void fuzz_end(Fuzz *f)
{
    for (int i = 0; i < RECORDS; i++) {
        g_ptr_array_unref(f->records[i]);
    }
    vh_snap_codec_free(f->writer);
    vh_snap_codec_free(f->reader);
    g_byte_array_unref(f->bytes);
    g_free(f->snapshot.regions);
}

/* Damage of each sort was met, or this tests less than it says. */
static bool report(const Fuzz *f, uint64_t files)
{
    bool all = f->refused && f->whole && f->snapshots && f->regions;
    struct rusage use;
    double seconds;

    getrusage(RUSAGE_SELF, &use);
    seconds = use.ru_utime.tv_sec + use.ru_stime.tv_sec +
              (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    g_print("%" G_GUINT64_FORMAT
            " files in %.1f s of CPU, %.0f a second; %" G_GUINT64_FORMAT
            " snapshots, %" G_GUINT64_FORMAT " regions; at most %ld MiB\n",
            files, seconds, files / seconds, f->snapshots, f->regions,
            use.ru_maxrss / 1024);
    g_print("%9" G_GUINT64_FORMAT " whole\n%9" G_GUINT64_FORMAT " refused\n",
            f->whole, f->refused);
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_print("%9" G_GUINT64_FORMAT " %s\n", f->damaged[i], damages[i]);
        all &= f->damaged[i] != 0;
    }
    if (!all && files >= 1000) {
        g_printerr("fuzz-record: not every sort of damage was met\n");
    }
    return (all || files < 1000) && use.ru_maxrss < MOST_MEMORY_KB;
}

int main(int argc, char **argv)
{
    gint64 files = 3000, seed = 1, first = 0;
    gboolean print = false;
    const GOptionEntry options[] = {
        { "files", 0, 0, G_OPTION_ARG_INT64, &files, "how many", "N" },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of random numbers", "S" },
        { "first", 0, 0, G_OPTION_ARG_INT64, &first, "begin with file I", "I" },
        { "print", 0, 0, G_OPTION_ARG_NONE, &print, "tell numbers", NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    bool good;
    Fuzz f;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("fuzz-record: %s\n", error->message);
        return 1;
    }
    fuzz_begin(&f, seed);
    for (gint64 i = 0; i < files; i++) {
        if (print) {
            g_printerr("file %" G_GINT64_FORMAT "\n", first + i);
        }
        fuzz_file(&f, seed, first + i);
    }
    good = report(&f, files);
    fuzz_end(&f);
    return !good;
}
