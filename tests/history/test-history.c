/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History: what it answers is what loops over all snapshots give. */
#include <math.h>
#include <string.h>

#include "history/internal.h"
#include "reference.h"

#define SECOND 1000000ll

typedef struct Lab {
    VhHistory *h;
    Reference ref;
    Sim sim;
    VhHistoryPoint p;
} Lab;

static void lab_begin_small(Lab *lab, unsigned regions, double busy,
                            double moving, uint64_t bytes)
{
    lab->h = vh_history_new(&(VhHistoryLimits){ .bytes = bytes });
    reference_init(&lab->ref);
    sim_init(&lab->sim, regions, busy, moving);
    lab->p = VH_HISTORY_POINT_UNKNOWN;
}

static void lab_begin(Lab *lab, unsigned regions, double busy, double moving)
{
    lab_begin_small(lab, regions, busy, moving, 0);
}

static void lab_end(Lab *lab)
{
    vh_history_free(lab->h);
    reference_clear(&lab->ref);
    sim_clear(&lab->sim);
}

/* @nr snapshots, of which the first follows one before, or not. */
static void lab_run(Lab *lab, unsigned nr, bool continues)
{
    for (unsigned i = 0; i < nr; i++) {
        sim_step(&lab->sim);
        lab->p.has = 1e9 + 4096 * i;
        lab->p.cost = 0.001 * (i % 10);
        lab->p.never = i % 3 ? 4096 * i : NAN;
        g_assert_true(vh_history_add(lab->h, &lab->sim.snapshot,
                                     lab->sim.wall_us, &lab->p));
        reference_add(&lab->ref, &lab->sim, continues || i, &lab->p);
    }
}

/* Nearly all the same; what is between two steps may go either way. */
static void check_raster(Lab *lab, const VhRasterQuery *q, int most,
                         double part)
{
    g_autoptr(VhHistoryView) v = vh_history_view(lab->h);
    g_autoptr(VhRaster) r = vh_history_raster(v, q);
    size_t cells = (size_t)q->columns * q->rows, off = 0;
    g_autofree uint8_t *data = g_malloc(cells), *idle = g_malloc(cells);

    reference_raster(&lab->ref, q, data, idle);
    for (size_t i = 0; i < cells; i++) {
        g_assert_cmpint(!r->data[i], ==, !data[i]);
        g_assert_cmpint(ABS(r->data[i] - data[i]), <=, most);
        g_assert_cmpint(ABS(r->idle[i] - idle[i]), <=, most);
        off += r->data[i] != data[i] || r->idle[i] != idle[i];
    }
    g_test_message("%zu of %zu cells are others", off, cells);
    g_assert_cmpint(off, <=, part * cells);
}

static void check_series(Lab *lab, int64_t from, int64_t to, unsigned columns,
                         double error)
{
    g_autoptr(VhHistoryView) v = vh_history_view(lab->h);
    g_autoptr(VhHistorySeries) s = vh_history_series(v, from, to, columns);

    for (unsigned i = 0; i < VH_VALUES; i++) {
        for (unsigned c = 0; c < columns; c++) {
            double want =
                reference_value(&lab->ref, i, from + (to - from) / columns * c,
                                from + (to - from) / columns * (c + 1));
            double got = s->values[i][c];

            g_assert_cmpint(isnan(want), ==, isnan(got));
            if (!isnan(want)) {
                g_assert_cmpfloat_with_epsilon(got, want, error * want + 1e-9);
            }
        }
    }
}

