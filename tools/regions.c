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

/* Without rates all are 0. */
static int by_rate(const VhRegion *a, const VhRegion *b)
{
    int d = (a->rate < b->rate) - (a->rate > b->rate);

    return d ? d : by_heat(a, b);
}

static int by_idle(const VhRegion *a, const VhRegion *b)
{
    return descending(a->idle_us, b->idle_us);
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
        [VH_SORT_HEAT] = by_heat, [VH_SORT_SIZE] = by_size,
        [VH_SORT_AGE] = by_age,   [VH_SORT_RATE] = by_rate,
        [VH_SORT_IDLE] = by_idle,
    };

    for (size_t i = 0; i < snap->nr; i++) {
        out[i] = &snap->regions[i];
    }
    if (sort != VH_SORT_ADDRESS) {
        qsort_r(out, snap->nr, sizeof(*out), compare, (void *)&how[sort]);
    }
    return out;
}

static char *heat_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_percent_str(r->nr_accesses, snap->max_nr_accesses);
}

static char *nr_text(const VhSnapshot *snap, const VhRegion *r)
{
    return g_strdup_printf("%" PRIu64 "/%" PRIu64, r->nr_accesses,
                           snap->max_nr_accesses);
}

static char *rate_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_rate_str(r->rate);
}

static char *range_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_rate_range_str(r->rate_low, r->rate_high);
}

static char *writes_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_percent_str(r->nr_writes, snap->max_nr_accesses);
}

static char *write_rate_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_rate_str(r->write_rate);
}

static char *size_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_size_str(size_of(r));
}

static char *idle_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_duration_str(r->idle_us);
}

static char *age_text(const VhSnapshot *snap, const VhRegion *r)
{
    return vh_duration_str(vh_snapshot_age_us(snap, r));
}

static char *start_text(const VhSnapshot *snap, const VhRegion *r)
{
    return g_strdup_printf("0x%08" PRIx64, r->start);
}

static char *end_text(const VhSnapshot *snap, const VhRegion *r)
{
    return g_strdup_printf("0x%08" PRIx64, r->end);
}

/* Which snapshots have a column. */
typedef enum Need {
    ALWAYS,
    RATES,
    WRITES, /* and no rates of them */
    WRITE_RATES,
} Need;

/* On a narrow terminal, a rate says more than the heat that is made of it. */
static const struct Field {
    const char *title;
    Need need;
    unsigned keep, keep_with_rates; /* see VhColumn */
    char *(*text)(const VhSnapshot *snap, const VhRegion *r);
} fields[] = {
    { "", ALWAYS, 2, 3, NULL }, /* heat mark */
    { "HEAT", ALWAYS, 6, 5, heat_text },
    { "NR/MAX", ALWAYS, 1, 1, nr_text },
    { "RATE", RATES, 0, 10, rate_text },
    { "90 %", RATES, 0, 2, range_text },
    { "WRITES", WRITES, 6, 9, writes_text },
    { "WRITES", WRITE_RATES, 0, 9, write_rate_text },
    { "SIZE", ALWAYS, 4, 7, size_text },
    { "IDLE", RATES, 0, 6, idle_text },
    { "AGE", ALWAYS, 3, 4, age_text },
    { "START", ALWAYS, 5, 8, start_text },
    { "END", ALWAYS, 0, 0, end_text },
};

#define NR_FIELDS G_N_ELEMENTS(fields)

static bool has_field(const VhSnapshot *snap, const struct Field *f)
{
    switch (f->need) {
    case RATES:
        return snap->has_rates;
    case WRITES:
        return snap->has_writes && !snap->has_write_rates;
    case WRITE_RATES:
        return snap->has_write_rates;
    default:
        return true;
    }
}

static char *mark_text(const VhTerm *term, int level)
{
    return term->color ? g_strdup("  ") : vh_heat_text(level);
}

static void put_region(VhTable *t, const VhTerm *term, const VhSnapshot *snap,
                       const VhRegion *r)
{
    uint64_t max = snap->max_nr_accesses;
    int level = vh_heat_level(max ? (double)r->nr_accesses / max : 0);
    VhStyle style = r->nr_accesses ? VH_STYLE_PLAIN : VH_STYLE_DIM;

    for (unsigned i = 0; i < NR_FIELDS; i++) {
        if (!fields[i].text) {
            vh_table_put(t,
                         term->color ? VH_STYLE_HEAT + level : VH_STYLE_PLAIN,
                         mark_text(term, level));
        } else if (has_field(snap, &fields[i])) {
            vh_table_put(t, style, fields[i].text(snap, r));
        }
    }
}

void vh_regions_draw(VhPage *page, const VhSnapshot *snap,
                     const VhRegion **regions, size_t nr)
{
    VhColumn columns[NR_FIELDS];
    g_autoptr(VhTable) t = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < NR_FIELDS; i++) {
        const struct Field *f = &fields[i];

        if (has_field(snap, f)) {
            columns[n++] =
                (VhColumn){ f->title, f->text != NULL,
                            snap->has_rates ? f->keep_with_rates : f->keep };
        }
    }
    t = vh_table_new(columns, n);
    for (size_t i = 0; i < nr; i++) {
        put_region(t, page->term, snap, regions[i]);
    }
    vh_table_draw(t, page);
}
