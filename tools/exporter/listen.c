/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <gio/gio.h>

#include "listen.h"

#define BACKLOG 1024

static bool cannot(const char *text, const char *why, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "cannot listen on '%s': %s", text, why);
    return false;
}

static bool no_address(const char *text, GError **error)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--listen '%s' is not valid: must be ADDR:PORT with an IP "
                "address or localhost, or unix:PATH",
                text);
    return false;
}

/* ---- TCP ---- */

static bool parse_port(const char *text, guint16 *port)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 0, 65535, &value, NULL)) {
        return false;
    }
    *port = value;
    return true;
}

static GSocketAddress *parse_tcp(const char *text)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = colon ? g_strndup(text, colon - text) : NULL;
    size_t n = host ? strlen(host) : 0;
    bool brackets = n > 2 && host[0] == '[' && host[n - 1] == ']';
    guint16 port;

    if (!colon || !parse_port(colon + 1, &port) ||
        (!brackets && strchr(host, ':'))) {
        return NULL;
    }
    if (brackets) {
        host[n - 1] = 0;
    }
    return g_inet_socket_address_new_from_string(
        g_str_equal(host, "localhost") ? "127.0.0.1" : host + brackets, port);
}

static const char *bind_reason(int err)
{
    return err == EADDRINUSE
               ? "something else listens there already; is another "
                 "vmheat-exporter running?"
           : err == EACCES ? "ports below 1024 are for root"
                           : g_strerror(err);
}

static void name_tcp(VhListen *l)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    g_autoptr(GSocketAddress) address = NULL;
    GInetSocketAddress *inet;
    g_autofree char *ip = NULL;
    bool v6;

    if (getsockname(l->fd, (struct sockaddr *)&ss, &n)) {
        return;
    }
    address = g_socket_address_new_from_native(&ss, n);
    inet = G_INET_SOCKET_ADDRESS(address);
    v6 = ss.ss_family == AF_INET6;
    ip = g_inet_address_to_string(g_inet_socket_address_get_address(inet));
    l->url =
        g_strdup_printf("http://%s%s%s:%u/", v6 ? "[" : "", ip, v6 ? "]" : "",
                        g_inet_socket_address_get_port(inet));
}

static bool open_tcp(const char *text, VhListen *l, GError **error)
{
    g_autoptr(GSocketAddress) address = parse_tcp(text);
    struct sockaddr_storage ss;
    int one = 1;
    gssize n;

    if (!address ||
        !g_socket_address_to_native(address, &ss, sizeof(ss), NULL)) {
        return no_address(text, error);
    }
    n = g_socket_address_get_native_size(address);
    l->loopback = g_inet_address_get_is_loopback(
        g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
    l->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) {
        return cannot(text, g_strerror(errno), error);
    }
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (ss.ss_family == AF_INET6) {
        setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    }
    if (bind(l->fd, (struct sockaddr *)&ss, n) || listen(l->fd, BACKLOG)) {
        return cannot(text, bind_reason(errno), error);
    }
    name_tcp(l);
    return true;
}

/* ---- unix ---- */

static bool is_served(const struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool served = !connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) ||
                  errno == EAGAIN;

    close(fd);
    return served;
}

/* Makes room for it; false: there is something that stays. */
static bool make_room(const struct sockaddr_un *sun, const char *text,
                      GError **error)
{
    struct stat st;

    if (lstat(sun->sun_path, &st)) {
        return true;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return cannot(text, "there is something that is no socket", error);
    }
    if (is_served(sun)) {
        return cannot(text, bind_reason(EADDRINUSE), error);
    }
    return !unlink(sun->sun_path) || cannot(text, g_strerror(errno), error);
}

static bool open_unix(const char *text, const char *path, VhListen *l,
                      GError **error)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    mode_t old;
    bool ok;

    if (!*path || strlen(path) >= sizeof(sun.sun_path)) {
        return cannot(text, "a socket's path has 1 .. 107 bytes", error);
    }
    strcpy(sun.sun_path, path);
    if (!make_room(&sun, text, error)) {
        return false;
    }
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    old = umask(0117);
    ok = l->fd >= 0 && !bind(l->fd, (struct sockaddr *)&sun, sizeof(sun)) &&
         !listen(l->fd, BACKLOG);
    umask(old);
    if (!ok) {
        return cannot(text, g_strerror(errno), error);
    }
    l->loopback = true;
    l->path = g_strdup(path);
    l->url = g_strdup(text);
    return true;
}

bool vh_listen_open(const char *text, VhListen *l, GError **error)
{
    bool ok;

    *l = (VhListen){ .fd = -1 };
    ok = g_str_has_prefix(text, "unix:")
             ? open_unix(text, text + strlen("unix:"), l, error)
             : open_tcp(text, l, error);
    if (!ok) {
        vh_listen_close(l);
    }
    return ok;
}

void vh_listen_close(VhListen *l)
{
    if (l->fd >= 0) {
        close(l->fd);
    }
    l->fd = -1;
    if (l->path) {
        unlink(l->path);
    }
    g_clear_pointer(&l->path, g_free);
    g_clear_pointer(&l->url, g_free);
}
