/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "wss-set.h"

unsigned vh_wss_columns(const VhWssSet *w)
{
    return MAX(w->nr, 1);
}

static uint64_t bytes_of(const VhFilter *f, const VhRegion *r)
{
    uint64_t start = MAX(r->start, f->start), end = MIN(r->end, f->end);

    return end > start ? end - start : 0;
}

/* To the columns of all times that are long enough. */
static void add(const VhWssSet *w, const VhRegion *r, uint64_t *out)
{
    uint64_t bytes = bytes_of(&w->filter, r);

    if (!w->nr) {
        out[0] += bytes;
    }
    for (unsigned i = w->nr; i-- && r->idle_us <= w->within[i];) {
        out[i] += bytes;
    }
}

void vh_wss_sizes(const VhWssSet *w, const VhSnapshot *s, uint64_t *out)
{
    VhFilter rest = w->filter;
    bool all;

    /* most often there is nothing else to look at */
    rest.nr_accesses.min = 0;
    all = vh_filter_is_all(&rest);
    memset(out, 0, vh_wss_columns(w) * sizeof(*out));
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        if (r->nr_accesses >= w->filter.nr_accesses.min &&
            (all || vh_filter_passes(&w->filter, s, r))) {
            add(w, r, out);
        }
    }
}
