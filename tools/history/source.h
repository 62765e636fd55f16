/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record as the older part of a history.
 *
 * Which blocks there are is read once, by their headers, and then what was
 * appended: an index of at most 16384 marks, each of a number of blocks that
 * doubles when there would be more. A file that was replaced is read anew.
 */
#ifndef TOOLS_HISTORY_SOURCE_H
#define TOOLS_HISTORY_SOURCE_H

#include "ranges.h"
#include "vmheat/snap-codec.h"

#define VH_SOURCE_BLOCKS 2048 /* decoded for a query, at most */

typedef struct VhSource VhSource;

/** vh_source_new() - of a file that need not be there yet; one reference */
VhSource *vh_source_new(const char *path);

/** vh_source_ref() - one more; any thread */
VhSource *vh_source_ref(VhSource *s);

/** vh_source_unref() - one less; any thread; NULL is fine */
void vh_source_unref(VhSource *s);

/** vh_source_path() - as it was given */
const char *vh_source_path(const VhSource *s);

/** vh_source_bytes() - memory that it takes; any thread */
size_t vh_source_bytes(VhSource *s);

/** vh_source_take_warning() - as vh_history_take_warning(); any thread */
char *vh_source_take_warning(VhSource *s);

/** vh_source_span() - of which time it is, wall clock; any thread */
bool vh_source_span(VhSource *s, int64_t *from_us, int64_t *to_us);

/** vh_source_ranges() - where memory was at that time; NULL: not known */
VhRanges *vh_source_ranges(VhSource *s, int64_t us);

typedef void VhSourceFunc(void *opaque, int64_t start_us, int64_t end_us,
                          const VhSnapCodec *codec);

/**
 * vh_source_read() - snapshots of a time; any thread
 * @s: the record
 * @from_us: of the time, wall clock
 * @to_us: end of it
 * @blocks: as many are decoded; when there are more, only their first
 *     snapshots are told
 * @func: called with each that stands for a part of the time, in order
 * @opaque: for it
 */
void vh_source_read(VhSource *s, int64_t from_us, int64_t to_us,
                    unsigned blocks, VhSourceFunc *func, void *opaque);

#endif
