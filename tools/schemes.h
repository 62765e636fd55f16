/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_SCHEMES_H
#define VMHEAT_TOOLS_SCHEMES_H

#include "page.h"
#include "scheme-model.h"

/**
 * vh_schemes_draw() - the table of schemes, or that there are none
 * @page: where to
 * @list: the schemes
 */
void vh_schemes_draw(VhPage *page, const VhSchemeList *list);

/**
 * vh_schemes_draw_tried() - a table of tried regions for each scheme
 * @page: where to
 * @list: the schemes
 * @snap: the latest snapshot, for its intervals and max_nr_accesses
 */
void vh_schemes_draw_tried(VhPage *page, const VhSchemeList *list,
                           const VhSnapshot *snap);

/**
 * vh_actions_draw() - the table of actions
 * @page: where to
 * @list: the actions
 */
void vh_actions_draw(VhPage *page, const VhActionList *list);

#endif
