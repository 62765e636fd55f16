/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Round numbers are what people think in: powers of two for sizes; 1, 2, 5, 10
 * for counts; 1, 10, 30 s, 1, 10 min, 1 h for times. They are the ends of the
 * bins of histograms. The wider the range, the fewer are wanted of each decade:
 * levels 0 .. 2 have three, two and one, each further one is ten times as
 * coarse; of sizes each is twice as coarse. Times of a second to a day have
 * tables instead.
 */
#include <math.h>

#include "quantity.h"
#include "../units.h"

#define S 1e6
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)
#define MOST 1e30

static char *count_str(double v)
{
    static const char *const suffixes[] = { "", "k", "M", "G", "T", "P", "E" };
    unsigned i = 0;

    while (fabs(v) >= 999.5 && i + 1 < G_N_ELEMENTS(suffixes)) {
        v /= 1000;
        i++;
    }
    return g_strdup_printf("%.3g%s", v, suffixes[i]);
}

char *vh_quantity_str(VhQuantity q, double v)
{
    switch (q) {
    case VH_QUANTITY_SIZE:
        return vh_size_str(v < 0x1p63 ? v : 0x1p63);
    case VH_QUANTITY_TIME:
        return vh_duration_str(v < 0x1p63 ? v : 0x1p63);
    case VH_QUANTITY_RATE:
        return vh_rate_str(v);
    default:
        return count_str(v);
    }
}

char *vh_quantity_raw(VhQuantity q, double v)
{
    return g_strdup_printf(q == VH_QUANTITY_RATE ? "%.9g" : "%.0f", v);
}

double vh_quantity_least(VhQuantity q)
{
    static const double least[] = {
        [VH_QUANTITY_SIZE] = 1,
        [VH_QUANTITY_TIME] = 1000,
        [VH_QUANTITY_RATE] = 0.001,
        [VH_QUANTITY_TEMPERATURE] = 1,
    };

    return least[q];
}

static void add(GArray *list, double v)
{
    g_array_append_val(list, v);
}

static void add_decimals(GArray *list, unsigned level, double from, double to)
{
    static const double mantissas[][3] = { { 1, 2, 5 }, { 1, 3 }, { 1 } };
    double step = level > 2 ? pow(10, level - 1) : 10;

    for (double v = from; v < to; v *= step) {
        for (unsigned i = 0; i < 3 && mantissas[MIN(level, 2)][i] > 0; i++) {
            add(list, v * mantissas[MIN(level, 2)][i]);
        }
    }
}

/* From 1 us on. */
static void add_times(GArray *list, unsigned level)
{
    static const double tables[][17] = {
        { 1 * S, 2 * S, 5 * S, 10 * S, 20 * S, 30 * S, 1 * M, 2 * M, 5 * M,
          10 * M, 20 * M, 30 * M, 1 * H, 2 * H, 6 * H, 12 * H },
        { 1 * S, 5 * S, 10 * S, 30 * S, 1 * M, 5 * M, 10 * M, 30 * M, 1 * H,
          6 * H },
        { 1 * S, 10 * S, 1 * M, 10 * M, 1 * H, 6 * H },
        { 1 * S, 1 * M, 1 * H },
    };
    const double *table = tables[MIN(level, G_N_ELEMENTS(tables) - 1)];

    add_decimals(list, level > 2 ? level + 1 : level, 1, S);
    while (*table > 0) {
        add(list, *table++);
    }
    add_decimals(list, level, D, MOST);
}

static void add_sizes(GArray *list, unsigned level)
{
    for (double v = 1; v < MOST; v = ldexp(v, level + 1)) {
        add(list, v);
    }
}

GArray *vh_round_log(VhQuantity q, unsigned level)
{
    GArray *list = g_array_new(false, false, sizeof(double));

    switch (q) {
    case VH_QUANTITY_SIZE:
        add_sizes(list, level);
        break;
    case VH_QUANTITY_TIME:
        add_times(list, level);
        break;
    default:
        add_decimals(list, level, vh_quantity_least(q), MOST);
    }
    return list;
}

double vh_round_linear(VhQuantity q, double v)
{
    g_autoptr(GArray) list = vh_round_log(q, 0);

    for (guint i = 0; i < list->len; i++) {
        if (g_array_index(list, double, i) >= v) {
            return g_array_index(list, double, i);
        }
    }
    return v;
}
