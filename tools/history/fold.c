/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <string.h>

#include "fold.h"

#define ALIKE 4      /* codes, 4.4 %: a step of rasters */
#define FIRST_PART 2 /* regions of one snapshot: so many times the mean's */

void vh_fold_init(VhFold *f, int64_t step_us, size_t regions)
{
    *f = (VhFold){ .step_us = step_us, .merge = vh_merge_new(regions) };
    f->only = g_array_new(false, false, sizeof(VhCodedRegion));
    f->done = g_array_new(false, false, sizeof(VhCodedRegion));
}

void vh_fold_clear(VhFold *f)
{
    vh_merge_free(f->merge);
    g_array_unref(f->only);
    g_array_unref(f->done);
}

size_t vh_fold_bytes(const VhFold *f)
{
    return vh_merge_bytes(f->merge) +
           2 * vh_array_bytes(f->peak, sizeof(VhCodedRegion));
}

void vh_fold_forget(VhFold *f)
{
    memset(f->sums, 0, sizeof(f->sums));
    memset(f->known, 0, sizeof(f->known));
    f->nr = 0;
    g_array_set_size(f->merge->segments, 0);
    g_array_set_size(f->only, 0);
}

static int64_t window(const VhFold *f, const VhEntry *e)
{
    return (e->end_us - 1) / f->step_us;
}

bool vh_fold_is_due(const VhFold *f, const VhSnapHead *head, const VhEntry *e)
{
    return f->nr && (e->start_us != f->entry.end_us ||
                     head->has_writes != f->head.has_writes ||
                     head->has_write_rates != f->head.has_write_rates ||
                     window(f, e) != window(f, &f->entry));
}

bool vh_fold_is_mean(const VhFold *f, size_t nr, const VhEntry *e)
{
    return nr <= f->merge->most &&
           e->end_us - e->start_us >= f->step_us / 4 * 3;
}

static void sum_up(VhFold *f, const VhCodedRegion *regions, size_t nr,
                   double time)
{
    size_t most = f->merge->most * FIRST_PART;
    VhMerge *first;
    const GArray *fewer;

    if (nr <= most) {
        vh_merge_add(f->merge, regions, nr, time);
        return;
    }
    first = vh_merge_new(most);
    vh_merge_add(first, regions, nr, 1);
    fewer = vh_merge_end(first, 0);
    vh_merge_add(f->merge, (const VhCodedRegion *)fewer->data, fewer->len,
                 time);
    vh_merge_free(first);
}

static void keep(VhFold *f, const VhCodedRegion *regions, size_t nr)
{
    g_array_append_vals(f->only, regions, nr);
    f->peak = MAX(f->peak, f->only->len);
}

static void add_regions(VhFold *f, const VhCodedRegion *regions, size_t nr,
                        double time)
{
    if (!f->nr && nr <= f->merge->most) {
        keep(f, regions, nr);
        return;
    }
    if (f->only->len) {
        sum_up(f, (const VhCodedRegion *)f->only->data, f->only->len,
               f->only_us);
        g_array_set_size(f->only, 0);
    }
    sum_up(f, regions, nr, time);
}

void vh_fold_add(VhFold *f, const VhSnapHead *head,
                 const VhCodedRegion *regions, size_t nr, const VhEntry *e)
{
    double time = e->end_us - e->start_us;

    f->head = *head;
    f->entry.start_us = f->nr ? f->entry.start_us : e->start_us;
    f->entry.end_us = e->end_us;
    for (unsigned i = 0; i < VH_VALUES; i++) {
        if (!isnan(e->values[i])) {
            f->sums[i] += e->values[i] * time;
            f->known[i] += time;
        }
    }
    add_regions(f, regions, nr, time);
    f->only_us = time;
    f->nr++;
}

static const GArray *take_only(VhFold *f)
{
    GArray *only = f->only;

    f->only = f->done;
    f->done = only;
    return only;
}

const GArray *vh_fold_end(VhFold *f, VhEntry *entry)
{
    const GArray *regions =
        f->only->len ? take_only(f) : vh_merge_end(f->merge, ALIKE);

    *entry = f->entry;
    for (unsigned i = 0; i < VH_VALUES; i++) {
        entry->values[i] = f->known[i] > 0 ? f->sums[i] / f->known[i] : NAN;
    }
    f->head.nr_regions = regions->len;
    vh_fold_forget(f);
    return regions;
}
