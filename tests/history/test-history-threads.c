/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * History: views stay as they are while others add, and after the end.
 *
 * Threads and locks are those of pthreads, which ThreadSanitizer knows; of
 * GLib's it knows nothing.
 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "history/history-json.h"
#include "sim.h"

#define SECOND 1000000ll
#define READERS 3
#define STEPS 1500

/* What readers take views of; lock: of @h. */
typedef struct Shared {
    pthread_mutex_t lock;
    VhHistory *h;
    int64_t wall_us;
    int ended;
} Shared;

static VhHistoryView *take_view(Shared *s, int64_t *wall_us)
{
    VhHistoryView *v;

    pthread_mutex_lock(&s->lock);
    v = vh_history_view(s->h);
    *wall_us = s->wall_us;
    pthread_mutex_unlock(&s->lock);
    return v;
}

/* The same question twice has the same answer, whatever was added. */
static gpointer read_views(gpointer opaque)
{
    Shared *s = opaque;

    while (!g_atomic_int_get(&s->ended)) {
        int64_t to;
        g_autoptr(VhHistoryView) v = take_view(s, &to);
        VhRasterQuery q = { to - 1000 * SECOND, to, 100, 60 };
        g_autoptr(VhRaster) a = vh_history_raster(v, &q);
        g_autoptr(VhHistorySeries) series =
            vh_history_series(v, q.from_us, to, 50);
        g_autoptr(VhRaster) b = vh_history_raster(v, &q);
        g_autofree char *x = vh_raster_json(a), *y = vh_raster_json(b);

        g_assert_cmpstr(x, ==, y);
        g_assert_false(isnan(series->values[VH_VALUE_HOT][49]));
    }
    return NULL;
}

static void add_steps(Shared *s, Sim *sim)
{
    for (int i = 0; i < STEPS; i++) {
        VhStateRange r = { 0, SIM_LOW_END + i / 100, "pc.ram", 0 };

        sim_step(sim);
        pthread_mutex_lock(&s->lock);
        vh_history_set_ranges(s->h, sim->wall_us, &r, 1);
        g_assert_true(vh_history_add(s->h, &sim->snapshot, sim->wall_us, NULL));
        s->wall_us = sim->wall_us;
        pthread_mutex_unlock(&s->lock);
    }
}

static void test_readers(void)
{
    Shared s = { .h = vh_history_new(&(VhHistoryLimits){ .bytes = 4 << 20 }) };
    pthread_t threads[READERS];
    Sim sim;

    pthread_mutex_init(&s.lock, NULL);
    vh_history_set_record(s.h, "/nowhere/vm.vmheat");
    sim_init(&sim, 300, 0.5, 0.1);
    sim_step(&sim);
    vh_history_add(s.h, &sim.snapshot, sim.wall_us, NULL);
    s.wall_us = sim.wall_us;
    for (int i = 0; i < READERS; i++) {
        g_assert_cmpint(pthread_create(&threads[i], NULL, read_views, &s), ==,
                        0);
    }
    add_steps(&s, &sim);
    g_atomic_int_set(&s.ended, 1);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_destroy(&s.lock);
    sim_clear(&sim);
    vh_history_free(s.h);
}

/* A view outlives its history, and what was thrown away since. */
static void test_outlive(void)
{
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ .bytes = 4 << 20 });
    VhRasterQuery q = { .columns = 50, .rows = 20 };
    g_autoptr(VhHistoryView) v = NULL;
    g_autoptr(VhRaster) a = NULL;
    g_autoptr(VhRaster) b = NULL;
    Sim sim;

    sim_init(&sim, 300, 0.5, 0.1);
    for (int i = 0; i < 3000; i++) {
        sim_step(&sim);
        vh_history_add(h, &sim.snapshot, sim.wall_us, NULL);
        if (i == 200) {
            v = vh_history_view(h);
            q.from_us = sim.wall_us - 150 * SECOND;
            q.to_us = sim.wall_us;
            a = vh_history_raster(v, &q);
        }
    }
    vh_history_free(h);
    b = vh_history_raster(v, &q);
    g_assert_cmpmem(a->data, 1000, b->data, 1000);
    g_assert_cmpmem(a->idle, 1000, b->idle, 1000);
    sim_clear(&sim);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/threads/readers", test_readers);
    g_test_add_func("/history/threads/outlive", test_outlive);
    return g_test_run();
}
