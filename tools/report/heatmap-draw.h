/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a heatmap is shown. */
#ifndef VMHEAT_TOOLS_HEATMAP_DRAW_H
#define VMHEAT_TOOLS_HEATMAP_DRAW_H

#include <cairo.h>

#include "heatmap-read.h"

#define VH_HEAT_IMAGE_WIDTH 1200
#define VH_HEAT_IMAGE_HEIGHT 800

/** vh_heat_term_size() - the grid that fits a page; @rows: 0: as it is high */
VhHeatSize vh_heat_term_size(const VhTerm *term, unsigned rows);

/**
 * vh_heat_term_draw() - addresses from left to right, time downwards
 * @page: where to
 * @rec: its map is of vh_heat_term_size()
 */
void vh_heat_term_draw(VhPage *page, const VhHeatRecord *rec);

/** vh_heat_image_size() - the grid for a picture of so many pixels */
VhHeatSize vh_heat_image_size(unsigned width, unsigned height);

/**
 * vh_heat_image_draw() - time from left to right, addresses upwards
 * @cr: where to
 * @width: pixels
 * @height: pixels
 * @rec: a VhHeatRecord, its map of vh_heat_image_size()
 */
void vh_heat_image_draw(cairo_t *cr, double width, double height,
                        const void *rec);

/**
 * vh_heat_raw() - a line for each cell: time, address, heat
 *
 * As "damo report heatmap --output raw" has it, but addresses as they are:
 * time in ns since the first row; one row after another; "-": not monitored.
 * Free with g_free().
 */
char *vh_heat_raw(const VhHeatRecord *rec);

/** vh_heat_json() - the same for programs */
JsonNode *vh_heat_json(const VhHeatRecord *rec);

#endif
