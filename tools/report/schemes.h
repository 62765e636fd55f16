/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report schemes" verb: what was read, and how it is shown. */
#ifndef VMHEAT_TOOLS_REPORT_SCHEMES_H
#define VMHEAT_TOOLS_REPORT_SCHEMES_H

#include "../cli.h"
#include "about.h"
#include "scheme-history.h"

/**
 * struct VhSchemeReport - what was read
 * @options: what the user wants
 * @about: of the record
 * @history: what schemes did
 * @foreign: the user was told that some of it cannot be read
 */
typedef struct VhSchemeReport {
    const VhOptions *options;
    VhAbout about;
    VhSchemeHistory history;
    bool foreign;
} VhSchemeReport;

/** vh_scheme_report_draw() - for people */
void vh_scheme_report_draw(const VhSchemeReport *r, VhPage *page);

/** vh_scheme_report_raw() - with tabs between them; free with g_free() */
char *vh_scheme_report_raw(const VhSchemeReport *r);

/** vh_scheme_report_json() - for programs */
JsonNode *vh_scheme_report_json(const VhSchemeReport *r);

#endif
