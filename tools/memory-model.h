/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_MEMORY_MODEL_H
#define VMHEAT_TOOLS_MEMORY_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <json-glib/json-glib.h>

/**
 * struct VhMemoryInfo - what guest memory takes of the host, in bytes; see
 * VmheatMemory in qapi/vmheat.json
 * @measured: what follows it is known; else it is 0
 * @has_swapped: @swapped is known
 * @has_huge: @huge is known
 * @has_balloon: there is a balloon device
 */
typedef struct VhMemoryInfo {
    uint64_t size, measurements;
    bool measured;
    uint64_t measured_ms, resident, swapped, huge;
    bool has_swapped, has_huge, has_balloon;
    uint64_t balloon_actual, balloon_target;
} VhMemoryInfo;

/**
 * vh_memory_parse() - read a reply of query-vmheat-memory
 * @node: the reply
 * @error: names what is missing or wrong
 *
 * Returns: the figures; free with vh_memory_free(). NULL on error.
 */
VhMemoryInfo *vh_memory_parse(JsonNode *node, GError **error);

/**
 * vh_memory_free() - free them; NULL is fine
 * @memory: the figures
 */
void vh_memory_free(VhMemoryInfo *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhMemoryInfo, vh_memory_free)

#endif
