/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where which memory was, from some time on; never changes. */
#ifndef TOOLS_HISTORY_RANGES_H
#define TOOLS_HISTORY_RANGES_H

#include "history.h"

#define VH_RANGES_MAX 4096

/**
 * struct VhRanges - placing of memory
 * @refs: atomic
 * @since_us: from then on
 * @nr: ranges
 * @ranges: of them; their names are the struct's
 * @bytes: memory that it takes
 */
typedef struct VhRanges {
    int refs;
    int64_t since_us;
    size_t nr;
    VhStateRange *ranges;
    size_t bytes;
} VhRanges;

/** vh_ranges_new() - a copy, one reference */
VhRanges *vh_ranges_new(int64_t since_us, const VhStateRange *ranges,
                        size_t nr);

/** vh_ranges_parse() - those of a record's block of type VH_RECORD_STATE */
VhRanges *vh_ranges_parse(int64_t since_us, const char *json);

/** vh_ranges_ref() - one more; any thread */
VhRanges *vh_ranges_ref(VhRanges *r);

/** vh_ranges_unref() - one less; any thread; NULL is fine */
void vh_ranges_unref(VhRanges *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhRanges, vh_ranges_unref)

/** vh_ranges_same() - but for the time */
bool vh_ranges_same(const VhRanges *r, const VhStateRange *ranges, size_t nr);

/** vh_ranges_find() - the one with this address; NULL: none; @r may be NULL */
const VhStateRange *vh_ranges_find(const VhRanges *r, uint64_t address);

#endif
