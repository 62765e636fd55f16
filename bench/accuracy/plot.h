/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Panels of curves: F1 (0 .. 1) over a cost (logarithmic). Drawn with cairo;
 * plot-none.c stands in where vmheat was built without it.
 */
#ifndef BENCH_ACCURACY_PLOT_H
#define BENCH_ACCURACY_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#define PLOT_POINTS_MAX 16
#define PLOT_CURVES_MAX 8
#define PLOT_PANELS_MAX 16

/** struct PlotCurve - @nr points; the same @label is the same in all panels */
typedef struct PlotCurve {
    const char *label;
    size_t nr;
    double x[PLOT_POINTS_MAX];
    double y[PLOT_POINTS_MAX];
} PlotCurve;

/** struct PlotPanel - @nr curves under a title and, smaller, what it is */
typedef struct PlotPanel {
    const char *title;
    const char *summary;
    size_t nr;
    PlotCurve curves[PLOT_CURVES_MAX];
} PlotPanel;

/**
 * plot_write() - draw @n panels into @path, by its suffix as SVG or PNG
 *
 * False and @why (g_free): a sentence. With no panels: can it draw at all?
 */
bool plot_write(const char *path, const PlotPanel *panels, size_t n,
                char **why);

#endif
