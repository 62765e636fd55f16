/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How right the estimator exposure is, in a simulated guest, on its budget. */
#include <glib.h>
#include <math.h>

#include "quantile.h"
#include "sim-primitive.h"
#include "vmheat/monitor.h"

#define MIB (1ULL << 20)
#define S 1000000000ULL
#define SEEDS 5

typedef struct Fixture {
    Sim sim;
    Workload *w;
    VhHost host;
    VhMonitor *m;
} Fixture;

static void start(Fixture *f, uint64_t size, const Line *lines, size_t n,
                  uint64_t seed)
{
    VhMapSection *sec = g_new0(VhMapSection, 1);
    VhMonitorConfig cfg;
    g_autofree char *why = NULL;
    VhMap *map;

    f->w = workload_new(size, lines, n, &why);
    f->sim = (Sim){ .work = f->w,
                    .cost = SIM_COSTS_NESTED,
                    .granule = VH_PAGE_SIZE,
                    .persistent = true };
    sim_begin(&f->sim, seed + 1000);
    f->host = (VhHost){ .size = sizeof(VhHost),
                        .kvm = true,
                        .nested = true,
                        .clock = { sim_now, &f->sim },
                        .opaque = &f->sim };
    cfg = (VhMonitorConfig){
        .attrs = VH_ATTRS_DEFAULT,
        .limits = { .traps_per_second = 100, .budget_bp = 100 },
        .estimator = vh_estimator_find("exposure"),
        .primitive = { &sim_primitive, sim_caps(&f->sim, false) },
        .host = &f->host,
        .cpu = { sim_cpu, &f->sim },
        .seed = seed,
    };
    f->m = vh_monitor_new(&cfg, &why);
    sec->size = size;
    sec->page_size = VH_PAGE_SIZE;
    sec->name = g_strdup("ram");
    map = vh_map_new(sec, 1);
    g_assert_true(vh_monitor_set_map(f->m, map, &why));
    vh_map_unref(map);
}

static void stop(Fixture *f)
{
    vh_monitor_free(f->m);
    sim_finish(&f->sim);
    workload_free(f->w);
}

static void run(Fixture *f, double seconds)
{
    uint64_t end = f->sim.now_ns + seconds * S;

    while (f->sim.now_ns < end) {
        f->sim.now_ns = vh_monitor_tick(f->m);
    }
}

/* Mean over the bytes of @r. */
static double rate_in(Fixture *f, VhRange r)
{
    VhSnapshot *s = vh_monitor_snapshot(f->m);
    double sum = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        const VhSnapRegion *g = &s->regions[i];
        uint64_t from = MAX(r.start, g->start), to = MIN(r.end, g->end);

        sum += from < to ? (to - from) * (double)g->rate : 0;
    }
    vh_snapshot_unref(s);
    return sum / (r.end - r.start);
}

static const VhRange blocks[] = { { 128 * MIB, 192 * MIB },
                                  { 448 * MIB, 512 * MIB },
                                  { 800 * MIB, 864 * MIB } };
static const double rates[] = { 1, 10, 100 };

/* The issue's: 1, 10 and 100 a second told within 30 % after 10 s. */
static void test_rates(void)
{
    double got[3][SEEDS], cold[SEEDS];

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        Line lines[3];
        Fixture f;

        for (int i = 0; i < 3; i++) {
            lines[i] = (Line){ 0, blocks[i].start, blocks[i].end, rates[i], 0 };
        }
        start(&f, 1024 * MIB, lines, 3, seed + 1);
        run(&f, 10);
        for (int i = 0; i < 3; i++) {
            got[i][seed] = rate_in(&f, blocks[i]);
        }
        cold[seed] = rate_in(&f, (VhRange){ 600 * MIB, 700 * MIB });
        stop(&f);
    }
    for (int i = 0; i < 3; i++) {
        double median = quantile(got[i], SEEDS, 0.5);

        g_test_message("%g a second: %.3g", rates[i], median);
        g_assert_cmpfloat(fabs(median / rates[i] - 1), <=, 0.3);
    }
    g_assert_cmpfloat(quantile(cold, SEEDS, 0.5), <, 0.02);
}

/* It costs no more than it may: fires of any kind, and the guest's time. */
static void test_costs(void)
{
    const Line lines[] = { { 0, 128 * MIB, 512 * MIB, 20, 0 } };
    Fixture f;

    start(&f, 1024 * MIB, lines, 1, 1);
    run(&f, 20);
    stop(&f); /* what is armed now may have fired */
    g_assert_cmpuint(f.sim.accesses.fires, <=, 20 * 100 * 1.1 + 25);
    g_assert_cmpfloat(sim_guest_ns(&f.sim) * 1e-9, <=, 20 * 0.01 * 1.1);
}

/* A block that moves is followed. */
static void test_moves(void)
{
    const Line lines[] = { { 0, 128 * MIB, 192 * MIB, 50, 0 },
                           { 10 * S, 128 * MIB, 192 * MIB, 0, 0 },
                           { 10 * S, 640 * MIB, 704 * MIB, 50, 0 } };
    Fixture f;

    start(&f, 1024 * MIB, lines, 3, 1);
    run(&f, 10);
    g_assert_cmpfloat(rate_in(&f, (VhRange){ 128 * MIB, 192 * MIB }), >, 25);
    g_assert_cmpfloat(rate_in(&f, (VhRange){ 640 * MIB, 704 * MIB }), <, 1);
    run(&f, 5);
    g_assert_cmpfloat(rate_in(&f, (VhRange){ 128 * MIB, 192 * MIB }), <, 5);
    g_assert_cmpfloat(rate_in(&f, (VhRange){ 640 * MIB, 704 * MIB }), >, 25);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accuracy/exposure/rates", test_rates);
    g_test_add_func("/accuracy/exposure/costs", test_costs);
    g_test_add_func("/accuracy/exposure/moves", test_moves);
    return g_test_run();
}
