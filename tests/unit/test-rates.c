/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Likelihoods of rates against formulas in double precision. */
#include <glib.h>

#include "chance.h"
#include "rates.h"

#define FINE 20000 /* points of brute force */
#define LAST (VH_RATES - 1)

/* What was seen: @silent, then accessed within @interval (0: not yet). */
typedef struct Seen {
    double silent;
    uint8_t interval;
    double weight;
} Seen;

#define SEEN_MAX 64

typedef struct Data {
    Seen v[SEEN_MAX];
    size_t nr;
} Data;

static VhRates rates;

static double grid_hz(double g)
{
    return VH_RATE_MIN * pow(VH_RATE_STEP, g);
}

static void assert_close(double got, double exact)
{
    g_assert_cmpfloat_with_epsilon(got, exact, 1e-5 * fabs(exact) + 1e-5);
}

static void test_grid(void)
{
    for (int g = 0; g < VH_RATES; g++) {
        assert_close(rates.hz[g] / grid_hz(g), 1);
        assert_close(rates.log_hz[g], log(grid_hz(g)));
        g_assert_cmpuint(vh_rates_nearest(grid_hz(g)), ==, g);
        g_assert_cmpuint(vh_rates_nearest(grid_hz(g + 0.49)), ==, g);
        g_assert_cmpuint(vh_rates_nearest(grid_hz(g - 0.49)), ==, g);
    }
    g_assert_cmpuint(vh_rates_nearest(0), ==, 0);
    g_assert_cmpuint(vh_rates_nearest(1e9), ==, LAST);
}

static void test_codes(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    g_assert_cmpfloat(rates.seconds[0], ==, 0);
    for (int c = 1; c < VH_TIME_CODES; c++) {
        g_assert_cmpfloat(rates.seconds[c], >, rates.seconds[c - 1]);
        g_assert_cmpuint(vh_rates_code(rates.seconds[c]), ==, c);
    }
    for (int i = 0; i < 100000; i++) {
        double a = chance_log(&rng, rates.seconds[1], rates.seconds[255]);
        double b = a * (1 + vh_rng_unit(&rng));
        double back = rates.seconds[vh_rates_code(a)];

        g_assert_cmpfloat(fabs(log2(back / a)), <, 1 / 16.0 + 1e-4);
        g_assert_cmpuint(vh_rates_code(a), <=, vh_rates_code(b));
    }
}

static void test_code_extremes(void)
{
    g_assert_cmpuint(vh_rates_code(0), ==, 0);
    g_assert_cmpuint(vh_rates_code(-1), ==, 0);
    g_assert_cmpuint(vh_rates_code(-1e300), ==, 0);
    g_assert_cmpuint(vh_rates_code(1e-9), ==, 0);
    g_assert_cmpuint(vh_rates_code(rates.seconds[1] * 0.6), ==, 1);
    g_assert_cmpuint(vh_rates_code(1e9), ==, VH_TIME_CODES - 1);
    g_assert_cmpuint(vh_rates_code(1e300), ==, VH_TIME_CODES - 1);
    g_assert_cmpfloat(rates.seconds[VH_TIME_CODES - 1], >, 7 * 86400);
}

static double log_fired(double hz, double seconds)
{
    return log(-expm1(-hz * seconds));
}

static void test_silent(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 1000; i++) {
        VhLikelihood l = { 0 };
        double a = chance_log(&rng, 1e-4, 1e5);
        double b = chance_log(&rng, 1e-4, 1e5);

        vh_likelihood_silent(&rates, &l, a);
        vh_likelihood_silent(&rates, &l, b); /* they add up */
        for (int g = 0; g < VH_RATES; g++) {
            assert_close(l.of[g], -grid_hz(g) * (a + b));
        }
    }
}

static void test_fired(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 5000; i++) {
        VhLikelihood l = { 0 };
        double silent = chance_log(&rng, 1e-4, 1e4);
        double weight = vh_rng_unit(&rng);
        uint8_t code = vh_rng_below(&rng, VH_TIME_CODES);
        double interval = rates.seconds[MAX(code, 1)];

        vh_likelihood_fired(&rates, &l, weight, silent, code);
        for (int g = 0; g < VH_RATES; g++) {
            assert_close(l.of[g], weight * (log_fired(grid_hz(g), interval) -
                                            grid_hz(g) * silent));
        }
    }
}

