/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History: whatever a guest does, memory is bounded, and nothing breaks. */
#include <malloc.h>
#include <math.h>
#include <string.h>

#include "history/history-json.h"
#include "sim.h"

#define SECOND 1000000ll
#define PAGE 4096ull

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Snapshots of which not even two need be alike. */
typedef struct Guest {
    GRand *rand;
    VhSnapshot s;
    int64_t wall_us;
} Guest;

static void guest_begin(Guest *g)
{
    *g = (Guest){ .rand = g_rand_new_with_seed(7), .wall_us = SIM_WALL_US };
    g->s.end_time = 1000000000000;
    g->s.aggregation_interval = 100000;
    g->s.max_nr_accesses = 20;
}

static void guest_end(Guest *g)
{
    g_rand_free(g->rand);
    g_free(g->s.regions);
}

static void guest_step(Guest *g, size_t nr, bool holes)
{
    uint64_t at = g_rand_int_range(g->rand, 0, 1 << 20) * PAGE;

    g->s.sequence += 10;
    g->s.start_time = g->s.end_time;
    g->s.end_time += 1000000000;
    g->wall_us += SECOND;
    g->s.has_rates = true;
    g->s.nr = g->s.nr_regions = nr;
    g->s.regions = g_renew(VhRegion, g->s.regions, nr + 1);
    for (size_t i = 0; i < nr; i++) {
        VhRegion *r = &g->s.regions[i];

        at += holes ? g_rand_int_range(g->rand, 1, 64) * PAGE : 0;
        *r = (VhRegion){ .start = at };
        at += g_rand_int_range(g->rand, 1, 5000) * PAGE;
        r->end = at;
        r->rate = exp(g_rand_double_range(g->rand, -12, 14));
        r->rate_low = r->rate * g_rand_double(g->rand);
        r->rate_high = r->rate * (1 + g_rand_double(g->rand));
        r->nr_accesses = g_rand_int_range(g->rand, 0, 21);
        r->age = g_rand_int(g->rand);
        r->idle_us = exp(g_rand_double_range(g->rand, 0, 30));
    }
}

static void check_bytes(VhHistory *h, size_t before)
{
    size_t counted = vh_history_bytes(h), real = allocated() - before;

    g_assert_cmpuint(counted, <=, vh_history_limits(h).bytes);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    g_assert_cmpuint(real, <=, counted + counted / 20 + 65536);
    g_assert_cmpuint(counted, <=, real + real / 2 + (1 << 20));
#endif
    g_test_message("%zu bytes counted, %zu allocated", counted, real);
}

static void ask_all(VhHistory *h, int64_t to)
{
    g_autoptr(VhHistoryView) v = vh_history_view(h);
    VhRasterQuery q = { to - 86400 * SECOND, to, 300, 200 };
    g_autoptr(VhRaster) raster = vh_history_raster(v, &q);
    g_autoptr(VhHistorySeries) s = vh_history_series(v, q.from_us, to, 600);
    g_autofree char *a = vh_raster_json(raster);
    g_autofree char *b = vh_history_series_json(s);
    VhHistoryRegion r;

    g_assert_cmpint(raster->spans->len, <=, 200);
    vh_raster_free(vh_history_column(v, 2048, 0, 0));
    if (vh_history_region(v, to, 1 << 30, &r)) {
        vh_history_region_clear(&r);
    }
}

/* Nothing is like it was, and there is more than there is room for. */
static void run_wild(const size_t *sizes, unsigned nr, unsigned steps,
                     uint64_t bytes, bool holes)
{
    size_t before = allocated();
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ .bytes = bytes });
    Guest g;

    guest_begin(&g);
    for (unsigned i = 0; i < steps; i++) {
        guest_step(&g, sizes[i % nr], holes);
        g_assert_true(vh_history_add(h, &g.s, g.wall_us, NULL));
        g_assert_cmpuint(vh_history_bytes(h), <=, bytes);
    }
    g_clear_pointer(&g.s.regions, g_free);
    check_bytes(h, before);
    ask_all(h, g.wall_us);
    guest_end(&g);
    vh_history_free(h);
}

