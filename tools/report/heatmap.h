/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heat of memory over time: a grid of cells, time by address.
 *
 * Theory of operation
 * -------------------
 * Snapshots come one after another and are forgotten. Each is first cut into
 * the columns of the grid: how much of each was monitored, and with what rate.
 * This is then added to the rows that the snapshot stands for, as much as it
 * stands for each. So a cell is the mean over its bytes and its time, a region
 * costs the columns it covers, and a snapshot that lasts longer than a row
 * costs not much more than another. What was never monitored has no weight,
 * which is something else than having no heat.
 *
 * A snapshot stands for the time from its start to its end; and for the time
 * since the one before when its sequence number tells that there were only
 * snapshots in between that are not in the record. A pause, or a recorder that
 * was not there, stays a gap.
 */
#ifndef VMHEAT_TOOLS_HEATMAP_H
#define VMHEAT_TOOLS_HEATMAP_H

#include "heat-axis.h"

/**
 * struct VhSeam - where a hole in the addresses is
 * @column: it is before this one
 * @start: of the hole
 * @end: of the hole; of the last one, when there are several before a column
 */
typedef struct VhSeam {
    unsigned column;
    uint64_t start;
    uint64_t end;
} VhSeam;

/**
 * struct VhHeatSize - how large a picture is to be
 * @rows: of time
 * @width: columns of addresses, and what seams take
 * @seam: columns that a seam takes
 */
typedef struct VhHeatSize {
    unsigned rows;
    unsigned width;
    unsigned seam;
} VhHeatSize;

/**
 * struct VhHeatmap - the grid
 * @axis: addresses of all columns; not the grid's
 * @from: time of the first row, ns
 * @to: end of the last row
 * @rates: heat is accesses a second; else the part of checks that found one
 * @rows: how many
 * @columns: the same; each has as many bytes as another
 * @seams: VhSeam array, sorted
 * @snapshots: how many were added
 * @strangers: how many were not: they have rates and @rates says no, or such
 * @heat: row by row: rate times weight
 * @weight: row by row: how much of the cell was monitored, 0 .. 1
 * @now: a snapshot's heat, then its weight
 * @before_end: when the snapshot before ended; 0: there is none
 * @before_sequence: and its sequence number
 */
typedef struct VhHeatmap {
    const VhHeatAxis *axis;
    uint64_t from;
    uint64_t to;
    bool rates;
    unsigned rows;
    unsigned columns;
    GArray *seams;
    size_t snapshots;
    size_t strangers;
    double *heat;
    double *weight;
    double *now;
    uint64_t before_end;
    uint64_t before_sequence;
} VhHeatmap;

/**
 * vh_heatmap_new() - a grid with nothing on it
 * @axis: not empty; has to outlive the grid
 * @from: begin
 * @to: end; above @from
 * @rates: as in the struct
 * @size: wish; the grid is not finer than pages and nanoseconds
 */
VhHeatmap *vh_heatmap_new(const VhHeatAxis *axis, uint64_t from, uint64_t to,
                          bool rates, const VhHeatSize *size);

/** vh_heatmap_free() - NULL is fine */
void vh_heatmap_free(VhHeatmap *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhHeatmap, vh_heatmap_free)

/**
 * vh_heatmap_add() - add the next snapshot
 *
 * What is not on the axis, or not between from and to, is left out.
 */
void vh_heatmap_add(VhHeatmap *m, const VhSnapshot *s);

/** vh_heatmap_pass() - this is the snapshot before the next one; no more */
void vh_heatmap_pass(VhHeatmap *m, const VhSnapshot *s);

/** vh_heatmap_join() - add all of a grid of the same size, time and axis */
void vh_heatmap_join(VhHeatmap *m, const VhHeatmap *other);

/** vh_heatmap_cell() - heat of a cell; NAN: it was never monitored */
double vh_heatmap_cell(const VhHeatmap *m, unsigned row, unsigned column);

/** vh_heatmap_time() - when a row begins, ns; row @m->rows: the end */
uint64_t vh_heatmap_time(const VhHeatmap *m, unsigned row);

/** vh_heatmap_address() - where a column begins; it must be one */
uint64_t vh_heatmap_address(const VhHeatmap *m, unsigned column);

/** vh_heatmap_seam() - the seam before a column, or NULL */
const VhSeam *vh_heatmap_seam(const VhHeatmap *m, unsigned column);

#endif
