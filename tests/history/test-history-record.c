/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History: what is older than the ring comes from a record, as it is there. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "record/record.h"
#include "reference.h"

#define SECOND 1000000ll
#define STATE                                                           \
    "{\"time\": 1, \"vmheat\": {\"ranges\": [{\"start\": 0, \"size\": " \
    "3221225472, \"block\": \"old.ram\", \"node\": 1}]}}"

typedef struct Lab {
    char *dir;
    char *path;
    VhRecordWriter *w;
    VhHistory *h;
    Reference ref;
    Sim sim;
} Lab;

static void write_text(Lab *lab, VhRecordType type, const char *text)
{
    GError *error = NULL;

    vh_record_json(lab->w, type, lab->sim.snapshot.end_time, text, &error);
    g_assert_no_error(error);
}

static void begin_record(Lab *lab)
{
    g_autofree char *vm =
        g_strdup_printf("{\"realtime\": %" G_GINT64_FORMAT
                        ", \"monotonic\": %" G_GUINT64_FORMAT "}",
                        lab->sim.wall_us * 1000, lab->sim.snapshot.end_time);

    lab->w = vh_record_create(lab->path, true, NULL);
    g_assert_nonnull(lab->w);
    write_text(lab, VH_RECORD_VM, vm);
    write_text(lab, VH_RECORD_STATE, STATE);
}

static void lab_begin(Lab *lab, unsigned regions)
{
    lab->dir = g_dir_make_tmp("vmheat-history-XXXXXX", NULL);
    lab->path = g_build_filename(lab->dir, "vm.vmheat", NULL);
    lab->h = vh_history_new(&(VhHistoryLimits){ 0 });
    reference_init(&lab->ref);
    sim_init(&lab->sim, regions, 0.2, 0.1);
    vh_history_set_record(lab->h, lab->path);
}

static void lab_end(Lab *lab)
{
    vh_history_free(lab->h);
    reference_clear(&lab->ref);
    sim_clear(&lab->sim);
    g_unlink(lab->path);
    g_assert_cmpint(g_rmdir(lab->dir), ==, 0);
    g_free(lab->path);
    g_free(lab->dir);
}

/* To the record, and to the ring, as wished. */
static void run(Lab *lab, unsigned nr, bool record, bool ring, bool continues)
{
    for (unsigned i = 0; i < nr; i++) {
        sim_step(&lab->sim);
        if (record) {
            g_assert_true(vh_record_snapshot(lab->w, &lab->sim.snapshot, NULL));
        }
        if (ring) {
            g_assert_true(vh_history_add(lab->h, &lab->sim.snapshot,
                                         lab->sim.wall_us, NULL));
        }
        reference_add(&lab->ref, &lab->sim, continues || i, NULL);
    }
}

static void check_raster(Lab *lab, const VhRasterQuery *q, double part)
{
    g_autoptr(VhHistoryView) v = vh_history_view(lab->h);
    g_autoptr(VhRaster) r = vh_history_raster(v, q);
    size_t cells = (size_t)q->columns * q->rows, off = 0;
    g_autofree uint8_t *data = g_malloc(cells), *idle = g_malloc(cells);

    reference_raster(&lab->ref, q, data, idle);
    for (size_t i = 0; i < cells; i++) {
        g_assert_cmpint(ABS(r->data[i] - data[i]), <=, 1);
        g_assert_cmpint(ABS(r->idle[i] - idle[i]), <=, 1);
        off += r->data[i] != data[i] || r->idle[i] != idle[i];
    }
    g_test_message("%zu of %zu cells are others", off, cells);
    g_assert_cmpint(off, <=, part * cells);
}

/* Idle times of a record are rounded: some regions are idle a bit later. */
static void check_series(Lab *lab, int64_t from, int64_t to, unsigned columns)
{
    g_autoptr(VhHistoryView) v = vh_history_view(lab->h);
    g_autoptr(VhHistorySeries) s = vh_history_series(v, from, to, columns);
    unsigned off = 0;

    for (unsigned i = 0; i < VH_VALUES; i++) {
        for (unsigned c = 0; c < columns; c++) {
            double got = s->values[i][c];
            double want =
                reference_value(&lab->ref, i, from + (to - from) / columns * c,
                                from + (to - from) / columns * (c + 1));

            g_assert_cmpint(isnan(want), ==, isnan(got));
            off += fabs(got - want) > 1e-6 * SIM_TOTAL;
            g_assert_false(fabs(got - want) > 0.1 * SIM_TOTAL);
        }
    }
    g_test_message("%u of %u values are others", off, columns * VH_VALUES);
    g_assert_cmpuint(off, <, columns * VH_VALUES / 20);
}

