/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting memory into cells. Addresses are in pages to be readable. */
#include <string.h>

#include "heatbar.h"

#define PAGE 4096
#define MAX_NR 20

/* Cells as text: heat digits, '|' for a gap. */
static char *cells_of(const VhRegion *pages, size_t nr, unsigned columns,
                      uint64_t *cell_pages)
{
    g_autofree VhRegion *regions = g_new(VhRegion, nr);
    VhSnapshot snap = { .max_nr_accesses = MAX_NR,
                        .nr = nr,
                        .regions = regions };
    g_autoptr(GArray) cells = NULL;
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < nr; i++) {
        regions[i] = pages[i];
        regions[i].start *= PAGE;
        regions[i].end *= PAGE;
    }
    cells = vh_heatbar_cells(&snap, columns, cell_pages);
    *cell_pages /= PAGE;
    for (guint i = 0; i < cells->len; i++) {
        int level = g_array_index(cells, VhCell, i).level;

        g_string_append_c(out, level == VH_CELL_GAP ? '|' : '0' + level);
    }
    return g_string_free(out, false);
}

#define ASSERT_CELLS(columns, want, want_pages, ...)                          \
    do {                                                                      \
        const VhRegion r[] = { __VA_ARGS__ };                                 \
        uint64_t pages;                                                       \
        g_autofree char *got = cells_of(r, G_N_ELEMENTS(r), columns, &pages); \
                                                                              \
        g_assert_cmpstr(got, ==, want);                                       \
        g_assert_cmpuint(pages, ==, want_pages);                              \
    } while (0)

static void test_levels(void)
{
    g_assert_cmpint(vh_heat_level(0), ==, 0);
    g_assert_cmpint(vh_heat_level(1e-9), ==, 1);
    g_assert_cmpint(vh_heat_level(0.5), ==, 4);
    g_assert_cmpint(vh_heat_level(0.95), ==, 8);
    g_assert_cmpint(vh_heat_level(1), ==, VH_HEAT_MAX);
    g_assert_cmpint(vh_heat_level(7), ==, VH_HEAT_MAX);
    for (double f = 0; f < 1; f += 0.001) {
        g_assert_cmpint(vh_heat_level(f), <=, vh_heat_level(f + 0.001));
    }
}

static void test_whole_cells(void)
{
    ASSERT_CELLS(4, "0990", 2, { 0, 2, 0 }, { 2, 6, 20 }, { 6, 8, 0 });
    ASSERT_CELLS(1, "4", 8, { 0, 4, 0 }, { 4, 8, 20 });
}

static void test_mean(void)
{
    /* half of a cell at full heat, and a thousandth */
    ASSERT_CELLS(2, "40", 4, { 0, 2, 20 }, { 2, 8, 0 });
    ASSERT_CELLS(1, "1", 1000, { 0, 999, 0 }, { 999, 1000, 20 });
}

static void test_fewer_pages_than_columns(void)
{
    ASSERT_CELLS(80, "090", 1, { 0, 1, 0 }, { 1, 2, 20 }, { 2, 3, 0 });
    ASSERT_CELLS(2, "99", 2, { 0, 3, 20 });
}

static void test_gaps(void)
{
    /* at a boundary */
    ASSERT_CELLS(5, "00|99", 2, { 0, 4, 0 }, { 100, 104, 20 });
    /* before and after the middle of a cell: nearest boundary */
    ASSERT_CELLS(5, "0|000", 4, { 0, 5, 0 }, { 100, 111, 0 });
    ASSERT_CELLS(5, "00|00", 4, { 0, 7, 0 }, { 100, 109, 0 });
    /* at one boundary: one */
    ASSERT_CELLS(10, "0|0000000", 8, { 0, 9, 0 }, { 10, 11, 0 }, { 20, 74, 0 });
    ASSERT_CELLS(10, "0|0|000000", 4, { 0, 5, 0 }, { 10, 11, 0 },
                 { 20, 46, 0 });
    /* nothing that one sees lies before it */
    ASSERT_CELLS(5, "0000", 25, { 0, 1, 0 }, { 9, 108, 0 });
    /* too many to be shown */
    ASSERT_CELLS(4, "0000", 1, { 0, 1, 0 }, { 2, 3, 0 }, { 4, 5, 0 },
                 { 6, 7, 0 });
}

static void test_nothing(void)
{
    VhSnapshot none = { 0 };
    uint64_t bytes;
    g_autoptr(GArray) cells = vh_heatbar_cells(&none, 7, &bytes);

    g_assert_cmpuint(cells->len, ==, 0);
    g_assert_cmpuint(bytes, ==, PAGE);
}

/* Any memory in any width: never more cells than columns, no byte lost. */
static void test_random(void)
{
    g_autoptr(GRand) rng = g_rand_new_with_seed(1);

    for (int run = 0; run < 3000; run++) {
        unsigned columns = g_rand_int_range(rng, 1, 200);
        size_t nr = g_rand_int_range(rng, 1, 50);
        g_autofree VhRegion *r = g_new0(VhRegion, nr);
        uint64_t at = 0, sum = 0, pages;
        g_autofree char *got = NULL;
        size_t cells = 0;

        for (size_t i = 0; i < nr; i++) {
            at += g_rand_int_range(rng, 0, 4) ? 0 : 1000;
            r[i].start = at;
            at += g_rand_int_range(rng, 1, 3000);
            r[i].end = at;
            r[i].nr_accesses = g_rand_int_range(rng, 0, MAX_NR + 1);
            sum += r[i].end - r[i].start;
        }
        got = cells_of(r, nr, columns, &pages);
        g_assert_cmpuint(strlen(got), <=, columns);
        for (const char *p = got; *p; p++) {
            cells += *p != '|';
        }
        g_assert_cmpuint(cells, ==, (sum + pages - 1) / pages);
        g_assert_null(strstr(got, "||"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heatbar/levels", test_levels);
    g_test_add_func("/heatbar/whole-cells", test_whole_cells);
    g_test_add_func("/heatbar/mean", test_mean);
    g_test_add_func("/heatbar/fewer-pages", test_fewer_pages_than_columns);
    g_test_add_func("/heatbar/gaps", test_gaps);
    g_test_add_func("/heatbar/nothing", test_nothing);
    g_test_add_func("/heatbar/random", test_random);
    return g_test_run();
}
