/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <string.h>

#include "filter.h"
#include "../units.h"

#define ANY ((VhSpan){ 0, UINT64_MAX })

void vh_filter_init(VhFilter *f)
{
    *f = (VhFilter){ .end = UINT64_MAX,
                     .size = ANY,
                     .nr_accesses = ANY,
                     .rate = { 0, INFINITY },
                     .age = ANY,
                     .idle = ANY };
}

static bool is_any(const VhSpan *span)
{
    return !span->min && span->max == UINT64_MAX;
}

bool vh_filter_is_all(const VhFilter *f)
{
    return !f->start && f->end == UINT64_MAX && is_any(&f->size) &&
           is_any(&f->nr_accesses) && f->rate.min <= 0 && isinf(f->rate.max) &&
           is_any(&f->age) && is_any(&f->idle);
}

static bool holds(const VhSpan *span, uint64_t v)
{
    return v >= span->min && v <= span->max;
}

bool vh_filter_passes(const VhFilter *f, const VhSnapshot *s, const VhRegion *r)
{
    double rate = vh_region_rate(s, r);

    return r->end > f->start && r->start < f->end &&
           holds(&f->size, r->end - r->start) &&
           holds(&f->nr_accesses, r->nr_accesses) && rate >= f->rate.min &&
           rate <= f->rate.max && holds(&f->age, vh_snapshot_age_us(s, r)) &&
           holds(&f->idle, r->idle_us);
}

void vh_filter_apply(const VhFilter *f, const VhSnapshot *in, VhSnapshot *out)
{
    VhRegion *regions = g_renew(VhRegion, out->regions, in->nr + 1);

    *out = *in;
    out->regions = regions;
    out->nr = 0;
    for (size_t i = 0; i < in->nr; i++) {
        if (vh_filter_passes(f, in, &in->regions[i])) {
            VhRegion *r = &regions[out->nr++];

            *r = in->regions[i];
            r->start = MAX(r->start, f->start);
            r->end = MIN(r->end, f->end);
        }
    }
}

static double checked_rate(const VhSnapshot *s, const VhRegion *r)
{
    VhRegion one = { .age = 1 };
    uint64_t us = vh_snapshot_age_us(s, &one);

    return us ? r->nr_accesses * 1e6 / us : 0;
}

double vh_region_rate(const VhSnapshot *s, const VhRegion *r)
{
    return s->has_rates ? r->rate : checked_rate(s, r);
}

/* Cut "MIN-MAX" in two; both may be empty, but not both at once. */
static bool cut(const char *text, char **min, const char **max)
{
    const char *dash = strchr(text, '-');

    if (!dash || (dash == text && !dash[1])) {
        return false;
    }
    *min = g_strndup(text, dash - text);
    *max = dash + 1;
    return true;
}

static bool parse_span(const char *text, VhSpan *out,
                       bool (*parse)(const char *text, uint64_t *out))
{
    g_autofree char *min = NULL;
    const char *max;
    VhSpan span = ANY;

    if (!cut(text, &min, &max) || (*min && !parse(min, &span.min)) ||
        (*max && !parse(max, &span.max)) || span.min > span.max) {
        return false;
    }
    *out = span;
    return true;
}

bool vh_parse_sizes(const char *text, VhSpan *out)
{
    return parse_span(text, out, vh_parse_size);
}

bool vh_parse_durations(const char *text, VhSpan *out)
{
    return parse_span(text, out, vh_parse_duration);
}

bool vh_parse_rates(const char *text, VhRateSpan *out)
{
    g_autofree char *min = NULL;
    const char *max;
    VhRateSpan span = { 0, INFINITY };

    if (!cut(text, &min, &max) || (*min && !vh_parse_rate(min, &span.min)) ||
        (*max && !vh_parse_rate(max, &span.max)) || span.min > span.max) {
        return false;
    }
    *out = span;
    return true;
}
