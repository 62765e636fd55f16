/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rasters; theory of operation in history.h. */
#include <pthread.h>
#include <string.h>

#include "internal.h"
#include "rows.h"

#define THREADS_MAX 4
#define THREAD_SNAPSHOTS 64 /* fewer are not worth a thread */
#define RECORD_MARKS 16
#define AXIS_BLOCKS 8 /* of a record, that tell addresses */

/* What is to be made; all threads. */
typedef struct Job {
    const VhHistoryView *view;
    VhRaster *raster;
    VhHeatAxis axis;
    VhScales scales;
    GArray *parts;
} Job;

/*
 * What a thread does: columns from first to end.
 * column: the one that cells are of; now: a snapshot
 */
typedef struct Work {
    const Job *job;
    unsigned first, end;
    unsigned column;
    VhCell *cells;
    VhCell *now;
} Work;

static int64_t column_time(const VhRasterQuery *q, unsigned column)
{
    return q->from_us +
           (int64_t)((__int128_t)(q->to_us - q->from_us) * column / q->columns);
}

/* ---- one thread ---- */

static void end_column(Work *w)
{
    const VhRaster *r = w->job->raster;
    unsigned rows = r->query.rows;
    size_t at = (size_t)w->column * rows;

    if (w->column < w->end) {
        vh_rows_bytes(&w->job->scales, rows, w->cells, r->data + at,
                      r->idle + at);
    }
    memset(w->cells, 0, rows * sizeof(*w->cells));
}

static void go_to(Work *w, unsigned column)
{
    if (column != w->column) {
        end_column(w);
        w->column = column;
    }
}

static void add_piece(void *opaque, const VhPiece *p)
{
    Work *w = opaque;
    const VhRasterQuery *q = &w->job->raster->query;
    double per_us = q->columns / (double)(q->to_us - q->from_us);
    double x0 = (p->start_us - q->from_us) * per_us;
    double x1 = (p->end_us - q->from_us) * per_us;
    unsigned first = MAX((unsigned)x0, w->first);

    if (x1 <= first + 1) {
        go_to(w, first);
        vh_rows_cut(&w->job->axis, q->rows, p->codec, x1 - x0, w->cells);
        return;
    }
    memset(w->now, 0, q->rows * sizeof(*w->now));
    vh_rows_cut(&w->job->axis, q->rows, p->codec, 1, w->now);
    for (unsigned i = first; i < x1 && i < w->end; i++) {
        go_to(w, i);
        vh_rows_add(q->rows, w->cells, w->now, MIN(x1, i + 1) - MAX(x0, i));
    }
}

static gpointer run(gpointer opaque)
{
    Work *w = opaque;
    const Job *job = w->job;
    const VhRasterQuery *q = &job->raster->query;

    w->column = w->first;
    w->cells = g_new0(VhCell, 2 * q->rows);
    w->now = w->cells + q->rows;
    vh_walk(job->view, job->parts, column_time(q, w->first),
            column_time(q, w->end), add_piece, w);
    end_column(w);
    g_free(w->cells);
    return NULL;
}

/* ---- all threads ---- */

/* So many snapshots up to a time. */
typedef struct Load {
    int64_t end_us;
    unsigned nr;
} Load;

static void put_load(GArray *out, int64_t end_us, unsigned nr)
{
    Load l = { end_us, nr };

    g_array_append_val(out, l);
}