static void check_region(Lab *lab, int64_t us, const char *block)
{
    g_autoptr(VhHistoryView) v = vh_history_view(lab->h);
    VhHistoryRegion got;
    int64_t end = 0;
    const VhRegion *want = reference_region(&lab->ref, us, 1 << 30, &end);

    g_assert_true(vh_history_region(v, us, 1 << 30, &got));
    g_assert_cmpuint(got.region.start, ==, want->start);
    g_assert_cmpuint(got.region.age, ==, want->age);
    g_assert_cmpint(ABS(got.time_us - end), <=, 1);
    g_assert_cmpstr(got.block, ==, block);
    vh_history_region_clear(&got);
}

static void check_no_warning(Lab *lab)
{
    g_autofree char *text = vh_history_take_warning(lab->h);

    g_assert_null(text);
}

static void check_warning(Lab *lab, const char *part)
{
    g_autofree char *text = vh_history_take_warning(lab->h);

    g_assert_nonnull(text);
    g_test_message("%s", text);
    g_assert_nonnull(strstr(text, part));
    check_no_warning(lab);
}

/* The record alone, both, and the ring alone: one picture. */
static void test_joined(void)
{
    VhStateRange range = { 0, SIM_LOW_END, "new.ram", 0 };
    VhRasterQuery q = { .columns = 300, .rows = 50 };
    Lab lab;
    int64_t from;

    lab_begin(&lab, 40);
    begin_record(&lab);
    from = lab.sim.wall_us;
    run(&lab, 200, true, false, false);
    vh_history_set_ranges(lab.h, lab.sim.wall_us, &range, 1);
    run(&lab, 100, true, true, true);
    g_assert_true(vh_record_close(lab.w, NULL));
    run(&lab, 100, false, true, true);
    q.from_us = from;
    q.to_us = lab.sim.wall_us;
    check_raster(&lab, &q, 0.05);
    check_series(&lab, from, lab.sim.wall_us, 80);
    check_region(&lab, from + 100 * SECOND - 1, "old.ram");
    check_region(&lab, from + 250 * SECOND - 1, "new.ram");
    check_region(&lab, from + 350 * SECOND - 1, "new.ram");
    check_no_warning(&lab);
    lab_end(&lab);
}

/* It grows while it is read; then another one is there, then none. */
static void test_changes(void)
{
    g_autoptr(VhHistoryView) v = NULL;
    int64_t from, to;
    Lab lab;

    lab_begin(&lab, 10);
    v = vh_history_view(lab.h);
    g_assert_false(vh_history_span(v, &from, &to));
    check_no_warning(&lab);
    begin_record(&lab);
    run(&lab, 50, true, false, false);
    g_assert_true(vh_record_flush(lab.w, NULL));
    g_assert_true(vh_history_span(v, &from, &to));
    g_assert_cmpint(ABS(to - lab.sim.wall_us), <=, 1);
    run(&lab, 50, true, false, true);
    g_assert_true(vh_record_close(lab.w, NULL));
    g_assert_true(vh_history_span(v, &from, &to));
    g_assert_cmpint(ABS(to - lab.sim.wall_us), <=, 1);
    g_assert_cmpint(truncate(lab.path, 3000), ==, 0);
    g_assert_true(vh_history_span(v, &from, &to));
    g_assert_cmpint(to, <, lab.sim.wall_us - SECOND);
    g_unlink(lab.path);
    begin_record(&lab);
    g_assert_true(vh_record_close(lab.w, NULL));
    g_assert_false(vh_history_span(v, &from, &to));
    check_no_warning(&lab);
    g_unlink(lab.path);
    g_assert_false(vh_history_span(v, &from, &to));
    check_warning(&lab, "No such file");
    g_assert_false(vh_history_span(v, &from, &to));
    check_no_warning(&lab);
    lab_end(&lab);
}

