/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report is of: which machine, of what time, how many snapshots. */
#ifndef VMHEAT_TOOLS_ABOUT_H
#define VMHEAT_TOOLS_ABOUT_H

#include "../page.h"
#include "../record/record.h"

/**
 * struct VhAbout - what was read so far
 * @path: of the record
 * @name: of the machine; NULL: not told
 * @realtime: wall clock, ns since 1970, when CLOCK_MONOTONIC was @monotonic;
 *            0: not told
 * @monotonic: ns
 * @origin: end of the first snapshot in the record, from which --from counts
 * @nr: snapshots
 * @begin: of the first of them, ns
 * @end: of the last of them, ns
 * @total: most bytes that one of them is of
 */
typedef struct VhAbout {
    const char *path;
    char *name;
    int64_t realtime, monotonic;
    uint64_t origin;
    uint64_t nr, begin, end, total;
} VhAbout;

/** vh_about_take() - an item of the record; not all types tell something */
void vh_about_take(VhAbout *a, const VhRecordItem *item);

/** vh_about_clear() - free what it holds */
void vh_about_clear(VhAbout *a);

/** vh_about_us() - how long it is, us */
uint64_t vh_about_us(const VhAbout *a);

/** vh_about_seconds() - of a time in the record, since it begins */
double vh_about_seconds(const VhAbout *a, uint64_t ns);

/**
 * vh_about_unix() - wall clock of a time in the record
 * @a: what was read
 * @ns: the time
 *
 * Returns: ns since 1970; 0: not known.
 */
int64_t vh_about_unix(const VhAbout *a, uint64_t ns);

/**
 * vh_about_time() - a time in the record for people
 * @a: what was read
 * @ns: the time
 * @format: of g_date_time_format()
 *
 * Returns: wall clock, local; where it is not known, seconds since the record
 * begins, such as "12.5 s", and what was before counts as its begin; free with
 * g_free().
 */
char *vh_about_time(const VhAbout *a, uint64_t ns, const char *format);

/**
 * vh_about_str() - a line for people
 *
 * Returns: such as "guest, 2026-01-02 03:04:05 UTC, 20m, 12000 snapshots"; free
 * with g_free().
 */
char *vh_about_str(const VhAbout *a);

/** vh_about_draw() - the same, bold, on a line of its own */
void vh_about_draw(const VhAbout *a, VhPage *page);

/** vh_about_json() - the same for programs */
JsonObject *vh_about_json(const VhAbout *a);

/**
 * vh_about_plain() - a name from a record, for output that is not a page
 * @text: the name; may be anything
 *
 * Returns: the same without control characters; free with g_free().
 */
char *vh_about_plain(const char *text);

/**
 * vh_about_nothing() - say that there are no snapshots
 * @a: what was read; nr is 0
 * @page: where to; NULL: standard error
 */
void vh_about_nothing(const VhAbout *a, VhPage *page);

#endif
