/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing is assumed about a reply: the first member that is missing or of
 * another type than the schema says is kept in the reader and becomes the
 * error. Members the schema gained later are ignored.
 */
#include "client/client.h"
#include "model.h"

/* A reply being read. */
typedef struct Reader {
    const char *command;
    char *problem; /* the first one */
} Reader;

static void problem(Reader *r, const char *name, const char *type)
{
    if (!r->problem) {
        r->problem = g_strdup_printf("the reply of %s has no %s '%s'",
                                     r->command, type, name);
    }
}

static bool give_problem(Reader *r, GError **error)
{
    if (!r->problem) {
        return false;
    }
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_PROTOCOL,
                "%s: is its vmheat of another version?", r->problem);
    g_free(r->problem);
    return true;
}

static JsonNode *member(JsonObject *o, const char *name)
{
    return o ? json_object_get_member(o, name) : NULL;
}

static bool is_type(JsonNode *node, GType type)
{
    return node && JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

static uint64_t get_uint(Reader *r, JsonObject *o, const char *name)
{
    JsonNode *node = member(o, name);

    if (!is_type(node, G_TYPE_INT64) || json_node_get_int(node) < 0) {
        problem(r, name, "number");
        return 0;
    }
    return json_node_get_int(node);
}

static bool get_bool(Reader *r, JsonObject *o, const char *name)
{
    JsonNode *node = member(o, name);

    if (!is_type(node, G_TYPE_BOOLEAN)) {
        problem(r, name, "truth value");
        return false;
    }
    return json_node_get_boolean(node);
}

/* NULL when it is not there. */
static const char *opt_string(JsonObject *o, const char *name)
{
    JsonNode *node = member(o, name);

    return is_type(node, G_TYPE_STRING) ? json_node_get_string(node) : NULL;
}

static const char *get_string(Reader *r, JsonObject *o, const char *name)
{
    const char *s = opt_string(o, name);

    if (!s) {
        problem(r, name, "string");
    }
    return s ? s : "";
}

static JsonObject *get_object(Reader *r, JsonObject *o, const char *name)
{
    JsonNode *node = member(o, name);

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        problem(r, name, "object");
        return NULL;
    }
    return json_node_get_object(node);
}

/* @out is an array of the list's length, zeroed, of elements of @size. */
static JsonArray *get_list(Reader *r, JsonObject *o, const char *name,
                           size_t size, void *out, size_t *nr)
{
    JsonNode *node = member(o, name);

    *nr = 0;
    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        problem(r, name, "list");
        return NULL;
    }
    *nr = json_array_get_length(json_node_get_array(node));
    *(void **)out = g_malloc0_n(*nr + 1, size);
    return json_node_get_array(node);
}

static JsonObject *element(Reader *r, JsonArray *list, size_t i,
                           const char *name)
{
    JsonNode *node = json_array_get_element(list, i);

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        problem(r, name, "objects in");
        return NULL;
    }
    return json_node_get_object(node);
}

static JsonObject *root(Reader *r, JsonNode *node)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        problem(r, "return", "object");
        return NULL;
    }
    return json_node_get_object(node);
}

static void read_regions(Reader *r, JsonObject *o, VhSnapshot *s)
{
    JsonArray *list =
        get_list(r, o, "regions", sizeof(VhRegion), &s->regions, &s->nr);

    for (size_t i = 0; i < s->nr; i++) {
        JsonObject *e = element(r, list, i, "regions");

        s->regions[i] = (VhRegion){
            .start = get_uint(r, e, "start"),
            .end = get_uint(r, e, "end"),
            .nr_accesses = get_uint(r, e, "nr-accesses"),
            .age = get_uint(r, e, "age"),
        };
        if (member(e, "nr-writes")) {
            s->regions[i].nr_writes = get_uint(r, e, "nr-writes");
            s->has_writes = true;
        }
    }
}

/* One list of numbers; all have to be as long as the first. */
static JsonArray *column(Reader *r, JsonObject *o, const char *name,
                         JsonArray *first)
{
    JsonNode *node = member(o, name);
    JsonArray *list =
        node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    if (!list || (first && json_array_get_length(list) !=
                               json_array_get_length(first))) {
        problem(r, name, "list");
        return NULL;
    }
    return list;
}

