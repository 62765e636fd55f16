/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quota goals: how near they are, and the quota they ask for. */
#ifndef CORE_GOALS_H
#define CORE_GOALS_H

#include "vmheat/scheme.h"

#define VH_GOAL_REACHED 10000ULL

/**
 * struct VhGoalState - what is remembered of one goal
 * @current: value its metric had last
 * @total: running total of the metric at the last look
 * @looked: @total is set
 */
typedef struct VhGoalState {
    uint64_t current;
    uint64_t total;
    bool looked;
} VhGoalState;

/**
 * struct VhGoals - what is remembered of the goals of a scheme
 * @v: one for each goal; owned
 * @nr: length of @v
 * @score: at the last look, of what was known
 * @esz_bp: consist: the loop's last output, in 1/10000 of a byte
 */
typedef struct VhGoals {
    VhGoalState *v;
    size_t nr;
    uint64_t score;
    uint64_t esz_bp;
} VhGoals;

/** vh_goals_set() - for quota @to; what was known of @from is kept (or NULL) */
void vh_goals_set(VhGoals *g, const VhQuota *from, const VhQuota *to);

/** vh_goals_clear() - frees what it owns */
void vh_goals_clear(VhGoals *g);

/** vh_feed_loop() - DAMON's damon_feed_loop_next_input() */
uint64_t vh_feed_loop(uint64_t last, uint64_t score);

/**
 * vh_goals_size() - look at the goals of @s; the bytes they allow for
 *
 * UINT64_MAX: any number. Tells env->goal_reached.
 */
uint64_t vh_goals_size(VhGoals *g, const VhScheme *s, const VhSchemesEnv *env);

#endif
