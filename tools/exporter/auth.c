/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gio/gio.h>

#include "auth.h"

static bool bad_token(const char *path, const char *why, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "token file '%s' %s",
                path, why);
    return false;
}

static bool is_private(int fd, const char *path, GError **error)
{
    struct stat st;

    if (fstat(fd, &st)) {
        return bad_token(path, g_strerror(errno), error);
    }
    if (!S_ISREG(st.st_mode)) {
        return bad_token(path, "is no regular file", error);
    }
    return !(st.st_mode & S_IRWXO) ||
           bad_token(path, "can be read or written by others: chmod o= it",
                     error);
}

static bool is_token(const char *text, const char *path, GError **error)
{
    size_t n = strlen(text);

    for (const char *p = text; *p; p++) {
        if (!g_ascii_isgraph(*p)) {
            return bad_token(path,
                             "holds more than a word of printing "
                             "characters",
                             error);
        }
    }
    return (n >= VH_TOKEN_MIN && n <= VH_TOKEN_MAX) ||
           bad_token(path, "holds no token: that has 16 .. 1024 characters",
                     error);
}

/* What it holds, without space around; NULL on error. */
static char *read_word(int fd, const char *path, GError **error)
{
    char text[VH_TOKEN_MAX + 3];
    ssize_t n;

    if (!is_private(fd, path, error)) {
        return NULL;
    }
    n = read(fd, text, sizeof(text) - 1);
    if (n < 0) {
        bad_token(path, g_strerror(errno), error);
        return NULL;
    }
    text[n] = 0;
    return g_strdup(g_strstrip(text));
}

char *vh_token_read(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    g_autofree char *word = NULL;

    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "cannot read token file '%s': %s", path, g_strerror(errno));
        return NULL;
    }
    word = read_word(fd, path, error);
    close(fd);
    return word && is_token(word, path, error) ? g_steal_pointer(&word) : NULL;
}

/* Sums of both are compared, so nothing tells how much of it was right. */
static void digest(const char *text, guint8 out[32])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize n = 32;

    g_checksum_update(sum, (const guchar *)text, strlen(text));
    g_checksum_get_digest(sum, out, &n);
}

bool vh_token_is(const char *header, const char *token)
{
    guint8 a[32], b[32];
    volatile guint8 differ = 0;

    if (!header || g_ascii_strncasecmp(header, "Bearer ", 7)) {
        return false;
    }
    digest(header + 7, a);
    digest(token, b);
    for (unsigned i = 0; i < sizeof(a); i++) {
        differ |= a[i] ^ b[i];
    }
    return !differ;
}

static bool is_port(const char *text)
{
    return g_ascii_string_to_unsigned(text, 10, 0, 65535, NULL, NULL);
}

/* "a:1" -> "a", "[::1]:1" -> "::1"; NULL: it is no host */
static char *host_part(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(end ? end : host, ':');
    size_t n = colon ? (size_t)(colon - host) : strlen(host);

    if (colon && !is_port(colon + 1)) {
        return NULL;
    }
    if (*host != '[') {
        return g_strndup(host, n);
    }
    return end && end + 1 == host + n ? g_strndup(host + 1, n - 2) : NULL;
}

bool vh_host_is_ours(const char *host, char *const *names)
{
    g_autofree char *name = host ? host_part(host) : NULL;

    if (!name) {
        return false;
    }
    for (; names && *names; names++) {
        if (!g_ascii_strcasecmp(name, *names)) {
            return true;
        }
    }
    return !g_ascii_strcasecmp(name, "localhost") ||
           g_hostname_is_ip_address(name);
}

bool vh_origin_is_ours(const char *origin, const char *site, const char *host)
{
    const char *from = origin && (g_str_has_prefix(origin, "http://") ||
                                  g_str_has_prefix(origin, "https://"))
                           ? strstr(origin, "://") + 3
                           : NULL;

    if (site && !g_str_equal(site, "same-origin")) {
        return false;
    }
    return !origin || (from && host && !g_ascii_strcasecmp(from, host));
}

bool vh_type_is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t n = strlen(json);

    return type && !g_ascii_strncasecmp(type, json, n) &&
           (!type[n] || type[n] == ';' || type[n] == ' ');
}
