/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of the exporter about a history, as text.
 *
 * Written directly: base64 of millions of cells as nodes of json-glib would be
 * copied several times. Times are Unix seconds; what is not known is null.
 */
#ifndef TOOLS_HISTORY_HISTORY_JSON_H
#define TOOLS_HISTORY_HISTORY_JSON_H

#include "history.h"

/** vh_history_series_json() - of /history; free with g_free() */
char *vh_history_series_json(const VhHistorySeries *s);

/** vh_raster_json() - of /heatmap; free with g_free() */
char *vh_raster_json(const VhRaster *r);

/**
 * vh_raster_column_json() - of the event "column"; free with g_free()
 * @r: vh_history_column()
 * @before: the one that was told before; NULL: none; spans are told when they
 *     are others
 */
char *vh_raster_column_json(const VhRaster *r, const VhRaster *before);

/** vh_history_region_json() - of /region; free with g_free() */
char *vh_history_region_json(const VhHistoryRegion *r);

#endif
