/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes records of a guest whose memory is known to be hot or cold:
 *
 *   make-record NATIVE DAMO [steady|changed|sparse]
 *
 * writes a record of vmheat's, converts it to one of damo's, and prints what
 * should be in that, for test_damo.py: a line for each snapshot and each of its
 * regions
 *
 *   SNAPSHOT start-time end-time max-nr-accesses (ns)
 *   REGION start end nr-accesses age (us)
 *
 * The guest has 3 GiB below a hole of 1 GiB, and 5 GiB behind it. Of these 100
 * MiB are always hot, two ranges by turns, others warm; and what is cold is in
 * regions that move their borders.
 *
 * With "changed", from the 60th snapshot on intervals are others, and from the
 * 120th on the monitor is held back, and takes three times as long as it
 * should.
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
#define CHANGED_AT 60
#define HELD_BACK_AT 120
#define STOOD_STILL_AT 120
#define EACH 5
#define PIECE (128 * MIB) /* of what is cold */
#define BEGIN (5000 * SECOND)
#define OLD 100 /* age of what was there at the begin, at most */

typedef enum Kind { STEADY, CHANGED, SPARSE } Kind;

/* From snapshot @from to the one before @to it is accessed in @of_20 of 20. */
typedef struct Heat {
    uint64_t start;
    uint64_t end;
    unsigned from;
    unsigned to;
    unsigned of_20;
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

/* What is hardly warm is so in 1 check, of as many as there are. */
static uint64_t accesses(const Heat *h, uint64_t most)
{
    return h->of_20 > 1 ? h->of_20 * most / 20 : 1;
}

static void add_heat(GArray *v, const Heat *h, unsigned i, uint64_t most)
{
    bool hot = i >= h->from && i < h->to;
    VhRegion r = { .start = h->start,
                   .end = h->end,
                   .nr_accesses = accesses(h, most),
                   .age = i - h->from };

    if (hot) {
        add(v, &r);
    } else {
        add_cold(v, h->start, h->end, i, i < h->from ? 0 : h->to);
    }
}

static void add_block(GArray *v, uint64_t lo, uint64_t hi, unsigned i,
                      uint64_t most)
{
    for (size_t k = 0; k < G_N_ELEMENTS(heats); k++) {
        const Heat *h = &heats[k];

        if (h->start >= lo && h->end <= hi) {
            add_cold(v, lo, h->start, i, 0);
            add_heat(v, h, i, most);
            lo = h->end;
        }
    }
    add_cold(v, lo, hi, i, 0);
}

static void tell(const VhSnapshot *s, uint64_t start, uint64_t age_us)
{
    printf("SNAPSHOT %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", start, s->end_time,
           s->max_nr_accesses);
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        printf("REGION %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
               r->start, r->end, r->nr_accesses, r->age * age_us);
    }
}

/* Returns how long it took, in seconds. */
static unsigned set_intervals(VhSnapshot *s, unsigned i)
{
    bool other = i >= CHANGED_AT, held_back = i >= HELD_BACK_AT;

    s->sampling_interval = other ? 2000 : 50000;
    s->aggregation_interval = other ? 2 * SECOND / 1000 : SECOND / 1000;
    s->max_nr_accesses = other ? 1000 : 20;
    return held_back ? 6 : other ? 2 : 1;
}

/* @since: where what it stands for begins */
static void make(VhRecordWriter *w, unsigned i, Kind kind, uint64_t since,
                 uint64_t *now, GError **error)
{
    g_autoptr(GArray) v = g_array_new(false, false, sizeof(VhRegion));
    VhSnapshot s = { .sequence = i, .total_size = 8 * GIB };
    unsigned took = set_intervals(&s, kind == CHANGED ? i : 0);

    s.start_time = *now;
    s.end_time = *now += took * SECOND;
    if (kind == SPARSE && i % EACH) {
        return;
    }
    add_block(v, 0, 3 * GIB, i, s.max_nr_accesses);
    add_block(v, 4 * GIB, 9 * GIB, i, s.max_nr_accesses);
    s.nr = s.nr_regions = v->len;
    s.regions = (VhRegion *)v->data;
    tell(&s, since, took * SECOND / 1000);
    vh_record_snapshot(w, &s, error);
}

static void make_all(const char *path, Kind kind, GError **error)
{
    VhRecordWriter *w = vh_record_create(path, false, error);
    uint64_t now = BEGIN, since = BEGIN;

    if (w) {
        vh_record_json(w, VH_RECORD_VM, 0, "{\"name\": \"vm1\"}", error);
    }
    for (unsigned i = 0; i < SNAPSHOTS && !*error; i++) {
        if (kind == SPARSE && i == STOOD_STILL_AT) {
            since = now += 100 * SECOND;
        }
        make(w, i, kind, since, &now, error);
        since = kind == SPARSE && i % EACH ? since : now;
    }
    vh_record_close(w, *error ? NULL : error);
}

static void convert(const char *from, const char *to, GError **error)
{
    g_autoptr(VhRecordReader) r = vh_record_open(from, error);
    VhDamoWriter *w = r ? vh_damo_create(to, false, error) : NULL;
    bool good = w && vh_damo_convert(r, w, error);

    vh_damo_close(w, good ? error : NULL);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const char *kind = argc > 3 ? argv[3] : "steady";

    if (argc < 3 || argc > 4) {
        fprintf(stderr,
                "usage: make-record NATIVE DAMO [steady|changed|sparse]\n");
        return 1;
    }
    make_all(argv[1],
             !strcmp(kind, "changed")  ? CHANGED
             : !strcmp(kind, "sparse") ? SPARSE
                                       : STEADY,
             &error);
    if (!error) {
        convert(argv[1], argv[2], &error);
    }
    if (error) {
        fprintf(stderr, "make-record: %s\n", error->message);
    }
    return error != NULL;
}
