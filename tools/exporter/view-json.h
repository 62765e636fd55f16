/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine as JSON, as docs/user/exporter-api.md has it. */
#ifndef VMHEAT_EXPORTER_VIEW_JSON_H
#define VMHEAT_EXPORTER_VIEW_JSON_H

#include "json.h"
#include "view.h"

/**
 * vh_view_json() - add a machine
 * @b: where to
 * @v: the machine
 * @host: it runs on
 * @details: with all that is told of one machine only
 */
void vh_view_json(JsonBuilder *b, const VhView *v, const VhHost *host,
                  bool details);

/** vh_views_json() - add {"time": ..., "vms": [...]} */
void vh_views_json(JsonBuilder *b, const GPtrArray *views, const VhHost *host);

#endif
