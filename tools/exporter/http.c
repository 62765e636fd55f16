/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP; theory of operation in http.h. */
#include <string.h>

#include "auth.h"
#include "clients.h"
#include "http.h"
#include "route.h"

#define HEADERS_MAX (16 * 1024)
/* Those that are cut off are there for a moment more. */
#define SPARE 64
#define INACTIVE_S 30

struct VhHttp {
    VhExporter *exporter;
    VhClients *clients;
    struct MHD_Daemon *daemon;
    int quiet; /* atomic */
};

/* ---- answers ---- */

VhResponse *vh_response_new(unsigned status, const char *type, GString *text)
{
    VhResponse *r = g_new0(VhResponse, 1);

    r->status = status;
    r->type = type;
    r->body = g_string_free_to_bytes(text);
    return r;
}

VhResponse *vh_response_error(unsigned status, const char *sentence,
                              const char *header, char *value)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *clean = g_utf8_make_valid(sentence, -1);
    g_autofree char *json = NULL;
    VhResponse *r;

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "error");
    json_builder_add_string_value(b, clean);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    json = json_to_string(root, false);
    r = vh_response_new(status, "application/json", g_string_new(json));
    r->header = header;
    r->value = value;
    return r;
}

void vh_response_free(VhResponse *r)
{
    if (r) {
        g_clear_pointer(&r->body, g_bytes_unref);
        g_clear_pointer(&r->events, MHD_destroy_response);
        g_free(r->value);
        g_free(r);
    }
}

void vh_request_fail(VhRequest *r, unsigned status, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    vh_request_answer(r, vh_response_error(status, text, NULL, NULL));
}

void vh_request_json(VhRequest *r, JsonBuilder *b)
{
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *json = json_to_string(root, false);

    vh_request_answer(
        r, vh_response_new(200, "application/json", g_string_new(json)));
}

const char *vh_request_header(const VhRequest *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *vh_request_argument(const VhRequest *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND,
                                       name);
}

