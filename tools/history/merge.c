/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation in merge.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"

#define SEGMENTS_PART 2 /* times the regions of the mean: segments of a sum */

VhMerge *vh_merge_new(size_t most)
{
    VhMerge *m = g_new0(VhMerge, 1);

    vh_codes_init(&m->codes);
    m->most = MAX(most, 1);
    m->segments = g_array_new(false, false, sizeof(VhSegment));
    m->next = g_array_new(false, false, sizeof(VhSegment));
    m->out = g_array_new(false, false, sizeof(VhCodedRegion));
    return m;
}

void vh_merge_free(VhMerge *m)
{
    if (m) {
        g_array_unref(m->segments);
        g_array_unref(m->next);
        g_array_unref(m->out);
        g_free(m);
    }
}

static VhSegment *nth(GArray *a, guint i)
{
    return &g_array_index(a, VhSegment, i);
}

/* ---- adding ---- */

static void add_region(const VhMerge *m, VhSegment *to, const VhCodedRegion *r,
                       double time)
{
    to->time += time;
    for (int i = 0; i < VH_RATES; i++) {
        to->rates[i] += vh_code_value(&m->codes, r->rates[i]) * time;
    }
    to->idle_ms += r->idle_ms * time;
    to->accesses += r->nr_accesses * time;
    to->writes += r->nr_writes * time;
    to->age = r->age;
}

/* What is in the sum, and in the snapshot, each cut where the other is. */
static void overlay(VhMerge *m, const VhCodedRegion *regions, size_t nr,
                    double time)
{
    const VhSegment *segments = (const VhSegment *)m->segments->data;
    size_t i = 0, j = 0, n = m->segments->len;
    uint64_t at = 0;

    g_array_set_size(m->next, 0);
    while (i < n || j < nr) {
        uint64_t a = i < n ? MAX(segments[i].start, at) : UINT64_MAX;
        uint64_t b = j < nr ? MAX(regions[j].start, at) : UINT64_MAX;
        VhSegment s = { .start = MIN(a, b) };

        at = MIN(a > s.start ? a : segments[i].end,
                 b > s.start ? b : regions[j].end);
        if (a == s.start) {
            s = segments[i];
            s.start = a;
        }
        s.end = at;
        if (b == s.start) {
            add_region(m, &s, &regions[j], time);
        }
        g_array_append_val(m->next, s);
        i += i < n && segments[i].end <= at;
        j += j < nr && regions[j].end <= at;
    }
}

static void swap(VhMerge *m)
{
    GArray *old = m->segments;

    m->peak = MAX(m->peak, m->next->len);
    m->segments = m->next;
    m->next = old;
}

/* ---- joining ---- */

/* Means, by bytes. */
static void join(VhSegment *to, const VhSegment *s)
{
    double a = to->end - to->start, b = s->end - s->start, all = a + b;

    to->time = (to->time * a + s->time * b) / all;
    for (int i = 0; i < VH_RATES; i++) {
        to->rates[i] = (to->rates[i] * a + s->rates[i] * b) / all;
    }
    to->idle_ms = (to->idle_ms * a + s->idle_ms * b) / all;
    to->accesses = (to->accesses * a + s->accesses * b) / all;
    to->writes = (to->writes * a + s->writes * b) / all;
    to->age = b > a ? s->age : to->age;
    to->end = s->end;
}

static bool is_alike(const VhSegment *a, const VhSegment *b, unsigned alike)
{
    return a->end == b->start &&
           (unsigned)abs(a->codes[0] - b->codes[0]) <= alike &&
           (unsigned)abs(a->codes[1] - b->codes[1]) <= alike;
}

/* No code of a joined one is made anew: what is alike stays near the first. */
static void join_alike(GArray *segments, unsigned alike)
{
    guint n = 0;

    for (guint i = 0; i < segments->len; i++) {
        if (n && is_alike(nth(segments, n - 1), nth(segments, i), alike)) {
            join(nth(segments, n - 1), nth(segments, i));
        } else {
            *nth(segments, n++) = *nth(segments, i);
        }
    }
    g_array_set_size(segments, n);
}

