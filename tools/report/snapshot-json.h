/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_SNAPSHOT_JSON_H
#define VMHEAT_TOOLS_SNAPSHOT_JSON_H

#include "access-view.h"

/**
 * vh_snapshot_json() - regions as query-vmheat-regions returns them
 * @c: the regions; fewer than its snapshot has: truncated
 *
 * Returns: a line of JSON; free with g_free().
 */
char *vh_snapshot_json(const VhChosen *c);

#endif
