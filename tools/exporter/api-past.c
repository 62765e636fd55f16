/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was. A picture of a day takes a while, so it is made by a thread of the
 * pool; a request that comes when JOBS_MAX wait is refused.
 */
#include "api.h"
#include "api-past.h"
#include "arguments.h"
#include "history/history-json.h"

#define COLUMNS_DEFAULT 600
#define COLUMNS_MAX 2000
#define ROWS_DEFAULT 256
#define SPAN_US (3600ll * 1000000)
#define JOBS_MAX 64

typedef struct Job {
    VhRequest *request;
    VhHistoryView *past;
    char *(*make)(const struct Job *job); /* NULL: nothing is known there */
    VhRasterQuery query;
    int64_t time_us;
    uint64_t address;
} Job;

static void run(gpointer data, gpointer opaque)
{
    Job *job = data;
    char *text = job->make(job);

    if (text) {
        GString *body = g_string_new(NULL);

        g_string_append(body, text);
        g_free(text);
        vh_request_answer(job->request,
                          vh_response_new(200, "application/json", body));
    } else {
        vh_request_fail(job->request, 404, "nothing is known there");
    }
    vh_history_view_free(job->past);
    g_free(job);
}

GThreadPool *vh_past_pool_new(void)
{
    return g_thread_pool_new(run, NULL, 2, false, NULL);
}

/* Of the machine that is asked for; false: that was answered. */
static bool find_past(VhRequest *r, VhHistoryView **past)
{
    g_autoptr(VhVm) vm = vh_request_vm(r);

    if (!vm) {
        return false;
    }
    vh_vm_look(vm, false);
    *past = vh_past_view(vh_vm_past(vm));
    if (!*past) {
        vh_request_fail(r, 404, "no history is kept: --history is 0");
    }
    return *past;
}

/* @job: copied */
static void push(VhRequest *r, const Job *job)
{
    VhHistoryView *past;

    if (g_thread_pool_unprocessed(r->exporter->pool) >= JOBS_MAX) {
        vh_request_fail(r, 503, "too many such requests wait already");
    } else if (find_past(r, &past)) {
        Job *copy = g_memdup2(job, sizeof(*job));

        copy->request = r;
        copy->past = past;
        g_thread_pool_push(r->exporter->pool, copy, NULL);
    }
}

static bool read_times(VhRequest *r, VhRasterQuery *q)
{
    uint64_t columns = COLUMNS_DEFAULT;

    q->to_us = g_get_real_time();
    q->from_us = -1;
    if (!vh_argument_time(r, "to", &q->to_us) ||
        !vh_argument_time(r, "from", &q->from_us)) {
        return false;
    }
    q->from_us = q->from_us < 0 ? MAX(q->to_us - SPAN_US, 0) : q->from_us;
    if (q->to_us <= q->from_us) {
        vh_request_fail(r, 400, "to must be above from");
        return false;
    }
    if (!vh_argument_uint(r, "columns", 1, COLUMNS_MAX, &columns)) {
        return false;
    }
    q->columns = columns;
    return true;
}

static char *make_history(const Job *job)
{
    g_autoptr(VhHistorySeries) s = vh_history_series(
        job->past, job->query.from_us, job->query.to_us, job->query.columns);

    return vh_history_series_json(s);
}

void vh_get_history(VhRequest *r)
{
    Job job = { .make = make_history };

    if (read_times(r, &job.query)) {
        push(r, &job);
    }
}

static char *make_heatmap(const Job *job)
{
    g_autoptr(VhRaster) raster = vh_history_raster(job->past, &job->query);

    return vh_raster_json(raster);
}

void vh_get_heatmap(VhRequest *r)
{
    Job job = { .make = make_heatmap };
    uint64_t rows = ROWS_DEFAULT;

    if (read_times(r, &job.query) &&
        vh_argument_uint(r, "rows", 1, VH_RASTER_CELLS_MAX, &rows) &&
        vh_argument_range(r, &job.query.start, &job.query.end)) {
        job.query.rows = rows;
        push(r, &job);
    }
}

static char *make_region(const Job *job)
{
    VhHistoryRegion region;
    char *text;

    if (!vh_history_region(job->past, job->time_us, job->address, &region)) {
        return NULL;
    }
    text = vh_history_region_json(&region);
    vh_history_region_clear(&region);
    return text;
}

void vh_get_region(VhRequest *r)
{
    Job job = { .make = make_region, .time_us = g_get_real_time() };

    if (!vh_request_argument(r, "address")) {
        vh_request_fail(r, 400, "address is missing");
    } else if (vh_argument_time(r, "time", &job.time_us) &&
               vh_argument_uint(r, "address", 0, INT64_MAX, &job.address)) {
        push(r, &job);
    }
}
