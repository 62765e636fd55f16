/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"
#include "packed.h"
#include "reader.h"

#define IDLE_MS_MAX (UINT64_MAX / 1000)

static void read_rates(VhReader *r, JsonObject *e, VhSnapshot *s,
                       VhRegion *region)
{
    if (!vh_read_member(e, "rate")) {
        return;
    }
    s->has_rates = true;
    region->rate = vh_read_rate(r, vh_read_member(e, "rate"), "rate");
    region->rate_low =
        vh_read_rate(r, vh_read_member(e, "rate-low"), "rate-low");
    region->rate_high =
        vh_read_rate(r, vh_read_member(e, "rate-high"), "rate-high");
    region->idle_us = MIN(vh_read_uint(r, e, "idle-ms"), IDLE_MS_MAX) * 1000;
    if (vh_read_member(e, "write-rate")) {
        s->has_write_rates = true;
        region->write_rate =
            vh_read_rate(r, vh_read_member(e, "write-rate"), "write-rate");
    }
}

void vh_read_regions(VhReader *r, JsonObject *o, const char *name,
                     VhSnapshot *s)
{
    JsonArray *list =
        vh_read_list(r, o, name, sizeof(VhRegion), &s->regions, &s->nr);

    for (size_t i = 0; i < s->nr; i++) {
        JsonObject *e = vh_read_element(r, list, i, name);

        s->regions[i] = (VhRegion){
            .start = vh_read_uint(r, e, "start"),
            .end = vh_read_uint(r, e, "end"),
            .nr_accesses = vh_read_uint(r, e, "nr-accesses"),
            .age = vh_read_uint(r, e, "age"),
        };
        if (vh_read_member(e, "nr-writes")) {
            s->regions[i].nr_writes = vh_read_uint(r, e, "nr-writes");
            s->has_writes = true;
        }
        read_rates(r, e, s, &s->regions[i]);
    }
}

/* One list of numbers; all have to be as long as the first. */
static JsonArray *column(VhReader *r, JsonObject *o, const char *name,
                         JsonArray *first)
{
    JsonNode *node = vh_read_member(o, name);
    JsonArray *list =
        node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    if (!list || (first && json_array_get_length(list) !=
                               json_array_get_length(first))) {
        vh_read_problem(r, name, "list");
        return NULL;
    }
    return list;
}

static uint64_t number_at(VhReader *r, JsonArray *list, size_t i,
                          const char *name)
{
    JsonNode *node = json_array_get_element(list, i);

    if (!vh_read_is(node, G_TYPE_INT64) || json_node_get_int(node) < 0) {
        vh_read_problem(r, name, "numbers in");
        return 0;
    }
    return json_node_get_int(node);
}

static double rate_at(VhReader *r, JsonArray *list, size_t i, const char *name)
{
    return vh_read_rate(r, json_array_get_element(list, i), name);
}

static void read_write_columns(VhReader *r, JsonObject *o, JsonArray *start,
                               VhSnapshot *s)
{
    JsonArray *nr = vh_read_member(o, "nr-writes")
                        ? column(r, o, "nr-writes", start)
                        : NULL;
    JsonArray *rate = vh_read_member(o, "write-rate")
                          ? column(r, o, "write-rate", start)
                          : NULL;

    s->has_writes = nr != NULL;
    s->has_write_rates = rate != NULL;
    for (size_t i = 0; nr && i < s->nr; i++) {
        s->regions[i].nr_writes = number_at(r, nr, i, "nr-writes");
    }
    for (size_t i = 0; rate && i < s->nr; i++) {
        s->regions[i].write_rate = rate_at(r, rate, i, "write-rate");
    }
}