static void test_many(void)
{
    run_wild((size_t[]){ 100000 }, 1, 60, 64 << 20, false);
}

static void test_more_than_a_codec_takes(void)
{
    run_wild((size_t[]){ 1 << 21, 10 }, 2, 4, 64 << 20, false);
}

static void test_holes(void)
{
    run_wild((size_t[]){ 20000 }, 1, 100, 16 << 20, true);
}

static void test_jumps(void)
{
    run_wild((size_t[]){ 10, 30000, 0, 1000, 1 }, 5, 400, 4 << 20, false);
}

static void test_small(void)
{
    run_wild((size_t[]){ 1000 }, 1, 1500, 4 << 20, false);
}

/* What is needed to code the next snapshot counts, too. */
static void test_many_alike(void)
{
    size_t before = allocated();
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ 0 });
    g_autofree VhRegion *regions = g_new0(VhRegion, 30000);
    VhSnapshot s = { .nr = 30000, .regions = regions, .has_rates = true };

    for (size_t i = 0; i < s.nr; i++) {
        regions[i].start = i * PAGE;
        regions[i].end = (i + 1) * PAGE;
    }
    before += 30000 * sizeof(*regions);
    for (int i = 1; i < 4; i++) {
        s.sequence = i;
        s.start_time = i * 1000000000ull;
        s.end_time = s.start_time + 1000000000;
        for (size_t k = 0; k < s.nr; k++) {
            regions[k].age = i;
            regions[k].idle_us = i * SECOND;
        }
        g_assert_true(vh_history_add(h, &s, SIM_WALL_US + i * SECOND, NULL));
    }
    check_bytes(h, before);
    g_assert_cmpuint(vh_history_bytes(h), >, 30000 * 48 * 2);
    vh_history_free(h);
}

/* A day of a guest with 1000 regions is kept, if not each of its seconds. */
static void test_day(void)
{
    size_t before = allocated();
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ .bytes = 8 << 20 });
    g_autoptr(VhHistoryView) v = NULL;
    int64_t from, to, fine;
    Sim sim;

    sim_init(&sim, 100, 0.3, 0.05);
    for (int i = 0; i < 90000; i++) {
        sim_step(&sim);
        vh_history_add(h, &sim.snapshot, sim.wall_us, NULL);
        if (i % 100 == 0) {
            g_assert_cmpuint(vh_history_bytes(h), <=, 8 << 20);
        }
    }
    check_bytes(h, before);
    v = vh_history_view(h);
    g_assert_true(vh_history_span(v, &from, &to));
    g_assert_cmpint(to, ==, sim.wall_us);
    g_assert_cmpint(to - from, >, 86400 * SECOND);
    g_assert_cmpint(to - from, <, 90000 * SECOND);
    g_assert_true(vh_history_level(v, 0, &fine, &to));
    g_assert_cmpint(fine, >, from);
    sim_clear(&sim);
    vh_history_free(h);
}

/* What is no snapshot is left out, and does not change what there is. */
static void test_refused(void)
{
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ 0 });
    VhRegion wrong[] = { { 8192, 12288 }, { 0, 4096 } };
    VhRegion empty[] = { { 4096, 4096 } };
    VhRegion strange[] = { { 1, 4097, .rate = INFINITY, .rate_low = NAN,
                             .rate_high = 1e300, .nr_accesses = UINT64_MAX,
                             .age = UINT64_MAX, .idle_us = UINT64_MAX },
                           { UINT64_MAX - 5, UINT64_MAX } };
    VhSnapshot s = { .sequence = 1, .end_time = 5, .nr = 2, .regions = wrong };

    g_assert_false(vh_history_add(h, &s, SIM_WALL_US, NULL));
    s.regions = empty;
    s.nr = 1;
    g_assert_false(vh_history_add(h, &s, SIM_WALL_US, NULL));
    s.regions = strange;
    s.nr = 2;
    s.has_rates = true;
    s.start_time = UINT64_MAX;
    g_assert_false(vh_history_add(h, &s, 0, NULL));
    g_assert_false(vh_history_add(h, &s, -5, NULL));
    g_assert_true(vh_history_add(h, &s, SIM_WALL_US, NULL));
    g_assert_false(vh_history_add(h, &s, SIM_WALL_US + 1, NULL));
    s.sequence++;
    g_assert_false(vh_history_add(h, &s, SIM_WALL_US, NULL));
    g_assert_true(vh_history_add(h, &s, SIM_WALL_US + SECOND, NULL));
    s.nr = 0;
    s.sequence++;
    g_assert_true(vh_history_add(h, &s, SIM_WALL_US + 2 * SECOND, NULL));
    ask_all(h, SIM_WALL_US + 2 * SECOND);
    vh_history_free(h);
}

