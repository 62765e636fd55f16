/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to a monitor, and their answers as structs. */
#ifndef VMHEAT_TOOLS_QUERY_H
#define VMHEAT_TOOLS_QUERY_H

#include "client/client.h"
#include "model.h"
#include "scheme-model.h"

/**
 * vh_query_info() - ask for query-vmheat
 * @client: of the machine
 * @error: reason of failure; VH_CLIENT_ERROR_QMP: it has no vmheat
 *
 * Returns: the answer, with its JSON; NULL on error.
 */
VhInfo *vh_query_info(VhClient *client, GError **error);

/**
 * vh_query_snapshot() - ask for the latest snapshot, packed
 * @client: of the machine
 * @error: reason of failure
 *
 * Returns: a snapshot, of number 0 when there is none yet; NULL on error.
 */
VhSnapshot *vh_query_snapshot(VhClient *client, GError **error);

/**
 * vh_query_schemes() - ask for query-vmheat-schemes
 * @client: of the machine
 * @tried: with the regions that each tried
 * @error: reason of failure
 *
 * Returns: the answer, with its JSON; NULL on error.
 */
VhSchemeList *vh_query_schemes(VhClient *client, bool tried, GError **error);

#endif
