/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which regions are checked when the budget is ample, and when it is not. */
#include <glib.h>

#include "choose.h"

#define P(n) ((n)*VH_PAGE_SIZE)
#define MAX_NR 10
#define NR 20

typedef struct Bench {
    VhChooser c;
    VhRegions rs;
    VhRng rng;
} Bench;

/* NR known regions: the first @hot ones always fire, the others never. */
static void bench_init(Bench *b, unsigned hot)
{
    *b = (Bench){ 0 };
    vh_chooser_init(&b->c, NR);
    vh_rng_seed(&b->rng, 1);
    vh_regions_reserve(&b->rs, NR);
    for (unsigned i = 0; i < NR; i++) {
        b->rs.v[b->rs.nr++] =
            (VhRegion){ .start = P(i),
                        .end = P(i + 1),
                        .known = true,
                        .last_nr_accesses = i < hot ? MAX_NR : 0 };
    }
}

static void bench_clear(Bench *b)
{
    vh_chooser_clear(&b->c);
    vh_regions_clear(&b->rs);
}

static size_t choose(Bench *b, size_t checks, size_t arms, double fires)
{
    VhPlanBudget p = { checks, arms, fires };

    return vh_choose(&b->c, &b->rs, MAX_NR, &p, &b->rng);
}

static void answer(Bench *b, size_t n, unsigned hot)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t i = b->c.order[k];

        b->rs.v[i].answered++;
        b->rs.v[i].fires += i < hot;
    }
}

static void test_ample(void)
{
    Bench b;

    bench_init(&b, 5);
    g_assert_cmpuint(choose(&b, NR, NR, 5), ==, NR);
    for (uint32_t i = 0; i < NR; i++) {
        g_assert_cmpuint(b.c.order[i], ==, i);
    }
    bench_clear(&b);
}

static void test_nothing_there(void)
{
    Bench b = { 0 };

    g_assert_cmpuint(choose(&b, 10, 10, 10), ==, 0);
}

static void test_cold_is_free(void)
{
    Bench b;
    size_t n;

    bench_init(&b, 5);
    n = choose(&b, NR, NR, 0);
    g_assert_cmpuint(n, ==, NR - 5);
    for (size_t k = 0; k < n; k++) {
        g_assert_cmpuint(b.c.order[k], >=, 5);
    }
    /* as when fires are owed */
    g_assert_cmpuint(choose(&b, NR, NR, -7), ==, NR - 5);
    bench_clear(&b);
}

static void test_limits_are_kept(void)
{
    Bench b;

    bench_init(&b, NR);
    g_assert_cmpuint(choose(&b, NR, NR, 3.5), ==, 3);
    g_assert_cmpuint(choose(&b, NR, 7, 100), ==, 7);
    g_assert_cmpuint(choose(&b, 6, NR, 100), ==, 6);
    g_assert_cmpuint(choose(&b, NR, 0, 100), ==, 0);
    bench_clear(&b);
}

static void test_unmapped_arms_are_free(void)
{
    Bench b;

    bench_init(&b, 0);
    g_assert_cmpuint(choose(&b, NR, 4, 0), ==, 4);
    for (int i = 0; i < 2000; i++) {
        vh_chooser_learn(&b.c, false);
    }
    g_assert_cmpuint(choose(&b, NR, 4, 0), ==, NR);
    bench_clear(&b);
}

static void test_chance(void)
{
    VhRegion r = { 0 };

    g_assert_cmpfloat(vh_chance(&r, MAX_NR), ==, 0.5); /* nobody knows */
    r.answered = 1;
    g_assert_cmpfloat(vh_chance(&r, MAX_NR), ==, 0);
    r = (VhRegion){ .known = true, .last_nr_accesses = MAX_NR };
    g_assert_cmpfloat(vh_chance(&r, MAX_NR), ==, 1);
    r.answered = 1; /* it may just have gone cold */
    g_assert_cmpfloat(vh_chance(&r, MAX_NR), ==, 0.5);
    r = (VhRegion){ .known = true, .answered = 2, .fires = 2 };
    g_assert_cmpfloat_with_epsilon(vh_chance(&r, MAX_NR), 2 / 3.0, 1e-9);
}

/* One fire a sample: everybody gets a turn before anybody a second one. */
static void test_fair(void)
{
    Bench b;
    uint32_t least = UINT32_MAX, most = 0;

    bench_init(&b, NR);
    for (int i = 0; i < 5 * NR; i++) {
        size_t n = choose(&b, NR, NR, 1);

        g_assert_cmpuint(n, ==, 1);
        answer(&b, n, NR);
    }
    for (int i = 0; i < NR; i++) {
        least = MIN(least, b.rs.v[i].answered);
        most = MAX(most, b.rs.v[i].answered);
    }
    g_assert_cmpuint(least, >=, 4);
    g_assert_cmpuint(most, <=, 6);
    bench_clear(&b);
}

static void test_equals_take_turns(void)
{
    bool first[NR] = { false };
    int different = 0;
    Bench b;

    bench_init(&b, NR);
    for (int i = 0; i < 200; i++) {
        choose(&b, NR, NR, 1);
        different += !first[b.c.order[0]];
        first[b.c.order[0]] = true;
    }
    g_assert_cmpint(different, ==, NR);
    bench_clear(&b);
}

static void test_starved_go_first(void)
{
    Bench b;

    bench_init(&b, NR);
    b.rs.v[13].starved = 1;
    b.rs.v[4].starved = 2;
    g_assert_cmpuint(choose(&b, NR, NR, 2), ==, 2);
    g_assert_cmpuint(b.c.order[0], ==, 4);
    g_assert_cmpuint(b.c.order[1], ==, 13);
    bench_clear(&b);
}

static void test_uncertain_go_first(void)
{
    Bench b;

    bench_init(&b, NR);
    for (int i = 0; i < NR; i++) {
        b.rs.v[i].answered = 2;
        b.rs.v[i].fires = 2;
    }
    b.rs.v[9].fires = 1; /* the edge of something hot */
    g_assert_cmpuint(choose(&b, NR, NR, 1), ==, 1);
    g_assert_cmpuint(b.c.order[0], ==, 9);
    bench_clear(&b);
}

/* A dear region at the front is not overtaken for ever by cheaper ones. */
static void test_no_overtaking(void)
{
    Bench b;

    bench_init(&b, NR);
    for (int i = 0; i < NR; i++) {
        b.rs.v[i].last_nr_accesses = 4;
    }
    b.rs.v[7].last_nr_accesses = MAX_NR;
    b.rs.v[7].starved = 1;
    g_assert_cmpuint(choose(&b, NR, NR, 0.9), ==, 0);
    g_assert_cmpuint(choose(&b, NR, NR, 1), ==, 1);
    g_assert_cmpuint(b.c.order[0], ==, 7);
    bench_clear(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/choose/ample", test_ample);
    g_test_add_func("/choose/nothing-there", test_nothing_there);
    g_test_add_func("/choose/cold-is-free", test_cold_is_free);
    g_test_add_func("/choose/limits", test_limits_are_kept);
    g_test_add_func("/choose/unmapped", test_unmapped_arms_are_free);
    g_test_add_func("/choose/chance", test_chance);
    g_test_add_func("/choose/fair", test_fair);
    g_test_add_func("/choose/turns", test_equals_take_turns);
    g_test_add_func("/choose/starved", test_starved_go_first);
    g_test_add_func("/choose/uncertain", test_uncertain_go_first);
    g_test_add_func("/choose/no-overtaking", test_no_overtaking);
    return g_test_run();
}
