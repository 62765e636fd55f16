/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <math.h>

#include "../page.h"
#include "heat-scale.h"

#define ABOVE_COLD 0.08 /* where the least rate is */

double vh_heat_scale(bool rates, double heat)
{
    double at;

    if (!(heat > 0)) {
        return 0;
    }
    if (!rates) {
        return ABOVE_COLD + (1 - ABOVE_COLD) * MIN(heat, 1);
    }
    at = log(heat / VH_HEAT_RATE_LEAST) /
         log(VH_HEAT_RATE_MOST / VH_HEAT_RATE_LEAST);
    return ABOVE_COLD + (1 - ABOVE_COLD) * CLAMP(at, 0, 1);
}

int vh_heat_scale_level(bool rates, double heat)
{
    double at = vh_heat_scale(rates, heat);

    if (at <= 0) {
        return 0;
    }
    at = (at - ABOVE_COLD) / (1 - ABOVE_COLD);
    return 1 + MIN((int)(at * VH_HEAT_MAX), VH_HEAT_MAX - 1);
}

VhInk vh_heat_scale_ink(double at)
{
    static const VhInk points[] = {
        { 0.04, 0.03, 0.12 }, { 0.21, 0.05, 0.40 }, { 0.47, 0.11, 0.43 },
        { 0.71, 0.21, 0.33 }, { 0.90, 0.36, 0.19 }, { 0.98, 0.58, 0.10 },
        { 0.97, 0.82, 0.28 }, { 0.99, 1.00, 0.64 },
    };
    double place = CLAMP(at, 0, 1) * (G_N_ELEMENTS(points) - 1);
    unsigned i = MIN((unsigned)place, G_N_ELEMENTS(points) - 2);
    double part = place - i;
    const VhInk *a = &points[i], *b = &points[i + 1];

    return (VhInk){ a->r + (b->r - a->r) * part, a->g + (b->g - a->g) * part,
                    a->b + (b->b - a->b) * part };
}
