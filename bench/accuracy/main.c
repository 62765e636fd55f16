/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accuracy: how well and how soon the monitor finds hot memory, at what cost.
 *
 * A simulator with a virtual clock: the real monitor, budget and estimator
 * drive a simulated primitive on a guest whose accesses are known. Nothing is
 * measured on the machine it runs on but cpu_ns_per_tick; equal seeds give
 * equal results. docs/devel/accuracy.md says what is simulated and how it is
 * scored.
 */
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"
#include "report.h"
#include "sweep.h"
#include "table.h"
#include "vmheat/estimator.h"

static bool late(const Options *o, const Result *r)
{
    double worst =
        run_quantile(r, o->seeds, G_STRUCT_OFFSET(Result, first_ms), 1);

    if (!o->require_ms || worst <= o->require_ms) {
        return false;
    }
    fprintf(stderr, "accuracy: the slowest of %d runs took longer than %d ms\n",
            o->seeds, o->require_ms);
    return true;
}

/* One pattern or trace, one estimator. Returns the exit status, or -1. */
static int simulate(const Options *o, char **why)
{
    g_autofree Result *r = g_new0(Result, o->seeds);
    g_autofree char *json = NULL;

    if (!run_seeds(o, r, why)) {
        return -1;
    }
    if (o->json) {
        json = report_json(o, r, o->seeds);
        puts(json);
    } else {
        report_text(o, r, o->seeds);
    }
    return late(o, r);
}

/* A row of the table, or an element of the list. */
static void print_row(const Options *o, const Result *r, int n, void *opaque)
{
    bool *first = opaque;
    g_autofree char *json = NULL;

    if (o->json) {
        json = report_json(o, r, n);
        printf("%s%s", *first ? "[\n" : ",\n", json);
    } else {
        report_row(o, r, n);
    }
    *first = false;
    fflush(stdout);
}

static bool simulate_all(const Options *o, char **why)
{
    bool first = true;

    if (!o->json) {
        report_head();
    }
    if (!table_run(o, print_row, &first, why)) {
        return false;
    }
    if (o->json) {
        puts("\n]");
    }
    return true;
}

static int run(Options *o, char **why)
{
    if (o->plot) {
        return sweep_plot(o, why) ? 0 : -1;
    }
    if (o->all) {
        return simulate_all(o, why) ? 0 : -1;
    }
    if (!o->trace && !o->pattern) {
        o->pattern = g_strdup("block");
    }
    if (!o->estimator) {
        o->estimator = g_strdup(vh_estimators()[0]->name);
    }
    return simulate(o, why);
}

int main(int argc, char **argv)
{
    g_autofree char *why = NULL;
    Options o;
    int status = options_parse(&o, &argc, &argv, &why) ? run(&o, &why) : -1;

    options_clear(&o);
    if (status < 0) {
        fprintf(stderr, "accuracy: %s\n", why);
        return 2;
    }
    return status;
}
