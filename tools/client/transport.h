/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_TRANSPORT_H
#define VMHEAT_TOOLS_TRANSPORT_H

#include "client.h"

typedef struct VhTransport VhTransport;

/* How a transport waits and where it puts events; owned by the client. */
typedef struct VhTransportHooks {
    VhWaitFunc wait;
    void *wait_opaque;
    VhEventFunc event;
    void *event_opaque;
} VhTransportHooks;

/**
 * struct VhTransportOps - a way to reach a QMP monitor
 * @execute: send a request, with the descriptor @fd unless that is -1, and
 * return the reply that has "return" or "error"; hands events that arrive
 *           meanwhile to the hook
 * @rest: hand events to the hook until @until
 * @qemu_version: version of QEMU, "" when unknown
 * @connections: how often it connected by now
 * @socket: descriptor of the connection, -1 when there is none to QEMU itself
 * @close: disconnect and free
 *
 * Each function that waits calls the wait hook, and only that.
 */
typedef struct VhTransportOps {
    JsonNode *(*execute)(VhTransport *t, JsonNode *request, int fd,
                         gint64 deadline, GError **error);
    bool (*rest)(VhTransport *t, gint64 until, GError **error);
    const char *(*qemu_version)(VhTransport *t);
    unsigned (*connections)(VhTransport *t);
    int (*socket)(VhTransport *t);
    void (*close)(VhTransport *t);
} VhTransportOps;

/* First member of every transport. */
struct VhTransport {
    const VhTransportOps *ops;
};

/**
 * vh_qmp_socket_open() - connect to a QMP unix socket
 * @path: its path
 * @hooks: must outlive the transport
 * @timeout_us: how long that may take, and each command later
 * @error: reason of failure
 *
 * Returns: a transport past greeting and capabilities negotiation, or NULL.
 */
VhTransport *vh_qmp_socket_open(const char *path, const VhTransportHooks *hooks,
                                gint64 timeout_us, GError **error);

/**
 * vh_libvirt_open() - connect to a domain of libvirt
 * @uri: NULL: libvirt's default
 * @domain: name, UUID or id
 * @known: which one @domain was before, or nothing; set to which it is
 * @hooks: must outlive the transport
 * @timeout_us: how long that may take, and each command later
 * @error: reason of failure
 *
 * Returns: a transport to the monitor of a running domain, or NULL.
 */
VhTransport *vh_libvirt_open(const char *uri, const char *domain,
                             VhDomain *known, const VhTransportHooks *hooks,
                             gint64 timeout_us, GError **error);

#endif
