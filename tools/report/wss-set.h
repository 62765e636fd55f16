/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The working set: how many bytes of a snapshot are in use. */
#ifndef VMHEAT_TOOLS_WSS_SET_H
#define VMHEAT_TOOLS_WSS_SET_H

#include "filter.h"
#include "series.h"

/**
 * struct VhWssSet - what counts as in use
 * @filter: of regions; with addresses: of their parts
 * @within: us, ascending: what was accessed in the last so much is in use
 * @nr: of @within; 0: what passes @filter is in use
 */
typedef struct VhWssSet {
    VhFilter filter;
    const uint64_t *within;
    unsigned nr;
} VhWssSet;

/** vh_wss_columns() - how many sizes there are of a snapshot, 1 or more */
unsigned vh_wss_columns(const VhWssSet *w);

/**
 * vh_wss_sizes() - of a snapshot
 * @w: what counts
 * @s: the snapshot
 * @out: vh_wss_columns() sizes, bytes
 */
void vh_wss_sizes(const VhWssSet *w, const VhSnapshot *s, uint64_t *out);

#endif
