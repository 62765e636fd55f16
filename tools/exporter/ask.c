/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ask.h"
#include "log.h"
#include "memory-model.h"
#include "query.h"
#include "reader.h"

#define NAME_MAX_BYTES 255
#define NO_UUID "00000000-0000-0000-0000-000000000000"

void vh_asker_connected(VhAsker *a, VhClient *client)
{
    vh_asker_lose(a);
    a->client = client;
}

void vh_asker_lose(VhAsker *a)
{
    g_clear_pointer(&a->client, vh_client_close);
    a->named = a->no_memory = a->no_balloon = false;
    a->cpu_ns = 0;
}

void vh_asker_clear(VhAsker *a)
{
    vh_asker_lose(a);
    g_free(a->domain);
    g_free(a->uuid);
}

/* A command that a machine may not have. True: it answered, with @node or with
 * an error of its own. */
static bool ask_maybe(VhAsker *a, const char *command, JsonNode **node,
                      GError **error)
{
    g_autoptr(GError) e = NULL;

    *node = vh_client_command(a->client, command, NULL, &e);
    if (!*node && !g_error_matches(e, VH_CLIENT_ERROR, VH_CLIENT_ERROR_QMP)) {
        g_propagate_error(error, g_steal_pointer(&e));
        return false;
    }
    return true;
}

static void take_text(JsonNode *node, const char *member, char **out)
{
    const char *text =
        node ? vh_read_opt_string(vh_read_opt_object(node), member) : NULL;

    if (text && *text) {
        g_free(*out);
        *out = vh_clean_text(text, NAME_MAX_BYTES);
    }
}

static bool ask_name(VhAsker *a, GError **error)
{
    g_autoptr(JsonNode) name = NULL;
    g_autoptr(JsonNode) uuid = NULL;

    if (a->named) {
        return true;
    }
    if (!ask_maybe(a, "query-name", &name, error) ||
        !ask_maybe(a, "query-uuid", &uuid, error)) {
        return false;
    }
    take_text(name, "name", &a->domain);
    take_text(uuid, "UUID", &a->uuid);
    if (a->uuid &&
        (g_str_equal(a->uuid, NO_UUID) || !g_uuid_string_is_valid(a->uuid))) {
        g_clear_pointer(&a->uuid, g_free);
    }
    a->named = true;
    return true;
}

static void take_cost(VhAsker *a, VhView *view)
{
    const VhStatsInfo *s = &view->info->stats;
    uint64_t cpu = s->worker_time + s->vcpu_time + s->main_time;
    gint64 now = g_get_monotonic_time();

    view->cost = -1;
    if (a->cpu_ns && now > a->asked_us && cpu >= a->cpu_ns) {
        view->cost = (cpu - a->cpu_ns) / 1e3 / (now - a->asked_us);
    }
    a->cpu_ns = cpu;
    a->asked_us = now;
}

/* The states of VmheatState; another one is of a later vmheat. */
static const char *state_of(const char *state)
{
    static const char *const known[] = { "running", "paused", "suspended",
                                         "failed" };

    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_str_equal(state, known[i])) {
            return known[i];
        }
    }
    return "failed";
}

/* Without vmheat a machine answers with an error, and is absent. */
static bool ask_info(VhAsker *a, VhView *view, GError **error)
{
    g_autoptr(GError) e = NULL;

    view->info = vh_query_info(a->client, &e);
    if (g_error_matches(e, VH_CLIENT_ERROR, VH_CLIENT_ERROR_QMP)) {
        view->state = "absent";
        view->reason = vh_clean_text(e->message, 0);
        return true;
    }
    if (!view->info) {
        g_propagate_error(error, g_steal_pointer(&e));
        return false;
    }
    view->state = state_of(view->info->state);
    view->reason =
        view->info->reason ? vh_clean_text(view->info->reason, 0) : NULL;
    take_cost(a, view);
    return true;
}

static bool ask_regions(VhAsker *a, VhView *view, GError **error)
{
    g_autoptr(VhSnapshot) s = vh_query_snapshot(a->client, error);

    if (!s) {
        return false;
    }
    if (s->sequence) {
        vh_sums_of(s, &view->sums);
        view->snapshot = g_steal_pointer(&s);
    }
    return true;
}

static bool ask_schemes(VhAsker *a, VhView *view, GError **error)
{
    view->schemes = vh_query_schemes(a->client, false, error);
    return view->schemes;
}

static uint64_t opt_uint(JsonObject *o, const char *name)
{
    return MAX(vh_read_opt_int(o, name), 0);
}

/* Negative: not told, or not yet. */
static int64_t told(bool has, uint64_t value)
{
    return has ? (int64_t)MIN(value, INT64_MAX) : -1;
}

static void take_memory(VhView *view, const VhMemoryInfo *m)
{
    view->memory =
        (VhMemory){ .size = m->size,
                    .resident = told(m->measured, m->resident),
                    .swapped = told(m->measured && m->has_swapped, m->swapped),
                    .huge = told(m->measured && m->has_huge, m->huge) };
    view->has_balloon = m->has_balloon;
    view->balloon_actual = m->balloon_actual;
    view->balloon_target = m->balloon_target;
}

/* One without the command has no figures. */
static bool ask_memory(VhAsker *a, VhView *view, GError **error)
{
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(VhMemoryInfo) memory = NULL;

    if (a->no_memory) {
        return true;
    }
    if (!ask_maybe(a, "query-vmheat-memory", &node, error)) {
        return false;
    }
    a->no_memory = !node;
    if (!node) {
        return true;
    }
    memory = vh_memory_parse(node, error);
    if (memory) {
        take_memory(view, memory);
    }
    return memory;
}

static bool ask_balloon(VhAsker *a, VhView *view, GError **error)
{
    g_autoptr(JsonNode) node = NULL;

    if (view->has_balloon || view->memory.size || a->no_balloon) {
        return true;
    }
    if (!ask_maybe(a, "query-balloon", &node, error)) {
        return false;
    }
    view->has_balloon = node && vh_read_opt_object(node);
    a->no_balloon = !view->has_balloon;
    if (view->has_balloon) {
        view->balloon_actual = opt_uint(vh_read_opt_object(node), "actual");
    }
    return true;
}

bool vh_ask(VhAsker *a, VhView *view, GError **error)
{
    view->time = g_get_real_time() / 1e6;
    if (!ask_name(a, error) || !ask_info(a, view, error)) {
        return false;
    }
    view->qemu_version =
        vh_clean_text(vh_client_qemu_version(a->client), NAME_MAX_BYTES);
    return !view->info ||
           (ask_regions(a, view, error) && ask_schemes(a, view, error) &&
            ask_memory(a, view, error) && ask_balloon(a, view, error));
}
