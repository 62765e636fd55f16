/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tripwires: the array, and what one of them has seen. */
#include <glib.h>
#include <string.h>

#include "chance.h"
#include "wires.h"

G_STATIC_ASSERT(sizeof(VhWire) == 40);
G_STATIC_ASSERT(sizeof(VhLife) == 2);

#define PAGES 4096
#define TICK_S ((1 << VH_STAMP_SHIFT) * 1e-9)

static VhRates rates;

/* Which page has a wire: its order, plus 1. */
static uint8_t model[PAGES];

static void assert_like_model(const VhWires *ws)
{
    size_t k = 0;

    g_assert_cmpuint(ws->nr, <=, ws->room);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (model[page]) {
            g_assert_cmpuint(k, <, ws->nr);
            g_assert_cmpuint(ws->v[k].page, ==, page);
            g_assert_cmpuint(ws->v[k].order, ==, model[page] - 1);
            k++;
        }
    }
    g_assert_cmpuint(k, ==, ws->nr);
}

static size_t find_by_model(uint64_t page)
{
    size_t k = 0;

    for (uint64_t p = 0; p < PAGES; p++) {
        if (model[p]) {
            if (p + (1ULL << (model[p] - 1)) > page) {
                return k;
            }
            k++;
        }
    }
    return k;
}

/* Is [@page, @page + 2^@order) free of wires? */
static bool is_free(uint64_t page, unsigned order)
{
    for (uint64_t p = 0; p < page + (1ULL << order); p++) {
        if (model[p] && p + (1ULL << (model[p] - 1)) > page) {
            return false;
        }
    }
    return true;
}

/* Up to @most new ones that overlap none, sorted; also in the model. */
static size_t some_more(VhRng *rng, VhWire *more, size_t most)
{
    size_t n = 0;
    uint64_t page = vh_rng_below(rng, PAGES / 2);

    while (n < most) {
        unsigned order = vh_rng_below(rng, 4);

        page = (page + (1ULL << order) - 1) & ~((1ULL << order) - 1);
        if (page + (1ULL << order) > PAGES) {
            break;
        }
        if (is_free(page, order)) {
            more[n++] = (VhWire){ .page = page, .order = order };
            model[page] = order + 1;
        }
        page += 1 + vh_rng_below(rng, 200);
    }
    return n;
}

/* As the estimator does: those that stay move down. */
static void drop_some(VhRng *rng, VhWires *ws)
{
    size_t to = 0;

    for (size_t i = 0; i < ws->nr; i++) {
        if (vh_rng_below(rng, 3)) {
            ws->v[to++] = ws->v[i];
        } else {
            model[ws->v[i].page] = 0;
        }
    }
    ws->nr = to;
}

static void test_array(void)
{
    enum { MORE = 50 };
    VhWires ws = { 0 };
    VhWire more[MORE];
    VhRng rng;

    vh_rng_seed(&rng, 1);
    memset(model, 0, sizeof(model));
    for (int k = 0; k < 2000; k++) {
        uint64_t page = vh_rng_below(&rng, PAGES);
        size_t n = some_more(&rng, more, vh_rng_below(&rng, MORE));

        vh_wires_resize(&ws, ws.nr + n + vh_rng_below(&rng, 10));
        vh_wires_merge(&ws, more, n);
        assert_like_model(&ws);
        g_assert_cmpuint(vh_wires_find(&ws, page), ==, find_by_model(page));
        if (ws.nr > 200) {
            drop_some(&rng, &ws);
            vh_wires_resize(&ws, ws.nr);
            assert_like_model(&ws);
        }
    }
    vh_wires_clear(&ws);
    g_assert_null(ws.v);
    g_assert_cmpuint(ws.nr, ==, 0);
    g_assert_cmpuint(ws.room, ==, 0);
}

static void test_no_wires(void)
{
    VhWires ws = { 0 };

    g_assert_cmpuint(vh_wires_find(&ws, 5), ==, 0);
    vh_wires_merge(&ws, NULL, 0);
    g_assert_cmpuint(ws.nr, ==, 0);
}

