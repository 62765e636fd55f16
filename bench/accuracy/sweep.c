/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many runs at different costs. */
#include <glib.h>
#include <stdio.h>

#include "patterns.h"
#include "plot.h"
#include "run.h"
#include "sweep.h"
#include "vmheat/estimator.h"
#include "vmheat/monitor.h"

/* Hundredths of a percent of a vCPU; and regions without any budget. */
static const int budgets[] = { 5, 10, 20, 50, 100, 200, 500, 1000 };
static const int regions[] = { 30, 100, 300, 1000, 3000 };

static bool add_point(const Options *o, PlotCurve *c, char **why)
{
    g_autofree Result *r = g_new0(Result, o->seeds);
    double x, y;

    if (!run_seeds(o, r, why)) {
        return false;
    }
    x = run_quantile(r, o->seeds, G_STRUCT_OFFSET(Result, checks_per_s), 0.5);
    y = run_quantile(r, o->seeds, G_STRUCT_OFFSET(Result, f1), 0.5);
    fprintf(stderr, "%s, %s: %.0f checks/s, F1 %.3f\n", o->pattern, c->label, x,
            y);
    c->x[c->nr] = x;
    c->y[c->nr++] = y;
    return true;
}

/* The text lives as long as the program. */
static void label(PlotCurve *c, const char *estimator, const char *what)
{
    g_autofree char *text = g_strdup_printf("%s, %s", estimator, what);

    c->label = g_intern_string(text);
}

/* With a budget; traps are so many that only it binds. */
static bool add_budgets(Options o, PlotCurve *c, char **why)
{
    label(c, o.estimator, "by budget");
    o.unlimited = false;
    o.traps = VH_TRAPS_MAX;
    for (size_t i = 0; i < G_N_ELEMENTS(budgets); i++) {
        o.budget = budgets[i];
        if (!add_point(&o, c, why)) {
            return false;
        }
    }
    return true;
}

/* Without one, at DAMON's intervals. */
static bool add_regions(Options o, PlotCurve *c, char **why)
{
    label(c, o.estimator, "no budget, by regions");
    o.unlimited = true;
    for (size_t i = 0; i < G_N_ELEMENTS(regions); i++) {
        o.max = regions[i];
        if (!add_point(&o, c, why)) {
            return false;
        }
    }
    return true;
}

static bool fill_panel(Options o, const Pattern *p, PlotPanel *panel,
                       char **why)
{
    g_autofree char *only = g_strdup(o.estimator);

    o.pattern = (char *)p->name;
    panel->title = p->name;
    panel->summary = p->summary;
    for (size_t i = 0; vh_estimators()[i]; i++) {
        o.estimator = (char *)vh_estimators()[i]->name;
        if (only && g_strcmp0(only, o.estimator)) {
            continue;
        }
        if (!add_budgets(o, &panel->curves[panel->nr++], why) ||
            !add_regions(o, &panel->curves[panel->nr++], why)) {
            return false;
        }
    }
    return true;
}

bool sweep_plot(const Options *o, char **why)
{
    PlotPanel panels[PLOT_PANELS_MAX] = { 0 };
    size_t n = 0;

    if (o->trace) {
        *why = g_strdup("--plot draws patterns, not a --trace");
        return false;
    }
    if (!plot_write(o->plot, NULL, 0, why)) {
        return false;
    }
    for (const Pattern *p = patterns(); p->name; p++) {
        if (o->pattern && g_strcmp0(o->pattern, p->name)) {
            continue;
        }
        if (!fill_panel(*o, p, &panels[n++], why)) {
            return false;
        }
    }
    return plot_write(o->plot, panels, n, why);
}