static void spoil(Lab *lab, size_t at, const char *bytes, size_t size)
{
    int fd = g_open(lab->path, O_WRONLY | O_CREAT, 0644);

    g_assert_cmpint(pwrite(fd, bytes, size, at), ==, size);
    close(fd);
}

/* A block in the middle of it is damaged: the rest is still there. */
static void test_damaged(void)
{
    VhRasterQuery q = { .columns = 100, .rows = 20 };
    unsigned unknown = 0;
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) r = NULL;
    g_autoptr(VhRaster) again = NULL;
    Lab lab;

    lab_begin(&lab, 10);
    begin_record(&lab);
    q.from_us = lab.sim.wall_us;
    run(&lab, 100, true, false, false);
    q.to_us = lab.sim.wall_us;
    g_assert_true(vh_record_close(lab.w, NULL));
    spoil(&lab, 2500, "!!!", 3);
    v = vh_history_view(lab.h);
    r = vh_history_raster(v, &q);
    for (unsigned i = 0; i < 100; i++) {
        unknown += !r->data[20 * i];
    }
    g_assert_cmpint(unknown, >, 0);
    g_assert_cmpint(unknown, <, 10);
    check_warning(&lab, "damaged at byte");
    again = vh_history_raster(v, &q);
    check_no_warning(&lab);
    lab_end(&lab);
}

/* None of these is read, and none makes a query fail. */
static void test_foreign(void)
{
    VhRasterQuery q = { 1, 1000 * SECOND, 10, 10 };
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) r = NULL;
    Lab lab;

    lab_begin(&lab, 10);
    g_assert_true(
        g_file_set_contents(lab.path, "DAMON_RECORD or such, long", -1, NULL));
    v = vh_history_view(lab.h);
    r = vh_history_raster(v, &q);
    g_assert_cmpint(r->data[0], ==, 0);
    g_assert_cmpint(r->spans->len, ==, 0);
    check_warning(&lab, "is no record of vmheat");
    g_unlink(lab.path);
    lab.w = vh_record_create(lab.path, false, NULL);
    write_text(&lab, VH_RECORD_VM, "{\"realtime\": \"x\"}");
    run(&lab, 20, true, false, false);
    g_assert_true(vh_record_close(lab.w, NULL));
    vh_raster_free(r);
    r = vh_history_raster(v, &q);
    check_warning(&lab, "does not tell the time of day");
    g_unlink(lab.path);
    g_assert_cmpint(g_mkdir(lab.path, 0700), ==, 0);
    vh_raster_free(r);
    r = vh_history_raster(v, &q);
    check_warning(&lab, "regular file");
    g_rmdir(lab.path);
    lab_end(&lab);
}

/* More blocks than are decoded: what is told is still of the right time. */
static void test_long(void)
{
    VhRasterQuery q = { .columns = 400, .rows = 20 };
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) r = NULL;
    size_t wrong = 0, cells = 400 * 20;
    g_autofree uint8_t *data = g_malloc(cells), *idle = g_malloc(cells);
    Lab lab;

    lab_begin(&lab, 4);
    begin_record(&lab);
    q.from_us = lab.sim.wall_us;
    run(&lab, 40000, true, false, false);
    q.to_us = lab.sim.wall_us;
    g_assert_true(vh_record_close(lab.w, NULL));
    v = vh_history_view(lab.h);
    r = vh_history_raster(v, &q);
    reference_raster(&lab.ref, &q, data, idle);
    for (size_t i = 0; i < cells; i++) {
        g_assert_cmpint(r->data[i], !=, 0);
        wrong += ABS(r->data[i] - data[i]) > 40;
    }
    g_test_message("%zu of %zu cells are very wrong", wrong, cells);
    g_assert_cmpint(wrong, <, cells / 4);
    g_assert_cmpuint(vh_history_bytes(lab.h), <, 8 << 20);
    check_no_warning(&lab);
    lab_end(&lab);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/record/joined", test_joined);
    g_test_add_func("/history/record/changes", test_changes);
    g_test_add_func("/history/record/damaged", test_damaged);
    g_test_add_func("/history/record/foreign", test_foreign);
    g_test_add_func("/history/record/long", test_long);
    return g_test_run();
}
