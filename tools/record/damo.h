/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records for damo, the user-space tool of Linux's DAMON: its format
 * json_compressed, JSON packed with zlib, which damo 2.x and 3.x read.
 *
 * Theory of operation
 * -------------------
 * One record of one target, with snapshots of regions with nr_accesses and age.
 * What damo has no place for (rates, idle times, writes) is left out. What it
 * would get wrong is written so that it does not:
 *
 * - A record has one pair of intervals, by which damo turns samples into
 *   percent and hertz, and ages into time. A snapshot may be of others: they
 *   were changed, or the monitor was throttled. So percent and microseconds are
 *   written too, which damo then takes; and samples are out of as many as the
 *   record's intervals make.
 * - Percent has three digits behind the point, and is never 0 when there was an
 *   access: damo takes 0 % for idle, and makes 0 of 0.5.
 * - age is 0 in aggregation intervals, and right in microseconds. The former is
 *   only used to draw heatmaps, and printed by --raw_form. damo 2.8.3 takes
 * heat away from what was hot for long: its map is upside down. damo 3.x begins
 * the map when the oldest region of the first snapshot became as it was, which
 * may be days before the record.
 * - damo draws a snapshot for as long as it took. One that stands for some that
 *   are not in the record, which its sequence tells, begins where the one
 * before ended; else the map has gaps. While the monitor stood still there is a
 * gap.
 * - A region that begins at address 0 begins at 4096: damo takes 0 for "no
 *   address yet", and leaves the region out of the map.
 */
#ifndef TOOLS_RECORD_DAMO_H
#define TOOLS_RECORD_DAMO_H

#include "record.h"

typedef struct VhDamoWriter VhDamoWriter;

/**
 * vh_damo_create() - begin a file
 * @path: must not exist, unless @replace; appears when the file is whole
 * @replace: then replace what is there
 *
 * Returns: a writer, or NULL.
 */
VhDamoWriter *vh_damo_create(const char *path, bool replace, GError **error);

/** vh_damo_snapshot() - add a snapshot; its intervals are those of the first */
bool vh_damo_snapshot(VhDamoWriter *w, const VhSnapshot *s, GError **error);

/**
 * vh_damo_convert() - add all snapshots that @from has from here on
 *
 * Passes over all other items. What is before damage is added, too: see
 * vh_record_damage().
 */
bool vh_damo_convert(VhRecordReader *from, VhDamoWriter *to, GError **error);

/**
 * vh_damo_close() - finish the file, and free @w
 *
 * NULL is fine. Fails when there was no snapshot, or any call failed: then
 * there is no file. Frees @w in any case.
 */
bool vh_damo_close(VhDamoWriter *w, GError **error);

/** vh_damo_drop() - leave no file, and free @w */
void vh_damo_drop(VhDamoWriter *w);

#endif
