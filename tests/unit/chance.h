/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers of the kinds tests of access rates need. */
#ifndef TESTS_CHANCE_H
#define TESTS_CHANCE_H

#include <math.h>

#include "vmheat/types.h"

/* Uniform in [0, 1). */
static inline double chance_unit(VhRng *rng)
{
    return (vh_rng_next(rng) >> 11) * 0x1p-53;
}

/* Between @lo and @hi, uniform in log. */
static inline double chance_log(VhRng *rng, double lo, double hi)
{
    return lo * pow(hi / lo, chance_unit(rng));
}

/* Until the next access, at @rate. */
static inline double chance_wait(VhRng *rng, double rate)
{
    return -log1p(-chance_unit(rng)) / rate;
}

#endif
