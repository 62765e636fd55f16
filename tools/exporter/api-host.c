/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host and the exporter itself, and /metrics. */
#include <string.h>

#include "json.h"
#include "metrics.h"
#include "route.h"

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN "text/plain; version=0.0.4; charset=utf-8"

void vh_get_health(VhRequest *r)
{
    vh_request_answer(r, vh_response_new(200, "text/plain; charset=utf-8",
                                         g_string_new("ok\n")));
}

void vh_get_metrics(VhRequest *r)
{
    VhExporter *x = r->exporter;
    const char *accept = vh_request_header(r, "Accept");
    bool openmetrics = accept && strstr(accept, "application/openmetrics-text");
    g_autoptr(GPtrArray) views = vh_vms_views(x->vms);
    VhStats stats;
    VhHost host;

    vh_host_latest(&x->host, &host);
    vh_counters_read(&x->counters, &stats);
    vh_request_answer(
        r, vh_response_new(
               200, openmetrics ? OPENMETRICS : PLAIN,
               vh_metrics_write(
                   &(VhMetricsInput){ views, &host, &stats, x->options->node },
                   openmetrics)));
}

static void add_compressed(JsonBuilder *b, const VhHost *h)
{
    if (!h->has_compressed) {
        vh_json_null(b, "compressed");
        return;
    }
    vh_json_begin(b, "compressed");
    vh_json_uint(b, "original", h->original);
    vh_json_uint(b, "stored", h->stored);
    json_builder_end_object(b);
}

static void add_memory(JsonBuilder *b, const VhHost *h)
{
    vh_json_begin(b, "memory");
    vh_json_uint(b, "total", h->memory_total);
    vh_json_uint(b, "available", h->memory_available);
    json_builder_end_object(b);
    vh_json_begin(b, "swap");
    vh_json_uint(b, "total", h->swap_total);
    vh_json_uint(b, "used", h->swap_used);
    json_builder_end_object(b);
    add_compressed(b, h);
}

void vh_get_host(VhRequest *r)
{
    const VhExporterOptions *o = r->exporter->options;
    g_autoptr(JsonBuilder) b = json_builder_new();
    VhHost host;

    vh_host_latest(&r->exporter->host, &host);
    json_builder_begin_object(b);
    vh_json_text(b, "node", o->node);
    vh_json_text(b, "version", VMHEAT_VERSION);
    vh_json_double(b, "time", g_get_real_time() / 1e6);
    vh_json_double(b, "interval", o->interval_us / 1e6);
    vh_json_bool(b, "control", r->exporter->token != NULL);
    vh_json_begin(b, "history");
    vh_json_uint(b, "seconds", o->history_s);
    vh_json_uint(b, "bytes_per_vm", o->history_bytes);
    json_builder_end_object(b);
    add_memory(b, &host);
    json_builder_end_object(b);
    vh_request_json(r, b);
}