/* The same of two and two, and no more of them than are too many. */
static void join_some(GArray *segments, unsigned alike, size_t most)
{
    size_t left = segments->len - most;
    guint n = 0;

    for (guint i = 0; i < segments->len; i++) {
        VhSegment *to = nth(segments, n++);

        *to = *nth(segments, i);
        if (left && i + 1 < segments->len &&
            is_alike(to, nth(segments, i + 1), alike)) {
            join(to, nth(segments, ++i));
            left--;
        }
    }
    g_array_set_size(segments, n);
}

/* What is left are holes: they are taken for memory. */
static void join_pairs(GArray *segments)
{
    guint n = 0;

    for (guint i = 0; i < segments->len; i += 2) {
        *nth(segments, n) = *nth(segments, i);
        if (i + 1 < segments->len) {
            join(nth(segments, n), nth(segments, i + 1));
        }
        n++;
    }
    g_array_set_size(segments, n);
}

static bool has_neighbours(GArray *segments)
{
    for (guint i = 1; i < segments->len; i++) {
        if (nth(segments, i - 1)->end == nth(segments, i)->start) {
            return true;
        }
    }
    return false;
}

static void make_coarser(VhMerge *m, size_t most, unsigned alike)
{
    for (guint i = 0; i < m->segments->len; i++) {
        VhSegment *s = nth(m->segments, i);

        s->codes[0] = vh_code_of(&m->codes, s->rates[VH_RATE] / s->time);
        s->codes[1] = vh_code_of(&m->codes, s->idle_ms / s->time);
    }
    join_alike(m->segments, alike);
    while (m->segments->len > most &&
           (alike < VH_CODES || has_neighbours(m->segments))) {
        alike = MIN(alike * 2 + 1, 2 * VH_CODES);
        join_some(m->segments, alike, most);
    }
    while (m->segments->len > most) {
        join_pairs(m->segments);
    }
}

void vh_merge_add(VhMerge *m, const VhCodedRegion *regions, size_t nr,
                  double time)
{
    overlay(m, regions, nr, time);
    swap(m);
    if (m->segments->len > m->most * SEGMENTS_PART) {
        make_coarser(m, m->most, 0);
    }
}

/* ---- the mean ---- */

static VhCodedRegion mean_of(const VhMerge *m, const VhSegment *s)
{
    VhCodedRegion r = { .start = s->start,
                        .end = s->end,
                        .idle_ms = s->idle_ms / s->time + 0.5,
                        .nr_accesses = s->accesses / s->time + 0.5,
                        .nr_writes = s->writes / s->time + 0.5,
                        .age = s->age };

    for (int i = 0; i < VH_RATES; i++) {
        r.rates[i] = vh_code_of(&m->codes, s->rates[i] / s->time);
    }
    return r;
}

const GArray *vh_merge_end(VhMerge *m, unsigned alike)
{
    make_coarser(m, m->most, alike);
    g_array_set_size(m->out, 0);
    for (guint i = 0; i < m->segments->len; i++) {
        VhCodedRegion r = mean_of(m, nth(m->segments, i));

        g_array_append_val(m->out, r);
    }
    g_array_set_size(m->segments, 0);
    return m->out;
}

size_t vh_array_bytes(size_t elements, size_t size)
{
    size_t bytes = 16;

    while (bytes < elements * size) {
        bytes *= 2;
    }
    return elements ? bytes : 0;
}

size_t vh_merge_bytes(const VhMerge *m)
{
    return sizeof(*m) + 2 * vh_array_bytes(m->peak, sizeof(VhSegment)) +
           vh_array_bytes(MIN(m->peak, m->most), sizeof(VhCodedRegion));
}
