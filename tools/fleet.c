/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several virtual machines at once; theory of operation in fleet.h. */
#include <string.h>

#include "fleet.h"
#include "query.h"
#include "reader.h"

static void free_member(VhMember *m)
{
    vh_client_close(m->client);
    g_free(m->name);
    g_free(m->address);
    g_free(m->problem);
    g_free(m->state);
    g_free(m);
}

void vh_fleet_init(VhFleet *f)
{
    *f = (VhFleet){ .members = g_ptr_array_new_with_free_func(
                        (GDestroyNotify)free_member) };
}

void vh_fleet_clear(VhFleet *f)
{
    g_ptr_array_unref(f->members);
}

/* ---- finding ---- */

static void take(VhFleet *f, const char *name, const char *address)
{
    VhMember *m;

    for (guint i = 0; i < f->members->len; i++) {
        m = g_ptr_array_index(f->members, i);
        if (g_str_equal(m->address, address)) {
            m->found = true;
            return;
        }
    }
    m = g_new0(VhMember, 1);
    m->name = g_strdup(name);
    m->address = g_strdup(address);
    m->cost = -1;
    m->found = true;
    g_ptr_array_add(f->members, m);
}

static bool find_sockets(VhFleet *f, GError **error)
{
    g_autoptr(GPtrArray) sockets = vh_socket_list(f->folder, error);

    for (guint i = 0; sockets && i < sockets->len; i++) {
        const char *path = g_ptr_array_index(sockets, i);
        g_autofree char *name = g_path_get_basename(path);

        take(f, name, path);
    }
    return sockets;
}

static bool find_domains(VhFleet *f, GError **error)
{
    g_autoptr(GPtrArray) domains =
        vh_libvirt_list(f->uri, f->timeout_us, error);

    for (guint i = 0; domains && i < domains->len; i++) {
        const VhDomain *d = g_ptr_array_index(domains, i);

        take(f, d->name, d->uuid);
    }
    return domains;
}

static bool find(VhFleet *f, GError **error)
{
    for (guint i = 0; i < f->members->len; i++) {
        VhMember *m = g_ptr_array_index(f->members, i);

        m->found = false;
    }
    if (!(f->folder ? find_sockets(f, error) : find_domains(f, error))) {
        return false;
    }
    for (guint i = f->members->len; i-- > 0;) {
        VhMember *m = g_ptr_array_index(f->members, i);

        if (!m->found) {
            g_ptr_array_remove_index(f->members, i);
        }
    }
    return true;
}

/* ---- asking ---- */

static bool attach(VhFleet *f, VhMember *m, GError **error)
{
    if (!m->client) {
        m->client = f->folder ? vh_client_open(m->address, f->timeout_us, error)
                              : vh_client_open_libvirt(f->uri, m->address,
                                                       f->timeout_us, error);
    }
    if (m->client) {
        vh_client_set_wait(m->client, f->wait, f->wait_opaque);
    }
    return m->client;
}

static void take_info(VhMember *m, const VhInfo *info)
{
    const VhStatsInfo *s = &info->stats;
    uint64_t cpu = s->worker_time + s->vcpu_time + s->main_time;
    int64_t now = g_get_monotonic_time();

    g_free(m->state);
    m->state = g_strdup(info->state);
    m->size = info->total_size;
    m->working_set = info->working_set_size;
    m->cost = -1;
    if (m->asked_us && now > m->asked_us && cpu >= m->cpu_ns) {
        m->cost = (cpu - m->cpu_ns) / 1e3 / (now - m->asked_us);
    }
    m->cpu_ns = cpu;
    m->asked_us = now;
}

static bool ask_info(VhMember *m, GError **error)
{
    g_autoptr(VhInfo) info = vh_query_info(m->client, error);

    if (info) {
        take_info(m, info);
    }
    return info;
}

static bool ask_regions(VhMember *m, GError **error)
{
    g_autoptr(VhSnapshot) s = vh_query_snapshot(m->client, error);

    m->cold = 0;
    for (size_t i = 0; s && i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        m->cold += r->idle_us >= VH_FLEET_COLD_US ? r->end - r->start : 0;
    }
    return s;
}

