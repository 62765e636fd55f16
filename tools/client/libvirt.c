/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's monitor through libvirt. What blocks is in the thread of a worker
 * (libvirt-worker.c); here is what the caller sees.
 *
 * A connection that was lost is made anew by the next command, once, within
 * that command's time. A command whose answer was lost with the connection may
 * have been done, so only a query is sent again. It may be another QEMU then,
 * of the same domain, which was started meanwhile.
 */
#include <string.h>

#include "json-text.h"
#include "libvirt-call.h"
#include "libvirt-jobs.h"

typedef struct LvTransport {
    VhTransport base;
    VhLvCaller caller; /* its worker: NULL when it could not be started */
    char *uri, *domain;
    VhDomain *known; /* the caller's */
    char *what;
    char *ended; /* how the domain ended, or NULL */
    bool lost;
    unsigned connections;
    char *qemu_version;
} LvTransport;

static bool say_ended(LvTransport *t, GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                "domain '%s' %s", t->domain, t->ended);
    return false;
}

static void emit_event(LvTransport *t, const VhLvMessage *m)
{
    const VhTransportHooks *hooks = t->caller.hooks;
    g_autoptr(JsonNode) node = m->data ? vh_json_parse(m->data) : NULL;

    if (hooks->event) {
        hooks->event(hooks->event_opaque, m->text,
                     node && JSON_NODE_HOLDS_OBJECT(node)
                         ? json_node_get_object(node)
                         : NULL);
    }
}

/* That the domain ended is an error; that the connection did, not yet. */
static bool take_message(void *opaque, VhLvMessage *m, GError **error)
{
    LvTransport *t = opaque;

    switch (m->what) {
    case VH_LV_EVENT:
        emit_event(t, m);
        return true;
    case VH_LV_ENDED:
        t->ended = t->ended ? t->ended : g_steal_pointer(&m->text);
        return say_ended(t, error);
    default:
        t->lost = true;
        return true;
    }
}

static bool not_qmp(LvTransport *t, GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_PROTOCOL,
                "what libvirt returns of domain '%s' is no answer of QMP",
                t->domain);
    return false;
}

static JsonNode *parse_reply(LvTransport *t, const char *text, GError **error)
{
    g_autoptr(JsonNode) node = vh_json_parse(text);
    JsonObject *o = node && JSON_NODE_HOLDS_OBJECT(node)
                        ? json_node_get_object(node)
                        : NULL;

    if (o && (json_object_has_member(o, "return") ||
              json_object_has_member(o, "error"))) {
        return g_steal_pointer(&node);
    }
    not_qmp(t, error);
    return NULL;
}

static JsonNode *send_once(LvTransport *t, JsonNode *request, int fd,
                           gint64 deadline, GError **error)
{
    VhLvCommandJob *job = vh_lv_command_job(json_to_string(request, false), fd);
    JsonNode *reply = NULL;

    if (vh_lv_call(&t->caller, job, deadline, error)) {
        reply = parse_reply(t, job->reply, error);
    }
    vh_lv_job_unref(job);
    return reply;
}