/* The clock is set back: what is of later times is no more. */
static void test_clock(void)
{
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ 0 });
    g_autoptr(VhHistoryView) v = NULL;
    int64_t from, to;
    Sim sim;

    sim_init(&sim, 50, 0.2, 0.1);
    for (int i = 0; i < 3000; i++) {
        sim_step(&sim);
        g_assert_true(vh_history_add(h, &sim.snapshot, sim.wall_us, NULL));
    }
    sim.wall_us -= 5 * SECOND;
    for (int i = 0; i < 5; i++) {
        sim_step(&sim);
        g_assert_false(vh_history_add(h, &sim.snapshot, sim.wall_us, NULL));
    }
    sim_step(&sim);
    g_assert_true(vh_history_add(h, &sim.snapshot, sim.wall_us, NULL));
    sim.wall_us -= 1500 * SECOND;
    for (int i = 0; i < 100; i++) {
        sim_step(&sim);
        g_assert_true(vh_history_add(h, &sim.snapshot, sim.wall_us, NULL));
    }
    v = vh_history_view(h);
    g_assert_true(vh_history_span(v, &from, &to));
    g_assert_cmpint(to, ==, sim.wall_us);
    g_assert_cmpint(from, ==, SIM_WALL_US + SECOND - 100000);
    for (unsigned i = 0; vh_history_level(v, i, &from, &to); i++) {
        g_assert_cmpint(to, <=, sim.wall_us);
    }
    ask_all(h, sim.wall_us);
    sim_clear(&sim);
    vh_history_free(h);
}

/* Ranges that never stay the same take a part of the memory, not all. */
static void test_ranges(void)
{
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ .bytes = 4 << 20 });
    g_autofree VhStateRange *ranges = g_new0(VhStateRange, 5000);
    Sim sim;

    sim_init(&sim, 50, 0.2, 0.1);
    for (int i = 0; i < 600; i++) {
        for (int k = 0; k < 5000; k++) {
            ranges[k] = (VhStateRange){ .start = k * 8192,
                                        .size = 4096 + i,
                                        .block = "pc.ram",
                                        .node = k };
        }
        vh_history_set_ranges(h, sim.wall_us, ranges, 5000);
        sim_step(&sim);
        vh_history_add(h, &sim.snapshot, sim.wall_us, NULL);
        g_assert_cmpuint(vh_history_bytes(h), <=, 4 << 20);
    }
    ask_all(h, sim.wall_us);
    sim_clear(&sim);
    vh_history_free(h);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/bound/many", test_many);
    g_test_add_func("/history/bound/most", test_more_than_a_codec_takes);
    g_test_add_func("/history/bound/holes", test_holes);
    g_test_add_func("/history/bound/jumps", test_jumps);
    g_test_add_func("/history/bound/small", test_small);
    g_test_add_func("/history/bound/alike", test_many_alike);
    g_test_add_func("/history/bound/day", test_day);
    g_test_add_func("/history/bound/refused", test_refused);
    g_test_add_func("/history/bound/clock", test_clock);
    g_test_add_func("/history/bound/ranges", test_ranges);
    return g_test_run();
}