static void check_region(Lab *lab, int64_t us, uint64_t address)
{
    g_autoptr(VhHistoryView) v = vh_history_view(lab->h);
    int64_t end = 0;
    const VhRegion *want = reference_region(&lab->ref, us, address, &end);
    VhHistoryRegion got;

    g_assert_cmpint(vh_history_region(v, us, address, &got), ==, want != NULL);
    if (want) {
        g_assert_cmpint(got.time_us, ==, end);
        g_assert_cmpuint(got.region.start, ==, want->start);
        g_assert_cmpuint(got.region.end, ==, want->end);
        g_assert_cmpuint(got.region.nr_accesses, ==, want->nr_accesses);
        g_assert_cmpuint(got.region.age, ==, want->age);
        g_assert_cmpfloat_with_epsilon(got.region.rate, want->rate,
                                       0.01 * want->rate + 1e-9);
        g_assert_cmpfloat_with_epsilon(got.region.idle_us, want->idle_us,
                                       0.01 * want->idle_us + 1000);
        vh_history_region_clear(&got);
    }
}

static void test_fine(void)
{
    Lab lab;
    int64_t from, to;

    lab_begin(&lab, 100, 0.2, 0.1);
    lab_run(&lab, 700, false);
    to = lab.sim.wall_us;
    from = to - 690 * SECOND;
    check_raster(&lab, &(VhRasterQuery){ from, to, 197, 61 }, 1, 0.02);
    check_raster(&lab, &(VhRasterQuery){ from, from + 10 * SECOND, 50, 200 }, 1,
                 0.02);
    check_raster(&lab,
                 &(VhRasterQuery){ to - 5 * SECOND, to + 5 * SECOND, 7, 64 }, 1,
                 0.02);
    check_raster(&lab,
                 &(VhRasterQuery){ from, to, 180, 64, 1 << 30,
                                   SIM_HIGH_START + (64 << 20) },
                 1, 0.02);
    check_series(&lab, from, to, 69, 1e-6);
    check_series(&lab, to - 10 * SECOND, to + 10 * SECOND, 40, 1e-6);
    for (int i = 0; i < 200; i++) {
        check_region(&lab, from + 3456789 * i,
                     g_rand_double(lab.sim.rand) * 5.2e9);
    }
    lab_end(&lab);
}

/* Means of 16 s and 64 s, where columns are as long as several of these. */
static void test_means(void)
{
    VhRasterQuery q = { .columns = 14, .rows = 64 };
    Lab lab;

    lab_begin(&lab, 60, 0.2, 0.02);
    lab_run(&lab, 2000, false);
    q.to_us = lab.sim.wall_us / (128 * SECOND) * 128 * SECOND;
    q.from_us = q.to_us - 14 * 128 * SECOND;
    check_raster(&lab, &q, 2, 0.1);
    q.columns = 56; /* of 32 s */
    check_raster(&lab, &q, 2, 0.1);
    check_series(&lab, q.from_us, q.to_us, 14, 1e-6);
    lab_end(&lab);
}

/* Of each time there is one part, and they follow each other. */
static void check_parts(const GArray *all, int64_t from, int64_t to)
{
    const VhPart *parts = (const VhPart *)all->data;

    g_assert_cmpint(parts[0].from_us, ==, from);
    g_assert_cmpint(parts[all->len - 1].to_us, ==, to);
    for (guint i = 1; i < all->len; i++) {
        g_assert_cmpint(parts[i].from_us, ==, parts[i - 1].to_us);
        g_assert_cmpint(parts[i].level, !=, parts[i - 1].level);
    }
}

static void check_plan(const VhHistoryView *v, int64_t from, int64_t to)
{
    for (unsigned level = 0; level < VH_LEVELS; level++) {
        g_autoptr(GArray) parts = vh_plan(v, from, to, level);

        g_assert_cmpuint(parts->len, >, 1);
        check_parts(parts, from, to);
    }
}

/* Values of means, in columns that are as long as several of these. */
static void check_old_series(Lab *lab, const VhHistoryView *v, int64_t fine)
{
    int64_t from = 0, to = fine / (64 * SECOND) * 64 * SECOND, end;
    unsigned level = 0;

    do {
        g_assert_true(vh_history_level(v, ++level, &from, &end));
        from = (from / (64 * SECOND) + 1) * 64 * SECOND;
    } while (from + 64 * SECOND > to);
    /* a mean of means, of which some are of fewer values */
    check_series(lab, from, to, (to - from) / (64 * SECOND), 0.01);
    check_plan(v, from, lab->sim.wall_us);
}