static GArray *find_load(const Job *job, unsigned *sum)
{
    GArray *out = g_array_new(false, false, sizeof(Load));

    for (guint i = 0; i < job->parts->len; i++) {
        const VhPart *p = &g_array_index(job->parts, VhPart, i);
        const GPtrArray *b =
            p->level < VH_LEVELS ? job->view->blocks[p->level] : NULL;

        for (unsigned k = 1; !b && k <= RECORD_MARKS; k++) {
            put_load(out,
                     p->from_us + (p->to_us - p->from_us) * k / RECORD_MARKS,
                     VH_SOURCE_BLOCKS / RECORD_MARKS);
        }
        for (guint k = b ? vh_history_block_at(b, p->from_us) : 0;
             b && k < b->len && vh_history_block_start(b->pdata[k]) < p->to_us;
             k++) {
            const VhHistoryBlock *block = b->pdata[k];

            put_load(out, MIN(vh_history_block_end(block), p->to_us),
                     vh_history_entry_at(block, p->to_us) -
                         vh_history_entry_at(block, p->from_us));
        }
    }
    *sum = 0;
    for (guint i = 0; i < out->len; i++) {
        *sum += g_array_index(out, Load, i).nr;
    }
    return out;
}

/* The first column that has more than so many snapshots before it. */
static unsigned column_of_load(const Job *job, const GArray *load,
                               unsigned wanted)
{
    const VhRasterQuery *q = &job->raster->query;
    double per_us = q->columns / (double)(q->to_us - q->from_us);
    unsigned sum = 0;

    for (guint i = 0; i < load->len; i++) {
        const Load *l = &g_array_index(load, Load, i);

        sum += l->nr;
        if (sum > wanted) {
            return CLAMP((l->end_us - q->from_us) * per_us, 0, q->columns);
        }
    }
    return q->columns;
}

