/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report wss" verb: what was read, and how it is shown. */
#ifndef VMHEAT_TOOLS_WSS_H
#define VMHEAT_TOOLS_WSS_H

#include "../cli.h"
#include "about.h"
#include "wss-set.h"

#define VH_WSS_INTERVALS 20

/**
 * struct VhWss - what was read
 * @options: what the user wants
 * @about: of the record
 * @set: what is in use
 * @within: memory of @set
 * @series: the sizes, bytes, of each snapshot
 */
typedef struct VhWss {
    const VhOptions *options;
    VhAbout about;
    VhWssSet set;
    uint64_t within[VH_WITHIN_MAX];
    VhSeries *series;
} VhWss;

/** vh_wss_name() - of a column, such as "last 10 s"; free with g_free() */
char *vh_wss_name(const VhWss *w, unsigned column);

/** vh_wss_names() - of all columns; ends with NULL; free with g_strfreev() */
char **vh_wss_names(const VhWss *w);

/** vh_wss_end() - end of the time, above its begin */
uint64_t vh_wss_end(const VhWss *w);

/** vh_wss_draw() - how large it was, or when, as a table */
void vh_wss_draw(const VhWss *w, VhPage *page);

/** vh_wss_raw() - numbers with tabs between them; free with g_free() */
char *vh_wss_raw(const VhWss *w);

/** vh_wss_json() - the same for programs */
JsonNode *vh_wss_json(const VhWss *w);

/** vh_wss_plot() - draw it over time, of characters */
void vh_wss_plot(const VhWss *w, VhPage *page);

/** vh_wss_image() - draw it over time, into the file of the options */
bool vh_wss_image(const VhWss *w, GError **error);

#endif
