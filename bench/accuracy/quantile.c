/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quantiles. */
#include <math.h>
#include <stdlib.h>

#include "quantile.h"

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double quantile(double *v, size_t n, double q)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (!isnan(v[i])) {
            v[kept++] = v[i];
        }
    }
    if (!kept) {
        return NAN;
    }
    qsort(v, kept, sizeof(*v), by_size);
    return v[(size_t)(q * (kept - 1) + 0.5)];
}