static void run_all(const Job *job)
{
    Work works[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    bool started[THREADS_MAX];
    unsigned sum, n, at = 0;
    g_autoptr(GArray) load = find_load(job, &sum);

    n = CLAMP(MIN(g_get_num_processors(), sum / THREAD_SNAPSHOTS), 1,
              THREADS_MAX);
    for (unsigned i = 0; i < n; i++) {
        unsigned end = i + 1 < n ? column_of_load(job, load, sum / n * (i + 1))
                                 : job->raster->query.columns;

        works[i] = (Work){ .job = job, .first = at, .end = MAX(end, at) };
        at = works[i].end;
    }
    for (unsigned i = 1; i < n; i++) {
        started[i] = !pthread_create(&threads[i], NULL, run, &works[i]);
    }
    run(&works[0]);
    for (unsigned i = 1; i < n; i++) {
        if (started[i]) {
            pthread_join(threads[i], NULL);
        } else {
            run(&works[i]);
        }
    }
}

/* ---- rows ---- */

static void add_spans(VhHeatAxis *axis, const VhRamSpan *spans, size_t nr)
{
    VhHeatAxis more;

    vh_heat_axis_init(&more, 0, UINT64_MAX);
    g_array_append_vals(more.spans, spans, nr);
    vh_heat_axis_join(axis, &more);
    vh_heat_axis_clear(&more);
}

static void add_regions(void *opaque, int64_t start_us, int64_t end_us,
                        const VhSnapCodec *c)
{
    g_autoptr(GArray) spans = g_array_new(false, false, sizeof(VhRamSpan));

    for (guint i = 0; i < c->regions->len; i++) {
        const VhCodedRegion *r = &g_array_index(c->regions, VhCodedRegion, i);
        VhRamSpan s = { r->start, r->end, 0 };

        g_array_append_val(spans, s);
    }
    add_spans(opaque, (VhRamSpan *)spans->data, spans->len);
}

static bool same_spans(const VhHistoryBlock *a, const VhHistoryBlock *b)
{
    return a && a->nr_spans == b->nr_spans &&
           !memcmp(a->spans, b->spans, a->nr_spans * sizeof(*a->spans));
}

/* @before: what was added last of this level */
static void add_level(VhHeatAxis *axis, const GPtrArray *blocks,
                      const VhPart *p, const VhHistoryBlock **before)
{
    for (guint i = vh_history_block_at(blocks, p->from_us);
         i < blocks->len && vh_history_block_start(blocks->pdata[i]) < p->to_us;
         i++) {
        const VhHistoryBlock *b = blocks->pdata[i];

        if (!same_spans(*before, b)) {
            add_spans(axis, b->spans, b->nr_spans);
        }
        *before = b;
    }
}

static void set_axis(Job *job)
{
    const VhHistoryBlock *before[VH_LEVELS] = { NULL };

    for (guint i = 0; i < job->parts->len; i++) {
        const VhPart *p = &g_array_index(job->parts, VhPart, i);

        if (p->level < VH_LEVELS) {
            add_level(&job->axis, job->view->blocks[p->level], p,
                      &before[p->level]);
        } else {
            vh_source_read(job->view->source, p->from_us, p->to_us, AXIS_BLOCKS,
                           add_regions, &job->axis);
        }
    }
}

static VhRaster *new_raster(const VhRasterQuery *q)
{
    VhRaster *r = g_new0(VhRaster, 1);
    size_t cells = (size_t)q->columns * q->rows;

    r->query = *q;
    r->data = g_malloc0(cells);
    r->idle = g_malloc0(cells);
    return r;
}

static void begin_job(Job *job, const VhHistoryView *v, const VhRasterQuery *q)
{
    job->view = v;
    job->raster = new_raster(q);
    vh_heat_axis_init(&job->axis, q->start, q->end ? q->end : UINT64_MAX);
    vh_scales_init(&job->scales);
}

static VhRaster *end_job(Job *job)
{
    job->raster->spans = vh_rows_spans(&job->axis, job->raster->query.rows);
    vh_heat_axis_clear(&job->axis);
    g_clear_pointer(&job->parts, g_array_unref);
    return job->raster;
}

VhRaster *vh_history_raster(const VhHistoryView *v, const VhRasterQuery *q)
{
    Job job = { 0 };

    begin_job(&job, v, q);
    job.parts = vh_plan(v, q->from_us, q->to_us,
                        vh_plan_level(v, (q->to_us - q->from_us) / q->columns));
    set_axis(&job);
    run_all(&job);
    return end_job(&job);
}

/* ---- a column ---- */

/* Only the last snapshot of a walk is wanted, but all may be decoded. */
static void cut_last(void *opaque, const VhPiece *p)
{
    Work *w = opaque;
    const VhRasterQuery *q = &w->job->raster->query;

    vh_heat_axis_clear(&((Job *)w->job)->axis);
    vh_heat_axis_init(&((Job *)w->job)->axis, q->start,
                      q->end ? q->end : UINT64_MAX);
    add_regions(&((Job *)w->job)->axis, 0, 0, p->codec);
    vh_rows_cut(&w->job->axis, q->rows, p->codec, 1, w->cells);
}

VhRaster *vh_history_column(const VhHistoryView *v, unsigned rows,
                            uint64_t start, uint64_t end)
{
    const GPtrArray *blocks = v->blocks[0];
    VhRasterQuery q = {
        .columns = 1, .rows = rows, .start = start, .end = end
    };
    Job job = { 0 };
    Work w = { .job = &job, .end = 1 };

    if (!blocks->len) {
        return NULL;
    }
    q.to_us = vh_history_block_end(blocks->pdata[blocks->len - 1]);
    q.from_us = q.to_us - 1;
    begin_job(&job, v, &q);
    w.cells = g_new0(VhCell, rows);
    vh_walk_last(v, 0, q.to_us, cut_last, &w);
    end_column(&w);
    g_free(w.cells);
    return end_job(&job);
}

bool vh_raster_same_rows(const VhRaster *a, const VhRaster *b)
{
    if (a->query.rows != b->query.rows || a->spans->len != b->spans->len) {
        return false;
    }
    for (guint i = 0; i < a->spans->len; i++) {
        const VhRasterSpan *x = &g_array_index(a->spans, VhRasterSpan, i);
        const VhRasterSpan *y = &g_array_index(b->spans, VhRasterSpan, i);

        if (x->start != y->start || x->end != y->end || x->row != y->row) {
            return false;
        }
    }
    return true;
}

void vh_raster_free(VhRaster *r)
{
    if (r) {
        g_free(r->data);
        g_free(r->idle);
        g_array_unref(r->spans);
        g_free(r);
    }
}
