/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers take snapshots and stats while the monitor ticks. Meant for TSan
 * and ASan; without them it still checks that snapshots are consistent.
 */
#include "scripted.h"

#define READERS 3
#define TICKS 3000

typedef struct Shared {
    VhMonitor *m;
    int stop;
    int reads;
} Shared;

static void check_snapshot(const VhSnapshot *s, uint64_t *last)
{
    g_assert_cmpuint(s->sequence, >=, *last);
    g_assert_cmpuint(s->end_ns, >, s->start_ns);
    g_assert_cmpuint(vh_snapshot_total(s), ==, 64 * MIB);
    *last = s->sequence;
}

static void *reader(void *opaque)
{
    Shared *sh = opaque;
    VhSnapshot *kept = NULL;
    uint64_t last = 0, aggregations = 0;

    while (!g_atomic_int_get(&sh->stop)) {
        VhSnapshot *s = vh_monitor_snapshot(sh->m);
        VhMonitorStats st;

        vh_monitor_stats(sh->m, &st);
        g_assert_cmpuint(st.aggregations, >=, aggregations);
        aggregations = st.aggregations;
        if (s) {
            check_snapshot(s, &last);
            vh_snapshot_unref(kept);
            kept = s; /* outlives its time as the latest */
            g_atomic_int_inc(&sh->reads);
        }
        g_thread_yield();
    }
    vh_snapshot_unref(kept);
    return NULL;
}

static void test_readers(void)
{
    Scripted s = { .hot = { 0, 8 * MIB } };
    VhMonitorConfig cfg = scripted_config(&s);
    VhRange range = { 0, 64 * MIB };
    VhMap *map = scripted_map(&range, 1);
    GThread *t[READERS];
    Shared sh = { 0 };
    char *why = NULL;

    sh.m = vh_monitor_new(&cfg, &why);
    g_assert_true(vh_monitor_set_map(sh.m, map, &why));
    vh_map_unref(map);
    for (int i = 0; i < READERS; i++) {
        t[i] = g_thread_new("reader", reader, &sh);
    }
    for (int i = 0; i < TICKS || !g_atomic_int_get(&sh.reads); i++) {
        s.now_ns = vh_monitor_tick(sh.m);
        if (i % 512 == 0) {
            vh_monitor_set_attrs(sh.m, &cfg.attrs, &cfg.limits);
        }
    }
    g_atomic_int_set(&sh.stop, 1);
    for (int i = 0; i < READERS; i++) {
        g_thread_join(t[i]);
    }
    vh_monitor_free(sh.m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/threads/readers", test_readers);
    return g_test_run();
}
