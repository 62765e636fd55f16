/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as text, as JSON, as a table. */
#ifndef BENCH_ACCURACY_REPORT_H
#define BENCH_ACCURACY_REPORT_H

#include <glib.h>

#include "run.h"

/** report_json() - one JSON object of @n runs, without a line's end */
char *report_json(const Options *o, const Result *r, int n);

/** report_text() - for humans, on standard output */
void report_text(const Options *o, const Result *r, int n);

/** report_head() - heading of the table of report_row() */
void report_head(void);

/** report_row() - one line of a table, on standard output */
void report_row(const Options *o, const Result *r, int n);

#endif
