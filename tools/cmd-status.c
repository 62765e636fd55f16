/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "cli.h"
#include "fields.h"
#include "host-memory.h"
#include "primitives.h"
#include "units.h"

static void draw_writes(VhPage *page, const VhInfo *info)
{
    if (info->write_primitive) {
        vh_field(page, VH_STYLE_PLAIN, "Writes", "told apart by %s (%s)",
                 info->write_primitive,
                 info->stats.write_detail ? info->stats.write_detail : "");
    } else if (info->write_reason) {
        vh_field(page, VH_STYLE_WARN, "Writes", "not told apart: %s",
                 info->write_reason);
    }
}

/* The first measurement of most guests takes less. */
#define MEASURE_US 500000

static void draw_head(VhPage *page, const VhInfo *info, const char *qemu,
                      const char *socket)
{
    vh_field(page, vh_state_style(info->state), "State", "%s%s%s", info->state,
             info->reason ? ": " : "", info->reason ? info->reason : "");
    vh_field(page, VH_STYLE_PLAIN, "Device", "%s, vmheat %s",
             info->id ? info->id : "without id", info->version);
    vh_field(page, VH_STYLE_PLAIN, "QEMU", "%s, %s, %s", qemu,
             info->accelerator, socket);
    vh_field(page, VH_STYLE_PLAIN, "Primitive", "%s (%s)", info->primitive,
             info->stats.detail);
    vh_field(page, VH_STYLE_DIM, "", "%s", info->choice);
    draw_writes(page, info);
    vh_field(page, VH_STYLE_PLAIN, "Estimator", "%s", info->estimator);
}

static void draw_memory(VhPage *page, const VhInfo *info,
                        const VhMemoryInfo *memory)
{
    g_autofree char *total = vh_size_str(info->total_size);

    vh_field(page, VH_STYLE_PLAIN, "Memory", "%8s monitored", total);
    vh_field_working_set(page, info);
    vh_host_memory_draw(page, memory);
    if (info->snapshot) {
        vh_field(page, VH_STYLE_PLAIN, "Snapshot", "%" PRIu64, info->snapshot);
    } else {
        vh_field(page, VH_STYLE_PLAIN, "Snapshot", "none yet");
    }
}

/* What monitoring is restricted to; NULL: nothing. */
static char *target_words(const VhInfo *info)
{
    g_autoptr(GString) words = g_string_new("");

    if (info->target_node >= 0) {
        g_string_append_printf(words, ", node %" PRId64, info->target_node);
    }
    if (info->target_backend) {
        g_string_append_printf(words, ", backend %s", info->target_backend);
    }
    if (info->target_device) {
        g_string_append_printf(words, ", device %s", info->target_device);
    }
    return words->len ? g_strdup(words->str + 2) : NULL;
}

static void draw_attrs(VhPage *page, const VhInfo *info)
{
    const VhAttrsInfo *a = &info->attrs;
    g_autofree char *sampling = vh_duration_str(a->sampling_interval);
    g_autofree char *effective =
        vh_duration_str(info->stats.effective_sampling_interval);
    g_autofree char *aggregation = vh_duration_str(a->aggregation_interval);
    g_autofree char *update = vh_duration_str(a->update_interval);
    g_autofree char *target = target_words(info);

    vh_field_heading(page, "Attributes");
    if (target) {
        vh_field(page, VH_STYLE_PLAIN, "Target", "%s only", target);
    }
    vh_field(page, VH_STYLE_PLAIN, "Intervals",
             "sampling %s, aggregation %s, update %s", sampling, aggregation,
             update);
    if (info->stats.throttled) {
        vh_field(page, VH_STYLE_WARN, "",
                 "throttled: sampling every %s to stay within the limits",
                 effective);
    }
    vh_field(page, VH_STYLE_PLAIN, "Regions", "%" PRIu64 " .. %" PRIu64,
             a->min_regions, a->max_regions);
    if (a->traps_per_second) {
        vh_field(page, VH_STYLE_PLAIN, "Limits",
                 "%.2f %% of a vCPU, %" PRIu64 " traps/s",
                 a->overhead_budget / 100.0, a->traps_per_second);
    } else {
        vh_field(page, VH_STYLE_PLAIN, "Limits",
                 "%.2f %% of a vCPU, traps/s: the safe default",
                 a->overhead_budget / 100.0);
    }
}

static char *per_call(uint64_t ns)
{
    return ns < 1000 ? g_strdup_printf("%" PRIu64 " ns", ns)
                     : vh_duration_str(ns / 1000);
}

static void draw_cost(VhPage *page, const VhStatsInfo *s)
{
    g_autofree char *worker = vh_duration_str(s->worker_time / 1000);
    g_autofree char *vcpu = vh_duration_str(s->vcpu_time / 1000);
    g_autofree char *main_time = vh_duration_str(s->main_time / 1000);
    g_autofree char *arm = per_call(s->arm_cost);
    g_autofree char *collect = per_call(s->collect_cost);
    g_autofree char *trap = per_call(s->trap_cost);
    g_autofree char *bql = per_call(s->bql_hold_max);

    vh_field_heading(page, "Cost so far");
    vh_field(page, VH_STYLE_PLAIN, "CPU time",
             "worker thread %s, on vCPU threads %s, main thread %s", worker,
             vcpu, main_time);
    vh_field(page, VH_STYLE_PLAIN, "Checks",
             "%" PRIu64 " in %" PRIu64 " samples and %" PRIu64
             " aggregations; %" PRIu64 " skipped, %" PRIu64 " lost",
             s->checks, s->samples, s->aggregations, s->skipped, s->lost);
    vh_field(page, VH_STYLE_PLAIN, "Traps",
             "%" PRIu64 "; armed %" PRIu64 " pages, %" PRIu64
             " more at no cost",
             s->traps, s->arms, s->arms_free);
    vh_field(page, VH_STYLE_PLAIN, "Each",
             "trap %s, arming %s, reading an answer %s", trap, arm, collect);
    vh_field(page, VH_STYLE_PLAIN, "BQL", "held for %s at most", bql);
}