static void test_stamps(void)
{
    const uint64_t wrap_ns = 1ULL << (32 + VH_STAMP_SHIFT);
    VhStamp a = vh_stamp(wrap_ns - 1000000000), b = vh_stamp(wrap_ns + 5e9);

    g_assert_cmpfloat_with_epsilon(vh_stamp_s(a, b), 6, 1e-3);
    g_assert_cmpfloat_with_epsilon(vh_stamp_s(b, a), -6, 1e-3);
    g_assert_cmpuint(vh_stamp_add(a, 0), ==, a + 1);
    g_assert_cmpfloat_with_epsilon(vh_stamp_s(vh_stamp_add(a, 6), b), 0, 1e-3);
    g_assert_cmpfloat_with_epsilon(vh_stamp_s(vh_stamp_back(b, 6), a), 0, 1e-3);
    g_assert_cmpuint(vh_stamp_back(b, 0), ==, b);
    g_assert_cmpuint(vh_stamp_back(b, -5), ==, b);
    g_assert_cmpfloat_with_epsilon(
        vh_stamp_s(vh_stamp_back(a, VH_SILENCE_MAX_S), a), VH_SILENCE_MAX_S, 1);
}

static VhStamp after(VhStamp s, double seconds)
{
    return s + (VhStamp)(seconds / TICK_S + 0.5);
}

/* Asked after 3 s and 4 s, down for 100 s, asked after 5 s more. */
static void silence_across_rest(VhStamp now)
{
    VhWire w = { .from = now, .asked = now, .state = VH_WIRE_PENDING };

    vh_wire_armed(&w, now);
    g_assert_cmpint(w.state, ==, VH_WIRE_ARMED);
    vh_wire_silent(&w, now = after(now, 3));
    vh_wire_silent(&w, now = after(now, 1));
    g_assert_cmpfloat_with_epsilon(vh_wire_silence(&w), 4, 1e-3);
    w.state = VH_WIRE_DOWN;
    vh_wire_armed(&w, now = after(now, 100));
    g_assert_cmpfloat_with_epsilon(vh_wire_silence(&w), 4, 1e-3);
    g_assert_cmpint(w.asked, ==, now);
    vh_wire_silent(&w, now = after(now, 5));
    g_assert_cmpfloat_with_epsilon(vh_wire_silence(&w), 9, 1e-3);
}

static void test_silence_across_rest(void)
{
    silence_across_rest(12345);
    silence_across_rest(G_MAXUINT32 - 100); /* and across the wrap */
    silence_across_rest(vh_stamp_back(0, 50));
}

static void test_longest_silence(void)
{
    VhStamp now = 7;
    VhWire w = { .from = now, .asked = now };

    vh_wire_armed(&w, now);
    for (int day = 0; day < 30; day++) { /* more than stamps can tell */
        vh_wire_silent(&w, now = after(now, 86400));
        g_assert_cmpfloat_with_epsilon(vh_wire_silence(&w), VH_SILENCE_MAX_S,
                                       2);
    }
}

static VhWire life(VhStamp *now, double silent, double interval)
{
    VhWire w = { .from = *now, .asked = *now };

    vh_wire_armed(&w, *now);
    vh_wire_silent(&w, *now = after(*now, silent));
    vh_wire_fired(&w, &rates, *now = after(*now, interval));
    return w;
}

static void test_fired(void)
{
    VhStamp now = vh_stamp_back(0, 1);
    VhWire w = life(&now, 2, 0.5);
    double past;

    g_assert_cmpuint(w.nr, ==, 1);
    g_assert_cmpint(w.state, ==, VH_WIRE_DOWN);
    g_assert_cmpuint(w.from, ==, now);
    g_assert_cmpuint(w.asked, ==, now);
    g_assert_cmpuint(w.lives[0].silent, ==, vh_rates_code(2));
    g_assert_cmpuint(w.lives[0].interval, ==, vh_rates_code(0.5));
    for (unsigned i = 2; i <= VH_LIVES + 2; i++) {
        now = after(now, 3);
        vh_wire_armed(&w, now);
        g_assert_cmpuint(w.rest, ==, vh_rates_code(3));
        vh_wire_fired(&w, &rates, now = after(now, i));
        g_assert_cmpuint(w.nr, ==, MIN(i, VH_LIVES));
        g_assert_cmpuint(w.lives[0].silent, ==, 0);
        g_assert_cmpuint(w.lives[0].interval, ==, vh_rates_code(i));
        past = i > VH_LIVES ? i - VH_LIVES : 0;
        g_assert_cmpfloat_with_epsilon(w.past_fires / 8.0, past,
                                       0.01 + past * 0.07);
    }
    g_assert_cmpuint(w.lives[3].interval, ==, vh_rates_code(VH_LIVES - 1));
}

