/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report profile" verb: what was read, and how it is shown. */
#ifndef VMHEAT_TOOLS_PROFILE_H
#define VMHEAT_TOOLS_PROFILE_H

#include "../cli.h"
#include "about.h"
#include "cells.h"
#include "classes.h"

/**
 * struct VhProfile - what was read
 * @options: what the user wants
 * @filter: of regions
 * @filtered: what passed it, of the latest snapshot
 * @about: of the record
 * @classes: how much was how hot
 * @cells: what was how hot; NULL: there was no snapshot
 * @ranges: of @cells, of VhHeatRange, hottest first; NULL: the same
 */
typedef struct VhProfile {
    const VhOptions *options;
    VhFilter filter;
    VhSnapshot filtered;
    VhAbout about;
    VhClasses classes;
    VhCells *cells;
    GArray *ranges;
} VhProfile;

/** vh_profile_never() - bytes of a group, by its place, never accessed */
uint64_t vh_profile_never(const VhProfile *p, guint group);

/** vh_profile_block() - name of the block that holds @address; "": not told */
const char *vh_profile_block(const VhProfile *p, uint64_t address);

/** vh_profile_draw() - for people */
void vh_profile_draw(const VhProfile *p, VhPage *page);

/** vh_profile_raw() - numbers with tabs between them; free with g_free() */
char *vh_profile_raw(const VhProfile *p);

/** vh_profile_json() - for programs */
JsonNode *vh_profile_json(const VhProfile *p);

#endif