static void add_headers(struct MHD_Response *m, const VhResponse *a)
{
    MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(m, "Cache-Control",
                            a->page ? "no-cache" : "no-store");
    MHD_add_response_header(m, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(m, "X-Frame-Options", "DENY");
    MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(m, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(m, "Content-Security-Policy",
                            a->page ? "default-src 'self'; object-src 'none'; "
                                      "base-uri 'none'; form-action 'none'; "
                                      "frame-ancestors 'none'"
                                    : "default-src 'none'; "
                                      "frame-ancestors 'none'");
    MHD_add_response_header(m, "Content-Type", a->type);
    if (a->header) {
        MHD_add_response_header(m, a->header, a->value);
    }
}

static void free_bytes(void *opaque)
{
    g_bytes_unref(opaque);
}

/* The body is handed over as it is: nothing is copied. */
static struct MHD_Response *make_response(VhResponse *a)
{
    gsize n;
    const void *data;

    if (a->events) {
        return g_steal_pointer(&a->events);
    }
    data = g_bytes_get_data(a->body, &n);
    return MHD_create_response_from_buffer_with_free_callback_cls(
        n, (void *)data, free_bytes, g_bytes_ref(a->body));
}

static VhConnection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

static enum MHD_Result send_answer(VhRequest *r)
{
    VhResponse *a = r->answer;
    VhHttp *http = r->http;
    bool events = a->events != NULL;
    struct MHD_Response *m = make_response(a);
    enum MHD_Result ok;

    add_headers(m, a);
    vh_counters_add(&http->exporter->counters,
                    &http->exporter->counters.stats
                         .requests[MIN(a->status / 100, VH_CODE_CLASSES - 1)],
                    1);
    vh_clients_phase(http->clients, connection_of(r->connection),
                     events ? VH_PHASE_EVENTS : VH_PHASE_SERVE,
                     g_get_monotonic_time());
    ok = MHD_queue_response(r->connection, a->status, m);
    MHD_destroy_response(m);
    r->queued = true;
    return ok;
}

void vh_request_answer(VhRequest *r, VhResponse *answer)
{
    r->answer = answer;
    if (r->suspended) {
        MHD_resume_connection(r->connection);
    }
}

/* ---- checks, as soon as headers are there ---- */

static void refuse(VhRequest *r, VhRefusal why, unsigned status,
                   const char *sentence, const char *header, const char *value)
{
    VhCounters *c = &r->exporter->counters;

    vh_counters_add(c, &c->stats.refused[why], 1);
    vh_request_answer(
        r, vh_response_error(status, sentence, header, g_strdup(value)));
}

static bool check_host(VhRequest *r)
{
    const char *host = vh_request_header(r, "Host");

    if (!r->exporter->tcp ||
        vh_host_is_ours(host, r->exporter->options->host_names)) {
        return true;
    }
    refuse(r, VH_REFUSED_HOST, host ? 403 : 400,
           host ? "Host is not an IP address, localhost or a name given with "
                  "--host-name"
                : "the request has no Host",
           NULL, NULL);
    return false;
}

static bool check_control(VhRequest *r)
{
    const char *host = vh_request_header(r, "Host");
    const char *token = r->exporter->token;

    if (!token) {
        vh_request_fail(r, 403,
                        "control is not allowed here: start "
                        "vmheat-exporter with --allow-control");
    } else if (!vh_origin_is_ours(vh_request_header(r, "Origin"),
                                  vh_request_header(r, "Sec-Fetch-Site"),
                                  host)) {
        refuse(r, VH_REFUSED_HOST, 403, "the request comes from another site",
               NULL, NULL);
    } else if (!vh_token_is(vh_request_header(r, "Authorization"), token)) {
        refuse(r, VH_REFUSED_TOKEN, 401,
               "the token is missing or wrong: it goes into 'Authorization: "
               "Bearer TOKEN'",
               "WWW-Authenticate", "Bearer");
    } else if (!vh_type_is_json(vh_request_header(r, "Content-Type"))) {
        vh_request_fail(r, 415, "Content-Type must be application/json");
    }
    return !r->answer;
}

static bool check_size(VhRequest *r)
{
    const char *text = vh_request_header(r, "Content-Length");
    bool chunked = vh_request_header(r, "Transfer-Encoding") != NULL;
    bool control = r->route->flags & VH_ROUTE_CONTROL;
    guint64 size = 0;

    if (text &&
        !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &size, NULL)) {
        vh_request_fail(r, 400, "Content-Length is no number");
        return false;
    }
    if (size > VH_BODY_MAX || (!control && (size || chunked))) {
        refuse(r, VH_REFUSED_SIZE, 413,
               control ? "the body is larger than 256 KiB"
                       : "this request has no body",
               NULL, NULL);
        return false;
    }
    return true;
}

static bool check(VhRequest *r, VhConnection *n, const char *method,
                  const char *url)
{
    bool scrape = g_str_equal(url, "/metrics");

    if (!vh_clients_may(r->http->clients, n, scrape, g_get_monotonic_time())) {
        refuse(r, VH_REFUSED_RATE, 429, "too many requests a second",
               "Retry-After", "1");
        return false;
    }
    if (!check_host(r)) {
        return false;
    }
    r->path = g_strsplit(url + (*url == '/'), "/", 16);
    r->route = vh_route_find(r, method);
    return r->route && check_size(r) &&
           (!(r->route->flags & VH_ROUTE_CONTROL) || check_control(r));
}

/* ---- libmicrohttpd ---- */

static VhRequest *new_request(VhHttp *http, struct MHD_Connection *connection)
{
    VhRequest *r = g_new0(VhRequest, 1);

    r->http = http;
    r->exporter = http->exporter;
    r->connection = connection;
    r->body = g_byte_array_new();
    return r;
}

static void free_request(VhRequest *r)
{
    vh_response_free(r->answer);
    g_strfreev(r->path);
    g_byte_array_unref(r->body);
    g_free(r);
}

/* All of it is there. */
static enum MHD_Result handle(VhRequest *r)
{
    if (r->route->flags & VH_ROUTE_LATER) {
        if (g_atomic_int_get(&r->http->quiet)) {
            vh_request_fail(r, 503, "vmheat-exporter is about to end");
            return send_answer(r);
        }
        r->suspended = true;
        MHD_suspend_connection(r->connection);
        r->route->handle(r);
        return MHD_YES;
    }
    r->route->handle(r);
    return send_answer(r);
}

static enum MHD_Result take_body(VhRequest *r, const char *data, size_t *size)
{
    if (r->body->len + *size > VH_BODY_MAX) {
        return MHD_NO; /* chunked, and too large: hang up */
    }
    g_byte_array_append(r->body, (const guint8 *)data, *size);
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result take(void *opaque, struct MHD_Connection *connection,
                            const char *url, const char *method,
                            const char *version, const char *data, size_t *size,
                            void **state)
{
    VhHttp *http = opaque;
    VhRequest *r = *state;

    if (!r) {
        *state = r = new_request(http, connection);
    }
    if (!r->checked) {
        r->checked = true;
        return check(r, connection_of(connection), method, url)
                   ? MHD_YES
                   : send_answer(r);
    }
    if (*size) {
        return take_body(r, data, size);
    }
    if (r->queued) {
        return MHD_YES;
    }
    return r->answer ? send_answer(r) : handle(r);
}

static void completed(void *opaque, struct MHD_Connection *connection,
                      void **state, enum MHD_RequestTerminationCode why)
{
    VhHttp *http = opaque;
    VhConnection *n = connection_of(connection);

    if (*state) {
        free_request(*state);
    }
    *state = NULL;
    if (n) {
        vh_clients_phase(http->clients, n, VH_PHASE_WAIT,
                         g_get_monotonic_time());
    }
}

static void notify(void *opaque, struct MHD_Connection *connection,
                   void **context, enum MHD_ConnectionNotificationCode code)
{
    VhHttp *http = opaque;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection,
                                         MHD_CONNECTION_INFO_CONNECTION_FD)
                     ->connect_fd;
        const struct sockaddr *address =
            MHD_get_connection_info(connection,
                                    MHD_CONNECTION_INFO_CLIENT_ADDRESS)
                ->client_addr;

        *context =
            vh_clients_come(http->clients, fd, address, g_get_monotonic_time());
    } else if (*context) {
        vh_clients_go(http->clients, *context);
        *context = NULL;
    }
}