static uint64_t number_at(Reader *r, JsonArray *list, size_t i,
                          const char *name)
{
    JsonNode *node = json_array_get_element(list, i);

    if (!is_type(node, G_TYPE_INT64) || json_node_get_int(node) < 0) {
        problem(r, name, "numbers in");
        return 0;
    }
    return json_node_get_int(node);
}

static void read_columns(Reader *r, JsonObject *root, VhSnapshot *s)
{
    JsonObject *o = get_object(r, root, "columns");
    JsonArray *start = column(r, o, "start", NULL);
    JsonArray *end = column(r, o, "end", start);
    JsonArray *nr = column(r, o, "nr-accesses", start);
    JsonArray *age = column(r, o, "age", start);
    JsonArray *writes =
        member(o, "nr-writes") ? column(r, o, "nr-writes", start) : NULL;

    if (!start || !end || !nr || !age) {
        return;
    }
    s->has_writes = writes != NULL;
    s->nr = json_array_get_length(start);
    s->regions = g_new(VhRegion, s->nr + 1);
    for (size_t i = 0; i < s->nr; i++) {
        s->regions[i] = (VhRegion){
            .start = number_at(r, start, i, "start"),
            .end = number_at(r, end, i, "end"),
            .nr_accesses = number_at(r, nr, i, "nr-accesses"),
            .age = number_at(r, age, i, "age"),
            .nr_writes = writes ? number_at(r, writes, i, "nr-writes") : 0,
        };
    }
}

static void check_order(Reader *r, const VhSnapshot *s)
{
    uint64_t before = 0;

    for (size_t i = 0; i < s->nr; i++) {
        if (s->regions[i].start < before ||
            s->regions[i].end <= s->regions[i].start) {
            problem(r, "regions", "sorted");
        }
        before = s->regions[i].end;
    }
}

