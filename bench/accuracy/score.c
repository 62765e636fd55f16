/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot against the truth; see score.h. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "score.h"

/* A part of a region with one true rate. */
typedef struct Part {
    double value; /* to sort by */
    double bytes;
    double hot;
} Part;

/*
 * nr_accesses of max checks fired, each after waiting interval_s: the most
 * likely Poisson rate. All fired would be infinite: then as if half a check
 * had not.
 */
static double classic_rate(const VhSnapshot *s, const VhSnapRegion *r,
                           double interval_s, bool writes)
{
    double max = s->max_nr_accesses;
    double nr = MIN(writes ? r->nr_writes : r->nr_accesses, max - 0.5);

    return -log1p(-nr / max) / interval_s;
}

static double told_rate(const VhSnapshot *s, const VhSnapRegion *r,
                        double interval_s, bool writes)
{
    return writes ? r->write_rate : r->rate;
}

/* An estimator whose snapshots have rates is a line here. */
const Judge *judge_of(const char *estimator)
{
    static const Judge judges[] = {
        { "classic", RULE_RATE, classic_rate },
        { "exposure", RULE_RATE, told_rate },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(judges); i++) {
        if (!strcmp(judges[i].estimator, estimator)) {
            return &judges[i];
        }
    }
    return &judges[0];
}

static bool called_hot(const Exam *e, const VhSnapshot *s,
                       const VhSnapRegion *r)
{
    Rule rule = e->rule ?: e->judge->rule;

    if (rule == RULE_HALF) {
        return 2 * (uint64_t)(e->writes ? r->nr_writes : r->nr_accesses) >=
               s->max_nr_accesses;
    }
    return e->judge->rate(s, r, e->interval_s, e->writes) >= e->hot_hz;
}

static bool is_hot(const Exam *e, const Segment *s, uint64_t now_ns)
{
    return segment_rate(s, now_ns, e->writes) >= e->hot_hz;
}

uint64_t hot_bytes(const Exam *e)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < e->work->nr; k++) {
        const Segment *s = &e->work->segments[k];

        sum += is_hot(e, s, e->now_ns) ? s->end - s->start : 0;
    }
    return sum;
}

bool hot_changed(const Exam *e)
{
    for (size_t k = 0; k < e->work->nr; k++) {
        const Segment *s = &e->work->segments[k];

        if (is_hot(e, s, e->now_ns) !=
            (e->now_ns && is_hot(e, s, e->now_ns - 1))) {
            return true;
        }
    }
    return false;
}

static int by_value(const void *a, const void *b)
{
    double x = ((const Part *)a)->value, y = ((const Part *)b)->value;

    return (x < y) - (x > y);
}

/* Harmonic mean, from bytes; 1 when there is nothing to find or to call. */
static double f1_of(double right, double called, double hot)
{
    return called + hot > 0 ? 2 * right / (called + hot) : 1;
}

/* @regions: for each its rate, its bytes and how many of them are hot. */
static double best_f1(GArray *regions, double hot)
{
    double called = 0, right = 0, best = hot > 0 ? 0 : 1;

    g_array_sort(regions, by_value);
    for (size_t i = 0; i < regions->len; i++) {
        const Part *p = &g_array_index(regions, Part, i);

        called += p->bytes;
        right += p->hot;
        if (i + 1 == regions->len || p[1].value < p->value) {
            best = MAX(best, f1_of(right, called, hot));
        }
    }
    return best;
}

/* Median of the values, each weighing as much as it has bytes. */
static double weighted_median(GArray *parts)
{
    double sum = 0, half = 0;

    g_array_sort(parts, by_value);
    for (size_t i = 0; i < parts->len; i++) {
        half += g_array_index(parts, Part, i).bytes / 2;
    }
    for (size_t i = 0; i < parts->len; i++) {
        const Part *p = &g_array_index(parts, Part, i);

        sum += p->bytes;
        if (sum >= half) {
            return p->value;
        }
    }
    return NAN;
}

/*
 * Looks at the segments from @k on that @r touches, adding the errors of its
 * rate to @errors; returns how many bytes of it are hot.
 */
static double look_at(const Exam *e, const VhSnapRegion *r, double rate,
                      size_t *k, GArray *errors)
{
    double hot = 0;

    while (*k < e->work->nr && e->work->segments[*k].end <= r->start) {
        ++*k;
    }
    for (size_t i = *k; i < e->work->nr && e->work->segments[i].start < r->end;
         i++) {
        const Segment *s = &e->work->segments[i];
        double bytes = MIN(s->end, r->end) - MAX(s->start, r->start);
        double truth = segment_rate(s, e->now_ns, e->writes);

        hot += truth >= e->hot_hz ? bytes : 0;
        if (truth >= e->hot_hz * WARM_SHARE) {
            Part p = { fabs(rate - truth) / truth, bytes, 0 };

            g_array_append_val(errors, p);
        }
    }
    return hot;
}

static Score conclude(double right, double called, double hot)
{
    return (Score){
        .precision = called > 0 ? right / called : !(hot > 0),
        .recall = hot > 0 ? right / hot : 1,
        .f1 = f1_of(right, called, hot),
        .wss_error = hot > 0 ? fabs(called - hot) / hot : called > 0,
    };
}

Score score(const Exam *e, const VhSnapshot *s)
{
    g_autoptr(GArray) regions = g_array_new(false, false, sizeof(Part));
    g_autoptr(GArray) errors = g_array_new(false, false, sizeof(Part));
    double called = 0, right = 0, hot = hot_bytes(e);
    size_t k = 0;
    Score out;

    for (size_t i = 0; s && i < s->nr_regions; i++) {
        const VhSnapRegion *r = &s->regions[i];
        Part p = { .bytes = r->end - r->start };

        p.value = e->judge->rate(s, r, e->interval_s, e->writes);
        p.hot = look_at(e, r, p.value, &k, errors);
        if (called_hot(e, s, r)) {
            called += p.bytes;
            right += p.hot;
        }
        g_array_append_val(regions, p);
    }
    out = conclude(right, called, hot);
    out.f1_best = best_f1(regions, hot);
    out.rate_error = weighted_median(errors);
    return out;
}
