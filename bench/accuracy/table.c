/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of --all; see table.h. */
#include <glib.h>

#include "patterns.h"
#include "table.h"
#include "vmheat/estimator.h"

typedef struct Table {
    TableRow *row;
    void *opaque;
    double checks_per_s; /* of the first row; 0: this is the first */
} Table;

/* run_attrs() knows DAMON's intervals and numbers of regions. */
static Options as_damon(const Options *o)
{
    Options d = *o;

    d.estimator = (char *)"classic";
    d.unlimited = true;
    d.sampling_ms = d.aggregation_ms = d.min = d.max = 0;
    return d;
}

static double median_checks(const Result *r, int n)
{
    return run_quantile(r, n, G_STRUCT_OFFSET(Result, checks_per_s), 0.5);
}

static bool add_row(Table *t, const Options *o, char **why)
{
    g_autofree Result *r = g_new0(Result, o->seeds);

    if (!run_seeds(o, r, why)) {
        return false;
    }
    t->checks_per_s = t->checks_per_s ?: median_checks(r, o->seeds);
    for (int i = 0; i < o->seeds; i++) {
        r[i].checks_share = r[i].checks_per_s / t->checks_per_s;
    }
    t->row(o, r, o->seeds, t->opaque);
    return true;
}

/* All rows of o->pattern or o->trace. */
static bool add_rows(Table t, const Options *o, char **why)
{
    Options row = as_damon(o);

    if (!add_row(&t, &row, why)) {
        return false;
    }
    row = *o;
    for (size_t i = 0; vh_estimators()[i]; i++) {
        row.estimator = (char *)vh_estimators()[i]->name;
        if ((!o->estimator || !g_strcmp0(o->estimator, row.estimator)) &&
            !add_row(&t, &row, why)) {
            return false;
        }
    }
    return true;
}

bool table_run(const Options *o, TableRow *row, void *opaque, char **why)
{
    Table t = { .row = row, .opaque = opaque };
    Options one = *o;

    if (o->pattern || o->trace) {
        return add_rows(t, o, why);
    }
    for (const Pattern *p = patterns(); p->name; p++) {
        one.pattern = (char *)p->name;
        if (!add_rows(t, &one, why)) {
            return false;
        }
    }
    return true;
}
