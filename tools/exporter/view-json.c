/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "reader.h"
#include "view-json.h"

static void add_idle(JsonBuilder *b, const VhSums *s)
{
    vh_json_list(b, "idle");
    for (unsigned i = 0; i < VH_NR_AGES; i++) {
        json_builder_begin_object(b);
        vh_json_uint(b, "seconds", vh_ages[i]);
        vh_json_uint(b, "bytes", s->idle[i]);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    vh_json_begin(b, "classes");
    for (unsigned i = 0; i < VH_CLASSES_TOLD; i++) {
        vh_json_uint(b, vh_sums_class_name(i), s->classes[i]);
    }
    json_builder_end_object(b);
}

static void add_use(JsonBuilder *b, const VhView *v, const VhHost *host)
{
    VhUse use;

    vh_view_use(v, host, &use);
    vh_json_uint(b, "size", use.size);
    vh_json_uint(b, "needs", use.needs);
    vh_json_uint(b, "has", use.has);
    vh_json_uint(b, "saved", use.saved);
    vh_json_uint(b, "paged_out", use.paged_out);
    vh_json_double(b, "compressed",
                   host->has_compressed ? use.compressed : NAN);
    vh_json_double(b, "huge", v->memory.huge >= 0 ? v->memory.huge : NAN);
    if (!v->has_balloon) {
        vh_json_null(b, "balloon");
        return;
    }
    vh_json_begin(b, "balloon");
    vh_json_uint(b, "actual", v->balloon_actual);
    vh_json_double(b, "target", v->balloon_target ? v->balloon_target : NAN);
    json_builder_end_object(b);
}

static void add_monitor(JsonBuilder *b, const VhView *v)
{
    const VhInfo *i = v->info;
    const VhSums *s = &v->sums;
    bool seen = v->snapshot != NULL;

    vh_json_uint(b, "working_set", seen ? v->snapshot->working_set_size : 0);
    vh_json_double(b, "cost", v->cost >= 0 ? v->cost : NAN);
    vh_json_double(b, "confidence",
                   seen && s->confidence >= 0 ? s->confidence : NAN);
    vh_json_text(b, "primitive", i ? i->primitive : NULL);
    vh_json_text(b, "write_primitive", i ? i->write_primitive : NULL);
    vh_json_bool(b, "throttled", i && i->stats.throttled);
    vh_json_uint(b, "snapshot", seen ? v->snapshot->sequence : 0);
    vh_json_double(b, "rate", seen ? s->heat : NAN);
    vh_json_double(b, "write_rate",
                   seen && s->has_write_heat ? s->write_heat : NAN);
}

/* ---- details ---- */

static JsonNode *reply_member(const VhView *v, const char *name)
{
    return v->info ? vh_read_member(vh_read_opt_object(v->info->json), name)
                   : NULL;
}

static void add_range(JsonBuilder *b, const VhRangeInfo *r)
{
    json_builder_begin_object(b);
    vh_json_uint(b, "start", r->start);
    vh_json_uint(b, "size", r->size);
    vh_json_text(b, "block", r->block);
    vh_json_uint(b, "page_size", r->page_size);
    vh_json_bool(b, "shared", r->shared);
    vh_json_bool(b, "monitored", r->monitored);
    if (r->has_node) {
        vh_json_uint(b, "node", r->node);
    }
    vh_json_text(b, "backend", r->backend);
    vh_json_text(b, "device", r->device);
    vh_json_text(b, "reserved", r->reserved);
    json_builder_end_object(b);
}

static void add_ranges(JsonBuilder *b, const VhView *v)
{
    vh_json_list(b, "ranges");
    for (size_t i = 0; v->info && i < v->info->nr_ranges; i++) {
        add_range(b, &v->info->ranges[i]);
    }
    json_builder_end_array(b);
}

static void add_reserved(JsonBuilder *b, const VhView *v)
{
    vh_json_list(b, "reserved");
    for (size_t i = 0; v->info && i < v->info->nr_reserved; i++) {
        const VhReservedInfo *r = &v->info->reserved[i];

        json_builder_begin_object(b);
        vh_json_uint(b, "start", r->start);
        vh_json_uint(b, "size", r->size);
        vh_json_text(b, "kind", r->kind);
        vh_json_text(b, "name", r->name);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void add_primitives(JsonBuilder *b, const VhInfo *info)
{
    vh_json_list(b, "primitives");
    for (size_t i = 0; info && i < info->nr_primitives; i++) {
        const VhPrimitiveInfo *p = &info->primitives[i];

        json_builder_begin_object(b);
        vh_json_text(b, "name", p->name);
        vh_json_text(b, "summary", p->summary);
        vh_json_bool(b, "available", p->available);
        vh_json_bool(b, "chosen", p->chosen);
        vh_json_text(b, "reason", p->reason);
        vh_json_text(b, "blind_spots", p->blind_spots);
        vh_json_bool(b, "sees_reads", p->sees_reads);
        vh_json_bool(b, "sees_writes", p->sees_writes);
        vh_json_bool(b, "sees_dma", p->sees_dma);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static const char *blind_spots(const VhInfo *info)
{
    for (size_t i = 0; info && i < info->nr_primitives; i++) {
        if (info->primitives[i].chosen) {
            return info->primitives[i].blind_spots;
        }
    }
    return NULL;
}

static void add_histogram(JsonBuilder *b, const char *name,
                          const double *bounds, unsigned nr,
                          const uint64_t *bytes)
{
    vh_json_begin(b, name);
    vh_json_list(b, "bounds");
    for (unsigned i = 0; i < nr; i++) {
        json_builder_add_double_value(b, bounds[i]);
    }
    json_builder_end_array(b);
    vh_json_list(b, "bytes");
    for (unsigned i = 0; i <= nr; i++) {
        json_builder_add_int_value(b, bytes[i]);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void add_details(JsonBuilder *b, const VhView *v)
{
    const VhInfo *i = v->info;
    const VhSnapshot *s = v->snapshot;

    add_ranges(b, v);
    add_reserved(b, v);
    vh_json_copy(b, "attrs", reply_member(v, "attrs"));
    add_primitives(b, i);
    vh_json_text(b, "blind_spots", blind_spots(i));
    vh_json_text(b, "choice", i ? i->choice : NULL);
    vh_json_text(b, "accelerator", i ? i->accelerator : NULL);
    vh_json_text(b, "estimator", i ? i->estimator : NULL);
    vh_json_text(b, "version", i ? i->version : NULL);
    vh_json_text(b, "qemu_version", v->qemu_version);
    add_histogram(b, "rate_histogram", vh_rate_bounds, VH_NR_RATE_BOUNDS,
                  v->sums.rate_buckets);
    add_histogram(b, "idle_histogram", vh_idle_bounds, VH_NR_IDLE_BOUNDS,
                  v->sums.idle_buckets);
    vh_json_copy(b, "schemes", v->schemes ? v->schemes->json : NULL);
    vh_json_uint(b, "sampling_interval_us", s ? s->sampling_interval : 0);
    vh_json_uint(b, "aggregation_interval_us", s ? s->aggregation_interval : 0);
    vh_json_uint(b, "max_nr_accesses", s ? s->max_nr_accesses : 0);
}

void vh_view_json(JsonBuilder *b, const VhView *v, const VhHost *host,
                  bool details)
{
    json_builder_begin_object(b);
    vh_json_text(b, "id", v->id);
    vh_json_text(b, "domain", v->domain);
    vh_json_text(b, "uuid", v->uuid);
    vh_json_text(b, "state", v->state);
    vh_json_text(b, "reason", v->reason);
    vh_json_double(b, "asked", v->time);
    add_use(b, v, host);
    add_idle(b, &v->sums);
    add_monitor(b, v);
    if (details) {
        add_details(b, v);
    }
    json_builder_end_object(b);
}

void vh_views_json(JsonBuilder *b, const GPtrArray *views, const VhHost *host)
{
    json_builder_begin_object(b);
    vh_json_double(b, "time", g_get_real_time() / 1e6);
    vh_json_list(b, "vms");
    for (guint i = 0; i < views->len; i++) {
        vh_view_json(b, g_ptr_array_index(views, i), host, false);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}
