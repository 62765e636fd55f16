/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands and their errors, whatever the transport is. A transport moves
 * requests, replies and events and knows nothing of vmheat.
 */
#include <poll.h>
#include <string.h>

#include "transport.h"

struct VhClient {
    VhTransport *transport; /* NULL: reconnecting failed */
    char *uri, *domain;     /* of libvirt; or: */
    VhDomain known;         /* which domain that is, once it was found */
    char *address;
    VhTransportHooks hooks;
    gint64 timeout_us;
    unsigned connections; /* of transports before this one */
};

G_DEFINE_QUARK(vh - client - error - quark, vh_client_error)

static VhWait plain_wait(void *opaque, int fd, short events, gint64 deadline)
{
    GPollFD pfd = { .fd = fd, .events = events };

    for (;;) {
        gint64 left = MAX(deadline - g_get_monotonic_time(), 0);
        /* rounded up, else the last millisecond is spent spinning */
        int n = g_poll(&pfd, 1, (left + 999) / 1000);

        if (n > 0) {
            return VH_WAIT_READY;
        }
        if (n == 0 && !left) {
            return VH_WAIT_TIMEOUT;
        }
    }
}

static bool connect_client(VhClient *client, GError **error)
{
    client->transport =
        client->domain
            ? vh_libvirt_open(client->uri, client->domain, &client->known,
                              &client->hooks, client->timeout_us, error)
            : vh_qmp_socket_open(client->address, &client->hooks,
                                 client->timeout_us, error);
    return client->transport != NULL;
}

static VhClient *new_client(gint64 timeout_us)
{
    VhClient *client = g_new0(VhClient, 1);

    client->timeout_us = timeout_us;
    client->hooks.wait = plain_wait;
    return client;
}

VhClient *vh_client_open(const char *address, gint64 timeout_us, GError **error)
{
    g_autoptr(VhClient) client = new_client(timeout_us);

    client->address = g_strdup(address);
    return connect_client(client, error) ? g_steal_pointer(&client) : NULL;
}

VhClient *vh_client_open_libvirt(const char *uri, const char *domain,
                                 gint64 timeout_us, GError **error)
{
    g_autoptr(VhClient) client = new_client(timeout_us);

    client->uri = g_strdup(uri);
    client->domain = g_strdup(domain);
    return connect_client(client, error) ? g_steal_pointer(&client) : NULL;
}

static void disconnect(VhClient *client)
{
    if (client->transport) {
        client->connections +=
            client->transport->ops->connections(client->transport);
        client->transport->ops->close(client->transport);
    }
    client->transport = NULL;
}

/* The old connection goes first: a QMP socket serves one client at a time. */
bool vh_client_reconnect(VhClient *client, GError **error)
{
    disconnect(client);
    return connect_client(client, error);
}

void vh_client_close(VhClient *client)
{
    if (client) {
        disconnect(client);
        g_free(client->uri);
        g_free(client->domain);
        g_free(client->known.name);
        g_free(client->address);
        g_free(client);
    }
}

static bool is_connected(VhClient *client, GError **error)
{
    if (!client->transport) {
        g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                    "not connected to '%s'",
                    client->domain ? client->domain : client->address);
    }
    return client->transport != NULL;
}

void vh_domain_free(VhDomain *domain)
{
    g_free(domain->name);
    g_free(domain);
}

void vh_client_set_wait(VhClient *client, VhWaitFunc wait, void *opaque)
{
    client->hooks.wait = wait ? wait : plain_wait;
    client->hooks.wait_opaque = opaque;
}

void vh_client_set_event(VhClient *client, VhEventFunc event, void *opaque)
{
    client->hooks.event = event;
    client->hooks.event_opaque = opaque;
}

static JsonNode *new_request(const char *name, JsonObject *arguments)
{
    JsonObject *request = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_string_member(request, "execute", name);
    if (arguments) {
        json_object_set_object_member(request, "arguments", arguments);
    }
    json_node_take_object(node, request);
    return node;
}

static const char *string_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : "";
}

static const char *no_plugin_help(const VhClient *client)
{
    return client->domain
               ? "; the vmheat plugin is not loaded: 'vmheat libvirt enable', "
                 "then start the domain anew"
               : "; the vmheat plugin is not loaded: start QEMU with "
                 "'-plugin vmheat.so -device vmheat,id=heat0'";
}

/* Turns an "error" reply into a sentence that says what to do. */
static void take_qmp_error(const VhClient *client, JsonNode *node,
                           const char *name, GError **error)
{
    JsonObject *e =
        JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *cls = e ? string_member(e, "class") : "";
    const char *desc = e ? string_member(e, "desc") : "";
    const char *help = "";

    if (strstr(desc, "device_add")) {
        /* it says so itself */
    } else if (g_str_equal(cls, "DeviceNotFound")) {
        help = "; add one with 'device_add vmheat,id=heat0' in the monitor, "
               "or start QEMU with '-device vmheat,id=heat0'";
    } else if (g_str_equal(cls, "CommandNotFound")) {
        help = no_plugin_help(client);
    }
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_QMP, "%s: %s%s", name,
                *desc ? desc : "error without a description", help);
}

static JsonNode *run(VhClient *client, const char *name, JsonObject *arguments,
                     int fd, GError **error)
{
    g_autoptr(JsonNode) request = new_request(name, arguments);
    gint64 deadline = g_get_monotonic_time() + client->timeout_us;
    g_autoptr(JsonNode) reply = NULL;
    JsonObject *object;

    if (is_connected(client, error)) {
        reply = client->transport->ops->execute(client->transport, request, fd,
                                                deadline, error);
    }
    if (!reply) {
        g_prefix_error(error, "%s: ", name);
        return NULL;
    }
    object = json_node_get_object(reply);
    if (json_object_has_member(object, "error")) {
        take_qmp_error(client, json_object_get_member(object, "error"), name,
                       error);
        return NULL;
    }
    return json_object_dup_member(object, "return");
}

JsonNode *vh_client_command(VhClient *client, const char *name,
                            JsonObject *arguments, GError **error)
{
    return run(client, name, arguments, -1, error);
}

bool vh_client_pass(VhClient *client, const char *name, int fd, GError **error)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) reply = NULL;

    json_object_set_string_member(arguments, "fdname", name);
    reply = run(client, "getfd", arguments, fd, error);
    return reply != NULL;
}

int vh_client_socket(VhClient *client)
{
    return client->transport ? client->transport->ops->socket(client->transport)
                             : -1;
}

bool vh_client_rest(VhClient *client, gint64 until, GError **error)
{
    return is_connected(client, error) &&
           client->transport->ops->rest(client->transport, until, error);
}

const char *vh_client_qemu_version(VhClient *client)
{
    return client->transport
               ? client->transport->ops->qemu_version(client->transport)
               : "";
}

unsigned vh_client_connections(VhClient *client)
{
    return client->connections +
           (client->transport
                ? client->transport->ops->connections(client->transport)
                : 0);
}

const VhDomain *vh_client_domain(const VhClient *client)
{
    return client->domain ? &client->known : NULL;
}
