/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segmentation of rows against all there are. */
#include <glib.h>

#include "chance.h"
#include "segment.h"

#define MOST 10

/* A row, and what a change before each of its observations costs. */
typedef struct Row {
    size_t nr;
    VhLikelihood l[MOST];
    float penalty[MOST];
} Row;

static void segment(const Row *r, unsigned *rates)
{
    VhStep steps[MOST];
    VhSegmenter s = { .steps = steps };
    unsigned rate = 0;

    vh_segment_begin(&s);
    for (size_t i = 0; i < r->nr; i++) {
        vh_segment_push(&s, &r->l[i], r->penalty[i]);
    }
    g_assert_cmpuint(s.nr, ==, r->nr);
    for (size_t i = r->nr; i-- > 0;) {
        rates[i] = rate = vh_segment_pop(&s, rate, i + 1 == r->nr);
        g_assert_cmpuint(rate, <, VH_RATES);
    }
    g_assert_cmpuint(s.nr, ==, 0);
}

static double score(const Row *r, const unsigned *rates)
{
    double sum = 0;

    for (size_t i = 0; i < r->nr; i++) {
        sum += r->l[i].of[rates[i]];
        sum -= i && rates[i] != rates[i - 1] ? r->penalty[i] : 0;
    }
    return sum;
}

/* Of [from, to) as one block. */
static double best_of_block(const Row *r, size_t from, size_t to)
{
    double best = -INFINITY;

    for (int g = 0; g < VH_RATES; g++) {
        double sum = 0;

        for (size_t i = from; i < to; i++) {
            sum += r->l[i].of[g];
        }
        best = MAX(best, sum);
    }
    return best;
}

/* Bit i of @cuts: there is one before observation i + 1. */
static double score_of_cuts(const Row *r, unsigned cuts)
{
    double sum = 0;
    size_t from = 0;

    for (size_t i = 1; i <= r->nr; i++) {
        if (i == r->nr || cuts & 1u << (i - 1)) {
            sum += best_of_block(r, from, i);
            sum -= i < r->nr ? r->penalty[i] : 0;
            from = i;
        }
    }
    return sum;
}

static double best_score(const Row *r)
{
    double best = -INFINITY;

    for (unsigned cuts = 0; cuts < 1u << (r->nr - 1); cuts++) {
        best = MAX(best, score_of_cuts(r, cuts));
    }
    return best;
}

static void assert_best(const Row *r)
{
    unsigned rates[MOST];

    segment(r, rates);
    g_assert_cmpfloat_with_epsilon(score(r, rates), best_score(r), 1e-2);
}

/* Any numbers at all: nothing that a likelihood has is needed. */
static void test_any(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int k = 0; k < 400; k++) {
        double size = chance_log(&rng, 0.1, 100);
        Row r = { .nr = 1 + vh_rng_below(&rng, MOST) };

        for (size_t i = 0; i < r.nr; i++) {
            r.penalty[i] = chance_log(&rng, 0.01, 100);
            for (int g = 0; g < VH_RATES; g++) {
                r.l[i].of[g] = -size * vh_rng_unit(&rng);
            }
        }
        assert_best(&r);
    }
}

/* Observation @i of a page of @hz, in @lives. */
static void observe(const VhRates *rates, VhRng *rng, VhLikelihood *l,
                    double hz, int lives)
{
    for (int i = 0; i < lives; i++) {
        vh_likelihood_fired(rates, l, 1, chance_wait(rng, hz),
                            vh_rates_code(0.02));
    }
}

/* Pages of two rates, as the estimator sees them. */
static void test_pages(void)
{
    VhRates rates;
    VhRng rng;

    vh_rates_init(&rates);
    vh_rng_seed(&rng, 1);
    for (int k = 0; k < 200; k++) {
        Row r = { .nr = MOST };
        double hz[] = { chance_log(&rng, 0.1, 100),
                        chance_log(&rng, 0.1, 100) };
        size_t border = vh_rng_below(&rng, MOST);

        for (size_t i = 0; i < r.nr; i++) {
            r.penalty[i] = 0.5 + 8 * vh_rng_unit(&rng);
            observe(&rates, &rng, &r.l[i], hz[i >= border],
                    vh_rng_below(&rng, 4));
        }
        assert_best(&r);
    }
}

