/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records for damo, the user-space tool of Linux's DAMON: its format
 * json_compressed, JSON packed with zlib, which damo 2.x and 3.x read.
 *
 * One record of one target, with snapshots of regions with nr_accesses and age.
 * What damo has no place for (rates, idle times, writes) is left out.
 */
#ifndef TOOLS_RECORD_DAMO_H
#define TOOLS_RECORD_DAMO_H

#include "record.h"

typedef struct VhDamoWriter VhDamoWriter;

/**
 * vh_damo_create() - begin a file
 * @path: must not exist; appears when the file is whole
 *
 * Returns: a writer, or NULL.
 */
VhDamoWriter *vh_damo_create(const char *path, GError **error);

/** vh_damo_snapshot() - add a snapshot; its intervals are those of the first */
bool vh_damo_snapshot(VhDamoWriter *w, const VhSnapshot *s, GError **error);

/**
 * vh_damo_close() - finish the file, and free @w
 *
 * NULL is fine. Fails when there was no snapshot, or any call failed: then
 * there is no file. Frees @w in any case.
 */
bool vh_damo_close(VhDamoWriter *w, GError **error);

#endif
