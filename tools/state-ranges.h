/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where which memory was, as records tell it. */
#ifndef VMHEAT_TOOLS_STATE_RANGES_H
#define VMHEAT_TOOLS_STATE_RANGES_H

#include <stdint.h>
#include <json-glib/json-glib.h>

/**
 * struct VhStateRange - a part of the guest's memory
 * @start: first address
 * @size: bytes
 * @block: of QEMU; NULL: not told
 * @device: memory device; NULL: none, or not told
 * @reserved: why no scheme acts on it; NULL: schemes may, or not told
 * @node: of the guest; -1: not told
 */
typedef struct VhStateRange {
    uint64_t start, size;
    const char *block, *device, *reserved;
    int64_t node;
} VhStateRange;

/**
 * vh_state_ranges() - those of a record's block of type VH_RECORD_STATE
 * @root: the block's JSON, or NULL; has the strings
 *
 * A record may be damaged, or of another vmheat: a range that is not told as it
 * should be is left out.
 *
 * Returns: of VhStateRange, in the record's order; NULL: it tells of none.
 */
GArray *vh_state_ranges(JsonNode *root);

#endif
