/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams of events, and what is put in them. */
#include "api.h"
#include "api-events.h"
#include "arguments.h"
#include "view-json.h"

static char *builder_text(JsonBuilder *b)
{
    g_autoptr(JsonNode) root = json_builder_get_root(b);

    return json_to_string(root, false);
}

static GBytes *vms_message(VhExporter *x)
{
    g_autoptr(GPtrArray) views = vh_vms_views(x->vms);
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autofree char *text = NULL;
    VhHost host;

    vh_host_latest(&x->host, &host);
    vh_views_json(b, views, &host);
    text = builder_text(b);
    return vh_events_message("vms", text);
}

static GBytes *vm_message(const VhView *view, const VhHost *host)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autofree char *text = NULL;

    vh_view_json(b, view, host, true);
    text = builder_text(b);
    return vh_events_message("vm", text);
}

/* @first: taken */
static void answer(VhRequest *r, const char *id, const VhWindow *window,
                   GBytes *first)
{
    struct MHD_Response *m =
        vh_events_open(r->exporter->events, r->connection, id, window, first);
    VhResponse *a;

    if (!m) {
        vh_request_fail(r, 503, "there are too many streams of events already");
        return;
    }
    a = g_new0(VhResponse, 1);
    a->status = 200;
    a->type = "text/event-stream";
    a->events = m;
    vh_request_answer(r, a);
}

void vh_get_events(VhRequest *r)
{
    VhWindow none = {};

    vh_vms_look(r->exporter->vms);
    answer(r, NULL, &none, vms_message(r->exporter));
}

static bool read_window(VhRequest *r, VhWindow *w)
{
    uint64_t rows = 0;

    if (!vh_argument_uint(r, "rows", 1, VH_RASTER_CELLS_MAX, &rows) ||
        !vh_argument_range(r, &w->start, &w->end)) {
        return false;
    }
    w->rows = rows;
    return true;
}

void vh_get_vm_events(VhRequest *r)
{
    g_autoptr(VhVm) vm = vh_request_vm(r);
    g_autoptr(VhView) view = vm ? vh_vm_view(vm) : NULL;
    VhWindow window = {};
    VhHost host;

    if (vm && read_window(r, &window)) {
        vh_vm_look(vm, false);
        vh_host_latest(&r->exporter->host, &host);
        answer(r, view->id, &window, vm_message(view, &host));
    }
}

/* ---- news ---- */

/* Each client has rows of its own. */
static void put_columns(VhExporter *x, VhVm *vm, const char *id)
{
    g_autoptr(VhHistoryView) past = vh_past_view(vh_vm_past(vm));
    g_autoptr(GArray) windows = vh_events_windows(x->events, id);

    for (guint i = 0; i < windows->len; i++) {
        const VhWindow *w = &g_array_index(windows, VhWindow, i);
        VhRaster *r = vh_history_column(past, w->rows, w->start, w->end);

        if (r) {
            vh_events_put_column(x->events, w, r);
        }
    }
}

void vh_events_tick(VhExporter *x)
{
    if (vh_events_wanted(x->events, NULL)) {
        vh_vms_look(x->vms);
        vh_events_put(x->events, NULL, vms_message(x));
    }
}

void vh_events_view(VhExporter *x, VhVm *vm, const VhView *view)
{
    VhHost host;
    bool news;

    vh_host_latest(&x->host, &host);
    news = vh_past_add(vh_vm_past(vm), view, &host);
    if (vh_events_wanted(x->events, view->id)) {
        vh_vm_look(vm, false);
        vh_events_put(x->events, view->id, vm_message(view, &host));
        if (news) {
            put_columns(x, vm, view->id);
        }
    }
}

void vh_events_qmp(VhExporter *x, const char *id, const char *name,
                   JsonObject *data)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *text = NULL;

    if (!vh_events_wanted(x->events, id)) {
        return;
    }
    if (data) {
        node = json_node_init_object(json_node_alloc(), data);
    }
    json_builder_begin_object(b);
    vh_json_double(b, "time", g_get_real_time() / 1e6);
    vh_json_text(b, "name", name);
    vh_json_copy(b, "data", node);
    json_builder_end_object(b);
    text = builder_text(b);
    vh_events_put(x->events, id, vh_events_message("qmp", text));
}
