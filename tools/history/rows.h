/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of a raster: which addresses, and what of a snapshot is in each. */
#ifndef TOOLS_HISTORY_ROWS_H
#define TOOLS_HISTORY_ROWS_H

#include "history.h"
#include "report/heat-axis.h"
#include "vmheat/snap-codec.h"

/**
 * struct VhCell - sums, of bytes and time
 * @weight: how much of it was seen
 * @rate: accesses a second, times weight
 * @idle: seconds, times weight
 */
typedef struct VhCell {
    float weight, rate, idle;
} VhCell;

/**
 * vh_rows_cut() - add a snapshot to rows
 * @axis: addresses of all rows
 * @rows: how many
 * @c: the snapshot
 * @part: weight of it
 * @cells: @rows of
 */
void vh_rows_cut(const VhHeatAxis *axis, unsigned rows, const VhSnapCodec *c,
                 float part, VhCell *cells);

/** vh_rows_add() - add cells, times @part */
void vh_rows_add(unsigned rows, VhCell *to, const VhCell *cells, float part);

/** vh_rows_spans() - VhRasterSpan array */
GArray *vh_rows_spans(const VhHeatAxis *axis, unsigned rows);

#define VH_SCALE_STEPS 8192

/**
 * struct VhScale - what turns numbers into bytes
 * @low: least number of it, as the first bits of a float
 * @steps: bytes, of so many numbers
 */
typedef struct VhScale {
    uint32_t low;
    uint32_t nr;
    uint8_t steps[VH_SCALE_STEPS];
} VhScale;

/** struct VhScales - both of a raster */
typedef struct VhScales {
    VhScale rate, idle;
} VhScales;

/** vh_scales_init() - fill in */
void vh_scales_init(VhScales *s);

/**
 * vh_rows_bytes() - cells as bytes
 * @s: the scales
 * @rows: how many
 * @cells: of them
 * @data: rates
 * @idle: idle times
 */
void vh_rows_bytes(const VhScales *s, unsigned rows, const VhCell *cells,
                   uint8_t *data, uint8_t *idle);

#endif