/* Bytes that its balloon holds; a machine may have none. */
static uint64_t ballooned(VhMember *m)
{
    g_autoptr(JsonNode) node =
        vh_client_command(m->client, "query-balloon", NULL, NULL);
    uint64_t actual =
        MAX(vh_read_opt_int(vh_read_opt_object(node), "actual"), 0);

    return actual && actual < m->size ? m->size - actual : 0;
}

static bool ask_schemes(VhMember *m, GError **error)
{
    g_autoptr(VhSchemeList) list = vh_query_schemes(m->client, false, error);

    if (!list) {
        return false;
    }
    m->saved = ballooned(m);
    for (size_t i = 0; i < list->nr; i++) {
        const VhSchemeInfo *s = &list->schemes[i];

        if (g_str_equal(s->action, "pageout")) {
            m->saved += s->stats.sz_applied -
                        MIN(s->stats.refaulted, s->stats.sz_applied);
        }
    }
    m->saved = MIN(m->saved, m->size);
    return true;
}

/* One that cannot be had is tried anew; one without vmheat is no problem. */
static void take_problem(VhMember *m, GError *error)
{
    g_clear_pointer(&m->client, vh_client_close);
    m->problem = g_strdup(error->message);
    m->asked_us = 0;
    m->cost = -1;
}

static bool ask(VhFleet *f, VhMember *m, GError **error)
{
    g_autoptr(GError) why = NULL;

    g_clear_pointer(&m->problem, g_free);
    m->absent = false;
    if (attach(f, m, &why) && ask_info(m, &why) && ask_regions(m, &why) &&
        ask_schemes(m, &why)) {
        return true;
    }
    if (why->domain == VH_CLIENT_ERROR &&
        why->code == VH_CLIENT_ERROR_INTERRUPTED) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    m->absent =
        why->domain == VH_CLIENT_ERROR && why->code == VH_CLIENT_ERROR_QMP;
    take_problem(m, why);
    return true;
}

/* ---- order ---- */

static int by_number(double a, double b)
{
    return (a < b) - (a > b);
}

static int compare(gconstpointer pa, gconstpointer pb, gpointer data)
{
    const VhMember *a = *(const VhMember *const *)pa;
    const VhMember *b = *(const VhMember *const *)pb;
    const VhFleet *f = data;
    int c = 0;

    switch (f->sort) {
    case VH_FLEET_COLD:
        c = by_number(a->cold, b->cold);
        break;
    case VH_FLEET_SIZE:
        c = by_number(a->size, b->size);
        break;
    case VH_FLEET_WORKING_SET:
        c = by_number(a->working_set, b->working_set);
        break;
    case VH_FLEET_SAVED:
        c = by_number(a->saved, b->saved);
        break;
    case VH_FLEET_COST:
        c = by_number(a->cost, b->cost);
        break;
    default:
        break;
    }
    return c ? c : strcmp(a->name, b->name);
}

void vh_fleet_order(VhFleet *f, VhFleetSort sort)
{
    f->sort = sort;
    g_ptr_array_sort_with_data(f->members, compare, f);
}

bool vh_fleet_look(VhFleet *f, GError **error)
{
    if (!find(f, error)) {
        return false;
    }
    for (guint i = 0; i < f->members->len; i++) {
        if (!ask(f, g_ptr_array_index(f->members, i), error)) {
            return false;
        }
    }
    vh_fleet_order(f, f->sort);
    return true;
}

const char *vh_fleet_sort_name(VhFleetSort sort)
{
    static const char *const names[] = {
        [VH_FLEET_COLD] = "cold",   [VH_FLEET_NAME] = "name",
        [VH_FLEET_SIZE] = "size",   [VH_FLEET_WORKING_SET] = "wss",
        [VH_FLEET_SAVED] = "saved", [VH_FLEET_COST] = "cost",
    };

    return names[sort];
}
