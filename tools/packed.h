/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots as bytes: of QMP's packed answers, and in records. */
#ifndef VMHEAT_TOOLS_PACKED_H
#define VMHEAT_TOOLS_PACKED_H

#include "model.h"
#include "vmheat/snap-codec.h"

/**
 * vh_packed_encode() - append a snapshot to @out
 * @c: knows the one before
 * @s: the snapshot
 * @out: where to
 *
 * Returns: NULL, or what of it cannot be written; then @out is as it was.
 */
const char *vh_packed_encode(VhSnapCodec *c, const VhSnapshot *s,
                             GByteArray *out);

/** vh_packed_head() - what is of a snapshot as a whole */
VhSnapHead vh_packed_head(const VhSnapshot *s);

/**
 * vh_packed_snapshot() - the snapshot that was decoded last
 * @c: from vh_snap_decode()
 * @s: set; its regions are kept in memory of @s that is used again: give one
 *     that was zeroed, or set before
 */
void vh_packed_snapshot(const VhSnapCodec *c, VhSnapshot *s);

/**
 * vh_packed_reply() - read a packed reply of query-vmheat-regions
 * @node: the reply
 * @c: reset, then its head and regions are set
 * @error: names what is missing or wrong
 */
bool vh_packed_reply(JsonNode *node, VhSnapCodec *c, GError **error);

#endif