/* A row whose observation i is for rate @want[i], by @nats. */
static Row row_for(const unsigned *want, size_t n, float nats, float penalty)
{
    Row r = { .nr = n };

    for (size_t i = 0; i < n; i++) {
        r.l[i].of[want[i]] = nats;
        r.penalty[i] = penalty;
    }
    return r;
}

static void assert_rates(const Row *r, const unsigned *want)
{
    unsigned got[MOST];

    segment(r, got);
    for (size_t i = 0; i < r->nr; i++) {
        g_assert_cmpuint(got[i], ==, want[i]);
    }
}

static void test_one(void)
{
    unsigned want[] = { VH_RATES - 1 };
    Row r = row_for(want, 1, 0.01, 1000);

    assert_rates(&r, want);
    r.penalty[0] = -1000; /* there is nothing that could have changed */
    assert_rates(&r, want);
}

static void test_all_alike(void)
{
    unsigned want[MOST] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
    Row r = row_for(want, MOST, 0.01, 0.001);

    assert_rates(&r, want);
}

static void test_alternating(void)
{
    unsigned want[MOST] = { 3, 20, 3, 20, 3, 20, 3, 20, 3, 20 };
    unsigned flat[MOST] = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 };
    Row r = row_for(want, MOST, 2, 0.9);

    assert_rates(&r, want); /* there and back is worth 2 */
    r = row_for(want, MOST, 2, 2.1);
    r.l[0].of[3] += 1;
    assert_rates(&r, flat);
}

/* A change goes where it costs least. */
static void test_place(void)
{
    unsigned hint[MOST] = { 5, 5, 5, 0, 0, 0, 0, 9, 9, 9 };
    unsigned want[MOST] = { 5, 5, 5, 5, 5, 9, 9, 9, 9, 9 };
    Row r = row_for(hint, MOST, 50, 10);

    for (size_t i = 3; i < 7; i++) {
        r.l[i] = (VhLikelihood){ 0 }; /* nothing is known of these */
    }
    r.penalty[5] = 9;
    assert_rates(&r, want);
}

/* The same memory is used for one row after the other. */
static void test_again(void)
{
    unsigned want[MOST] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, got[MOST];
    VhStep steps[MOST];
    VhSegmenter s = { .steps = steps };
    Row r = row_for(want, MOST, 10, 1);

    for (int k = 0; k < 3; k++) {
        unsigned rate = 0;

        vh_segment_begin(&s);
        for (size_t i = 0; i < MOST; i++) {
            vh_segment_push(&s, &r.l[i], r.penalty[i]);
        }
        for (size_t i = MOST; i-- > 0;) {
            got[i] = rate = vh_segment_pop(&s, rate, i + 1 == MOST);
            g_assert_cmpuint(got[i], ==, want[i]);
        }
    }
    g_assert_true(s.steps == steps);
}

/* In a row of any length scores stay small enough for floats. */
static void test_long(void)
{
    enum { N = 100000 };
    g_autofree VhStep *steps = g_new(VhStep, N);
    VhSegmenter s = { .steps = steps };
    unsigned rate = 0;

    vh_segment_begin(&s);
    for (size_t i = 0; i < N; i++) {
        VhLikelihood l = { 0 };

        for (int g = 0; g < VH_RATES; g++) {
            l.of[g] = -1000;
        }
        l.of[i < N / 2 ? 4 : 17] += 0.5;
        vh_segment_push(&s, &l, 5);
    }
    for (size_t i = N; i-- > 0;) {
        rate = vh_segment_pop(&s, rate, i + 1 == N);
        g_assert_cmpuint(rate, ==, i < N / 2 ? 4 : 17);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment/any", test_any);
    g_test_add_func("/segment/pages", test_pages);
    g_test_add_func("/segment/one", test_one);
    g_test_add_func("/segment/alike", test_all_alike);
    g_test_add_func("/segment/alternating", test_alternating);
    g_test_add_func("/segment/place", test_place);
    g_test_add_func("/segment/again", test_again);
    g_test_add_func("/segment/long", test_long);
    return g_test_run();
}
