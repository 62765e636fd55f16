/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "sim.h"

#define PAGE 4096
#define MOVES 20 /* snapshots, then something else is hot */

static uint64_t address(uint64_t at)
{
    return at < SIM_LOW_END ? at : at - SIM_LOW_END + SIM_HIGH_START;
}

static uint64_t end_address(uint64_t at)
{
    return address(at - 1) + 1;
}

/* All of the guest in regions of about the same size, one of which ends where
 * the hole is. */
static void begin(Sim *sim)
{
    VhSnapshot *s = &sim->snapshot;
    uint64_t at = 0;

    s->nr = 0;
    s->sequence = 0;
    s->regions = g_renew(VhRegion, s->regions, sim->regions + 2);
    for (unsigned i = 0; i < sim->regions; i++) {
        uint64_t end = SIM_TOTAL / PAGE * (i + 1) / sim->regions * PAGE;

        if (at < SIM_LOW_END && end > SIM_LOW_END) {
            s->regions[s->nr++] =
                (VhRegion){ .start = at, .end = SIM_LOW_END, .age = 1 };
            at = SIM_LOW_END;
        }
        s->regions[s->nr++] = (VhRegion){ .start = address(at),
                                          .end = end_address(end),
                                          .age = 1 };
        at = end;
    }
    s->nr_regions = s->nr;
}

void sim_init(Sim *sim, unsigned regions, double busy, double moving)
{
    *sim = (Sim){ .rand = g_rand_new_with_seed(regions),
                  .busy = busy,
                  .moving = moving,
                  .interval_us = 1000000,
                  .regions = regions,
                  .wall_us = SIM_WALL_US };
    sim->snapshot = (VhSnapshot){ .end_time = 1000000000000,
                                  .sampling_interval = 5000,
                                  .aggregation_interval = 100000,
                                  .max_nr_accesses = 20,
                                  .total_size = SIM_TOTAL,
                                  .has_rates = true };
    begin(sim);
}

void sim_clear(Sim *sim)
{
    g_free(sim->snapshot.regions);
    g_rand_free(sim->rand);
}

/* One in so many calls. */
static bool chance(Sim *sim, double part)
{
    return part > 0 && g_rand_double(sim->rand) < part;
}

static void set_rate(Sim *sim, VhRegion *r, bool hot)
{
    double rate = hot ? 20 + 400 * g_rand_double(sim->rand)
                      : 0.01 + 2 * g_rand_double(sim->rand);

    r->rate = rate;
    r->rate_low = rate * 0.8;
    r->rate_high = rate * 1.25;
    r->nr_accesses = MIN(1 + rate / 10, 20);
    r->age = 0;
    r->idle_us = 1e6 / rate;
}

static void grow_idle(Sim *sim, VhRegion *r, uint64_t steps)
{
    r->age += steps;
    r->idle_us += sim->interval_us;
    if (r->rate > 0 && r->idle_us > 8e6 / r->rate) {
        r->rate = r->rate_low = 0;
        r->rate_high = 0.02;
        r->nr_accesses = 0;
    }
}

/* Idle times of hot regions stay what they are. */
static void change(Sim *sim, VhRegion *r, unsigned eighth, unsigned hot,
                   uint64_t steps)
{
    bool is_hot = eighth == hot;

    if (is_hot && (r->rate < 20 || chance(sim, sim->busy))) {
        set_rate(sim, r, true);
    } else if (!is_hot && chance(sim, eighth < 6 ? sim->busy : 0)) {
        set_rate(sim, r, false);
    } else if (is_hot) {
        r->age += steps;
    } else {
        grow_idle(sim, r, steps);
    }
    r->idle_us -= r->idle_us % 1000;
}

static void move_border(VhRegion *a, VhRegion *b, bool up)
{
    if (a->end != b->start) {
        return;
    }
    if (up && b->end - b->start > 2 * PAGE) {
        a->end += PAGE;
    } else if (!up && a->end - a->start > 2 * PAGE) {
        a->end -= PAGE;
    }
    b->start = a->end;
}

void sim_step(Sim *sim)
{
    VhSnapshot *s = &sim->snapshot;
    uint64_t steps = MAX(sim->interval_us / s->aggregation_interval, 1);
    unsigned hot;

    s->sequence += steps;
    s->end_time += sim->interval_us * 1000;
    s->start_time =
        s->end_time - MIN(s->aggregation_interval, sim->interval_us) * 1000;
    sim->wall_us += sim->interval_us;
    hot = s->sequence / steps / MOVES % 3;
    s->working_set_size = 0;
    for (size_t i = 0; i < s->nr; i++) {
        VhRegion *r = &s->regions[i];

        change(sim, r, i * 8 / s->nr, hot, steps);
        if (i && chance(sim, sim->moving)) {
            move_border(r - 1, r, g_rand_boolean(sim->rand));
        }
    }
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        s->working_set_size += r->nr_accesses ? r->end - r->start : 0;
    }
}

void sim_pause(Sim *sim, uint64_t us)
{
    sim->snapshot.end_time += us * 1000;
    sim->wall_us += us;
}

void sim_restart(Sim *sim)
{
    begin(sim);
}
