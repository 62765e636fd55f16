/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many runs at different costs, and the plot of them. */
#ifndef BENCH_ACCURACY_SWEEP_H
#define BENCH_ACCURACY_SWEEP_H

#include "options.h"

/**
 * sweep_plot() - draw accuracy against cost into o->plot
 *
 * A panel for each pattern (o->pattern: only that), curves for each estimator:
 * over a range of budgets, and without a budget over a range of regions. Says
 * on standard error what it does; it takes minutes. False and @why (g_free).
 */
bool sweep_plot(const Options *o, char **why);

#endif
