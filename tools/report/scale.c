/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "scale.h"

#define DAY 86400

/*
 * A unit is 1024 of the smaller one, so steps of 1, 2, 4, ..., 512 of a unit
 * always end at whole numbers of the next.
 */
uint64_t vh_scale_bytes(uint64_t max, unsigned marks)
{
    uint64_t step = 1;

    while (step < (1ull << 62) && step < max / marks + (max % marks != 0)) {
        step *= 2;
    }
    return step;
}

uint64_t vh_scale_seconds(uint64_t span, unsigned marks)
{
    static const unsigned steps[] = { 1,    2,    5,     10,    15,    30,
                                      60,   120,  300,   600,   900,   1800,
                                      3600, 7200, 10800, 21600, 43200, DAY };

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (span <= (uint64_t)steps[i] * marks) {
            return steps[i];
        }
    }
    return (span / marks / DAY + 1) * DAY;
}
