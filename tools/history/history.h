/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * History of a machine: what its memory was like, in bounded memory.
 *
 * Theory of operation
 * -------------------
 * Snapshots are kept in four levels. The first has each of them as it was
 * given. The others have means of windows of time, 1/21600 of what is to be
 * kept each (4 s of 24 h), then four times and 16 times as long; a mean is made
 * as snapshots come, and never of snapshots with a gap between them. So a query
 * of a day need not decode a day of snapshots, and where the first level was
 * thrown away the others are still there. What comes so seldom that each lasts
 * about as long as a window is in the first and the last level only: machines
 * nobody looks at are asked each 15 s, and there are many of them.
 *
 * A level is a list of blocks. A block has up to 256 snapshots, coded as in
 * records (vmheat/snap-codec.h: what differs from the one before), and for each
 * of them its time and the values of the charts: series need no decoding.
 * Blocks never change and are counted by references. When there is no more room
 * they are replaced by packed ones (zlib, about half as large), oldest first;
 * but not the latest ones, a sixth of the limit: reading packed ones takes half
 * as long again.
 *
 * What all of it takes is counted, also what is needed to code the next
 * snapshot, and is never more than the limit once vh_history_add() returns.
 * Over it, the oldest block goes of the level that has most of what it should
 * have: 40 % for the first, then 20, 15 and 25 %. All but the first have at
 * most 2048 regions a snapshot (of 64 MiB): neighbours that are most alike are
 * joined. The first has at most 65536. So whatever a guest does to its memory,
 * the last level goes back for most of a day.
 *
 * Reading: vh_history_view() is what there was at that moment, and never
 * changes. Any thread may read it, while others add; the caller has to lock
 * only calls that have a VhHistory. What only views still hold is not counted.
 *
 * A raster is made column by column, in order of time, from the coarsest level
 * that is not coarser than a column, by a thread for each processor (four at
 * most), each of which makes some of the columns. Where that level has nothing,
 * finer ones are taken, where these have nothing either coarser ones, and
 * before all of them the record. A cell is the mean over its bytes and its
 * time. Series are made from the finest there is, of each time.
 *
 * Time is wall clock, us. A snapshot stands for the time from its start to its
 * end; and from the end of the one before when their sequence numbers tell that
 * there were only snapshots in between that were not asked for. All else (a
 * pause, another QEMU) is a gap: not known. When the clock is set back by more
 * than 10 s, blocks with later times are thrown away; by less, snapshots are
 * left out until it is later again.
 *
 * Records (DIR/DOMAIN.vmheat) are read where the ring does not reach back to.
 * They are read with pread(2), never mapped, so that a file that becomes
 * shorter does no harm; which blocks there are is read once, and then what is
 * new. Of more than 2048 blocks of the time asked for so many are decoded,
 * evenly, and of each the first snapshot, which stands for what was left out.
 * What is wrong with a file is told once and does not fail a query.
 *
 * What it cannot see: memory that only was there in between in a record (its
 * addresses are taken from eight snapshots); what a mean hides.
 */
#ifndef TOOLS_HISTORY_HISTORY_H
#define TOOLS_HISTORY_HISTORY_H

#include <glib.h>

#include "../model.h"
#include "../state-ranges.h"

#define VH_HISTORY_SECONDS (24 * 3600)
#define VH_HISTORY_BYTES (64ull << 20)
#define VH_HISTORY_BYTES_MIN (4ull << 20)
#define VH_RASTER_CELLS_MAX 2048 /* columns, rows; each */
#define VH_RASTER_RATE_LOW 0.01  /* accesses a second: 2 */
#define VH_RASTER_RATE_HIGH 1000 /* 255 */
#define VH_RASTER_IDLE_LOW 0.001 /* seconds: 1 */
#define VH_RASTER_IDLE_HIGH 86400

typedef struct VhHistory VhHistory;
typedef struct VhHistoryView VhHistoryView;

/**
 * struct VhHistoryLimits - how much is kept
 * @seconds: so long; 0: VH_HISTORY_SECONDS
 * @bytes: in so much memory at most; 0: VH_HISTORY_BYTES; not less than
 *     VH_HISTORY_BYTES_MIN
 */
typedef struct VhHistoryLimits {
    uint64_t seconds;
    uint64_t bytes;
} VhHistoryLimits;