/* All that is known: of a life, of a running silence, at no age at all. */
static void test_seen(void)
{
    VhStamp now = 1000;
    VhWire w = life(&now, 2, 0.5);
    VhLikelihood want = { 0 }, got;

    vh_likelihood_fired(&rates, &want, 1, rates.seconds[w.lives[0].silent],
                        w.lives[0].interval);
    vh_wire_seen(&w, &rates, now, &got);
    for (int g = 0; g < VH_RATES; g++) {
        g_assert_cmpfloat_with_epsilon(got.of[g], want.of[g], 1e-3);
    }
    vh_wire_armed(&w, now);
    vh_wire_silent(&w, now = after(now, 0.25));
    vh_wire_seen(&w, &rates, now, &got);
    for (int g = 0; g < VH_RATES; g++) {
        float age = 0.25f / VH_FORGET_S;
        float exact =
            want.of[g] * expf(-age) - rates.hz[g] * vh_wire_silence(&w);

        g_assert_cmpfloat_with_epsilon(got.of[g], exact,
                                       1e-4 * fabsf(exact) + 1e-3);
    }
}

/* What was seen VH_FORGET_S ago counts 1/e, of lives and of silences. */
static void test_forgets_by_age(void)
{
    VhStamp now = vh_stamp_back(0, 10);
    VhWire w = life(&now, 2, 0.5), silent = { .from = now, .asked = now };
    VhLikelihood before, got;

    for (int kind = 0; kind < 2; kind++) {
        VhStamp later;

        vh_wire_seen(&w, &rates, now, &before);
        for (int k = 1; k <= 3; k++) {
            later = after(now, k * VH_FORGET_S);
            vh_wire_seen(&w, &rates, later, &got);
            for (int g = 0; g < VH_RATES; g++) {
                float exact = before.of[g] * expf(-k);

                g_assert_cmpfloat_with_epsilon(got.of[g], exact,
                                               1e-3 * fabsf(exact) + 1e-6);
            }
        }
        vh_wire_armed(&silent, now);
        vh_wire_silent(&silent, now = after(now, 20));
        w = silent;
    }
}

/* How long ago a life was counts the rests in between, too. */
static void test_age_of_lives(void)
{
    VhStamp now = 5000;
    VhWire w = life(&now, 0, 0.5);
    VhLikelihood got;
    double exact;
    int g = 10;

    w.delay = vh_rates_code(20);
    now = after(now, 20);
    vh_wire_armed(&w, now);
    vh_wire_fired(&w, &rates, now = after(now, 0.5));
    vh_wire_seen(&w, &rates, now, &got);
    exact = rates.fired[w.lives[0].interval][g] +
            rates.fired[w.lives[1].interval][g] * exp(-20.5 / VH_FORGET_S);
    g_assert_cmpfloat_with_epsilon(got.of[g], exact, 0.05 * fabs(exact));
}

static VhRateFit fit_of(const VhWire *w, VhStamp now)
{
    VhLikelihood l;

    vh_wire_seen(w, &rates, now, &l);
    return vh_likelihood_fit(&rates, &l);
}

/* It was hot and is silent now: what it was does not matter. */
static void test_change_to_cold(void)
{
    VhStamp now = 99;
    VhWire w = life(&now, 0, 0.02);

    for (int i = 0; i < 10; i++) {
        now = after(now, 0.02);
        vh_wire_armed(&w, now);
        vh_wire_fired(&w, &rates, now = after(now, 0.02));
    }
    g_assert_cmpfloat(fit_of(&w, now).hz, >, 30);
    vh_wire_armed(&w, now);
    vh_wire_silent(&w, now = after(now, 10));
    g_assert_cmpfloat(fit_of(&w, now).hz, ==, 0);
    g_assert_cmpfloat(fit_of(&w, now).high, <, 0.3);
}

/* It was cold for long: one fire may be chance, a second soon after is not. */
static void test_change_to_hot(void)
{
    VhStamp now = 99;
    VhWire w = life(&now, 200, 0.02);

    g_assert_cmpfloat(fit_of(&w, now).hz, <, 0.02);
    vh_wire_armed(&w, now);
    vh_wire_fired(&w, &rates, now = after(now, 0.02));
    g_assert_cmpfloat(fit_of(&w, now).hz, >, 10);
}

/* A rate that did not change by much is no change. */
static void test_no_change(void)
{
    VhStamp now = 99;
    VhWire w = life(&now, 2, 0.02);

    vh_wire_armed(&w, now);
    vh_wire_silent(&w, now = after(now, 0.8));
    vh_wire_fired(&w, &rates, now = after(now, 0.02));
    g_assert_cmpfloat(fit_of(&w, now).hz, >, 0.5);
    g_assert_cmpfloat(fit_of(&w, now).hz, <, 1);
}

