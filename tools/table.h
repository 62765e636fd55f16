/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_TABLE_H
#define VMHEAT_TOOLS_TABLE_H

#include "model.h"
#include "page.h"
#include "temperature.h"

/**
 * struct VhColumn - a column of a table
 * @title: its heading
 * @right: numbers: flush right
 * @keep: when the table is too wide, columns with the lowest go first
 */
typedef struct VhColumn {
    const char *title;
    bool right;
    unsigned keep;
} VhColumn;

typedef struct VhTable VhTable;

/**
 * vh_table_new() - an empty table
 * @columns: must outlive the table
 * @nr: number of @columns
 *
 * Returns: a table; free with vh_table_free().
 */
VhTable *vh_table_new(const VhColumn *columns, unsigned nr);

/**
 * vh_table_free() - free a table
 * @table: the table
 */
void vh_table_free(VhTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhTable, vh_table_free)

/**
 * vh_table_put() - append a cell, row by row
 * @table: the table
 * @style: how it looks
 * @text: taken
 */
void vh_table_put(VhTable *table, VhStyle style, char *text);

/**
 * vh_table_note() - a line under the row that was put last
 * @table: the table
 * @style: how it looks
 * @text: taken; wrapped and indented; takes no part in the columns' widths
 */
void vh_table_note(VhTable *table, VhStyle style, char *text);

/**
 * vh_table_draw() - write the table, as wide as its contents
 * @table: the table
 * @page: where to; columns that do not fit its width are left out
 */
void vh_table_draw(const VhTable *table, VhPage *page);

/* Order of regions. */
typedef enum VhSort {
    VH_SORT_ADDRESS,
    VH_SORT_HEAT,
    VH_SORT_SIZE,
    VH_SORT_AGE,
    VH_SORT_RATE, /* heat, where no rates are told */
    VH_SORT_IDLE,
    VH_SORT_TEMPERATURE,
    VH_SORT_TIME, /* not of regions */
} VhSort;

/**
 * struct VhOrder - in which order regions are shown
 * @sort: by what; highest first, but addresses lowest first
 * @reverse: the other way round
 * @weights: of temperatures
 */
typedef struct VhOrder {
    VhSort sort;
    bool reverse;
    VhWeights weights;
} VhOrder;

/**
 * vh_regions_ordered() - regions of a snapshot in an order
 * @snap: the snapshot
 * @order: the order
 *
 * Returns: array of pointers into @snap; free with g_free().
 */
const VhRegion **vh_regions_ordered(const VhSnapshot *snap,
                                    const VhOrder *order);

/**
 * vh_regions_table() - table of regions
 * @page: where to
 * @snap: the snapshot they are of
 * @regions: the regions
 * @nr: how many of them
 * @order: the order they are in; by temperature: with a column for it
 */
void vh_regions_table(VhPage *page, const VhSnapshot *snap,
                      const VhRegion **regions, size_t nr,
                      const VhOrder *order);

/**
 * vh_regions_sorted() - vh_regions_ordered(), highest first
 * @snap: the snapshot
 * @sort: by what
 *
 * Returns: array of pointers into @snap; free with g_free().
 */
const VhRegion **vh_regions_sorted(const VhSnapshot *snap, VhSort sort);

/**
 * vh_regions_draw() - vh_regions_table() without temperatures
 * @page: where to
 * @snap: the snapshot they are of
 * @regions: the regions
 * @nr: how many of them
 */
void vh_regions_draw(VhPage *page, const VhSnapshot *snap,
                     const VhRegion **regions, size_t nr);

#endif