/* Snapshots that last as long as windows are kept twice, not four times. */
static void test_slow(void)
{
    VhRasterQuery q = { .columns = 40, .rows = 64 };
    g_autoptr(VhHistoryView) v = NULL;
    int64_t from, to;
    Lab lab;

    lab_begin(&lab, 60, 0.2, 0.02);
    lab.sim.interval_us = 15 * SECOND;
    lab_run(&lab, 300, false);
    v = vh_history_view(lab.h);
    for (unsigned level = 1; level < 3; level++) {
        /* the first one is shorter: it follows none */
        g_assert_true(vh_history_level(v, level, &from, &to));
        g_assert_cmpint(to - from, <=, 15 * SECOND);
    }
    g_assert_true(vh_history_level(v, 3, &from, &to));
    g_assert_cmpint(to - from, >, 4000 * SECOND);
    q.to_us = lab.sim.wall_us;
    for (int seconds = 2; seconds <= 32; seconds *= 4) {
        q.from_us = q.to_us - q.columns * seconds * SECOND;
        check_raster(&lab, &q, 2, 0.1);
    }
    check_region(&lab, q.from_us + 12345678, 1 << 30);
    lab_end(&lab);
}

/* Somebody looks now and then, so that levels have means here and there. */
static void test_by_turns(void)
{
    VhRasterQuery q = { .columns = 50, .rows = 64 };
    g_autoptr(VhHistoryView) v = NULL;
    Lab lab;

    lab_begin(&lab, 60, 0.2, 0.02);
    for (int i = 0; i < 60; i++) {
        lab.sim.interval_us = (i % 3 == 0 ? 1 : i % 3 == 1 ? 15 : 5) * SECOND;
        lab_run(&lab, 1 + i % 7, i);
    }
    q.to_us = lab.sim.wall_us;
    for (int seconds = 1; seconds <= 16; seconds *= 4) {
        q.from_us = q.to_us - q.columns * seconds * SECOND;
        /* means do not end where columns do */
        check_raster(&lab, &q, seconds > 1 ? 255 : 1, seconds > 1 ? 0.3 : 0.02);
    }
    check_series(&lab, q.from_us, q.to_us, 50, 1e-6);
    v = vh_history_view(lab.h);
    for (unsigned level = 0; level < VH_LEVELS; level++) {
        g_autoptr(GArray) parts = vh_plan(v, q.from_us, lab.sim.wall_us, level);

        check_parts(parts, q.from_us, lab.sim.wall_us);
        g_assert_cmpuint(parts->len > 1, ==, level > 0);
    }
    lab_end(&lab);
}

/* Where there is little room, so that most of it is packed. */
static void test_packed(void)
{
    VhRasterQuery q = { .columns = 50, .rows = 40 };
    g_autoptr(VhHistoryView) v = NULL;
    int64_t from, to;
    Lab lab;

    lab_begin_small(&lab, 1000, 0.3, 0.05, 4 << 20);
    lab_run(&lab, 1800, false);
    v = vh_history_view(lab.h);
    g_assert_true(vh_history_level(v, 0, &from, &to));
    g_assert_cmpint(from, >, SIM_WALL_US + 10 * SECOND);
    q.from_us = from;
    q.to_us = from + 100 * SECOND;
    check_raster(&lab, &q, 1, 0.05);
    q.to_us = to;
    q.from_us = to - 100 * SECOND;
    check_raster(&lab, &q, 1, 0.05);
    check_series(&lab, from, to, 20, 1e-6);
    check_region(&lab, from + 12345678, 1 << 30);
    check_old_series(&lab, v, from);
    lab_end(&lab);
}

