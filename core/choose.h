/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which regions to check in the coming sampling interval.
 *
 * When the budget is ample the answer is "all", as DAMON does. Else:
 *
 * - A region believed idle costs no fire and is checked as long as arming is
 *   paid for. Any other costs its chance to fire, which is known from its
 *   past: last_nr_accesses counts as one sample beside those of this
 *   aggregation.
 * - Regions that no check reached in an earlier aggregation go first, then
 *   those whose access rate is most uncertain: the variance of the Beta
 *   distribution after the samples so far, with the past counted as one to
 *   four samples (age + 1). A hot region whose samples all fired needs few
 *   more, one that is partly hot (a new split at the edge of a hot block)
 *   gets most.
 * - Equals take turns: the walk starts at a random region. A region that does
 *   not fit makes all later ones that cost something wait, so nothing is
 *   overtaken for ever by cheaper regions.
 */
#ifndef CORE_CHOOSE_H
#define CORE_CHOOSE_H

#include "region.h"
#include "vmheat/estimator.h"

/**
 * struct VhChooser - scratch memory and what was learned about costs
 * @order: chosen region numbers, in the order to check them
 * @room: length of @order
 * @mapped: share of silent checks whose page had to be unmapped; decays
 */
typedef struct VhChooser {
    uint32_t *order;
    size_t room;
    double mapped;
} VhChooser;

/** vh_chooser_init() - for up to @room regions; vh_chooser_clear() it */
void vh_chooser_init(VhChooser *c, size_t room);

/** vh_chooser_reserve() - make room for @room regions */
void vh_chooser_reserve(VhChooser *c, size_t room);

/** vh_chooser_clear() - free the scratch memory */
void vh_chooser_clear(VhChooser *c);

/** vh_chooser_learn() - a silent check's page was mapped, or not */
void vh_chooser_learn(VhChooser *c, bool present);

/**
 * vh_chance() - how likely a check of @r fires, 0 .. 1
 * @max: largest possible nr_accesses
 *
 * Exactly 0 for a region whose latest samples were all silent.
 */
double vh_chance(const VhRegion *r, uint32_t max);

/**
 * vh_choose() - choose regions to check
 * @rs: regions, at most as many as there is room for in @c
 * @max: largest possible nr_accesses
 * @budget: what the checks may cost
 * @rng: for taking turns
 *
 * Returns how many; their numbers are in c->order. In address order when
 * everything is chosen.
 */
size_t vh_choose(VhChooser *c, const VhRegions *rs, uint32_t max,
                 const VhPlanBudget *budget, VhRng *rng);

#endif
