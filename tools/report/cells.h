/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How hot each address was on average, over any number of snapshots.
 *
 * Theory of operation
 * -------------------
 * Addresses are cut into cells of the same size. A region adds its rate times
 * the time to every cell it covers; it may cover all of them, and there are
 * thousands of regions in each of thousands of snapshots. So what whole cells
 * get is added at the first one, taken away behind the last one, and summed up
 * once at the end; only the first and the last cell, of which a region may
 * cover a part, get something of their own. A region costs the same however
 * large it is. Most regions are as they were in the snapshot before, and are
 * added once, when they change: a region is compared with the one that was in
 * its place of the list.
 *
 * A cell counts as touched when a part of it is.
 */
#ifndef VMHEAT_TOOLS_CELLS_H
#define VMHEAT_TOOLS_CELLS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct VhCells VhCells;

/**
 * struct VhHeatRange - addresses that are about as hot as one another
 * @start: the first
 * @end: behind the last
 * @rate: accesses a second, mean over addresses and time
 * @accessed: part of the time in which there were accesses, 0 .. 1
 */
typedef struct VhHeatRange {
    uint64_t start, end;
    double rate, accessed;
} VhHeatRange;

/**
 * enum VhCellUse - when there were accesses
 * @VH_CELL_NEVER: not that one knows
 * @VH_CELL_BEFORE: before that time
 * @VH_CELL_NOW: in that time
 */
typedef enum VhCellUse {
    VH_CELL_NEVER,
    VH_CELL_BEFORE,
    VH_CELL_NOW,
} VhCellUse;

/**
 * struct VhCellHeat - what is to be added to cells
 * @rate: accesses a second
 * @ns: for how long it was so
 * @use: of the memory
 */
typedef struct VhCellHeat {
    double rate;
    uint64_t ns;
    VhCellUse use;
} VhCellHeat;

/**
 * vh_cells_new() - no cells are touched
 * @end: most addresses are below; cells are so large that 131072 do for it
 */
VhCells *vh_cells_new(uint64_t end);

/** vh_cells_free() - NULL is fine */
void vh_cells_free(VhCells *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhCells, vh_cells_free)

/** vh_cells_next() - what is added from now on is of another snapshot */
void vh_cells_next(VhCells *c);

/**
 * vh_cells_add() - a region
 * @c: the cells
 * @start: its first address
 * @end: behind the last
 * @heat: of it
 *
 * What is beyond 32 times the @end of vh_cells_new() is left out.
 */
void vh_cells_add(VhCells *c, uint64_t start, uint64_t end,
                  const VhCellHeat *heat);

/**
 * vh_cells_finish() - sum up; after that nothing can be added
 * @c: the cells
 * @ns: in all, at most so long is a cell there
 */
void vh_cells_finish(VhCells *c, uint64_t ns);

/**
 * vh_cells_never() - bytes that were never touched
 * @c: finished
 * @start: of the addresses to look at; whole cells count by their part in it
 * @end: behind them
 *
 * What was there for a part of the time only counts for that part.
 */
uint64_t vh_cells_never(const VhCells *c, uint64_t start, uint64_t end);

/**
 * vh_cells_ranges() - neighbours of about the same rate as one
 * @c: finished
 * @least: bytes that a range has, unless what is about it is not there
 *
 * Returns: array of VhHeatRange, ascending addresses; the rates of neighbours
 * differ by a factor of two or more.
 */
GArray *vh_cells_ranges(const VhCells *c, uint64_t least);

#endif