static void test_events(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 1000; i++) {
        VhLikelihood l = { 0 };
        double fires = chance_log(&rng, 0.1, 1000), weight = vh_rng_unit(&rng);
        double seconds = chance_log(&rng, 1e-3, 1e4);

        vh_likelihood_events(&rates, &l, weight, fires, seconds);
        for (int g = 0; g < VH_RATES; g++) {
            double gain = fires * log(grid_hz(g)), loss = grid_hz(g) * seconds;

            /* floats lose what is common to both */
            g_assert_cmpfloat_with_epsilon(l.of[g], weight * (gain - loss),
                                           1e-6 * (fabs(gain) + loss) + 1e-6);
        }
    }
}

static void test_add_and_best(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 1000; i++) {
        VhLikelihood a, b, sum;
        unsigned best;

        for (int g = 0; g < VH_RATES; g++) {
            a.of[g] = -100 * vh_rng_unit(&rng);
            b.of[g] = -100 * vh_rng_unit(&rng);
        }
        sum = a;
        vh_likelihood_add(&sum, &b);
        best = vh_likelihood_best(&sum);
        g_assert_cmpfloat(vh_likelihood_max(&sum), ==, sum.of[best]);
        for (int g = 0; g < VH_RATES; g++) {
            assert_close(sum.of[g], (double)a.of[g] + b.of[g]);
            g_assert_cmpfloat(sum.of[g], <=, sum.of[best]);
        }
    }
}

/* What @d says of @hz, exactly. */
static double exact(const Data *d, double hz)
{
    double sum = 0;

    for (size_t i = 0; i < d->nr; i++) {
        const Seen *s = &d->v[i];

        sum -= s->weight * hz * s->silent;
        if (s->interval) {
            sum += s->weight * log_fired(hz, rates.seconds[s->interval]);
        }
    }
    return sum;
}

static VhLikelihood likelihood(const Data *d)
{
    VhLikelihood l = { 0 };

    for (size_t i = 0; i < d->nr; i++) {
        const Seen *s = &d->v[i];

        if (s->interval) {
            vh_likelihood_fired(&rates, &l, s->weight, s->silent, s->interval);
        } else {
            vh_likelihood_silent(&rates, &l, s->weight * s->silent);
        }
    }
    return l;
}

/* A page of @hz that is looked at all @interval, for @lives. */
static void watch(VhRng *rng, Data *d, double hz, uint8_t interval, int lives)
{
    double dt = rates.seconds[interval];

    for (int i = 0; i < lives; i++) {
        double silent = floor(chance_wait(rng, hz) / dt) * dt;

        d->v[d->nr++] = (Seen){ silent, interval, 1 };
    }
}

/* The most likely rate, by golden section; likelihoods have one maximum. */
static double exact_best(const Data *d)
{
    const double golden = 0.6180339887498949;
    double lo = -0.5, hi = LAST + 0.5;

    while (hi - lo > 1e-6) {
        double a = hi - golden * (hi - lo), b = lo + golden * (hi - lo);

        if (exact(d, grid_hz(a)) > exact(d, grid_hz(b))) {
            hi = b;
        } else {
            lo = a;
        }
    }
    return grid_hz((lo + hi) / 2);
}

/* rates.h promises 5 % for fires in seconds, whose best rate is a quotient. */
static void test_fit_events(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 100000; i++) {
        VhLikelihood l = { 0 };
        double fires = chance_log(&rng, 1, 10000);
        double hz = chance_log(&rng, grid_hz(1), grid_hz(LAST - 1));

        vh_likelihood_events(&rates, &l, 1, fires, fires / hz);
        g_assert_cmpfloat(fabs(vh_likelihood_fit(&rates, &l).hz / hz - 1), <,
                          0.05);
    }
}

/* Fires somewhere in an interval; rates that the interval can tell. */
static void test_fit_intervals(void)
{
    VhRng rng;
    double worst = 0;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 4000; i++) {
        Data d = { 0 };
        uint8_t code = vh_rates_code(0.02);
        double hz = chance_log(&rng, 0.02, 100), best;
        VhLikelihood l;

        watch(&rng, &d, hz, code, 1 + vh_rng_below(&rng, 30));
        best = exact_best(&d);
        l = likelihood(&d);
        if (best > grid_hz(1) && best < 150) {
            double fit = vh_likelihood_fit(&rates, &l).hz;

            worst = MAX(worst, fabs(fit / best - 1));
        }
    }
    g_test_message("worst error %.4f", worst);
    g_assert_cmpfloat(worst, <, 0.05);
}

