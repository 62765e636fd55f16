/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temperatures, the order of regions, and what is drawn of them. */
#include <math.h>
#include <string.h>

#include "report/access-view.h"
#include "report/snapshot-json.h"

#define MIB 0x100000ull
#define S 1000000ull
#define NR 40

static void set_snapshot(VhSnapshot *s, VhRegion *regions, size_t nr)
{
    *s = (VhSnapshot){ .sequence = 1,
                       .start_time = 0,
                       .end_time = S * 1000,
                       .aggregation_interval = S,
                       .max_nr_accesses = 20,
                       .nr = nr,
                       .nr_regions = nr,
                       .has_rates = true,
                       .regions = regions };
}

static void test_temperature(void)
{
    const VhWeights damo = VH_WEIGHTS_DEFAULT;
    const VhWeights all = { 1, 1000, 0.5 };
    VhRegion r = {
        .start = MIB, .end = 3 * MIB, .nr_accesses = 5, .age = 3, .rate = 7
    };
    VhSnapshot s;

    set_snapshot(&s, &r, 1);
    g_assert_cmpfloat(vh_temperature(&s, &r, &damo), ==, 700 + 300 * S);
    g_assert_cmpfloat(vh_temperature(&s, &r, &all), ==,
                      2 * MIB + 7000 + 1.5 * S);
    s.has_rates = false;
    g_assert_cmpfloat(vh_temperature(&s, &r, &damo), ==, 2500 + 300 * S);
    r.nr_accesses = 0;
    g_assert_cmpfloat(vh_temperature(&s, &r, &damo), ==, -300.0 * S);
    r.age = 0;
    g_assert_false(signbit(vh_temperature(&s, &r, &damo)));
    s.max_nr_accesses = 0;
    g_assert_cmpfloat(vh_temperature(&s, &r, &damo), ==, 0);
    s.has_rates = true;
    r.rate = INFINITY;
    g_assert_true(isfinite(vh_temperature(&s, &r, &damo)));
}

/* What comes first has at least as much of it; addresses ascend. */
static bool in_order(const VhRegion *a, const VhRegion *b, const VhSnapshot *s,
                     const VhOrder *o)
{
    switch (o->sort) {
    case VH_SORT_HEAT:
        return a->nr_accesses >= b->nr_accesses;
    case VH_SORT_SIZE:
        return a->end - a->start >= b->end - b->start;
    case VH_SORT_AGE:
        return a->age >= b->age;
    case VH_SORT_RATE:
        return a->rate >= b->rate;
    case VH_SORT_IDLE:
        return a->idle_us >= b->idle_us;
    case VH_SORT_TEMPERATURE:
        return vh_temperature(s, a, &o->weights) >=
               vh_temperature(s, b, &o->weights);
    default:
        return a->start < b->start;
    }
}

static void fill(VhRegion *regions, size_t nr, GRand *rand)
{
    uint64_t at = 0;

    for (size_t i = 0; i < nr; i++) {
        regions[i].start = at;
        at += g_rand_int_range(rand, 1, 9) * 4096;
        regions[i].end = at;
        regions[i].nr_accesses = g_rand_int_range(rand, 0, 4);
        regions[i].rate = g_rand_int_range(rand, 0, 4);
        regions[i].age = g_rand_int_range(rand, 0, 9);
        regions[i].idle_us = g_rand_int_range(rand, 0, 9);
    }
}

static void test_order(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    VhRegion regions[NR] = { 0 };
    VhSnapshot s;

    set_snapshot(&s, regions, NR);
    for (unsigned n = 0; n < 20; n++) {
        fill(regions, NR, rand);
        for (VhSort by = VH_SORT_ADDRESS; by <= VH_SORT_TEMPERATURE; by++) {
            VhOrder o = { by, false, { 1, 1000, 0.01 } };
            g_autofree const VhRegion **a = vh_regions_ordered(&s, &o);
            g_autofree const VhRegion **b = NULL;

            o.reverse = true;
            b = vh_regions_ordered(&s, &o);
            for (size_t i = 0; i < NR; i++) {
                g_assert_true(a[i] == b[NR - 1 - i]);
                g_assert_true(!i || in_order(a[i - 1], a[i], &s, &o));
            }
        }
    }
}

