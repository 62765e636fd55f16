/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture of a series, of characters. */
#ifndef VMHEAT_TOOLS_AREA_H
#define VMHEAT_TOOLS_AREA_H

#include "../page.h"
#include "series.h"

/**
 * struct VhArea - what to draw
 * @series: sizes in bytes; no column exceeds the one after
 * @names: of the columns; NULL: there is but one
 * @from: the left edge, ns
 * @to: the right edge, ns; above @from
 * @left: the text under the left edge
 * @right: the text under the right edge
 * @rows: how high it is
 */
typedef struct VhArea {
    const VhSeries *series;
    const char *const *names;
    uint64_t from, to;
    const char *left, *right;
    unsigned rows;
} VhArea;

/**
 * vh_area_draw() - draw it as wide as the page
 *
 * Each character column is as high as the most of its part of the time.
 */
void vh_area_draw(VhPage *page, const VhArea *a);

#endif
