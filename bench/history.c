/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a history takes and how long queries of it are: 24 h of a guest with
 * 1000 regions, one snapshot a second, calm and busy.
 *
 * usage: build/bench/history [REGIONS [HOURS]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../tests/history/sim.h"
#include "history/history-json.h"
#include "history/history.h"

#define SECOND 1000000ll
#define HOUR (3600 * SECOND)
#define TRIES 5

static double ms_since(gint64 us)
{
    return (g_get_monotonic_time() - us) / 1e3;
}

/* Of all threads: on a host with other work more telling than the time. */
static double cpu_ms(void)
{
    return clock() * 1e3 / CLOCKS_PER_SEC;
}

static VhRasterQuery query(const Sim *sim, int64_t span, unsigned columns,
                           unsigned rows)
{
    return (VhRasterQuery){ .from_us = sim->wall_us - span,
                            .to_us = sim->wall_us,
                            .columns = columns,
                            .rows = rows };
}

/* The best of some: what it takes when nothing else runs. */
static void time_raster(const VhHistoryView *v, const Sim *sim,
                        const char *name, int64_t span, int64_t back)
{
    double best = INFINITY, json = INFINITY, cpu = INFINITY;

    for (int i = 0; i < TRIES; i++) {
        double cpu_start = cpu_ms();
        VhRasterQuery q = query(sim, span, 2048, 1024);
        gint64 start = g_get_monotonic_time();
        g_autofree char *text = NULL;
        VhRaster *r;

        q.from_us -= back;
        q.to_us -= back;
        r = vh_history_raster(v, &q);
        best = MIN(best, ms_since(start));
        cpu = MIN(cpu, cpu_ms() - cpu_start);
        start = g_get_monotonic_time();
        text = vh_raster_json(r);
        json = MIN(json, ms_since(start));
        vh_raster_free(r);
    }
    printf("  raster %-28s %8.1f ms (%.1f ms of CPU), as JSON %.1f ms more\n",
           name, best, cpu, json);
}

static void time_series(const VhHistoryView *v, const Sim *sim,
                        const char *name, int64_t span, unsigned columns)
{
    double best = INFINITY, json = INFINITY;

    for (int i = 0; i < TRIES; i++) {
        gint64 start = g_get_monotonic_time();
        g_autofree char *text = NULL;
        VhHistorySeries *s =
            vh_history_series(v, sim->wall_us - span, sim->wall_us, columns);

        best = MIN(best, ms_since(start));
        start = g_get_monotonic_time();
        text = vh_history_series_json(s);
        json = MIN(json, ms_since(start));
        vh_history_series_free(s);
    }
    printf("  series %-28s %8.2f ms, as JSON %.1f ms more\n", name, best, json);
}

static void time_others(VhHistory *h, const VhHistoryView *v, const Sim *sim)
{
    gint64 start = g_get_monotonic_time();
    VhHistoryRegion r;

    vh_history_view_free(vh_history_view(h));
    printf("  view   %37.2f ms\n", ms_since(start));
    start = g_get_monotonic_time();
    if (vh_history_region(v, sim->wall_us - 1800 * SECOND, 1 << 30, &r)) {
        printf("  region half an hour ago %20.2f ms\n", ms_since(start));
        vh_history_region_clear(&r);
    }
    start = g_get_monotonic_time();
    vh_raster_free(vh_history_column(v, 1024, 0, 0));
    printf("  column %37.2f ms\n", ms_since(start));
}

static void run(const char *name, unsigned regions, unsigned hours, double busy,
                double moving)
{
    VhHistory *h = vh_history_new(&(VhHistoryLimits){ 0 });
    VhHistoryPoint p = VH_HISTORY_POINT_UNKNOWN;
    VhHistoryView *v;
    int64_t from, to;
    gint64 us = 0;
    Sim sim;
    unsigned nr = hours * 3600;

    sim_init(&sim, regions, busy, moving);
    for (unsigned i = 0; i < nr; i++) {
        gint64 start;

        sim_step(&sim);
        p.has = 3e9 + i;
        start = g_get_monotonic_time();
        vh_history_add(h, &sim.snapshot, sim.wall_us, &p);
        us += g_get_monotonic_time() - start;
    }
    v = vh_history_view(h);
    printf("%s guest: %u regions, %.0f %% of them and %.0f %% of borders "
           "change in each of %u snapshots\n",
           name, regions, busy * 100, moving * 100, nr);
    printf("  memory %34.1f MiB, limit %.1f MiB\n",
           vh_history_bytes(h) / 1048576.0,
           vh_history_limits(h).bytes / 1048576.0);
    for (unsigned i = 0; vh_history_level(v, i, &from, &to); i++) {
        printf("  level %u reaches back %22.2f h\n", i, (to - from) / 3.6e9);
    }
    printf("  add    %37.3f ms a snapshot\n", us / 1e3 / nr);
    time_raster(v, &sim, "1 h, 2048 x 1024", HOUR, 0);
    time_raster(v, &sim, "1 h, a quarter of it ago", HOUR, HOUR / 4);
    time_raster(v, &sim, "6 h, 2048 x 1024", 6 * HOUR, 0);
    time_raster(v, &sim, "24 h, 2048 x 1024", 24 * HOUR, 0);
    time_raster(v, &sim, "10 min, 2048 x 1024", HOUR / 6, 0);
    time_series(v, &sim, "1 h, 600", HOUR, 600);
    time_series(v, &sim, "24 h, 600", 24 * HOUR, 600);
    time_series(v, &sim, "24 h, 2000", 24 * HOUR, 2000);
    time_others(h, v, &sim);
    vh_history_view_free(v);
    vh_history_free(h);
    sim_clear(&sim);
}

int main(int argc, char **argv)
{
    unsigned regions = argc > 1 ? atoi(argv[1]) : 1000;
    unsigned hours = argc > 2 ? atoi(argv[2]) : 24;

    setvbuf(stdout, NULL, _IOLBF, 0); /* it takes a minute */
    run("calm", regions, hours, 0.01, 0.001);
    run("busy", regions, hours, 0.3, 0.05);
    return 0;
}
