/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Valid records; see records.h. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/block.h"
#include "records.h"

#define PAGE 4096ull
#define GIB (1ull << 30)
#define MS 1000000ull
#define MOST_REGIONS 24

static double some_rate(Random *r)
{
    return random_one_in(r, 3) ? 0 : random_below(r, 1000000) / 997.0;
}

static void some_heat(Random *r, const VhSnapshot *s, VhRegion *v)
{
    v->nr_accesses = random_below(r, s->max_nr_accesses + 1);
    v->nr_writes = s->has_writes ? v->nr_accesses / 2 : 0;
    v->age = random_one_in(r, 2) ? 0 : random_below(r, 1u << 30);
    if (s->has_rates) {
        v->rate = some_rate(r);
        v->rate_low = v->rate / 2;
        v->rate_high = v->rate * 2;
        v->idle_us = random_next(r) >> random_below(r, 64);
    }
    v->write_rate = s->has_write_rates ? v->rate / 3 : 0;
}

static void some_regions(Random *r, VhSnapshot *s)
{
    uint64_t unit = random_one_in(r, 6) ? 1 : PAGE, at = 0;

    s->nr = random_one_in(r, 20) ? 0 : 1 + random_below(r, MOST_REGIONS);
    s->nr_regions = s->nr + (s->truncated ? 5 : 0);
    for (size_t i = 0; i < s->nr; i++) {
        if (random_one_in(r, 8)) {
            at += GIB;
        }
        s->regions[i] = (VhRegion){ .start = at };
        at += unit * (1 + random_below(r, 1u << 18));
        s->regions[i].end = at;
        some_heat(r, s, &s->regions[i]);
    }
}

static void first_snapshot(Random *r, VhSnapshot *s, VhRegion *regions)
{
    *s = (VhSnapshot){ .sequence = random_below(r, 1000),
                       .start_time = random_below(r, 1000 * MS),
                       .sampling_interval = 5000,
                       .aggregation_interval = 100000,
                       .max_nr_accesses = random_one_in(r, 5) ? 1000 : 20,
                       .total_size = 2 * GIB,
                       .truncated = random_one_in(r, 8),
                       .has_rates = !random_one_in(r, 3),
                       .has_writes = random_one_in(r, 2),
                       .regions = regions };
    s->end_time = s->start_time + 100 * MS;
    s->has_write_rates = s->has_rates && s->has_writes;
    some_regions(r, s);
}

/* Most is as it was, and older. */
static void next_snapshot(Random *r, VhSnapshot *s)
{
    s->sequence += random_one_in(r, 9) ? 4 : 1;
    s->start_time = s->end_time;
    s->end_time += (100 + random_below(r, 9)) * MS;
    s->working_set_size = random_below(r, 2 * GIB);
    for (size_t i = 0; i < s->nr; i++) {
        s->regions[i].age++;
        s->regions[i].idle_us += s->has_rates ? 100000 : 0;
        if (random_one_in(r, 6)) {
            some_heat(r, s, &s->regions[i]);
        }
    }
    if (random_one_in(r, 6)) {
        some_regions(r, s);
    }
}

static void some_json(Random *r, VhRecordWriter *w, GError **error)
{
    static const VhRecordType types[] = { VH_RECORD_VM, VH_RECORD_STATE,
                                          VH_RECORD_SCHEMES, VH_RECORD_EVENT };
    g_autoptr(GString) json = g_string_new("{\"time\": 1, \"data\": [");

    for (uint64_t n = random_below(r, 30); n; n--) {
        g_string_append(json, "{\"a\": 1},");
    }
    g_string_append(json, "0]}");
    vh_record_json(w, types[random_below(r, G_N_ELEMENTS(types))], 1, json->str,
                   error);
}

static void write_record(Random *r, VhRecordWriter *w, GError **error)
{
    VhRegion regions[MOST_REGIONS];
    VhSnapshot s;

    some_json(r, w, error);
    for (uint64_t blocks = 1 + random_below(r, 4); blocks; blocks--) {
        first_snapshot(r, &s, regions);
        for (uint64_t n = 1 + random_below(r, 6); n; n--) {
            vh_record_snapshot(w, &s, error);
            next_snapshot(r, &s);
        }
        vh_record_flush(w, error);
        if (random_one_in(r, 3)) {
            some_json(r, w, error);
        }
    }
    vh_record_close(w, error);
}

GByteArray *record_make(Random *r)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL, *bytes = NULL;
    int fd = memfd_create("record", MFD_CLOEXEC);
    gsize size;

    g_assert_cmpint(fd, >=, 0);
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    write_record(r, vh_record_create(path, true, &error), &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    close(fd);
    return g_byte_array_append(g_byte_array_new(), (uint8_t *)bytes, size);
}

GPtrArray *record_blocks(const GByteArray *record)
{
    GPtrArray *blocks =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);

    for (size_t at = VH_FILE_HEADER_BYTES; at < record->len;) {
        const uint8_t *in = record->data + at;
        GByteArray *one = g_byte_array_new();
        VhBlock b;

        g_assert_null(vh_block_read(&b, in, record->len - at));
        g_byte_array_append(one, in, VH_BLOCK_HEADER_BYTES + b.stored);
        g_ptr_array_add(blocks, one);
        at += one->len;
    }
    return blocks;
}