/**
 * struct VhHistoryPoint - what a snapshot does not tell; NAN: not known
 * @needs: bytes; not known: those accessed in the last 60 s by the snapshot
 * @has: bytes of guest memory in the host's
 * @saved: bytes
 * @never: bytes of idle memory without any access since it is watched
 * @cost: part of a CPU
 */
typedef struct VhHistoryPoint {
    double needs, has, saved, never, cost;
} VhHistoryPoint;

/* Nothing is known. */
#define VH_HISTORY_POINT_UNKNOWN ((VhHistoryPoint){ NAN, NAN, NAN, NAN, NAN })

/** vh_history_new() - nothing is known yet */
VhHistory *vh_history_new(const VhHistoryLimits *limits);

/** vh_history_free() - NULL is fine; views stay */
void vh_history_free(VhHistory *h);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhHistory, vh_history_free)

/**
 * vh_history_add() - the next snapshot
 * @h: the history
 * @s: the snapshot
 * @wall_us: when it ended, wall clock; what varies here is not what a gap is
 *     told by
 * @p: what else is known; NULL: nothing
 *
 * Returns: false when it was left out: it is the one before, not later than
 * that, or its regions are no regions.
 */
bool vh_history_add(VhHistory *h, const VhSnapshot *s, int64_t wall_us,
                    const VhHistoryPoint *p);

/**
 * vh_history_set_ranges() - from now on memory is placed like that
 * @h: the history
 * @wall_us: now
 * @ranges: ascending; copied
 * @nr: of them; over 4096 the rest is left out
 *
 * Call it as often as you like: what did not change costs nothing.
 */
void vh_history_set_ranges(VhHistory *h, int64_t wall_us,
                           const VhStateRange *ranges, size_t nr);

/**
 * vh_history_set_record() - what is older is in this file
 * @h: the history
 * @path: of a record, which need not be there yet; NULL: none
 */
void vh_history_set_record(VhHistory *h, const char *path);

/** vh_history_bytes() - memory that it takes now */
uint64_t vh_history_bytes(const VhHistory *h);

/** vh_history_limits() - in force */
VhHistoryLimits vh_history_limits(const VhHistory *h);

/**
 * vh_history_take_warning() - what is wrong with the record
 *
 * Returns: a sentence, for g_free(), each once; NULL: nothing new.
 */
char *vh_history_take_warning(VhHistory *h);

/** vh_history_view() - what there is now, for vh_history_view_free() */
VhHistoryView *vh_history_view(VhHistory *h);

/** vh_history_view_free() - any thread; NULL is fine */
void vh_history_view_free(VhHistoryView *v);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhHistoryView, vh_history_view_free)

/**
 * vh_history_span() - of which time something is known, with the record
 *
 * Returns: false when nothing is known.
 */
bool vh_history_span(const VhHistoryView *v, int64_t *from_us, int64_t *to_us);

/**
 * vh_history_level() - of which time a level has snapshots
 * @v: the view
 * @level: 0: all that were given; from 1 on: means, each coarser
 * @from_us: set
 * @to_us: set
 *
 * Returns: false when it has none, or there is no such level.
 */
bool vh_history_level(const VhHistoryView *v, unsigned level, int64_t *from_us,
                      int64_t *to_us);

/* ---- rasters ---- */

/**
 * struct VhRasterQuery - which
 * @from_us: begin
 * @to_us: end; above @from_us
 * @columns: 1 .. VH_RASTER_CELLS_MAX
 * @rows: the same
 * @start: no addresses below
 * @end: nor from there on; 0: all
 */
typedef struct VhRasterQuery {
    int64_t from_us, to_us;
    unsigned columns, rows;
    uint64_t start, end;
} VhRasterQuery;

/**
 * struct VhRasterSpan - addresses without a hole
 * @start: the first
 * @end: behind the last
 * @row: in which @start is; holes within a row are not told
 */
typedef struct VhRasterSpan {
    uint64_t start, end;
    unsigned row;
} VhRasterSpan;

/**
 * struct VhRaster - a picture
 * @query: as asked for; of vh_history_column() @to_us is the snapshot's time
 * @data: column after column, lowest address first; 0 not known, 1 not
 *     accessed, 2 .. 255 vh_raster_rate_byte()
 * @idle: the same of vh_raster_idle_byte(); 0 not known
 * @spans: VhRasterSpan array, ascending
 */
