/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QMP is one JSON object a line. The server greets, the client negotiates
 * capabilities, then each request gets one reply; events come in between.
 * Requests carry an id, so a reply that comes after its request timed out is
 * recognised and dropped.
 *
 * A QMP socket serves one client. QEMU leaves the next one in the listen
 * queue: connecting works, the greeting does not come. With a full queue
 * connect(2) says EAGAIN and there is nothing to poll for, so that is tried
 * again until the deadline.
 *
 * What is at the other end is not trusted: lines have a largest length, and
 * the first one must look like a greeting. The socket never blocks; every wait
 * goes through the client's hook with a deadline.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "json-text.h"
#include "transport.h"

#define RETRY_US 20000
#define GREETING_MAX (64 * 1024)
/* 100000 regions of at most 120 bytes, with room to spare */
#define LINE_MAX_BYTES (64 * 1024 * 1024)

typedef struct QmpSocket {
    VhTransport base;
    const VhTransportHooks *hooks;
    int fd;
    bool greeted;
    gint64 timeout_us;
    gint64 id;
    char *path;
    char *qemu_version;
    GString *in;
    size_t scanned; /* no newline in the first so many bytes of @in */
} QmpSocket;

static bool lost(QmpSocket *q, GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                q->greeted ? "'%s' was closed by QEMU: the virtual machine "
                             "has ended"
                           : "'%s' was closed before a QMP greeting came: it "
                             "is no QMP socket, or QEMU is just ending",
                q->path);
    return false;
}

static bool not_qmp(QmpSocket *q, const char *what, GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_PROTOCOL,
                "'%s' does not speak QMP: %s", q->path, what);
    return false;
}

static bool timed_out(QmpSocket *q, GError **error)
{
    double seconds = q->timeout_us / 1e6;

    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_TIMEOUT,
                q->greeted ? "no answer from '%s' within %g s"
                           : "no QMP greeting from '%s' within %g s: a QMP "
                             "socket serves one client at a time, and another "
                             "one may be connected; give QEMU one more '-qmp "
                             "unix:PATH,server=on,wait=off'",
                q->path, seconds);
    return false;
}

/* False on timeout and interruption. */
static bool wait_for(QmpSocket *q, short events, gint64 deadline,
                     GError **error)
{
    switch (q->hooks->wait(q->hooks->wait_opaque, q->fd, events, deadline)) {
    case VH_WAIT_READY:
        return true;
    case VH_WAIT_TIMEOUT:
        return timed_out(q, error);
    default:
        g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_INTERRUPTED,
                    "interrupted");
        return false;
    }
}

static const char *connect_reason(const char *path, int err)
{
    struct stat st;

    if (err == ECONNREFUSED && !stat(path, &st) && !S_ISSOCK(st.st_mode)) {
        return "it is not a socket";
    }
    switch (err) {
    case ECONNREFUSED:
        return "nobody listens there: the virtual machine has ended";
    case EACCES:
    case EPERM:
        return "permission denied: run vmheat as the user that runs QEMU, or "
               "as root";
    case EPROTOTYPE:
        return "it is a datagram socket, not a stream socket";
    default:
        return g_strerror(err);
    }
}

static bool cannot_connect(QmpSocket *q, const char *why, GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                "cannot connect to '%s': %s", q->path, why);
    return false;
}

static bool connect_socket(QmpSocket *q, gint64 deadline, GError **error)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };

    if (strlen(q->path) >= sizeof(sun.sun_path)) {
        return cannot_connect(q, "a socket's path has at most 107 bytes",
                              error);
    }
    strcpy(sun.sun_path, q->path);
    q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (q->fd < 0) {
        return cannot_connect(q, g_strerror(errno), error);
    }
    while (connect(q->fd, (struct sockaddr *)&sun, sizeof(sun))) {
        if (errno != EAGAIN && errno != EINTR) {
            return cannot_connect(q, connect_reason(q->path, errno), error);
        }
        if (g_get_monotonic_time() >= deadline) {
            return timed_out(q, error);
        }
        g_usleep(RETRY_US);
    }
    return true;
}

