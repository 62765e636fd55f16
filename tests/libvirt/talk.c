/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Talks to a domain through the client library, a line of standard input at a
 * time, and prints what comes of it; for the tests beside this.
 *
 *   talk URI DOMAIN SECONDS   DOMAIN "": none
 *
 *   NAME          a command of QMP: "ok", or "error CODE SENTENCE"
 *   rest MS       do nothing for so long
 *   reconnect
 *   getfd         pass a descriptor to QEMU
 *   list          names and UUIDs of domains that run
 *
 * An event prints "event NAME DATA".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"

static void on_event(void *opaque, const char *name, JsonObject *data)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(node, data);
    text = data ? json_to_string(node, false) : g_strdup("");
    printf("event %s %s\n", name, text);
}

static void tell(bool ok, const GError *error)
{
    if (ok) {
        puts("ok");
    } else {
        printf("error %d %s\n", error->code, error->message);
    }
    fflush(stdout);
}

static void list(const char *uri, gint64 timeout_us)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) domains = vh_libvirt_list(uri, timeout_us, &error);

    for (guint i = 0; domains && i < domains->len; i++) {
        const VhDomain *d = g_ptr_array_index(domains, i);

        printf("domain %s %s\n", d->name, d->uuid);
    }
    tell(domains != NULL, error);
}

static void obey(VhClient *client, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) reply = NULL;
    bool ok;

    if (g_str_has_prefix(line, "rest ")) {
        ok = vh_client_rest(
            client, g_get_monotonic_time() + atol(line + 5) * 1000, &error);
    } else if (g_str_equal(line, "reconnect")) {
        ok = vh_client_reconnect(client, &error);
    } else if (g_str_equal(line, "getfd")) {
        ok = vh_client_pass(client, "f", open("/dev/null", O_RDWR), &error);
    } else {
        reply = vh_client_command(client, line, NULL, &error);
        ok = reply != NULL;
    }
    tell(ok, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VhClient) client = NULL;
    gint64 timeout_us;
    char line[256];

    if (argc != 4) {
        return 2;
    }
    timeout_us = atof(argv[3]) * 1e6;
    if (*argv[2]) {
        client = vh_client_open_libvirt(argv[1], argv[2], timeout_us, &error);
        tell(client != NULL, error);
        if (!client) {
            return 1;
        }
        vh_client_set_event(client, on_event, NULL);
    }
    while (fgets(line, sizeof(line), stdin)) {
        g_strchomp(line);
        if (g_str_equal(line, "list")) {
            list(argv[1], timeout_us);
        } else if (client) {
            obey(client, line);
        }
    }
    return 0;
}
