/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_TEMPERATURE_H
#define VMHEAT_TOOLS_TEMPERATURE_H

#include "model.h"

/**
 * struct VhWeights - what makes a region's temperature
 * @size: of each byte
 * @rate: of each access a second; where no rates are told, of each percent of
 *        checks that found it accessed
 * @age: of each microsecond
 */
typedef struct VhWeights {
    double size, rate, age;
} VhWeights;

/* As damo. */
#define VH_WEIGHTS_DEFAULT ((VhWeights){ 0, 100, 100 })

/**
 * vh_temperature() - how hot, or how cold, a region is and for how long
 * @s: the snapshot it is of
 * @r: the region
 * @w: what counts how much
 *
 * Returns: the weighted sum of size, rate and age; negative when nr-accesses
 * is 0.
 */
double vh_temperature(const VhSnapshot *s, const VhRegion *r,
                      const VhWeights *w);

#endif