VhSnapshot *vh_snapshot_parse(JsonNode *node, GError **error)
{
    Reader r = { .command = "query-vmheat-regions" };
    g_autoptr(VhSnapshot) s = g_new0(VhSnapshot, 1);
    JsonObject *o = root(&r, node);

    s->sequence = get_uint(&r, o, "sequence");
    s->start_time = get_uint(&r, o, "start-time");
    s->end_time = get_uint(&r, o, "end-time");
    s->sampling_interval = get_uint(&r, o, "sampling-interval");
    s->aggregation_interval = get_uint(&r, o, "aggregation-interval");
    s->max_nr_accesses = get_uint(&r, o, "max-nr-accesses");
    s->working_set_size = get_uint(&r, o, "working-set-size");
    s->total_size = get_uint(&r, o, "total-size");
    s->nr_regions = get_uint(&r, o, "nr-regions");
    s->truncated = get_bool(&r, o, "truncated");
    if (member(o, "columns")) {
        read_columns(&r, o, s);
    } else {
        read_regions(&r, o, s);
    }
    check_order(&r, s);
    return give_problem(&r, error) ? NULL : g_steal_pointer(&s);
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

static void read_attrs(Reader *r, JsonObject *o, VhAttrsInfo *a)
{
    *a = (VhAttrsInfo){
        .sampling_interval = get_uint(r, o, "sampling-interval"),
        .aggregation_interval = get_uint(r, o, "aggregation-interval"),
        .update_interval = get_uint(r, o, "update-interval"),
        .min_regions = get_uint(r, o, "min-regions"),
        .max_regions = get_uint(r, o, "max-regions"),
        .traps_per_second = get_uint(r, o, "traps-per-second"),
        .overhead_budget = get_uint(r, o, "overhead-budget"),
    };
}

static void read_stats(Reader *r, JsonObject *o, VhStatsInfo *s)
{
    *s = (VhStatsInfo){
        .samples = get_uint(r, o, "samples"),
        .aggregations = get_uint(r, o, "aggregations"),
        .checks = get_uint(r, o, "checks"),
        .skipped = get_uint(r, o, "skipped"),
        .arms = get_uint(r, o, "arms"),
        .arms_free = get_uint(r, o, "arms-free"),
        .traps = get_uint(r, o, "traps"),
        .lost = get_uint(r, o, "lost"),
        .arm_cost = get_uint(r, o, "arm-cost"),
        .collect_cost = get_uint(r, o, "collect-cost"),
        .trap_cost = get_uint(r, o, "trap-cost"),
        .worker_time = get_uint(r, o, "worker-time"),
        .vcpu_time = get_uint(r, o, "vcpu-time"),
        .main_time = get_uint(r, o, "main-time"),
        .bql_hold_max = get_uint(r, o, "bql-hold-max"),
        .effective_sampling_interval =
            get_uint(r, o, "effective-sampling-interval"),
        .throttled = get_bool(r, o, "throttled"),
        .detail = get_string(r, o, "detail"),
        .write_detail = opt_string(o, "write-detail"),
    };
}

static void read_primitives(Reader *r, JsonObject *o, VhInfo *info)
{
    JsonArray *list = get_list(r, o, "primitives", sizeof(VhPrimitiveInfo),
                               &info->primitives, &info->nr_primitives);

    for (size_t i = 0; i < info->nr_primitives; i++) {
        JsonObject *e = element(r, list, i, "primitives");

        info->primitives[i] = (VhPrimitiveInfo){
            .name = get_string(r, e, "name"),
            .summary = get_string(r, e, "summary"),
            .reason = opt_string(e, "reason"),
            .blind_spots = opt_string(e, "blind-spots"),
            .available = get_bool(r, e, "available"),
            .chosen = get_bool(r, e, "chosen"),
            .chosen_for_writes = get_bool(r, e, "chosen-for-writes"),
            .sees_reads = get_bool(r, e, "sees-reads"),
            .sees_writes = get_bool(r, e, "sees-writes"),
            .sees_dma = get_bool(r, e, "sees-dma"),
            .persistent = get_bool(r, e, "persistent"),
            .granule = get_uint(r, e, "granule"),
        };
    }
}

static void read_ranges(Reader *r, JsonObject *o, VhInfo *info)
{
    JsonArray *list = get_list(r, o, "ranges", sizeof(VhRangeInfo),
                               &info->ranges, &info->nr_ranges);

    for (size_t i = 0; i < info->nr_ranges; i++) {
        JsonObject *e = element(r, list, i, "ranges");

        info->ranges[i] = (VhRangeInfo){
            .start = get_uint(r, e, "start"),
            .size = get_uint(r, e, "size"),
            .page_size = get_uint(r, e, "page-size"),
            .block = get_string(r, e, "block"),
            .shared = get_bool(r, e, "shared"),
            .monitored = get_bool(r, e, "monitored"),
        };
    }
}

VhInfo *vh_info_parse(JsonNode *node, GError **error)
{
    Reader r = { .command = "query-vmheat" };
    g_autoptr(VhInfo) info = g_new0(VhInfo, 1);
    JsonObject *o = root(&r, node);

    info->json = json_node_ref(node);
    info->id = opt_string(o, "id");
    info->version = get_string(&r, o, "version");
    info->state = get_string(&r, o, "state");
    info->reason = opt_string(o, "reason");
    info->accelerator = get_string(&r, o, "accelerator");
    info->estimator = get_string(&r, o, "estimator");
    info->primitive = get_string(&r, o, "primitive");
    info->choice = get_string(&r, o, "choice");
    info->write_primitive = opt_string(o, "write-primitive");
    info->write_reason = opt_string(o, "write-reason");
    info->total_size = get_uint(&r, o, "total-size");
    info->working_set_size = get_uint(&r, o, "working-set-size");
    info->snapshot = get_uint(&r, o, "snapshot");
    read_attrs(&r, get_object(&r, o, "attrs"), &info->attrs);
    read_stats(&r, get_object(&r, o, "stats"), &info->stats);
    read_primitives(&r, o, info);
    read_ranges(&r, o, info);
    return give_problem(&r, error) ? NULL : g_steal_pointer(&info);
}

void vh_info_free(VhInfo *info)
{
    if (info) {
        json_node_unref(info->json);
        g_free(info->primitives);
        g_free(info->ranges);
        g_free(info);
    }
}
