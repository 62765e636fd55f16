/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_CLIENT_H
#define VMHEAT_TOOLS_CLIENT_H

#include <stdbool.h>
#include <json-glib/json-glib.h>

/* The message of every error is one sentence, ready to be shown. */
#define VH_CLIENT_ERROR vh_client_error_quark()
GQuark vh_client_error_quark(void);

/**
 * enum VhClientError - what went wrong
 * @VH_CLIENT_ERROR_CONNECT: cannot connect, or the connection was lost
 * @VH_CLIENT_ERROR_QMP: QEMU answered with an error
 * @VH_CLIENT_ERROR_TIMEOUT: no answer in time
 * @VH_CLIENT_ERROR_PROTOCOL: the peer does not speak QMP as it should
 * @VH_CLIENT_ERROR_INTERRUPTED: the caller's wait function gave up
 */
typedef enum VhClientError {
    VH_CLIENT_ERROR_CONNECT,
    VH_CLIENT_ERROR_QMP,
    VH_CLIENT_ERROR_TIMEOUT,
    VH_CLIENT_ERROR_PROTOCOL,
    VH_CLIENT_ERROR_INTERRUPTED,
} VhClientError;

/* What a VhWaitFunc found. */
typedef enum VhWait {
    VH_WAIT_READY,
    VH_WAIT_TIMEOUT,
    VH_WAIT_INTERRUPTED,
} VhWait;

/**
 * typedef VhWaitFunc - wait for a file descriptor
 * @opaque: as given to vh_client_set_wait()
 * @fd: what to wait for
 * @events: poll(2) events of @fd
 * @deadline: g_get_monotonic_time() at which to give up
 *
 * A caller that has a terminal or signals to look after while it waits for
 * QEMU gives one of its own.
 */
typedef VhWait (*VhWaitFunc)(void *opaque, int fd, short events,
                             gint64 deadline);

/**
 * typedef VhEventFunc - take a QMP event
 * @opaque: as given to vh_client_set_event()
 * @name: such as "VMHEAT_STATE_CHANGED"
 * @data: its data, or NULL
 */
typedef void (*VhEventFunc)(void *opaque, const char *name, JsonObject *data);

typedef struct VhClient VhClient;

/**
 * vh_client_open() - connect to a virtual machine
 * @address: path of a QMP unix socket
 * @timeout_us: how long connecting, and each command, may take
 * @error: reason of failure
 *
 * Returns: a client that is ready for commands, or NULL.
 */
VhClient *vh_client_open(const char *address, gint64 timeout_us,
                         GError **error);

/**
 * vh_client_open_libvirt() - connect to a domain of libvirt
 * @uri: where libvirt is; NULL: its default, as virsh has it
 * @domain: name, UUID or id, as virsh takes it
 * @timeout_us: how long connecting, and each command, may take
 * @error: reason of failure
 *
 * When libvirt was restarted the next command connects once again, within its
 * time; "query-" commands whose answer was lost with the connection are asked
 * again. It is the same domain then, by its UUID, whatever has its name or id
 * by now. Of a vmheat built without libvirt this is an error.
 *
 * Returns: a client that is ready for commands, or NULL.
 */
VhClient *vh_client_open_libvirt(const char *uri, const char *domain,
                                 gint64 timeout_us, GError **error);

/**
 * vh_client_reconnect() - connect anew to the same address
 * @client: the client; its functions for waiting and events stay
 * @error: reason of failure
 *
 * After an error of VH_CLIENT_ERROR_CONNECT, for those who wait for a virtual
 * machine to come back. When it fails commands fail, too, until it works.
 */
bool vh_client_reconnect(VhClient *client, GError **error);

/* A domain of libvirt. */
typedef struct VhDomain {
    char *name;
    char uuid[37];
} VhDomain;

/**
 * vh_domain_free() - free a domain
 * @domain: the domain
 */
void vh_domain_free(VhDomain *domain);

/**
 * vh_libvirt_list() - the domains that run
 * @uri: where libvirt is; NULL: its default
 * @timeout_us: how long that may take
 * @error: reason of failure
 *
 * Returns: an array of VhDomain, sorted by name, that owns them; NULL on error.
 */
GPtrArray *vh_libvirt_list(const char *uri, gint64 timeout_us, GError **error);

/**
 * vh_socket_list() - the sockets in a folder
 * @folder: its path
 * @error: reason of failure
 *
 * Returns: an array of paths, in no order, that owns them; NULL on error.
 */
GPtrArray *vh_socket_list(const char *folder, GError **error);

/**
 * vh_client_close() - disconnect; NULL is fine
 * @client: the client
 */
void vh_client_close(VhClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhClient, vh_client_close)

/**
 * vh_client_set_wait() - wait with a function of the caller's
 * @client: the client
 * @wait: the function; NULL: plain poll(2)
 * @opaque: handed to @wait
 */
void vh_client_set_wait(VhClient *client, VhWaitFunc wait, void *opaque);

/**
 * vh_client_set_event() - hand events to a function of the caller's
 * @client: the client
 * @event: the function; NULL: events are dropped
 * @opaque: handed to @event
 */
void vh_client_set_event(VhClient *client, VhEventFunc event, void *opaque);

/**
 * vh_client_command() - run a QMP command
 * @client: the client
 * @name: such as "query-vmheat"
 * @arguments: its arguments, or NULL; taken
 * @error: reason of failure
 *
 * An error the user can do something about (no device, no plugin) says what.
 *
 * Returns: the value of "return"; free with json_node_unref(). NULL on error.
 */
JsonNode *vh_client_command(VhClient *client, const char *name,
                            JsonObject *arguments, GError **error);

/**
 * vh_client_pass() - hand a descriptor to QEMU, with "getfd"
 * @client: the client
 * @name: what it shall be called there
 * @fd: the descriptor
 * @error: reason of failure
 */
bool vh_client_pass(VhClient *client, const char *name, int fd, GError **error);

/**
 * vh_client_socket() - the connection to QEMU, to ask the kernel about it
 * @client: the client
 *
 * Returns: a descriptor that stays the client's, or -1.
 */
int vh_client_socket(VhClient *client);

/**
 * vh_client_rest() - do nothing until a moment, but take events
 * @client: the client
 * @until: g_get_monotonic_time() at which to return
 * @error: reason of failure: connection lost, interrupted
 *
 * Returns: true when @until is reached.
 */
bool vh_client_rest(VhClient *client, gint64 until, GError **error);

/**
 * vh_client_qemu_version() - version of the QEMU at the other end
 * @client: the client
 *
 * Returns: such as "7.2.22"; "" when it did not say.
 */
const char *vh_client_qemu_version(VhClient *client);

/**
 * vh_client_connections() - how often the client connected by now
 * @client: the client
 *
 * When it is more than before, QEMU may be another process of the same virtual
 * machine.
 */
unsigned vh_client_connections(VhClient *client);

/**
 * vh_client_domain() - which domain of libvirt the client is connected to
 * @client: the client
 *
 * Returns: it stays the client's; NULL: none, but a socket.
 */
const VhDomain *vh_client_domain(const VhClient *client);

#endif