/* libmicrohttpd's own complaints are about clients; they are counted. */
static void silence(void *opaque, const char *format, va_list ap)
{
}

VhHttp *vh_http_new(VhExporter *exporter, int fd, GError **error)
{
    VhHttp *http = g_new0(VhHttp, 1);
    const VhExporterOptions *o = exporter->options;

    http->exporter = exporter;
    http->clients =
        vh_clients_new(o->max_clients, o->max_rate, &exporter->counters);
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, take, http, MHD_OPTION_EXTERNAL_LOGGER, silence, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->max_clients + SPARE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)INACTIVE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADERS_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, notify, http, MHD_OPTION_END);
    if (!http->daemon) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "libmicrohttpd cannot serve: too few descriptors for "
                    "--max-clients %d?",
                    o->max_clients);
        vh_clients_free(http->clients);
        g_clear_pointer(&http, g_free);
    }
    return http;
}

void vh_http_sweep(VhHttp *http)
{
    vh_clients_sweep(http->clients, g_get_monotonic_time());
}

void vh_http_quiesce(VhHttp *http)
{
    g_atomic_int_set(&http->quiet, 1);
}

void vh_http_free(VhHttp *http)
{
    MHD_stop_daemon(http->daemon);
    vh_clients_free(http->clients);
    g_free(http);
}
