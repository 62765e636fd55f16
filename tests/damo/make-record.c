/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes records of a guest whose memory is known to be hot or cold:
 *
 *   make-record NATIVE DAMO
 *
 * writes a record of vmheat's, converts it to one of damo's, and prints what
 * should be in that, for test_damo.py: a line "INTERVALS sampling aggregation
 * max-nr-accesses" of the first snapshot, then a line for each snapshot and
 * each of its regions:
 *
 *   SNAPSHOT start-time end-time max-nr-accesses age-of-one-interval (us)
 *   REGION start end nr-accesses age
 *
 * The guest has 3 GiB below a hole of 1 GiB, and 5 GiB behind it. Of these 100
 * MiB are always hot, two ranges by turns, others warm; and what is cold is in
 * regions that move their borders.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/damo.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define SECOND 1000000000ull
#define SNAPSHOTS 240
#define PIECE (128 * MIB) /* of what is cold */
#define BEGIN (5000 * SECOND)
#define OLD 100 /* age of what was there at the begin, at most */

/* From the snapshot @from to the one before @to it is @nr of 20 times hot. */
typedef struct Heat {
    uint64_t start;
    uint64_t end;
    unsigned from;
    unsigned to;
    unsigned nr;
} Heat;

static const Heat heats[] = {
    { GIB, GIB + 100 * MIB, 0, SNAPSHOTS, 20 },
    { 2 * GIB, 2 * GIB + 256 * MIB, 0, SNAPSHOTS / 2, 18 },
    { 6 * GIB, 6 * GIB + 512 * MIB, SNAPSHOTS / 2, SNAPSHOTS, 19 },
    { 8 * GIB, 8 * GIB + 200 * MIB, 60, 200, 5 },
    { 8 * GIB + 512 * MIB, 8 * GIB + 640 * MIB, 0, SNAPSHOTS, 1 },
};

static bool add(GArray *v, const VhRegion *r)
{
    if (r->start < r->end) {
        g_array_append_val(v, *r);
    }
    return r->start < r->end;
}

/* [lo, hi) is cold since snapshot @since. */
static void add_cold(GArray *v, uint64_t lo, uint64_t hi, unsigned i,
                     unsigned since)
{
    while (lo < hi) {
        uint64_t next = (lo / PIECE + 1) * PIECE + i % 8 * MIB;
        uint64_t age = since ? i - since : i + lo / PIECE % OLD;
        VhRegion r = { .start = lo, .end = MIN(next, hi), .age = age };

        add(v, &r);
        lo = r.end;
    }
}

static void add_heat(GArray *v, const Heat *h, unsigned i)
{
    bool hot = i >= h->from && i < h->to;
    VhRegion r = { .start = h->start,
                   .end = h->end,
                   .nr_accesses = h->nr,
                   .age = i - h->from };

    if (hot) {
        add(v, &r);
    } else {
        add_cold(v, h->start, h->end, i, i < h->from ? 0 : h->to);
    }
}

static void add_block(GArray *v, uint64_t lo, uint64_t hi, unsigned i)
{
    for (size_t k = 0; k < G_N_ELEMENTS(heats); k++) {
        const Heat *h = &heats[k];

        if (h->start >= lo && h->end <= hi) {
            add_cold(v, lo, h->start, i, 0);
            add_heat(v, h, i);
            lo = h->end;
        }
    }
    add_cold(v, lo, hi, i, 0);
}

static void tell(const VhSnapshot *s)
{
    printf("SNAPSHOT %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
           s->start_time, s->end_time, s->max_nr_accesses,
           s->aggregation_interval);
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        printf("REGION %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
               r->start, r->end, r->nr_accesses, r->age);
    }
}

static void make(VhRecordWriter *w, unsigned i, GError **error)
{
    g_autoptr(GArray) v = g_array_new(false, false, sizeof(VhRegion));
    VhSnapshot s = { .sequence = i,
                     .start_time = BEGIN + i * SECOND,
                     .end_time = BEGIN + (i + 1) * SECOND,
                     .sampling_interval = 50000,
                     .aggregation_interval = 1000000,
                     .max_nr_accesses = 20,
                     .total_size = 8 * GIB };

    add_block(v, 0, 3 * GIB, i);
    add_block(v, 4 * GIB, 9 * GIB, i);
    s.nr = s.nr_regions = v->len;
    s.regions = (VhRegion *)v->data;
    if (!i) {
        printf("INTERVALS %" PRIu64 " %" PRIu64 "\n", s.sampling_interval,
               s.aggregation_interval);
    }
    tell(&s);
    vh_record_snapshot(w, &s, error);
}

static void make_all(const char *path, GError **error)
{
    VhRecordWriter *w = vh_record_create(path, false, error);

    if (w) {
        vh_record_json(w, VH_RECORD_VM, 0, "{\"name\": \"vm1\"}", error);
    }
    for (unsigned i = 0; i < SNAPSHOTS && !*error; i++) {
        make(w, i, error);
    }
    if (!*error) {
        vh_record_close(w, error);
    }
}

static void convert(const char *from, const char *to, GError **error)
{
    g_autoptr(VhRecordReader) r = vh_record_open(from, error);
    VhDamoWriter *w = r ? vh_damo_create(to, error) : NULL;

    if (w && vh_damo_convert(r, w, error)) {
        vh_damo_close(w, error);
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc != 3) {
        fprintf(stderr, "usage: make-record NATIVE DAMO\n");
        return 1;
    }
    make_all(argv[1], &error);
    if (!error) {
        convert(argv[1], argv[2], &error);
    }
    if (error) {
        fprintf(stderr, "make-record: %s\n", error->message);
    }
    return error != NULL;
}