static void test_fit_extremes(void)
{
    VhLikelihood silence = { 0 }, fire = { 0 };
    VhRateFit fit;

    vh_likelihood_silent(&rates, &silence, 100);
    fit = vh_likelihood_fit(&rates, &silence);
    g_assert_cmpfloat(fit.hz, ==, 0);
    g_assert_cmpfloat(fit.low, ==, 0);
    g_assert_cmpfloat(fit.high, >, 0.01);
    g_assert_cmpfloat(fit.high, <, 3 / 100.0);
    vh_likelihood_fired(&rates, &fire, 1, 0, vh_rates_code(10));
    fit = vh_likelihood_fit(&rates, &fire);
    g_assert_cmpfloat(fit.hz, >=, 1); /* anything from there on is as likely */
    g_assert_cmpfloat(fit.low, <, 1);
    g_assert_cmpfloat(fit.high, >, grid_hz(LAST - 1));
    vh_likelihood_fired(&rates, &fire, 100, 0, vh_rates_code(0.001));
    fit = vh_likelihood_fit(&rates, &fire);
    assert_close(fit.hz / grid_hz(LAST), 1);
}

/* Where on the grid the exact posterior, flat in log(rate), reaches @share. */
static double exact_quantile(const Data *d, double share)
{
    static double p[FINE];
    double best = exact(d, exact_best(d)), sum = 0, below = 0;
    int i;

    for (i = 0; i < FINE; i++) {
        double g = -0.5 + VH_RATES * (i + 0.5) / FINE;

        sum += p[i] = exp(exact(d, grid_hz(g)) - best);
    }
    for (i = 0; i < FINE && below < share * sum; i++) {
        below += p[i];
    }
    return -0.5 + (double)VH_RATES * i / FINE;
}

static double place(double hz)
{
    return log(hz / VH_RATE_MIN) / log(VH_RATE_STEP);
}

/*
 * Cells of the grid are as wide as a factor of 1.68; an interval is at most
 * half of that off at either end.
 */
static void test_interval(void)
{
    double worst = 0, sum = 0;
    int n = 200;
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < n; i++) {
        Data d = { 0 };
        double hz = chance_log(&rng, 0.05, 100), low, high;
        VhLikelihood l;
        VhRateFit fit;

        watch(&rng, &d, hz, vh_rates_code(0.02), 1 + vh_rng_below(&rng, 8));
        l = likelihood(&d);
        fit = vh_likelihood_fit(&rates, &l);
        low = fabs(place(fit.low) - exact_quantile(&d, 0.05));
        high = fabs(place(fit.high) - exact_quantile(&d, 0.95));
        worst = MAX(worst, MAX(low, high));
        sum += low + high;
    }
    g_test_message("worst %.3f, mean %.3f cells", worst, sum / n / 2);
    g_assert_cmpfloat(worst, <, 0.5);
    g_assert_cmpfloat(sum / n / 2, <, 0.15);
}

/* How often the rate is in the interval after @lives. */
static double coverage(VhRng *rng, int lives, double *below)
{
    int n = 4000, in = 0, under = 0;

    for (int i = 0; i < n; i++) {
        double hz = chance_log(rng, grid_hz(-0.5), grid_hz(LAST + 0.5));
        Data d = { 0 };
        VhLikelihood l;
        VhRateFit fit;

        watch(rng, &d, hz, vh_rates_code(0.02), lives);
        l = likelihood(&d);
        fit = vh_likelihood_fit(&rates, &l);
        in += hz >= fit.low && hz <= fit.high;
        under += hz < fit.low;
    }
    *below = (double)under / n;
    return (double)in / n;
}

static void test_coverage(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int lives = 1; lives <= 16; lives *= 2) {
        double below, in = coverage(&rng, lives, &below);

        g_test_message("%d lives: %.3f in, %.3f below", lives, in, below);
        g_assert_cmpfloat(in, >=, 0.85);
        g_assert_cmpfloat(in, <=, 0.95);
        g_assert_cmpfloat(below, >=, 0.02);
        g_assert_cmpfloat(below, <=, 0.08);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vh_rates_init(&rates);
    g_test_add_func("/rates/grid", test_grid);
    g_test_add_func("/rates/codes", test_codes);
    g_test_add_func("/rates/code-extremes", test_code_extremes);
    g_test_add_func("/rates/silent", test_silent);
    g_test_add_func("/rates/fired", test_fired);
    g_test_add_func("/rates/events", test_events);
    g_test_add_func("/rates/add", test_add_and_best);
    g_test_add_func("/rates/fit/events", test_fit_events);
    g_test_add_func("/rates/fit/intervals", test_fit_intervals);
    g_test_add_func("/rates/fit/extremes", test_fit_extremes);
    g_test_add_func("/rates/interval", test_interval);
    g_test_add_func("/rates/coverage", test_coverage);
    return g_test_run();
}
