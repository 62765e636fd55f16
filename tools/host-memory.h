/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_HOST_MEMORY_H
#define VMHEAT_TOOLS_HOST_MEMORY_H

#include "client/client.h"
#include "memory-model.h"
#include "page.h"

/**
 * vh_host_memory_ask() - query-vmheat-memory, with fresh figures if possible
 * @client: the client
 * @max_us: how long to wait for a measurement, which the question itself
 *          starts, when there was none for a minute
 * @error: reason of failure
 *
 * A vmheat that does not know the command is no failure.
 *
 * Returns: the reply, or NULL, then with or without an error.
 */
JsonNode *vh_host_memory_ask(VhClient *client, gint64 max_us, GError **error);

/**
 * vh_host_memory_draw() - lines about it
 * @page: where to
 * @memory: the figures; NULL: no lines
 */
void vh_host_memory_draw(VhPage *page, const VhMemoryInfo *memory);

#endif