static bool check_start(QmpSocket *q, GError **error)
{
    if (q->greeted || !q->in->len) {
        return true;
    }
    if (g_str_has_prefix(q->in->str, "QEMU ") ||
        (q->in->len && (guchar)q->in->str[0] == 0xff)) {
        return not_qmp(q, "it is a human monitor (HMP); use a '-qmp' socket",
                       error);
    }
    if (q->in->str[0] != '{') {
        return not_qmp(q, "what it sends is not JSON", error);
    }
    return true;
}

static bool read_some(QmpSocket *q, gint64 deadline, GError **error)
{
    char buf[65536];
    ssize_t n;

    /* also when events come so fast that there is never a wait */
    if (g_get_monotonic_time() >= deadline) {
        return timed_out(q, error);
    }
    while ((n = recv(q->fd, buf, sizeof(buf), 0)) < 0) {
        if (errno == EAGAIN) {
            if (!wait_for(q, POLLIN, deadline, error)) {
                return false;
            }
        } else if (errno != EINTR) {
            return lost(q, error);
        }
    }
    if (n == 0) {
        return lost(q, error);
    }
    g_string_append_len(q->in, buf, n);
    if (q->in->len > (q->greeted ? LINE_MAX_BYTES : GREETING_MAX)) {
        return not_qmp(q, "it sends a line without end", error);
    }
    return check_start(q, error);
}

/* The next line, without its end; NULL on error. */
static char *read_line(QmpSocket *q, gint64 deadline, GError **error)
{
    char *line, *end;

    while (!(
        end = memchr(q->in->str + q->scanned, '\n', q->in->len - q->scanned))) {
        q->scanned = q->in->len;
        if (!read_some(q, deadline, error)) {
            return NULL;
        }
    }
    line = g_strndup(q->in->str, end - q->in->str);
    g_string_erase(q->in, 0, end - q->in->str + 1);
    q->scanned = 0;
    return line;
}

static JsonNode *read_object(QmpSocket *q, gint64 deadline, GError **error)
{
    g_autofree char *line = read_line(q, deadline, error);
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *what = NULL;

    if (!line) {
        return NULL;
    }
    node = vh_json_parse(line);
    if (node && JSON_NODE_HOLDS_OBJECT(node)) {
        return g_steal_pointer(&node);
    }
    what = g_strdup_printf("it sent %zu bytes that are not a JSON object",
                           strlen(line));
    not_qmp(q, what, error);
    return NULL;
}

/* A string that is there and is a string. */
static const char *get_string(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static JsonObject *get_object(JsonObject *o, const char *name)
{
    JsonNode *node = o ? json_object_get_member(o, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
                                                : NULL;
}

static void emit_event(QmpSocket *q, JsonObject *message)
{
    const char *name = get_string(message, "event");

    if (name && q->hooks->event) {
        q->hooks->event(q->hooks->event_opaque, name,
                        get_object(message, "data"));
    }
}

static bool is_reply_to(JsonObject *message, gint64 id)
{
    JsonNode *node = json_object_get_member(message, "id");

    return node && json_node_get_value_type(node) == G_TYPE_INT64 &&
           json_node_get_int(node) == id;
}

/* Passes events on and drops replies to requests that timed out. */
static JsonNode *read_reply(QmpSocket *q, gint64 deadline, GError **error)
{
    for (;;) {
        g_autoptr(JsonNode) node = read_object(q, deadline, error);
        JsonObject *message;

        if (!node) {
            return NULL;
        }
        message = json_node_get_object(node);
        if (json_object_has_member(message, "event")) {
            emit_event(q, message);
        } else if (!json_object_has_member(message, "return") &&
                   !json_object_has_member(message, "error")) {
            not_qmp(q, "it sent a message that is no reply and no event",
                    error);
            return NULL;
        } else if (is_reply_to(message, q->id)) {
            return g_steal_pointer(&node);
        }
    }
}

/* Like send(), with the descriptor @fd unless that is -1. */
static ssize_t send_some(QmpSocket *q, const char *text, size_t n, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS } };
    struct iovec iov = { (char *)text, n };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
    }
    return sendmsg(q->fd, &m, MSG_NOSIGNAL);
}

static bool send_text(QmpSocket *q, const char *text, int fd, gint64 deadline,
                      GError **error)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = send_some(q, text, left, fd);

        if (n >= 0) {
            text += n;
            left -= n;
            fd = -1; /* it went with the first byte */
        } else if (errno == EAGAIN) {
            if (!wait_for(q, POLLOUT, deadline, error)) {
                return false;
            }
        } else if (errno != EINTR) {
            return lost(q, error);
        }
    }
    return true;
}

