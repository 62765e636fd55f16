/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How hot a rate is, on a scale that is the same for all pictures. */
#ifndef VMHEAT_TOOLS_HEAT_SCALE_H
#define VMHEAT_TOOLS_HEAT_SCALE_H

#include <stdbool.h>

#include "pen.h"

#define VH_HEAT_RATE_LEAST                                                  \
    0.01                      /* accesses a second: the colour next to cold \
                               */
#define VH_HEAT_RATE_MOST 300 /* the hottest colour */

/**
 * vh_heat_scale() - place of a heat on the scale
 * @rates: @heat is accesses a second, which are laid on logarithmically; else a
 *         part of checks, 0 .. 1, as it is
 * @heat: not negative
 *
 * Returns: 0 .. 1; 0 only when there was no access.
 */
double vh_heat_scale(bool rates, double heat);

/**
 * vh_heat_scale_level() - the same in the steps of terminals
 *
 * Returns: 0 .. VH_HEAT_MAX; 0 only when there was no access.
 */
int vh_heat_scale_level(bool rates, double heat);

/**
 * vh_heat_scale_ink() - the colour of a place on the scale
 * @at: 0 .. 1
 *
 * From black over violet and red to a light yellow: as bright as it is hot, so
 * it can be read in grey, and by those who do not tell red from green.
 */
VhInk vh_heat_scale_ink(double at);

#endif