static void read_rate_columns(VhReader *r, JsonObject *o, JsonArray *start,
                              VhSnapshot *s)
{
    JsonArray *rate = column(r, o, "rate", start);
    JsonArray *low = column(r, o, "rate-low", start);
    JsonArray *high = column(r, o, "rate-high", start);
    JsonArray *idle = column(r, o, "idle-ms", start);

    if (!rate || !low || !high || !idle) {
        return;
    }
    s->has_rates = true;
    for (size_t i = 0; i < s->nr; i++) {
        VhRegion *e = &s->regions[i];

        e->rate = rate_at(r, rate, i, "rate");
        e->rate_low = rate_at(r, low, i, "rate-low");
        e->rate_high = rate_at(r, high, i, "rate-high");
        e->idle_us = MIN(number_at(r, idle, i, "idle-ms"), IDLE_MS_MAX) * 1000;
    }
}

static void read_columns(VhReader *r, JsonObject *root, VhSnapshot *s)
{
    JsonObject *o = vh_read_object(r, root, "columns");
    JsonArray *start = column(r, o, "start", NULL);
    JsonArray *end = column(r, o, "end", start);
    JsonArray *nr = column(r, o, "nr-accesses", start);
    JsonArray *age = column(r, o, "age", start);

    if (!start || !end || !nr || !age) {
        return;
    }
    s->nr = json_array_get_length(start);
    s->regions = g_new0(VhRegion, s->nr + 1);
    for (size_t i = 0; i < s->nr; i++) {
        s->regions[i] = (VhRegion){
            .start = number_at(r, start, i, "start"),
            .end = number_at(r, end, i, "end"),
            .nr_accesses = number_at(r, nr, i, "nr-accesses"),
            .age = number_at(r, age, i, "age"),
        };
    }
    read_write_columns(r, o, start, s);
    if (vh_read_member(o, "rate")) {
        read_rate_columns(r, o, start, s);
    }
}

/* Where nothing tells idle times, age does. */
static void idle_by_age(VhSnapshot *s)
{
    for (size_t i = 0; i < s->nr; i++) {
        VhRegion *r = &s->regions[i];

        r->idle_us = r->nr_accesses ? 0 : vh_snapshot_age_us(s, r);
    }
}

static void check_order(VhReader *r, const VhSnapshot *s)
{
    uint64_t before = 0;

    for (size_t i = 0; i < s->nr; i++) {
        if (s->regions[i].start < before ||
            s->regions[i].end <= s->regions[i].start) {
            vh_read_problem(r, "regions", "sorted");
        }
        before = s->regions[i].end;
    }
}

static VhSnapshot *parse_packed(JsonNode *node, GError **error)
{
    g_autoptr(VhSnapCodec) codec = vh_snap_codec_new();
    VhSnapshot *s;

    if (!vh_packed_reply(node, codec, error)) {
        return NULL;
    }
    s = g_new0(VhSnapshot, 1);
    vh_packed_snapshot(codec, s);
    return s;
}

static VhSnapshot *parse_members(JsonNode *node, GError **error)
{
    VhReader r = { .command = "query-vmheat-regions" };
    g_autoptr(VhSnapshot) s = g_new0(VhSnapshot, 1);
    JsonObject *o = vh_read_root(&r, node);

    s->sequence = vh_read_uint(&r, o, "sequence");
    s->start_time = vh_read_uint(&r, o, "start-time");
    s->end_time = vh_read_uint(&r, o, "end-time");
    s->sampling_interval = vh_read_uint(&r, o, "sampling-interval");
    s->aggregation_interval = vh_read_uint(&r, o, "aggregation-interval");
    s->max_nr_accesses = vh_read_uint(&r, o, "max-nr-accesses");
    s->working_set_size = vh_read_uint(&r, o, "working-set-size");
    s->total_size = vh_read_uint(&r, o, "total-size");
    s->nr_regions = vh_read_uint(&r, o, "nr-regions");
    s->truncated = vh_read_bool(&r, o, "truncated");
    if (vh_read_member(o, "columns")) {
        read_columns(&r, o, s);
    } else {
        vh_read_regions(&r, o, "regions", s);
    }
    check_order(&r, s);
    if (!s->has_rates) {
        idle_by_age(s);
    }
    return vh_read_end(&r, error) ? NULL : g_steal_pointer(&s);
}

VhSnapshot *vh_snapshot_parse(JsonNode *node, GError **error)
{
    JsonObject *o =
        JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

    return vh_read_member(o, "packed") ? parse_packed(node, error)
                                       : parse_members(node, error);
}

