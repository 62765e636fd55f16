/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: make-record FILE SECONDS PER_SECOND REGIONS [INFO SCHEMES [history]]
 *
 * Write a record of a guest that does not exist: 4 GiB in REGIONS regions, 3
 * GiB of it below the hole and 1 GiB above it. An eighth of it is hot, and what
 * is hot moves on every 20 s; another eighth is accessed now and then; the
 * upper half is never accessed. The same arguments give the same file. INFO and
 * SCHEMES are files with answers of query-vmheat and query-vmheat-schemes, to
 * be kept in it; with "history" schemes are told again every 10 s and at the
 * end, and there are events: see record-history.h.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "record-history.h"
#include "record/record.h"

#define LOW_END (3ull << 30)
#define HIGH_START (4ull << 30)
#define TOTAL (4ull << 30)
#define NS 1000000000ull
#define MOVES_S 20

static uint64_t address(uint64_t offset)
{
    return offset < LOW_END ? offset : offset - LOW_END + HIGH_START;
}

/* A small pseudo random number that depends on @a and @b only. */
static unsigned noise(uint64_t a, uint64_t b)
{
    uint64_t x = a * 0x9e3779b97f4a7c15 + b * 0xbf58476d1ce4e5b9;

    x ^= x >> 31;
    x *= 0x94d049bb133111eb;
    return (x >> 40) & 0xff;
}

static void set_heat(VhRegion *r, unsigned i, unsigned nr, uint64_t step,
                     unsigned per_second)
{
    uint64_t second = step / per_second;
    unsigned eighth = i * 8 / nr, hot = second / MOVES_S % 3;
    double rate = 0;

    r->age = step % (MOVES_S * per_second);
    if (eighth == hot) {
        rate = 200 + noise(i, step) / 8.0;
    } else if (eighth == 3) {
        rate = 0.5 + noise(i, step / per_second) / 256.0;
        r->age = step % per_second;
    } else {
        r->age = eighth > 3 ? step : r->age;
    }
    r->rate = rate;
    r->rate_low = rate * 0.8;
    r->rate_high = rate ? rate * 1.25 : 0.02;
    r->nr_accesses = MIN(rate / 10, 20);
    r->idle_us = rate ? 1e6 / rate : (r->age + 1) * 1000000 / per_second;
    r->idle_us -= r->idle_us % 1000;
}

/* Borders move a little, by whole MiB; neighbours share them. */
static uint64_t border(unsigned i, unsigned nr, uint64_t second)
{
    uint64_t at = (uint64_t)((__uint128_t)TOTAL * i / nr) >> 20;

    if (i && i < nr && TOTAL / nr > 32 << 20 && at << 20 != LOW_END) {
        at += noise(i, second / 5) % 8;
    }
    at = i && i < nr ? at : TOTAL * i / nr >> 20;
    return at << 20;
}

static void fill(VhSnapshot *s, unsigned nr, uint64_t step, unsigned per_second)
{
    *s = (VhSnapshot){ .sequence = step + 1,
                       .start_time = 1000 * NS + step * NS / per_second,
                       .end_time = 1000 * NS + (step + 1) * NS / per_second,
                       .sampling_interval = 5000,
                       .aggregation_interval = 1000000 / per_second,
                       .max_nr_accesses = 20,
                       .total_size = TOTAL,
                       .has_rates = true,
                       .regions = s->regions };
    for (unsigned i = 0; i < nr; i++) {
        uint64_t from = border(i, nr, step / per_second);
        uint64_t to = border(i + 1, nr, step / per_second);
        VhRegion *r = &s->regions[s->nr];

        if (to <= from) {
            continue; /* finer than a MiB */
        }
        *r = (VhRegion){ .start = address(from), .end = address(to - 1) + 1 };
        if (from < LOW_END && to > LOW_END) {
            r->end = LOW_END;
        }
        set_heat(r, i, nr, step, per_second);
        s->working_set_size += r->nr_accesses ? r->end - r->start : 0;
        s->nr++;
    }
    s->nr_regions = s->nr;
}

static void check(bool ok, GError *error)
{
    if (!ok) {
        fprintf(stderr, "make-record: %s\n", error->message);
        exit(1);
    }
}

static void add_text(VhRecordWriter *w, VhRecordType type, const char *member,
                     const char *path)
{
    g_autofree char *text = NULL;
    g_autofree char *json = NULL;
    GError *error = NULL;

    check(g_file_get_contents(path, &text, NULL, &error), error);
    json = g_strdup_printf("{\"time\": %llu, \"%s\": %s}", 1000 * NS, member,
                           text);
    check(vh_record_json(w, type, 1000 * NS, json, &error), error);
}

static void add_json(VhRecordWriter *w, VhRecordType type, unsigned second,
                     const char *json)
{
    GError *error = NULL;

    check(vh_record_json(w, type, (1000 + second) * NS, json, &error), error);
}

/* What there is behind that second. */
static void add_history(VhRecordWriter *w, const char *schemes, unsigned second,
                        bool last)
{
    const char *event = history_event(second);

    if (second % 10 == 0 || last) {
        g_autofree char *list = history_schemes(schemes, second);
        g_autofree char *json = g_strdup_printf("{\"schemes\": %s}", list);

        add_json(w, VH_RECORD_SCHEMES, second, json);
    }
    if (event) {
        add_json(w, VH_RECORD_EVENT, second, event);
    }
}

int main(int argc, char **argv)
{
    static const char vm[] =
        "{\"name\": \"guest\", "
        "\"uuid\": \"6e3c2f80-8f3a-4d0e-9a0c-0b6d3c1f2a11\", "
        "\"start\": \"2026-01-02T03:04:05Z\", \"realtime\": "
        "1767323045000000000, "
        "\"monotonic\": 1000000000000}";
    unsigned per_second = argc > 3 ? atoi(argv[3]) : 0;
    unsigned nr = argc > 4 ? atoi(argv[4]) : 0;
    uint64_t steps = argc > 2 ? (uint64_t)atoi(argv[2]) * per_second : 0;
    g_autofree char *schemes = NULL;
    GError *error = NULL;
    VhRecordWriter *w;
    VhSnapshot s = { 0 };

    if (!per_second || nr < 8) {
        fprintf(stderr, "usage: make-record FILE SECONDS PER_SECOND REGIONS "
                        "[INFO SCHEMES [history]]\n");
        return 1;
    }
    w = vh_record_create(argv[1], false, &error);
    check(w != NULL, error);
    check(vh_record_json(w, VH_RECORD_VM, 1000 * NS, vm, &error), error);
    if (argc > 6) {
        add_text(w, VH_RECORD_STATE, "vmheat", argv[5]);
        add_text(w, VH_RECORD_SCHEMES, "schemes", argv[6]);
    }
    if (argc > 7) {
        check(g_file_get_contents(argv[6], &schemes, NULL, &error), error);
    }
    s.regions = g_new(VhRegion, nr);
    for (uint64_t i = 0; i < steps; i++) {
        fill(&s, nr, i, per_second);
        check(vh_record_snapshot(w, &s, &error), error);
        if (i % per_second == per_second - 1) {
            check(vh_record_flush(w, &error), error); /* as a recorder does */
        }
        if (schemes && (i + 1) % per_second == 0) {
            add_history(w, schemes, (i + 1) / per_second, i + 1 == steps);
        }
    }
    check(vh_record_close(w, &error), error);
    g_free(s.regions);
    return 0;
}
