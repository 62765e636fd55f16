/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments and steps; see workload.h. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "workload.h"

static int by_address(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Sorts @v and drops duplicates; returns how many are left. */
static size_t sort_unique(uint64_t *v, size_t n)
{
    size_t kept = 0;

    qsort(v, n, sizeof(*v), by_address);
    for (size_t i = 0; i < n; i++) {
        if (!kept || v[kept - 1] != v[i]) {
            v[kept++] = v[i];
        }
    }
    return kept;
}

/* Makes segments between all addresses at which a line begins or ends. */
static void cut_segments(Workload *w, const Line *lines, size_t n)
{
    g_autofree uint64_t *at = g_new(uint64_t, 2 * n + 2);
    size_t nr = 0;

    at[nr++] = 0;
    at[nr++] = w->size;
    for (size_t i = 0; i < n; i++) {
        at[nr++] = lines[i].start;
        at[nr++] = lines[i].end;
    }
    nr = sort_unique(at, nr);
    w->nr = nr - 1;
    w->segments = g_new0(Segment, w->nr);
    for (size_t i = 0; i < w->nr; i++) {
        w->segments[i].start = at[i];
        w->segments[i].end = at[i + 1];
    }
}

static void list_changes(Workload *w, const Line *lines, size_t n)
{
    w->changes = g_new(uint64_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        w->changes[i] = lines[i].from_ns;
    }
    w->nr_changes = sort_unique(w->changes, n);
}

/* Counts the steps of each segment, at most; returns the sum. */
static uint64_t count_steps(Workload *w, const Line *lines, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n && sum <= WORKLOAD_STEPS_MAX; i++) {
        size_t first = workload_find(w, lines[i].start);

        for (size_t k = first; k < w->nr && w->segments[k].end <= lines[i].end;
             k++) {
            w->segments[k].nr++;
            sum++;
        }
    }
    return sum;
}

static void lay_out_steps(Workload *w, uint64_t sum)
{
    Step *next = w->steps = g_new(Step, sum + 1);

    for (size_t k = 0; k < w->nr; k++) {
        w->segments[k].steps = next;
        next += w->segments[k].nr;
        w->segments[k].nr = 0;
    }
}

/* A line of the same time as the one before replaces it. */
static void add_step(Segment *s, const Line *line)
{
    Step step = { line->from_ns, line->rate, line->writes };

    if (s->nr && s->steps[s->nr - 1].from_ns == line->from_ns) {
        s->nr--;
    }
    s->steps[s->nr++] = step;
}

static void fill_steps(Workload *w, const Line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t first = workload_find(w, lines[i].start);

        for (size_t k = first; k < w->nr && w->segments[k].end <= lines[i].end;
             k++) {
            add_step(&w->segments[k], &lines[i]);
        }
    }
}

Workload *workload_new(uint64_t size, const Line *lines, size_t n, char **why)
{
    Workload *w = g_new0(Workload, 1);
    uint64_t sum;

    w->size = size;
    cut_segments(w, lines, n);
    list_changes(w, lines, n);
    sum = count_steps(w, lines, n);
    if (sum > WORKLOAD_STEPS_MAX) {
        *why = g_strdup_printf("%zu ranges overlap each other too often (more "
                               "than %llu pieces)",
                               n, WORKLOAD_STEPS_MAX);
        workload_free(w);
        return NULL;
    }
    lay_out_steps(w, sum);
    fill_steps(w, lines, n);
    return w;
}

void workload_free(Workload *w)
{
    if (!w) {
        return;
    }
    g_free(w->segments);
    g_free(w->steps);
    g_free(w->changes);
    g_free(w);
}

size_t workload_find(const Workload *w, uint64_t at)
{
    size_t lo = 0, hi = w->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (w->segments[mid].end <= at) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static double step_rate(const Step *s, bool writes)
{
    return writes ? s->rate * s->writes : s->rate;
}

/* Number of steps that have begun at @now_ns. */
static size_t steps_begun(const Segment *s, uint64_t now_ns)
{
    size_t lo = 0, hi = s->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->steps[mid].from_ns <= now_ns) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

double segment_rate(const Segment *s, uint64_t now_ns, bool writes)
{
    size_t n = steps_begun(s, now_ns);

    return n ? step_rate(&s->steps[n - 1], writes) : 0;
}

/* Expected accesses of one page. */
static double page_mean(const Segment *s, uint64_t from_ns, uint64_t to_ns,
                        bool writes)
{
    size_t i = steps_begun(s, from_ns);
    double sum = 0;

    for (i -= i > 0; i < s->nr && s->steps[i].from_ns < to_ns; i++) {
        uint64_t begin = MAX(from_ns, s->steps[i].from_ns);
        uint64_t end =
            i + 1 < s->nr ? MIN(to_ns, s->steps[i + 1].from_ns) : to_ns;

        sum += (end - begin) / 1e9 * step_rate(&s->steps[i], writes);
    }
    return sum;
}

double workload_mean(const Workload *w, VhRange r, uint64_t from_ns,
                     uint64_t to_ns, bool writes)
{
    double sum = 0;

    for (size_t k = workload_find(w, r.start);
         k < w->nr && w->segments[k].start < r.end; k++) {
        const Segment *s = &w->segments[k];
        uint64_t bytes = MIN(s->end, r.end) - MAX(s->start, r.start);

        sum += bytes / VH_PAGE_SIZE * page_mean(s, from_ns, to_ns, writes);
    }
    return sum;
}
