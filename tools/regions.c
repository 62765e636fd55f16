/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of regions, of "snapshot" and of "top". */
#include <inttypes.h>
#include <stdlib.h>

#include "heatbar.h"
#include "table.h"
#include "units.h"

static uint64_t size_of(const VhRegion *r)
{
    return r->end - r->start;
}

static int descending(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int by_heat(const VhRegion *a, const VhRegion *b)
{
    int d = descending(a->nr_accesses, b->nr_accesses);

    return d ? d : descending(size_of(a), size_of(b));
}

static int by_size(const VhRegion *a, const VhRegion *b)
{
    return descending(size_of(a), size_of(b));
}

static int by_age(const VhRegion *a, const VhRegion *b)
{
    return descending(a->age, b->age);
}

typedef int (*Compare)(const VhRegion *a, const VhRegion *b);

static int compare(const void *a, const void *b, void *opaque)
{
    const VhRegion *x = *(const VhRegion *const *)a;
    const VhRegion *y = *(const VhRegion *const *)b;
    int d = (*(const Compare *)opaque)(x, y);

    return d ? d : descending(y->start, x->start);
}

const VhRegion **vh_regions_sorted(const VhSnapshot *snap, VhSort sort)
{
    const VhRegion **out = g_new(const VhRegion *, snap->nr + 1);
    static const Compare how[] = {
        [VH_SORT_HEAT] = by_heat,
        [VH_SORT_SIZE] = by_size,
        [VH_SORT_AGE] = by_age,
    };

    for (size_t i = 0; i < snap->nr; i++) {
        out[i] = &snap->regions[i];
    }
    if (sort != VH_SORT_ADDRESS) {
        qsort_r(out, snap->nr, sizeof(*out), compare, (void *)&how[sort]);
    }
    return out;
}

static const VhColumn columns[] = {
    { "", false, 2 }, /* heat mark */
    { "HEAT", true, 6 }, { "NR/MAX", true, 1 }, { "SIZE", true, 4 },
    { "AGE", true, 3 },  { "START", true, 5 },  { "END", true, 0 },
};

/* Where writes are told apart. */
static const VhColumn columns_writes[] = {
    { "", false, 2 },
    { "HEAT", true, 6 }, { "NR/MAX", true, 1 }, { "WRITES", true, 6 },
    { "SIZE", true, 4 }, { "AGE", true, 3 },    { "START", true, 5 },
    { "END", true, 0 },
};

static void put_mark(VhTable *t, const VhTerm *term, int level)
{
    if (term->color) {
        vh_table_put(t, VH_STYLE_HEAT + level, g_strdup("  "));
    } else {
        vh_table_put(t, VH_STYLE_PLAIN, vh_heat_text(level));
    }
}

static void put_region(VhTable *t, const VhTerm *term, const VhSnapshot *snap,
                       const VhRegion *r)
{
    uint64_t max = snap->max_nr_accesses;
    VhStyle style = r->nr_accesses ? VH_STYLE_PLAIN : VH_STYLE_DIM;

    put_mark(t, term, vh_heat_level(max ? (double)r->nr_accesses / max : 0));
    vh_table_put(t, style, vh_percent_str(r->nr_accesses, max));
    vh_table_put(t, style,
                 g_strdup_printf("%" PRIu64 "/%" PRIu64, r->nr_accesses, max));
    if (snap->has_writes) {
        vh_table_put(t, style, vh_percent_str(r->nr_writes, max));
    }
    vh_table_put(t, style, vh_size_str(size_of(r)));
    vh_table_put(t, style, vh_duration_str(vh_snapshot_age_us(snap, r)));
    vh_table_put(t, style, g_strdup_printf("0x%08" PRIx64, r->start));
    vh_table_put(t, style, g_strdup_printf("0x%08" PRIx64, r->end));
}

void vh_regions_draw(VhPage *page, const VhSnapshot *snap,
                     const VhRegion **regions, size_t nr)
{
    g_autoptr(VhTable) t =
        snap->has_writes
            ? vh_table_new(columns_writes, G_N_ELEMENTS(columns_writes))
            : vh_table_new(columns, G_N_ELEMENTS(columns));

    for (size_t i = 0; i < nr; i++) {
        put_region(t, page->term, snap, regions[i]);
    }
    vh_table_draw(t, page);
}
