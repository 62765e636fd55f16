/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture of a series, of lines over time. */
#ifndef VMHEAT_TOOLS_CHART_H
#define VMHEAT_TOOLS_CHART_H

#include <cairo.h>

#include "series.h"

#define VH_CHART_WIDTH 1000
#define VH_CHART_HEIGHT 480

/**
 * struct VhChart - what to draw
 * @title: its first line
 * @subtitle: its second line
 * @series: sizes in bytes
 * @names: of the columns
 * @from: the left edge, ns
 * @to: the right edge, ns; above @from
 * @unix_from: the same as wall clock, ns since 1970; 0: not known, then the
 *             axis counts seconds from @from
 * @total: a line across: as much there is; 0: none; when it is far above all
 *         values it is only told
 */
typedef struct VhChart {
    const char *title, *subtitle;
    const VhSeries *series;
    const char *const *names;
    uint64_t from, to;
    int64_t unix_from;
    uint64_t total;
} VhChart;

/**
 * struct VhChartFrame - where on the picture is what
 * @left: of the plot, the least of time
 * @top: of the plot
 * @right: of the plot
 * @bottom: of the plot: 0 bytes
 * @max: bytes at @top
 * @mark: bytes between two lines across
 */
typedef struct VhChartFrame {
    double left, top, right, bottom;
    uint64_t max, mark;
} VhChartFrame;

/** vh_chart_frame() - as vh_chart_draw() does it */
void vh_chart_frame(const VhChart *chart, double width, double height,
                    VhChartFrame *frame);

/**
 * vh_chart_draw() - draw it
 * @cr: where to
 * @width: of it
 * @height: of it
 * @chart: a VhChart
 *
 * A line is the mean of each part of the time, the band around it goes from the
 * least to the most. Where there are no values there is no line.
 */
void vh_chart_draw(cairo_t *cr, double width, double height, const void *chart);

#endif