static JsonNode *qmp_execute(VhTransport *t, JsonNode *request, int fd,
                             gint64 deadline, GError **error)
{
    QmpSocket *q = (QmpSocket *)t;
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;

    json_object_set_int_member(json_node_get_object(request), "id", ++q->id);
    text = json_to_string(request, false);
    line = g_strconcat(text, "\n", NULL);
    if (!send_text(q, line, fd, deadline, error)) {
        return NULL;
    }
    return read_reply(q, deadline, error);
}

static bool qmp_rest(VhTransport *t, gint64 until, GError **error)
{
    QmpSocket *q = (QmpSocket *)t;

    for (;;) {
        g_autoptr(JsonNode) node = NULL;
        g_autoptr(GError) e = NULL;

        node = read_object(q, until, &e);
        if (node) {
            emit_event(q, json_node_get_object(node));
        } else if (g_error_matches(e, VH_CLIENT_ERROR,
                                   VH_CLIENT_ERROR_TIMEOUT)) {
            return true;
        } else {
            g_propagate_error(error, g_steal_pointer(&e));
            return false;
        }
    }
}

/* It never connects by itself. */
static unsigned qmp_connections(VhTransport *t)
{
    return 1;
}

static const char *qmp_version(VhTransport *t)
{
    return ((QmpSocket *)t)->qemu_version;
}

static int qmp_socket(VhTransport *t)
{
    return ((QmpSocket *)t)->fd;
}

static void qmp_close(VhTransport *t)
{
    QmpSocket *q = (QmpSocket *)t;

    if (q->fd >= 0) {
        close(q->fd);
    }
    g_string_free(q->in, true);
    g_free(q->path);
    g_free(q->qemu_version);
    g_free(q);
}

static gint64 get_int(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && json_node_get_value_type(node) == G_TYPE_INT64
               ? json_node_get_int(node)
               : 0;
}

static bool take_greeting(QmpSocket *q, gint64 deadline, GError **error)
{
    g_autoptr(JsonNode) node = read_object(q, deadline, error);
    JsonObject *greeting, *version;

    if (!node) {
        return false;
    }
    greeting = get_object(json_node_get_object(node), "QMP");
    if (!greeting) {
        return not_qmp(q, "it sends JSON but no QMP greeting (a guest agent?)",
                       error);
    }
    version = get_object(get_object(greeting, "version"), "qemu");
    if (version) {
        g_free(q->qemu_version);
        q->qemu_version = g_strdup_printf(
            "%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT,
            get_int(version, "major"), get_int(version, "minor"),
            get_int(version, "micro"));
    }
    q->greeted = true;
    return true;
}

static bool negotiate(QmpSocket *q, gint64 deadline, GError **error)
{
    g_autoptr(JsonNode) request =
        json_from_string("{\"execute\": \"qmp_capabilities\"}", NULL);
    g_autoptr(JsonNode) reply =
        qmp_execute(&q->base, request, -1, deadline, error);

    if (!reply) {
        return false;
    }
    return json_object_has_member(json_node_get_object(reply), "return") ||
           not_qmp(q, "it refused qmp_capabilities", error);
}

VhTransport *vh_qmp_socket_open(const char *path, const VhTransportHooks *hooks,
                                gint64 timeout_us, GError **error)
{
    static const VhTransportOps ops = {
        .execute = qmp_execute,
        .rest = qmp_rest,
        .qemu_version = qmp_version,
        .connections = qmp_connections,
        .socket = qmp_socket,
        .close = qmp_close,
    };
    gint64 deadline = g_get_monotonic_time() + timeout_us;
    QmpSocket *q = g_new0(QmpSocket, 1);

    q->base.ops = &ops;
    q->hooks = hooks;
    q->fd = -1;
    q->timeout_us = timeout_us;
    q->path = g_strdup(path);
    q->qemu_version = g_strdup("");
    q->in = g_string_new(NULL);
    if (connect_socket(q, deadline, error) &&
        take_greeting(q, deadline, error) && negotiate(q, deadline, error)) {
        return &q->base;
    }
    qmp_close(&q->base);
    return NULL;
}
