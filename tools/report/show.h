/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots to standard output, as the options say. */
#ifndef VMHEAT_TOOLS_SHOW_H
#define VMHEAT_TOOLS_SHOW_H

#include "../cli.h"

typedef struct VhShow VhShow;

/**
 * vh_show_new() - begin
 * @options: style, order, limit, raw, json
 * @term: what standard output can show
 * @filter: which regions
 */
VhShow *vh_show_new(const VhOptions *options, const VhTerm *term,
                    const VhFilter *filter);

/**
 * vh_show_query() - the latest snapshot of a machine
 * @options: which machine; start, end, min_nr_accesses
 * @limit: most regions; UINT64_MAX: all
 * @reply: set to what QMP returned
 * @error: reason of failure
 *
 * Returns: a snapshot, or NULL.
 */
VhSnapshot *vh_show_query(const VhOptions *options, uint64_t limit,
                          JsonNode **reply, GError **error);

/**
 * vh_show() - one snapshot
 * @show: what was begun
 * @snap: the snapshot
 * @head: a line above it, for people; NULL: none
 *
 * Returns: the exit code; when it is not VH_EXIT_OK, further ones are in vain.
 */
int vh_show(VhShow *show, const VhSnapshot *snap, const char *head);

/** vh_show_nothing() - say why there is no snapshot; returns the exit code */
int vh_show_nothing(const VhShow *show, const char *why);

/** vh_show_free() - NULL is fine */
void vh_show_free(VhShow *show);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhShow, vh_show_free)

#endif