void vh_snapshot_free(VhSnapshot *snap)
{
    if (snap) {
        g_free(snap->regions);
        g_free(snap);
    }
}

uint64_t vh_snapshot_age_us(const VhSnapshot *snap, const VhRegion *region)
{
    uint64_t asked = snap->aggregation_interval;
    uint64_t took = snap->end_time > snap->start_time
                        ? (snap->end_time - snap->start_time) / 1000
                        : 0;

    /* what little it overshoots is not worth numbers that flicker */
    return region->age * (took > asked + asked / 4 ? took : asked);
}

void vh_read_attrs(VhReader *r, JsonObject *o, VhAttrsInfo *a)
{
    *a = (VhAttrsInfo){
        .sampling_interval = vh_read_uint(r, o, "sampling-interval"),
        .aggregation_interval = vh_read_uint(r, o, "aggregation-interval"),
        .update_interval = vh_read_uint(r, o, "update-interval"),
        .min_regions = vh_read_uint(r, o, "min-regions"),
        .max_regions = vh_read_uint(r, o, "max-regions"),
        .traps_per_second = vh_read_uint(r, o, "traps-per-second"),
        .overhead_budget = vh_read_uint(r, o, "overhead-budget"),
    };
}

static void read_stats(VhReader *r, JsonObject *o, VhStatsInfo *s)
{
    *s = (VhStatsInfo){
        .samples = vh_read_uint(r, o, "samples"),
        .aggregations = vh_read_uint(r, o, "aggregations"),
        .checks = vh_read_uint(r, o, "checks"),
        .skipped = vh_read_uint(r, o, "skipped"),
        .arms = vh_read_uint(r, o, "arms"),
        .arms_free = vh_read_uint(r, o, "arms-free"),
        .traps = vh_read_uint(r, o, "traps"),
        .lost = vh_read_uint(r, o, "lost"),
        .arm_cost = vh_read_uint(r, o, "arm-cost"),
        .collect_cost = vh_read_uint(r, o, "collect-cost"),
        .trap_cost = vh_read_uint(r, o, "trap-cost"),
        .worker_time = vh_read_uint(r, o, "worker-time"),
        .vcpu_time = vh_read_uint(r, o, "vcpu-time"),
        .main_time = vh_read_uint(r, o, "main-time"),
        .bql_hold_max = vh_read_uint(r, o, "bql-hold-max"),
        .effective_sampling_interval =
            vh_read_uint(r, o, "effective-sampling-interval"),
        .throttled = vh_read_bool(r, o, "throttled"),
        .detail = vh_read_string(r, o, "detail"),
        .write_detail = vh_read_opt_string(o, "write-detail"),
    };
}

static void read_primitives(VhReader *r, JsonObject *o, VhInfo *info)
{
    JsonArray *list = vh_read_list(r, o, "primitives", sizeof(VhPrimitiveInfo),
                                   &info->primitives, &info->nr_primitives);

    for (size_t i = 0; i < info->nr_primitives; i++) {
        JsonObject *e = vh_read_element(r, list, i, "primitives");

        info->primitives[i] = (VhPrimitiveInfo){
            .name = vh_read_string(r, e, "name"),
            .summary = vh_read_string(r, e, "summary"),
            .reason = vh_read_opt_string(e, "reason"),
            .blind_spots = vh_read_opt_string(e, "blind-spots"),
            .available = vh_read_bool(r, e, "available"),
            .chosen = vh_read_bool(r, e, "chosen"),
            .chosen_for_writes = vh_read_bool(r, e, "chosen-for-writes"),
            .sees_reads = vh_read_bool(r, e, "sees-reads"),
            .sees_writes = vh_read_bool(r, e, "sees-writes"),
            .sees_dma = vh_read_bool(r, e, "sees-dma"),
            .persistent = vh_read_bool(r, e, "persistent"),
            .granule = vh_read_uint(r, e, "granule"),
        };
    }
}