static JsonObject *member(JsonObject *o, const char *name)
{
    JsonNode *node = o ? json_object_get_member(o, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
                                                : NULL;
}

/* libvirt tells the version of the QEMU it would start, so QEMU is asked. */
static bool ask_version(LvTransport *t, gint64 deadline, GError **error)
{
    g_autoptr(JsonNode) request =
        json_from_string("{\"execute\": \"query-version\"}", NULL);
    g_autoptr(JsonNode) reply = send_once(t, request, -1, deadline, error);
    JsonObject *v;

    if (!reply) {
        return false;
    }
    v = member(member(json_node_get_object(reply), "return"), "qemu");
    g_free(t->qemu_version);
    t->qemu_version =
        v ? g_strdup_printf(
                "%d.%d.%d",
                (int)json_object_get_int_member_with_default(v, "major", 0),
                (int)json_object_get_int_member_with_default(v, "minor", 0),
                (int)json_object_get_int_member_with_default(v, "micro", 0))
          : g_strdup("");
    return true;
}

static bool open_domain(LvTransport *t, gint64 deadline, GError **error)
{
    VhLvOpenJob *job = vh_lv_open_job(t->uri, t->domain, t->known->uuid, true);
    bool ok = vh_lv_call(&t->caller, job, deadline, error);

    if (ok) {
        g_free(t->known->name);
        *t->known = job->found;
        job->found.name = NULL;
    }
    vh_lv_job_unref(job);
    return ok;
}

static bool connect_worker(LvTransport *t, gint64 deadline, GError **error)
{
    bool ok;

    vh_lv_worker_close(t->caller.worker);
    t->lost = false;
    t->caller.worker = vh_lv_worker_new(error);
    if (!t->caller.worker) {
        return false;
    }
    ok = open_domain(t, deadline, error) && ask_version(t, deadline, error);
    t->connections += ok;
    t->lost = !ok;
    return ok;
}

static bool is_query(JsonNode *request)
{
    const char *name =
        json_object_get_string_member(json_node_get_object(request), "execute");

    return g_str_has_prefix(name, "query-");
}

/* Messages that came while nobody waited; then connected, if need be. */
static bool get_ready(LvTransport *t, gint64 deadline, GError **error)
{
    g_autoptr(GError) e = NULL;

    if (t->caller.worker && !vh_lv_wait(&t->caller, NULL, 0, &e) &&
        !g_error_matches(e, VH_CLIENT_ERROR, VH_CLIENT_ERROR_TIMEOUT)) {
        g_propagate_error(error, g_steal_pointer(&e));
        return false;
    }
    if (t->ended) {
        return say_ended(t, error);
    }
    return (t->caller.worker && !t->lost) || connect_worker(t, deadline, error);
}

static JsonNode *lv_execute(VhTransport *base, JsonNode *request, int fd,
                            gint64 deadline, GError **error)
{
    LvTransport *t = (LvTransport *)base;

    for (int tries = 0;; tries++) {
        g_autoptr(GError) e = NULL;
        JsonNode *reply = NULL;

        if (get_ready(t, deadline, &e)) {
            reply = send_once(t, request, fd, deadline, &e);
        }
        if (reply) {
            return reply;
        }
        if (tries || !t->lost || t->ended || !is_query(request)) {
            g_propagate_error(error, g_steal_pointer(&e));
            return NULL;
        }
    }
}

static bool lv_rest(VhTransport *base, gint64 until, GError **error)
{
    LvTransport *t = (LvTransport *)base;
    g_autoptr(GError) e = NULL;

    if (t->ended) {
        return say_ended(t, error);
    }
    if (!t->caller.worker) {
        return connect_worker(t, until, error);
    }
    vh_lv_wait(&t->caller, NULL, until, &e);
    if (g_error_matches(e, VH_CLIENT_ERROR, VH_CLIENT_ERROR_TIMEOUT)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&e));
    return false;
}

static const char *lv_version(VhTransport *base)
{
    return ((LvTransport *)base)->qemu_version;
}

static unsigned lv_connections(VhTransport *base)
{
    return ((LvTransport *)base)->connections;
}

static int lv_socket(VhTransport *base)
{
    return -1;
}

static void lv_close(VhTransport *base)
{
    LvTransport *t = (LvTransport *)base;

    vh_lv_worker_close(t->caller.worker);
    g_free(t->uri);
    g_free(t->domain);
    g_free(t->what);
    g_free(t->ended);
    g_free(t->qemu_version);
    g_free(t);
}

VhTransport *vh_libvirt_open(const char *uri, const char *domain,
                             VhDomain *known, const VhTransportHooks *hooks,
                             gint64 timeout_us, GError **error)
{
    static const VhTransportOps ops = {
        .execute = lv_execute,
        .rest = lv_rest,
        .qemu_version = lv_version,
        .connections = lv_connections,
        .socket = lv_socket,
        .close = lv_close,
    };
    gint64 deadline = g_get_monotonic_time() + timeout_us;
    LvTransport *t = g_new0(LvTransport, 1);

    t->base.ops = &ops;
    t->uri = g_strdup(uri);
    t->domain = g_strdup(domain);
    t->known = known;
    t->what = g_strdup_printf("libvirt about domain '%s'", domain);
    t->caller =
        (VhLvCaller){ NULL, hooks, timeout_us, t->what, take_message, t };
    if (connect_worker(t, deadline, error)) {
        return &t->base;
    }
    lv_close(&t->base);
    return NULL;
}