/* Every style, of anything, at any width: no line is wider. */
static void assert_fits(const VhSnapshot *s, VhTerm *term)
{
    for (VhAccessStyle style = 0; style <= VH_ACCESS_RECENCY_PERCENTILES;
         style++) {
        VhAccessView view = { style,
                              { VH_SORT_TEMPERATURE, false,
                                VH_WEIGHTS_DEFAULT },
                              UINT64_MAX,
                              false };
        g_autoptr(VhPage) page = vh_page_new(term);
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        VhChosen c;

        vh_chosen_init(&c, s, &view);
        vh_access_draw(page, &c, &view);
        vh_chosen_clear(&c);
        text = vh_page_text(page);
        g_assert_true(g_utf8_validate(text, -1, NULL));
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
            g_assert_cmpuint(g_utf8_strlen(*line, -1), <=, term->width);
        }
    }
}

static void test_fits(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    VhRegion regions[NR] = { 0 };
    VhSnapshot s;

    set_snapshot(&s, regions, NR);
    for (unsigned width = 1; width < 150; width++) {
        VhTerm term = { .width = width, .height = width, .utf8 = width % 2 };

        fill(regions, NR, rand);
        s.nr = width % NR;
        s.has_rates = width % 3;
        assert_fits(&s, &term);
    }
}

/* A bar is as long as its part of the longest, and there if that is not 0. */
static void test_bars(void)
{
    VhRegion regions[] = {
        { .start = 0, .end = 400 * MIB, .idle_us = 1 * S },
        { .start = 400 * MIB, .end = 600 * MIB, .idle_us = 3 * S },
        { .start = 600 * MIB, .end = 600 * MIB + 4096, .idle_us = 4 * S },
    };
    VhTerm term = { .width = 60, .height = 24 };
    VhAccessView view = { .style = VH_ACCESS_RECENCY_HIST, .limit = 9 };
    g_autoptr(VhPage) page = vh_page_new(&term);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    const unsigned want[] = { 27, 0, 0, 0, 14, 0, 1 };
    VhSnapshot s;
    VhChosen c;

    set_snapshot(&s, regions, 3);
    vh_chosen_init(&c, &s, &view);
    vh_access_draw(page, &c, &view);
    text = vh_page_text(page);
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        const char *bar = strchr(lines[2 + i], '#');

        g_assert_cmpuint(bar ? strlen(bar) : 0, ==, want[i]);
    }
    vh_chosen_clear(&c);
}

static bool same(double a, double b)
{
    return a == b;
}

/* What is written is read again as the same. */
static void test_json(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    VhRegion regions[NR] = { 0 };
    VhAccessView view = { .limit = NR };
    VhSnapshot s;

    set_snapshot(&s, regions, NR);
    s.total_size = INT64_MAX;
    s.has_writes = s.has_write_rates = true;
    for (unsigned n = 0; n < 20; n++) {
        g_autoptr(VhSnapshot) got = NULL;
        g_autoptr(JsonNode) node = NULL;
        g_autofree char *text = NULL;
        VhChosen c;

        fill(regions, NR, rand);
        for (size_t i = 0; i < NR; i++) {
            regions[i].rate = g_rand_double(rand) / 3;
            regions[i].write_rate = g_rand_double(rand) * 1e300;
            regions[i].idle_us *= 1000;
        }
        vh_chosen_init(&c, &s, &view);
        text = vh_snapshot_json(&c);
        vh_chosen_clear(&c);
        node = json_from_string(text, NULL);
        got = vh_snapshot_parse(node, NULL);
        g_assert_nonnull(got);
        g_assert_cmpuint(got->total_size, ==, INT64_MAX);
        g_assert_false(got->truncated);
        g_assert_cmpuint(got->nr, ==, NR);
        for (size_t i = 0; i < NR; i++) {
            const VhRegion *a = &got->regions[i], *b = &regions[i];

            g_assert_true(
                a->start == b->start && a->end == b->end && a->age == b->age &&
                a->idle_us == b->idle_us && a->nr_accesses == b->nr_accesses &&
                same(a->rate, b->rate) && same(a->write_rate, b->write_rate));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/access/temperature", test_temperature);
    g_test_add_func("/access/order", test_order);
    g_test_add_func("/access/fits", test_fits);
    g_test_add_func("/access/bars", test_bars);
    g_test_add_func("/access/json", test_json);
    return g_test_run();
}
