/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_HEATBAR_H
#define VMHEAT_TOOLS_HEATBAR_H

#include "model.h"
#include "page.h"

/* Cell level of a gap in guest-physical addresses. */
#define VH_CELL_GAP (-1)

/**
 * struct VhCell - a column of the heatmap
 * @start: lowest address in it
 * @level: 0 .. VH_HEAT_MAX, or VH_CELL_GAP
 */
typedef struct VhCell {
    uint64_t start;
    int level;
} VhCell;

/**
 * vh_heat_level() - heat of an access frequency
 * @fraction: nr-accesses / max-nr-accesses, 0 .. 1
 *
 * Returns: 0 only for 0, VH_HEAT_MAX only for (almost) 1.
 */
int vh_heat_level(double fraction);

/**
 * vh_heatbar_cells() - cut guest memory into columns
 * @snap: the snapshot
 * @columns: most cells, gaps included; at least 1
 * @cell_bytes: bytes of monitored memory in a cell
 *
 * Each cell holds the same number of monitored bytes (the last one may hold
 * fewer), and has the mean heat of its bytes. Gaps next to the same cell
 * boundary show as one; gaps are left out when they would take more than
 * a quarter of @columns.
 *
 * Returns: VhCell array.
 */
GArray *vh_heatbar_cells(const VhSnapshot *snap, unsigned columns,
                         uint64_t *cell_bytes);

/**
 * vh_heatbar_draw() - heatmap of a snapshot, with addresses and legend
 * @page: where to
 * @snap: the snapshot
 * @rows: most rows of cells
 */
void vh_heatbar_draw(VhPage *page, const VhSnapshot *snap, unsigned rows);

/**
 * vh_heat_mark() - one heat sample, as in the heatmap
 * @page: where to
 * @level: heat level
 */
void vh_heat_mark(VhPage *page, int level);

/**
 * vh_heat_text() - a heat level without colours
 * @level: heat level
 *
 * Returns: one character as a string; free with g_free().
 */
char *vh_heat_text(int level);

#endif
