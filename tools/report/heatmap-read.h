/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A heatmap of a record.
 *
 * Theory of operation
 * -------------------
 * How large the grid has to be is known before the record is read: its time
 * from the headers of blocks, its addresses from the first and the last
 * snapshot. Then all is read once, by a thread for each processor: blocks do
 * not depend on each other, so each takes a part of them and has a grid of its
 * own, and these are added up. When it turns out that the addresses were others
 * in between (memory was plugged), or that a block is damaged, so that what
 * follows it is left out, it is all done again with what is known now.
 */
#ifndef VMHEAT_TOOLS_HEATMAP_READ_H
#define VMHEAT_TOOLS_HEATMAP_READ_H

#include "../cli.h"
#include "about.h"
#include "heatmap.h"

/**
 * struct VhHeatRecord - what was read
 * @path: of the record
 * @about: of the record
 * @axis: addresses of @map
 * @map: the grid
 * @damage: the record is damaged, a sentence; or NULL
 */
typedef struct VhHeatRecord {
    const char *path;
    VhAbout about;
    VhHeatAxis axis;
    VhHeatmap *map;
    char *damage;
} VhHeatRecord;

/**
 * vh_heat_record_read() - a heatmap of what the options ask for
 * @options: input, from_us, to_us, start, end
 * @size: wish
 * @error: there is no record
 *
 * Returns: to be freed; its map is NULL when nothing of it is of that time or
 * memory. NULL on error.
 */
VhHeatRecord *vh_heat_record_read(const VhOptions *options,
                                  const VhHeatSize *size, GError **error);

/** vh_heat_record_free() - NULL is fine */
void vh_heat_record_free(VhHeatRecord *rec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhHeatRecord, vh_heat_record_free)

#endif
