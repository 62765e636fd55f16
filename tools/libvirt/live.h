/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_LIVE_H
#define VMHEAT_TOOLS_LIBVIRT_LIVE_H

#include "client/client.h"

/**
 * struct VhLive - what a running domain has of vmheat
 * @plugin: it is loaded
 * @id: of the device; NULL: there is none
 * @state: of the monitor, or NULL
 * @reason: why it is in that state, or NULL
 * @primitive: in use, or NULL
 */
typedef struct VhLive {
    bool plugin;
    char *id, *state, *reason, *primitive;
} VhLive;

/**
 * vh_live_query() - ask the running domain
 * @client: connected to it
 * @error: reason of failure
 *
 * Returns: free it; NULL on error.
 */
VhLive *vh_live_query(VhClient *client, GError **error);

/**
 * vh_live_free() - free what was found
 * @live: it
 */
void vh_live_free(VhLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhLive, vh_live_free)

/**
 * vh_live_attach() - add the device to the running domain
 * @client: connected to it
 * @properties: "NAME=VALUE" each
 * @error: reason of failure
 */
bool vh_live_attach(VhClient *client, const GPtrArray *properties,
                    GError **error);

/**
 * vh_live_detach() - remove the device from the running domain
 * @client: connected to it
 * @id: of the device
 * @error: reason of failure
 */
bool vh_live_detach(VhClient *client, const char *id, GError **error);

#endif
