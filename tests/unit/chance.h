/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers of the kinds tests of access rates need. */
#ifndef TESTS_CHANCE_H
#define TESTS_CHANCE_H

#include <math.h>

#include "vmheat/types.h"

/* Between @lo and @hi, uniform in log. */
static inline double chance_log(VhRng *rng, double lo, double hi)
{
    return lo * pow(hi / lo, vh_rng_unit(rng));
}

/* Until the next access, at @rate. */
static inline double chance_wait(VhRng *rng, double rate)
{
    return -log1p(-vh_rng_unit(rng)) / rate;
}

#endif