/* Wall clocks do not tick as QEMU's does: that is no gap. */
static void test_jitter(void)
{
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) r = NULL;
    VhRasterQuery q = { .columns = 2000, .rows = 1 };
    Lab lab;

    lab_begin(&lab, 10, 0, 0);
    for (int i = 0; i < 20; i++) {
        sim_step(&lab.sim);
        g_assert_true(vh_history_add(lab.h, &lab.sim.snapshot,
                                     lab.sim.wall_us + (i % 3) * 20000, NULL));
    }
    v = vh_history_view(lab.h);
    q.to_us = lab.sim.wall_us;
    q.from_us = q.to_us - 15 * SECOND;
    r = vh_history_raster(v, &q);
    g_assert_null(memchr(r->data, 0, 2000));
    lab_end(&lab);
}

/* Nothing is known of pauses, nor is anything made up. */
static void test_gaps(void)
{
    VhRasterQuery q = { .columns = 500, .rows = 16 };
    Lab lab;
    int64_t from;

    lab_begin(&lab, 30, 0.2, 0.1);
    from = lab.sim.wall_us;
    lab_run(&lab, 100, false);
    sim_pause(&lab.sim, 100 * SECOND);
    lab_run(&lab, 100, false);
    sim_restart(&lab.sim);
    lab_run(&lab, 100, false);
    q.from_us = from;
    q.to_us = from + 500 * SECOND;
    check_raster(&lab, &q, 1, 0.05);
    check_series(&lab, q.from_us, q.to_us, 100, 1e-6);
    q.to_us = from + 512 * SECOND;
    q.columns = 16; /* of means */
    check_raster(&lab, &q, 2, 0.2);
    check_region(&lab, from + 150 * SECOND, 1 << 30);
    check_region(&lab, from + 250 * SECOND, 1 << 30);
    lab_end(&lab);
}

/* Where memory is, at the time asked for. */
static void test_ranges(void)
{
    VhStateRange small[] = { { .size = SIM_LOW_END, .block = "pc.ram" } };
    VhStateRange large[] = {
        { .size = SIM_LOW_END, .block = "pc.ram", .node = -1 },
        { .start = SIM_HIGH_START,
          .size = 1 << 30,
          .block = "dimm\"1",
          .device = "nv0",
          .reserved = "no-map",
          .node = 1 }
    };
    g_autoptr(VhHistoryView) v = NULL;
    VhHistoryRegion r;
    int64_t from;
    Lab lab;

    lab_begin(&lab, 20, 0, 0);
    from = lab.sim.wall_us;
    vh_history_set_ranges(lab.h, from, small, 1);
    lab_run(&lab, 20, false);
    vh_history_set_ranges(lab.h, lab.sim.wall_us, large, 2);
    lab_run(&lab, 20, true);
    vh_history_set_ranges(lab.h, lab.sim.wall_us, large, 2);
    v = vh_history_view(lab.h);
    g_assert_true(vh_history_region(v, from + 10 * SECOND, 4096, &r));
    g_assert_cmpstr(r.block, ==, "pc.ram");
    g_assert_cmpint(r.node, ==, 0);
    vh_history_region_clear(&r);
    g_assert_true(vh_history_region(v, from + 10 * SECOND, SIM_HIGH_START, &r));
    g_assert_null(r.block);
    g_assert_cmpint(r.node, ==, -1);
    g_assert_true(vh_history_region(v, from + 30 * SECOND, SIM_HIGH_START, &r));
    g_assert_cmpstr(r.block, ==, "dimm\"1");
    g_assert_cmpint(r.node, ==, 1);
    vh_history_region_clear(&r);
    /* a little behind the latest, that one is meant */
    g_assert_true(vh_history_region(v, from + 45 * SECOND, 4096, &r));
    g_assert_cmpint(r.time_us, ==, from + 40 * SECOND);
    vh_history_region_clear(&r);
    g_assert_false(vh_history_region(v, from + 51 * SECOND, 4096, &r));
    lab_end(&lab);
}

