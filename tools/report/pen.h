/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pictures are drawn with. */
#ifndef VMHEAT_TOOLS_PEN_H
#define VMHEAT_TOOLS_PEN_H

#include <stdbool.h>
#include <stdint.h>
#include <cairo.h>

typedef struct VhInk {
    double r, g, b;
} VhInk;

extern const VhInk vh_ink_text;
extern const VhInk vh_ink_grid;

/** vh_pen_use() - draw with that from now on; @alpha: 0 .. 1 */
void vh_pen_use(cairo_t *cr, VhInk ink, double alpha);

/** vh_pen_font() - write with that from now on */
void vh_pen_font(cairo_t *cr, double size, bool bold);

/**
 * vh_pen_text() - write
 * @align: 0 begins at @x, 0.5 is around it, 1 ends there
 * @text: may be anything
 *
 * Returns: how wide it is.
 */
double vh_pen_text(cairo_t *cr, double x, double y, double align,
                   const char *text);

/** vh_pen_line() - a sharp line: in the middle of a pixel */
void vh_pen_line(cairo_t *cr, double x1, double y1, double x2, double y2);

/**
 * struct VhTimeAxis - times along the lower edge of a picture
 * @from: the left edge, ns
 * @to: the right edge, ns; above @from
 * @unix_from: the same as @from as wall clock, ns since 1970; 0: not known,
 * then seconds from @from are shown
 * @left: where it is, as the others
 * @grid: lines up to @top, too
 */
typedef struct VhTimeAxis {
    uint64_t from, to;
    int64_t unix_from;
    double left, right, top, bottom;
    bool grid;
} VhTimeAxis;

/** vh_pen_time_axis() - draw it */
void vh_pen_time_axis(cairo_t *cr, const VhTimeAxis *axis);

#endif
