/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Medians and other quantiles of a few numbers. */
#ifndef BENCH_ACCURACY_QUANTILE_H
#define BENCH_ACCURACY_QUANTILE_H

#include <stddef.h>

/**
 * quantile() - one of the @n values of @v
 * @q: 0 the smallest, 0.5 the median, 1 the largest
 *
 * NANs are left out; NAN when there is nothing else. @v is used as scratch
 * memory.
 */
double quantile(double *v, size_t n, double q);

#endif