static const VhColumn range_columns[] = {
    { "START", true, 6 }, { "END", true, 2 },    { "SIZE", true, 5 },
    { "PAGE", true, 1 },  { "BLOCK", false, 4 }, { "", false, 3 },
};

static char *range_words(const VhRangeInfo *r)
{
    GString *words = g_string_new(r->shared ? "shared" : "private");

    if (r->has_node) {
        g_string_append_printf(words, ", node %" PRIu64, r->node);
    }
    if (r->backend && strcmp(r->backend, r->block)) {
        g_string_append_printf(words, ", backend %s", r->backend);
    }
    if (r->device) {
        g_string_append_printf(words, ", device %s", r->device);
    }
    if (r->reserved) {
        g_string_append_printf(words, ", reserved (%s)", r->reserved);
    }
    if (!r->monitored) {
        g_string_append(words, ", not monitored");
    }
    return g_string_free(words, FALSE);
}

static void draw_ranges(VhPage *page, const VhInfo *info)
{
    g_autoptr(VhTable) t =
        vh_table_new(range_columns, G_N_ELEMENTS(range_columns));

    vh_field_heading(page, "Guest memory");
    for (size_t i = 0; i < info->nr_ranges; i++) {
        const VhRangeInfo *r = &info->ranges[i];
        VhStyle style = r->monitored ? VH_STYLE_PLAIN : VH_STYLE_DIM;

        vh_table_put(t, style, g_strdup_printf("0x%08" PRIx64, r->start));
        vh_table_put(t, style,
                     g_strdup_printf("0x%08" PRIx64, r->start + r->size));
        vh_table_put(t, style, vh_size_str(r->size));
        vh_table_put(t, style, vh_size_str(r->page_size));
        vh_table_put(t, style, g_strdup(r->block));
        vh_table_put(t, style, range_words(r));
    }
    vh_table_draw(t, page);
}

static const VhColumn reserved_columns[] = {
    { "START", true, 5 }, { "END", true, 2 }, { "SIZE", true, 4 },
    { "KIND", false, 3 }, { "", false, 0 },
};

static void draw_reserved(VhPage *page, const VhInfo *info)
{
    g_autoptr(VhTable) t =
        vh_table_new(reserved_columns, G_N_ELEMENTS(reserved_columns));

    if (!info->nr_reserved) {
        return;
    }
    vh_field_heading(page, "Reserved: no scheme acts on it");
    for (size_t i = 0; i < info->nr_reserved; i++) {
        const VhReservedInfo *r = &info->reserved[i];

        vh_table_put(t, VH_STYLE_PLAIN,
                     g_strdup_printf("0x%08" PRIx64, r->start));
        vh_table_put(t, VH_STYLE_PLAIN,
                     g_strdup_printf("0x%08" PRIx64, r->start + r->size));
        vh_table_put(t, VH_STYLE_PLAIN, vh_size_str(r->size));
        vh_table_put(t, VH_STYLE_PLAIN, g_strdup(r->kind));
        vh_table_put(t, VH_STYLE_PLAIN, g_strdup(r->name ? r->name : ""));
    }
    vh_table_draw(t, page);
}

static int print_info(const VhInfo *info, const VhMemoryInfo *memory,
                      const char *qemu, const char *socket, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    draw_head(page, info, qemu, socket);
    draw_memory(page, info, memory);
    draw_attrs(page, info);
    draw_cost(page, &info->stats);
    vh_field_heading(page, "Primitives");
    vh_primitives_draw(page, info);
    draw_ranges(page, info);
    draw_reserved(page, info);
    return vh_cli_print_page(page);
}

/* What query-vmheat returned, and in it what query-vmheat-memory did. */
static int print_json(JsonNode *reply, JsonNode *memory)
{
    g_autoptr(JsonNode) both = json_node_copy(reply);

    if (memory) {
        json_object_set_member(json_node_get_object(both), "memory",
                               json_node_ref(memory));
    }
    return vh_cli_print_json(both);
}

/* False on error; without one @reply and @memory may be NULL: not told. */
static bool ask_memory(VhClient *client, const VhOptions *options,
                       JsonNode **reply, VhMemoryInfo **memory, GError **error)
{
    GError *failed = NULL;

    *reply = vh_host_memory_ask(client, MIN(options->timeout_us, MEASURE_US),
                                &failed);
    *memory = *reply ? vh_memory_parse(*reply, &failed) : NULL;
    if (failed) {
        g_propagate_error(error, failed);
    }
    return !failed;
}

int vh_cmd_status(const VhOptions *options, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) host = NULL;
    g_autoptr(VhMemoryInfo) memory = NULL;
    g_autoptr(VhClient) client = vh_cli_open(options, &error);
    g_autoptr(JsonNode) reply =
        client ? vh_client_command(client, "query-vmheat", NULL, &error) : NULL;
    g_autoptr(VhInfo) info = reply ? vh_info_parse(reply, &error) : NULL;

    if (!info || !ask_memory(client, options, &host, &memory, &error)) {
        return vh_cli_fail(error);
    }
    if (options->json) {
        return print_json(reply, host);
    }
    return print_info(info, memory, vh_client_qemu_version(client),
                      vh_cli_target(options), term);
}