typedef struct VhRaster {
    VhRasterQuery query;
    uint8_t *data, *idle;
    GArray *spans;
} VhRaster;

/** vh_raster_rate_byte() - accesses a second on the scale: 1 .. 255 */
uint8_t vh_raster_rate_byte(float rate);

/** vh_raster_idle_byte() - seconds on the scale: 1 .. 255 */
uint8_t vh_raster_idle_byte(float seconds);

/** vh_history_raster() - never NULL; what is not known is 0 */
VhRaster *vh_history_raster(const VhHistoryView *v, const VhRasterQuery *q);

/**
 * vh_history_column() - the latest snapshot as a column
 * @v: the view
 * @rows: 1 .. VH_RASTER_CELLS_MAX
 * @start: no addresses below
 * @end: nor from there on; 0: all
 *
 * Returns: NULL when there is no snapshot.
 */
VhRaster *vh_history_column(const VhHistoryView *v, unsigned rows,
                            uint64_t start, uint64_t end);

/** vh_raster_same_rows() - do rows stand for the same addresses? */
bool vh_raster_same_rows(const VhRaster *a, const VhRaster *b);

/** vh_raster_free() - NULL is fine */
void vh_raster_free(VhRaster *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhRaster, vh_raster_free)

/* ---- series ---- */

/** enum VhHistoryValue - of a chart; bytes, but for the cost */
typedef enum VhHistoryValue {
    VH_VALUE_WORKING_SET,
    VH_VALUE_NEEDS,
    VH_VALUE_HAS,
    VH_VALUE_SAVED,
    VH_VALUE_IDLE_10,
    VH_VALUE_IDLE_60,
    VH_VALUE_IDLE_600,
    VH_VALUE_IDLE_3600,
    VH_VALUE_HOT,
    VH_VALUE_WARM,
    VH_VALUE_COLD,
    VH_VALUE_IDLE,
    VH_VALUE_NEVER,
    VH_VALUE_COST,
    VH_VALUES,
} VhHistoryValue;

/** vh_history_value_name() - as in JSON */
const char *vh_history_value_name(VhHistoryValue value);

/**
 * struct VhHistorySeries - charts
 * @from_us: begin of the first column
 * @to_us: end of the last
 * @columns: how many
 * @values: of each value so many, means; NAN: not known
 */
typedef struct VhHistorySeries {
    int64_t from_us, to_us;
    unsigned columns;
    double *values[VH_VALUES];
} VhHistorySeries;

/** vh_history_series() - @from_us below @to_us; @columns 1 or more */
VhHistorySeries *vh_history_series(const VhHistoryView *v, int64_t from_us,
                                   int64_t to_us, unsigned columns);

/** vh_history_series_free() - NULL is fine */
void vh_history_series_free(VhHistorySeries *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhHistorySeries, vh_history_series_free)

/* ---- a region ---- */

/**
 * struct VhHistoryRegion - a region at a time
 * @time_us: end of the snapshot it is of
 * @has_writes: its write rate is known
 * @region: as the snapshot told; rates also where it told none
 * @age_us: of it
 * @max_nr_accesses: of the snapshot
 * @block: of QEMU; NULL: not known
 * @device: memory device; NULL: none, or not known
 * @reserved: why no scheme acts on it; NULL: schemes may, or not known
 * @node: -1: not known
 */
typedef struct VhHistoryRegion {
    int64_t time_us;
    bool has_writes;
    VhRegion region;
    uint64_t age_us;
    uint64_t max_nr_accesses;
    char *block;
    char *device;
    char *reserved;
    int64_t node;
} VhHistoryRegion;

/**
 * vh_history_region() - what was there
 * @v: the view
 * @time_us: when; up to 10 s behind the latest snapshot that is meant
 * @address: where
 * @out: set; to be cleared
 *
 * Returns: false when nothing is known of it.
 */
bool vh_history_region(const VhHistoryView *v, int64_t time_us,
                       uint64_t address, VhHistoryRegion *out);

/** vh_history_region_clear() - free what it holds */
void vh_history_region_clear(VhHistoryRegion *r);

#endif