/* The column of an event is what a raster of that moment has. */
static void test_column(void)
{
    VhRasterQuery q = { .columns = 1, .rows = 333 };
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) column = NULL;
    g_autoptr(VhRaster) raster = NULL;
    Lab lab;

    lab_begin(&lab, 100, 0.2, 0.1);
    v = vh_history_view(lab.h);
    g_assert_null(vh_history_column(v, 10, 0, 0));
    vh_history_view_free(v);
    lab_run(&lab, 50, false);
    v = vh_history_view(lab.h);
    column = vh_history_column(v, 333, 0, 0);
    q.to_us = lab.sim.wall_us;
    q.from_us = q.to_us - SECOND;
    raster = vh_history_raster(v, &q);
    g_assert_cmpint(column->query.to_us, ==, lab.sim.wall_us);
    g_assert_cmpmem(column->data, 333, raster->data, 333);
    g_assert_cmpmem(column->idle, 333, raster->idle, 333);
    g_assert_true(vh_raster_same_rows(column, raster));
    g_assert_cmpint(column->spans->len, ==, 2);
    g_assert_cmpint(g_array_index(column->spans, VhRasterSpan, 1).row, ==, 249);
    lab_end(&lab);
}

/* Snapshots without rates and idle times: nr_accesses and age tell them. */
static void test_no_rates(void)
{
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) r = NULL;
    VhHistoryRegion region;
    Lab lab;

    lab_begin(&lab, 16, 0, 0);
    sim_step(&lab.sim);
    lab.sim.snapshot.has_rates = false;
    for (size_t i = 0; i < lab.sim.snapshot.nr; i++) {
        VhRegion *g = &lab.sim.snapshot.regions[i];

        *g = (VhRegion){ .start = g->start, .end = g->end, .age = 50 };
        g->nr_accesses = i ? 0 : 10;
        g->idle_us = i ? 5000000 : 0;
    }
    vh_history_add(lab.h, &lab.sim.snapshot, lab.sim.wall_us, NULL);
    v = vh_history_view(lab.h);
    r = vh_history_column(v, 16, 0, 0);
    g_assert_cmpint(r->data[0], ==, vh_raster_rate_byte(100));
    g_assert_cmpint(r->data[1], ==, 1);
    g_assert_cmpint(r->idle[1], ==, vh_raster_idle_byte(5));
    g_assert_true(vh_history_region(v, lab.sim.wall_us, 0, &region));
    g_assert_cmpfloat_with_epsilon(region.region.rate, 100, 1);
    g_assert_cmpfloat_with_epsilon(region.region.rate_high, 100, 1);
    lab_end(&lab);
}

static void test_scale(void)
{
    g_assert_cmpint(vh_raster_rate_byte(0), ==, 1);
    g_assert_cmpint(vh_raster_rate_byte(1e-9), ==, 2);
    g_assert_cmpint(vh_raster_rate_byte(0.0101), ==, 2);
    g_assert_cmpint(vh_raster_rate_byte(999), ==, 255);
    g_assert_cmpint(vh_raster_rate_byte(1e9), ==, 255);
    g_assert_cmpint(vh_raster_rate_byte(3.2), ==, 129);
    g_assert_cmpint(vh_raster_idle_byte(0), ==, 1);
    g_assert_cmpint(vh_raster_idle_byte(0.00101), ==, 1);
    g_assert_cmpint(vh_raster_idle_byte(86390), ==, 255);
    g_assert_cmpint(vh_raster_idle_byte(1e7), ==, 255);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/scale", test_scale);
    g_test_add_func("/history/fine", test_fine);
    g_test_add_func("/history/means", test_means);
    g_test_add_func("/history/slow", test_slow);
    g_test_add_func("/history/by-turns", test_by_turns);
    g_test_add_func("/history/packed", test_packed);
    g_test_add_func("/history/jitter", test_jitter);
    g_test_add_func("/history/gaps", test_gaps);
    g_test_add_func("/history/ranges", test_ranges);
    g_test_add_func("/history/column", test_column);
    g_test_add_func("/history/no-rates", test_no_rates);
    return g_test_run();
}
