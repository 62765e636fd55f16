/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of each region: rate, age, idle time.
 *
 * Theory of operation
 * -------------------
 * rate   fit of the sum of its wires' likelihoods, with its confidence.
 * age    since when its rate is what it is. Each wire remembers nr_accesses of
 *        its region and since when; both are renewed when the region's
 *        nr_accesses differs from that by more than a tenth of the largest
 *        possible, or from or to 0 (DAMON's rule), and not just because the
 *        rate is not known well. The region's age is the mean over its pages,
 *        each taken for the nearest wire's, as DAMON's is when it merges.
 * idle   median over its pages of the time since they were accessed last, each
 *        taken for the nearest wire's: a few pages that are touched once, as
 *        when a balloon grows into it, don't make all of a cold region young.
 *        A wire at rest is not looked at: it is taken to be accessed when a
 *        page of its rate is expected to be.
 */
#include <math.h>
#include <string.h>

#include "exposure.h"

#define SURELY_LAST 0.99

uint32_t vh_exposure_accesses(const VhExposure *e, double hz)
{
    uint32_t max = vh_attrs_max_accesses(&e->attrs);

    if (hz >= e->rates.hz[VH_RATES - 1] * SURELY_LAST) {
        return max;
    }
    return -expm1(-hz * e->attrs.sampling_us / 1e6) * max + 0.5;
}

/* Pages that wire @i of region @r speaks for. */
static double pages_of(const VhField *f, const VhSpan *r, size_t i)
{
    const VhWire *v = f->wires.v;
    double lo = i > r->first ? (v[i - 1].page + v[i].page) / 2 : r->lo;
    double hi = i + 1 < r->end ? (v[i].page + v[i + 1].page) / 2 : r->hi;

    return MAX(hi - lo, 1);
}

static float idle_of(const VhExposure *e, const VhWire *w)
{
    float since = vh_stamp_s(w->asked, vh_exposure_now(e));

    return vh_wire_silence(w) + MIN(since, 1 / e->rates.hz[w->rate]);
}

/* Pages of each time, and the sum of their times. */
typedef struct Times {
    struct {
        float pages;
        float sum;
    } of[VH_TIME_CODES];
} Times;

static void add_time(Times *t, double pages, float seconds)
{
    uint8_t code = vh_rates_code(seconds);

    t->of[code].pages += pages;
    t->of[code].sum += pages * seconds;
}

/* Half of @pages are of no more than that. */
static double median(const Times *t, double pages)
{
    unsigned code = 0, last = 0;

    for (double sum = 0; code < VH_TIME_CODES && sum < pages / 2; code++) {
        sum += t->of[code].pages;
        last = t->of[code].pages > 0 ? code : last;
    }
    return t->of[last].pages > 0 ? t->of[last].sum / t->of[last].pages : 0;
}

static bool changed(const VhExposure *e, const VhRateFit *fit, uint32_t old)
{
    uint32_t now = vh_exposure_accesses(e, fit->hz);
    uint32_t most = vh_attrs_max_accesses(&e->attrs) / 10;

    if (MAX(now, old) - MIN(now, old) <= most && !now == !old) {
        return false;
    }
    return old < vh_exposure_accesses(e, fit->low) ||
           old > vh_exposure_accesses(e, fit->high);
}

static void grow_ages(VhExposure *e, VhField *f, const VhSpan *r,
                      const VhRateFit *fit)
{
    VhStamp now = vh_exposure_now(e);

    for (size_t i = r->first; i < r->end; i++) {
        VhWire *w = &f->wires.v[i];

        if (changed(e, fit, w->nr_accesses)) {
            w->nr_accesses = vh_exposure_accesses(e, fit->hz);
            w->since = now;
        }
    }
}

static VhPiece describe(VhExposure *e, VhField *f, const VhSpan *r)
{
    VhStamp now = vh_exposure_now(e);
    VhPiece p = { .start = r->lo, .end = r->hi, .nr = r->end - r->first };
    VhLikelihood sum = { 0 };
    double pages = 0, age = 0;
    Times idle = { 0 };

    for (size_t i = r->first; i < r->end; i++) {
        VhLikelihood l;

        vh_wire_seen(&f->wires.v[i], &e->rates, now, &l);
        vh_likelihood_add(&sum, &l);
    }
    p.fit = vh_likelihood_fit(&e->rates, &sum);
    grow_ages(e, f, r, &p.fit);
    for (size_t i = r->first; i < r->end; i++) {
        const VhWire *w = &f->wires.v[i];
        double n = pages_of(f, r, i);

        pages += n;
        age += n * vh_stamp_s(w->since, now);
        add_time(&idle, n, idle_of(e, w));
    }
    p.since = p.nr ? vh_stamp_back(now, age / pages) : now;
    p.idle = p.nr ? vh_stamp_back(now, median(&idle, pages)) : now;
    return p;
}

void vh_exposure_describe(VhExposure *e, VhField *f)
{
    VhSpan span = { 0 };

    g_array_set_size(f->pieces, 0);
    for (size_t r = 0; r < e->nr_ranges; r++) {
        VhSpan region = { 0 };

        span = vh_exposure_span(e, f, r, span.end);
        while (vh_exposure_region(f, &span, &region)) {
            VhPiece p = describe(e, f, &region);

            g_array_append_val(f->pieces, p);
        }
    }
}

static VhSnapRegion region_of(const VhExposure *e, const VhPiece *p)
{
    float age = vh_stamp_s(p->since, vh_exposure_now(e));
    float idle = vh_stamp_s(p->idle, vh_exposure_now(e));
    VhSnapRegion r = { .start = p->start * VH_PAGE_SIZE,
                       .end = p->end * VH_PAGE_SIZE,
                       .rate = p->fit.hz,
                       .rate_low = p->fit.low,
                       .rate_high = p->fit.high,
                       .idle_ms = idle * 1000 };

    r.age = MAX(age, 0) * 1e6 / e->attrs.aggregation_us;
    return r;
}

static void add_write(VhSnapRegion *r, const VhPiece *p)
{
    r->write_rate = MIN(p->fit.hz, r->rate_high);
}

/* Regions of all accesses, cut where those of writes end, too. */
static void add_regions(const VhExposure *e, GArray *out)
{
    const GArray *writes = e->fields[1].used ? e->fields[1].pieces : NULL;
    size_t k = 0;

    for (size_t i = 0; i < e->fields[0].pieces->len; i++) {
        const VhPiece *p = &g_array_index(e->fields[0].pieces, VhPiece, i);
        VhSnapRegion r = region_of(e, p);
        uint64_t end = r.end;

        for (; writes && k < writes->len; k++) {
            const VhPiece *w = &g_array_index(writes, VhPiece, k);
            uint64_t cut = w->end * VH_PAGE_SIZE;

            if (cut <= r.start) {
                continue; /* it ended where the region before did */
            }
            add_write(&r, w);
            if (cut >= end) {
                break;
            }
            r.end = cut;
            g_array_append_val(out, r);
            r.start = cut;
            r.end = end;
        }
        g_array_append_val(out, r);
    }
}

VhSnapshot *vh_exposure_publish(VhExposure *e)
{
    g_autoptr(GArray) regions = g_array_new(false, false, sizeof(VhSnapRegion));
    VhSnapshot *s;

    add_regions(e, regions);
    vh_exposure_bound(e, regions);
    s = vh_snapshot_new(regions->len);
    s->attrs = e->attrs;
    s->max_nr_accesses = vh_attrs_max_accesses(&e->attrs);
    s->has_rates = true;
    if (regions->len) {
        memcpy(s->regions, regions->data, regions->len * sizeof(VhSnapRegion));
    }
    return s;
}