static void read_ranges(VhReader *r, JsonObject *o, VhInfo *info)
{
    JsonArray *list = vh_read_list(r, o, "ranges", sizeof(VhRangeInfo),
                                   &info->ranges, &info->nr_ranges);

    for (size_t i = 0; i < info->nr_ranges; i++) {
        JsonObject *e = vh_read_element(r, list, i, "ranges");

        info->ranges[i] = (VhRangeInfo){
            .start = vh_read_uint(r, e, "start"),
            .size = vh_read_uint(r, e, "size"),
            .page_size = vh_read_uint(r, e, "page-size"),
            .block = vh_read_string(r, e, "block"),
            .backend = vh_read_opt_string(e, "backend"),
            .device = vh_read_opt_string(e, "device"),
            .reserved = vh_read_opt_string(e, "reserved"),
            .shared = vh_read_bool(r, e, "shared"),
            .monitored = vh_read_bool(r, e, "monitored"),
        };
        if (vh_read_member(e, "node")) {
            info->ranges[i].node = vh_read_uint(r, e, "node");
            info->ranges[i].has_node = true;
        }
    }
}

/* A plugin of before they were told has none. */
static void read_reserved(VhReader *r, JsonObject *o, VhInfo *info)
{
    JsonArray *list;

    if (!vh_read_member(o, "reserved")) {
        return;
    }
    list = vh_read_list(r, o, "reserved", sizeof(VhReservedInfo),
                        &info->reserved, &info->nr_reserved);
    for (size_t i = 0; i < info->nr_reserved; i++) {
        JsonObject *e = vh_read_element(r, list, i, "reserved");

        info->reserved[i] = (VhReservedInfo){
            .start = vh_read_uint(r, e, "start"),
            .size = vh_read_uint(r, e, "size"),
            .kind = vh_read_string(r, e, "kind"),
            .name = vh_read_opt_string(e, "name"),
        };
    }
}

static void read_target(VhReader *r, JsonObject *o, VhInfo *info)
{
    JsonObject *t = vh_read_opt_object(vh_read_member(o, "target"));

    info->target_node = -1;
    if (!t) {
        return;
    }
    if (vh_read_member(t, "node")) {
        info->target_node = vh_read_uint(r, t, "node");
    }
    info->target_backend = vh_read_opt_string(t, "backend");
    info->target_device = vh_read_opt_string(t, "device");
}

VhInfo *vh_info_parse(JsonNode *node, GError **error)
{
    VhReader r = { .command = "query-vmheat" };
    g_autoptr(VhInfo) info = g_new0(VhInfo, 1);
    JsonObject *o = vh_read_root(&r, node);

    info->json = json_node_ref(node);
    info->id = vh_read_opt_string(o, "id");
    info->version = vh_read_string(&r, o, "version");
    info->state = vh_read_string(&r, o, "state");
    info->reason = vh_read_opt_string(o, "reason");
    info->accelerator = vh_read_string(&r, o, "accelerator");
    info->estimator = vh_read_string(&r, o, "estimator");
    info->primitive = vh_read_string(&r, o, "primitive");
    info->choice = vh_read_string(&r, o, "choice");
    info->write_primitive = vh_read_opt_string(o, "write-primitive");
    info->write_reason = vh_read_opt_string(o, "write-reason");
    info->total_size = vh_read_uint(&r, o, "total-size");
    info->working_set_size = vh_read_uint(&r, o, "working-set-size");
    info->snapshot = vh_read_uint(&r, o, "snapshot");
    vh_read_attrs(&r, vh_read_object(&r, o, "attrs"), &info->attrs);
    read_stats(&r, vh_read_object(&r, o, "stats"), &info->stats);
    read_primitives(&r, o, info);
    read_ranges(&r, o, info);
    read_reserved(&r, o, info);
    read_target(&r, o, info);
    return vh_read_end(&r, error) ? NULL : g_steal_pointer(&info);
}

void vh_info_free(VhInfo *info)
{
    if (info) {
        json_node_unref(info->json);
        g_free(info->primitives);
        g_free(info->ranges);
        g_free(info->reserved);
        g_free(info);
    }
}
