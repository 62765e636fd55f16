/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which regions a scheme is for, and which of them come first. */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include "vmheat/scheme.h"

#define VH_SCORE_MAX 99U /* DAMOS_MAX_SCORE */

/** vh_pattern_match() - does region @r of @snap have the pattern? */
bool vh_pattern_match(const VhPattern *p, const VhSnapshot *snap,
                      const VhSnapRegion *r);

#endif
