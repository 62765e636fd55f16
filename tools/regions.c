/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of regions, of "snapshot" and of "top". */
#include <inttypes.h>
#include <stdlib.h>

#include "heatbar.h"
#include "report/quantity.h"
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

/* How to compare; by NULL: by temperature. */
typedef struct Comparing {
    Compare by;
    const VhSnapshot *snap;
    const VhWeights *weights;
} Comparing;

static int by_temperature(const Comparing *c, const VhRegion *a,
                          const VhRegion *b)
{
    double x = vh_temperature(c->snap, a, c->weights);
    double y = vh_temperature(c->snap, b, c->weights);

    return (x < y) - (x > y);
}

static int compare(const void *a, const void *b, void *opaque)
{
    const Comparing *c = opaque;
    const VhRegion *x = *(const VhRegion *const *)a;
    const VhRegion *y = *(const VhRegion *const *)b;
    int d = c->by ? c->by(x, y) : by_temperature(c, x, y);

    return d ? d : descending(y->start, x->start);
}

static void reverse(const VhRegion **regions, size_t nr)
{
    for (size_t i = 0; i < nr / 2; i++) {
        const VhRegion *r = regions[i];

        regions[i] = regions[nr - 1 - i];
        regions[nr - 1 - i] = r;
    }
}

const VhRegion **vh_regions_ordered(const VhSnapshot *snap,
                                    const VhOrder *order)
{
    const VhRegion **out = g_new(const VhRegion *, snap->nr + 1);
    static const Compare how[] = {
        [VH_SORT_HEAT] = by_heat, [VH_SORT_SIZE] = by_size,
        [VH_SORT_AGE] = by_age,   [VH_SORT_RATE] = by_rate,
        [VH_SORT_IDLE] = by_idle, [VH_SORT_TEMPERATURE] = NULL,
    };
    Comparing c = { how[order->sort], snap, &order->weights };

    for (size_t i = 0; i < snap->nr; i++) {
        out[i] = &snap->regions[i];
    }
    if (order->sort != VH_SORT_ADDRESS) {
        qsort_r(out, snap->nr, sizeof(*out), compare, &c);
    }
    if (order->reverse) {
        reverse(out, snap->nr);
    }
    return out;
}

const VhRegion **vh_regions_sorted(const VhSnapshot *snap, VhSort sort)
{
    VhOrder order = { .sort = sort };

    return vh_regions_ordered(snap, &order);
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
    TEMPERATURE, /* and they are asked for */
} Need;

/* On a narrow terminal, a rate says more than the heat that is made of it. */
static const struct Field {
    const char *title;
    Need need;
    unsigned keep, keep_with_rates; /* see VhColumn */
    char *(*text)(const VhSnapshot *snap, const VhRegion *r);
} fields[] = {
    { "", ALWAYS, 2, 3, NULL }, /* heat mark */
    { "TEMP", TEMPERATURE, 8, 11, NULL },
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

static bool has_field(const VhSnapshot *snap, const struct Field *f,
                      const VhOrder *order)
{
    switch (f->need) {
    case RATES:
        return snap->has_rates;
    case WRITES:
        return snap->has_writes && !snap->has_write_rates;
    case WRITE_RATES:
        return snap->has_write_rates;
    case TEMPERATURE:
        return order->sort == VH_SORT_TEMPERATURE;
    default:
        return true;
    }
}

static void put_mark(VhTable *t, const VhTerm *term, int level)
{
    if (term->color) {
        vh_table_put(t, VH_STYLE_HEAT + level, g_strdup("  "));
    } else {
        vh_table_put(t, VH_STYLE_PLAIN, vh_heat_text(level));
    }
}

static void put_region(VhTable *t, const VhTerm *term, const VhSnapshot *snap,
                       const VhRegion *r, const VhOrder *order)
{
    uint64_t max = snap->max_nr_accesses;
    int level = vh_heat_level(max ? (double)r->nr_accesses / max : 0);
    VhStyle style = r->nr_accesses ? VH_STYLE_PLAIN : VH_STYLE_DIM;

    for (unsigned i = 0; i < NR_FIELDS; i++) {
        const struct Field *f = &fields[i];

        if (!has_field(snap, f, order)) {
            continue;
        }
        if (f->text) {
            vh_table_put(t, style, f->text(snap, r));
        } else if (f->need == TEMPERATURE) {
            double v = vh_temperature(snap, r, &order->weights);

            vh_table_put(t, style, vh_quantity_str(VH_QUANTITY_TEMPERATURE, v));
        } else {
            put_mark(t, term, level);
        }
    }
}

void vh_regions_table(VhPage *page, const VhSnapshot *snap,
                      const VhRegion **regions, size_t nr, const VhOrder *order)
{
    VhColumn columns[NR_FIELDS];
    g_autoptr(VhTable) t = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < NR_FIELDS; i++) {
        const struct Field *f = &fields[i];

        if (has_field(snap, f, order)) {
            columns[n++] =
                (VhColumn){ f->title, *f->title != 0,
                            snap->has_rates ? f->keep_with_rates : f->keep };
        }
    }
    t = vh_table_new(columns, n);
    for (size_t i = 0; i < nr; i++) {
        put_region(t, page->term, snap, regions[i], order);
    }
    vh_table_draw(t, page);
}

void vh_regions_draw(VhPage *page, const VhSnapshot *snap,
                     const VhRegion **regions, size_t nr)
{
    VhOrder order = { .sort = VH_SORT_ADDRESS };

    vh_regions_table(page, snap, regions, nr, &order);
}