/* Before the change lies a past that would say something else. */
static void test_change_in_the_past(void)
{
    VhStamp now = 99;
    VhWire w = life(&now, 0, 0.02);

    for (int i = 0; i < 12; i++) {
        vh_wire_armed(&w, now);
        vh_wire_fired(&w, &rates, now = after(now, 0.02));
    }
    for (int i = 0; i < VH_LIVES; i++) {
        vh_wire_armed(&w, now);
        vh_wire_silent(&w, now = after(now, 3));
        vh_wire_fired(&w, &rates, now = after(now, 0.02));
    }
    g_assert_cmpuint(w.past_fires, >, 0);
    g_assert_cmpfloat(fit_of(&w, now).hz, <, 1);
}

static void test_forget(void)
{
    VhStamp now = 99;
    VhWire w = life(&now, 5, 0.02), before;

    for (int i = 0; i < 6; i++) {
        vh_wire_armed(&w, now);
        vh_wire_silent(&w, now = after(now, 5));
        vh_wire_fired(&w, &rates, now = after(now, 0.02));
    }
    before = w;
    vh_wire_forget_before(&w);
    g_assert_cmpuint(w.nr, ==, 2);
    g_assert_cmpuint(w.past_fires, ==, 0);
    g_assert_cmpuint(w.past_s, ==, 0);
    g_assert_cmpuint(w.lives[0].silent, ==, before.lives[0].silent);
    g_assert_cmpuint(w.lives[1].silent, ==, 0);
    g_assert_cmpuint(w.lives[1].interval, ==, before.lives[1].interval);
    w = before;
    vh_wire_forget(&w);
    g_assert_cmpuint(w.nr, ==, 1);
    g_assert_cmpuint(w.past_fires, ==, 0);
    g_assert_cmpuint(w.lives[0].silent, ==, 0);
    g_assert_cmpuint(w.lives[0].interval, ==, before.lives[0].interval);
}

/* A page of @hz fires @fires times, looked at all @dt; adds what was seen. */
static void fire_often(VhRng *rng, double hz, double dt, int fires,
                       VhLikelihood *sum)
{
    VhStamp now = vh_rng_next(rng);
    VhWire w = { .from = now, .asked = now, .rate = vh_rates_nearest(hz) };
    VhLikelihood seen;

    for (int i = 0; i < fires; i++) {
        double silent = floor(chance_wait(rng, hz) / dt) * dt;

        vh_wire_armed(&w, now);
        if (silent > 0) {
            vh_wire_silent(&w, now = after(now, silent));
        }
        vh_wire_fired(&w, &rates, now = after(now, dt));
    }
    vh_wire_seen(&w, &rates, now, &seen);
    vh_likelihood_add(sum, &seen);
}

/* Many pages together tell the rate; folding must not push it either way. */
static void assert_folds(double hz, double dt, int fires)
{
    VhLikelihood sum = { 0 };
    double bias;
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 2000; i++) {
        fire_often(&rng, hz, dt, fires, &sum);
    }
    bias = vh_likelihood_fit(&rates, &sum).hz / hz - 1;
    g_test_message("%g Hz, %d fires: %+.1f %%", hz, fires, 100 * bias);
    g_assert_cmpfloat(fabs(bias), <, 0.06); /* of which the fit has 0.044 */
}

static void test_folds(void)
{
    for (int fires = 4; fires <= 256; fires *= 2) {
        assert_folds(20, 0.005, fires);
        assert_folds(20, 0.05, fires);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vh_rates_init(&rates);
    g_test_add_func("/wires/array", test_array);
    g_test_add_func("/wires/none", test_no_wires);
    g_test_add_func("/wires/stamps", test_stamps);
    g_test_add_func("/wires/silence-across-rest", test_silence_across_rest);
    g_test_add_func("/wires/longest-silence", test_longest_silence);
    g_test_add_func("/wires/fired", test_fired);
    g_test_add_func("/wires/seen", test_seen);
    g_test_add_func("/wires/age", test_forgets_by_age);
    g_test_add_func("/wires/age-of-lives", test_age_of_lives);
    g_test_add_func("/wires/change/cold", test_change_to_cold);
    g_test_add_func("/wires/change/hot", test_change_to_hot);
    g_test_add_func("/wires/change/none", test_no_change);
    g_test_add_func("/wires/change/past", test_change_in_the_past);
    g_test_add_func("/wires/forget", test_forget);
    g_test_add_func("/wires/folds", test_folds);
    return g_test_run();
}
