/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of a guest that does not exist, one a second or as often as wished.
 *
 * 4 GiB, 3 of them below the hole. An eighth is hot, and what is hot moves on;
 * a part of the regions have another rate in each snapshot, and a part of the
 * borders between them move. The same seed gives the same guest.
 */
#ifndef TESTS_HISTORY_SIM_H
#define TESTS_HISTORY_SIM_H

#include "model.h"

#define SIM_LOW_END (3ull << 30)
#define SIM_HIGH_START (4ull << 30)
#define SIM_TOTAL (4ull << 30)
#define SIM_WALL_US (1700000000ll * 1000000)

/**
 * struct Sim - the guest
 * @rand: what it does
 * @busy: part of the regions that have another rate in each snapshot
 * @moving: part of the borders that move
 * @interval_us: between two snapshots
 * @regions: wanted; there may be one more
 * @snapshot: the latest
 * @wall_us: its end, wall clock
 */
typedef struct Sim {
    GRand *rand;
    double busy, moving;
    uint64_t interval_us;
    unsigned regions;
    VhSnapshot snapshot;
    int64_t wall_us;
} Sim;

/** sim_init() - no snapshot yet */
void sim_init(Sim *sim, unsigned regions, double busy, double moving);

/** sim_clear() - free what it holds */
void sim_clear(Sim *sim);

/** sim_step() - the next snapshot */
void sim_step(Sim *sim);

/** sim_pause() - nothing is seen for a while; the next one is of after that */
void sim_pause(Sim *sim, uint64_t us);

/** sim_restart() - another QEMU: sequence and regions begin anew */
void sim_restart(Sim *sim);

#endif
