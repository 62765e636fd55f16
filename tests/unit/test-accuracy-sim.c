/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated primitive of bench/accuracy against exact probabilities. */
#include <glib.h>
#include <math.h>

#include "sim-primitive.h"

#define MIB (1ULL << 20)
#define MS 1000000ULL
#define TRIALS 40000

typedef struct Fixture {
    Sim s;
    Workload *w;
    VhHost host;
    void *p;
} Fixture;

/* 4 MiB: page 0 at 20 a second, at 5 from 30 ms on; page 1 at 3; half writes */
static void start(Fixture *f, uint64_t granule, bool persistent)
{
    const Line lines[] = { { 0, 0, 4096, 20, 0.5 },
                           { 0, 4096, 8192, 3, 0.5 },
                           { 30 * MS, 0, 4096, 5, 0.5 } };
    g_autofree char *why = NULL;

    f->w = workload_new(4 * MIB, lines, G_N_ELEMENTS(lines), &why);
    f->s = (Sim){ .work = f->w,
                  .cost = SIM_COSTS_NESTED,
                  .granule = granule,
                  .persistent = persistent };
    f->host = (VhHost){ .opaque = &f->s };
    sim_begin(&f->s, 1);
    f->p = sim_primitive.open(&f->host, &why);
}

static void stop(Fixture *f)
{
    sim_finish(&f->s);
    workload_free(f->w);
}

static VhCheck arm(Fixture *f, void *p, uint64_t gpa)
{
    VhCheck c = { .gpa = gpa };

    sim_primitive.arm(p, &c, 1);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    return c;
}

static bool collect(Fixture *f, void *p, VhCheck c)
{
    sim_primitive.collect(p, &c, 1);
    g_assert_true(c.state == VH_CHECK_FIRED || c.state == VH_CHECK_SILENT);
    return c.state == VH_CHECK_FIRED;
}

/* Share of fires when looked at every @step ms for 50 ms; ends at the first. */
static double share(Fixture *f, void *p, uint64_t gpa, uint64_t step)
{
    int fires = 0;

    for (int i = 0; i < TRIALS; i++) {
        VhCheck c;
        bool fired = false;

        f->s.now_ns = 0;
        c = arm(f, p, gpa);
        while (f->s.now_ns < 50 * MS && !fired) {
            f->s.now_ns += step * MS;
            fired = collect(f, p, c);
        }
        fires += fired;
        wires_clear(&((SimSensor *)p)->wires);
    }
    return (double)fires / TRIALS;
}

/* Within four standard deviations of the exact formula. */
static void assert_chance(double got, double mean)
{
    double p = -expm1(-mean);

    g_assert_cmpfloat_with_epsilon(got, p, 4 * sqrt(p * (1 - p) / TRIALS));
}

static void test_chance(void)
{
    const double mean = 20 * 0.03 + 5 * 0.02; /* page 0 in 50 ms */
    const double other = 3 * 0.05;
    Fixture f;

    start(&f, 4096, true);
    assert_chance(share(&f, f.p, 0, 50), mean);
    assert_chance(share(&f, f.p, 0, 5), mean); /* looking changes nothing */
    assert_chance(share(&f, f.p, 4096, 10), other);
    g_assert_cmpfloat(share(&f, f.p, 8192, 50), ==, 0);
    stop(&f);
}

static void test_chance_of_granule(void)
{
    const double mean = 20 * 0.03 + 5 * 0.02 + 3 * 0.05;
    Fixture f;

    start(&f, 2 * MIB, true);
    assert_chance(share(&f, f.p, MIB, 10), mean);
    g_assert_cmpfloat(share(&f, f.p, 2 * MIB, 50), ==, 0);
    g_assert_cmpuint(arm(&f, f.p, MIB).granule, ==, 2 * MIB);
    stop(&f);
}

static void test_chance_of_writes(void)
{
    g_autofree char *why = NULL;
    Fixture f;
    void *writes;

    start(&f, 4096, true);
    writes = sim_write_primitive.open(&f.host, &why);
    assert_chance(share(&f, writes, 0, 50), (20 * 0.03 + 5 * 0.02) / 2);
    stop(&f);
}

/* An hour later: page 1 was touched, certainly; the empty one was not. */
static void test_stays_armed(void)
{
    VhPrimitiveStats st;
    Fixture f;
    VhCheck c;

    start(&f, 4096, true);
    arm(&f, f.p, 4096);
    c = arm(&f, f.p, 8192);
    f.s.now_ns = 3600000 * MS;
    g_assert_false(collect(&f, f.p, c));
    g_assert_false(collect(&f, f.p, c));        /* without an arm */
    g_assert_false(arm(&f, f.p, 8192).present); /* armed already */
    g_assert_true(arm(&f, f.p, 4096).present);
    g_assert_cmpuint(f.s.accesses.unseen, ==, 1);
    sim_primitive.stats(f.p, &st);
    g_assert_cmpuint(st.fires, ==, 0); /* nobody was told */
    g_assert_cmpuint(st.arms, ==, 3);
    g_assert_cmpuint(st.arms_free, ==, 1);
    stop(&f);
}

/* What still is armed at the end of the run, and was touched. */
static void test_fires_at_the_end(void)
{
    Fixture f;

    start(&f, 4096, true);
    arm(&f, f.p, 0);
    arm(&f, f.p, 4096);
    arm(&f, f.p, 8192);
    f.s.now_ns = 3600000 * MS;
    sim_finish(&f.s);
    g_assert_cmpuint(f.s.accesses.fires, ==, 2);
    g_assert_cmpuint(f.s.accesses.unseen, ==, 2);
    g_assert_cmpuint(sim_guest_ns(&f.s), ==,
                     3 * (f.s.cost.batch + f.s.cost.arm) + 2 * f.s.cost.fire);
    stop(&f);
}

static void test_not_persistent(void)
{
    Fixture f;
    VhCheck c;

    start(&f, 4096, false);
    c = arm(&f, f.p, 8192);
    f.s.now_ns = 10 * MS;
    g_assert_false(collect(&f, f.p, c));
    g_assert_true(arm(&f, f.p, 8192).present); /* it has to be done again */
    g_assert_false(sim_caps(&f.s, false).persistent);
    stop(&f);
}

/* The table against a plain array, with many collisions. */
static void test_wires(void)
{
    enum { PAGES = 3000 };
    bool armed[PAGES] = { false };
    Wires w = { 0 };
    size_t nr = 0;
    VhRng rng;

    vh_rng_seed(&rng, 1);
    for (int i = 0; i < 200000; i++) {
        uint64_t page = vh_rng_below(&rng, PAGES);
        Wire *wire = wires_find(&w, page << 20);

        g_assert_cmpint(wire != NULL, ==, armed[page]);
        if (wire) {
            g_assert_cmpuint(wire->seen_ns, ==, page);
            wires_remove(&w, wire);
        } else {
            wires_add(&w, page << 20, page);
        }
        nr += wire ? -1 : 1;
        armed[page] = !wire;
        g_assert_cmpuint(w.nr, ==, nr);
    }
    wires_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accuracy/sim/chance", test_chance);
    g_test_add_func("/accuracy/sim/granule", test_chance_of_granule);
    g_test_add_func("/accuracy/sim/writes", test_chance_of_writes);
    g_test_add_func("/accuracy/sim/stays-armed", test_stays_armed);
    g_test_add_func("/accuracy/sim/end", test_fires_at_the_end);
    g_test_add_func("/accuracy/sim/not-persistent", test_not_persistent);
    g_test_add_func("/accuracy/sim/wires", test_wires);
    return g_test_run();
}
