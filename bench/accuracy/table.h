/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --all: patterns, each with DAMON as it is and with all estimators. */
#ifndef BENCH_ACCURACY_TABLE_H
#define BENCH_ACCURACY_TABLE_H

#include "run.h"

/** typedef TableRow - called with each row: settings and @n results */
typedef void TableRow(const Options *o, const Result *r, int n, void *opaque);

/**
 * table_run() - run every pattern (o->pattern: only that; o->trace: only it)
 *
 * The first row of each is classic as DAMON runs it by default, without a
 * budget, whatever @o says of these; then one for each estimator
 * (o->estimator: only that) as @o says. Result::checks_share is a row's
 * checks_per_s over that of the first. False and @why (g_free).
 */
bool table_run(const Options *o, TableRow *row, void *opaque, char **why);

#endif
