/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting sections of a map that is being built. */
#ifndef CORE_CARVE_H
#define CORE_CARVE_H

#include <glib.h>

#include "vmheat/map.h"

/**
 * vh_carve() - have what lies in a range be sections of their own
 * @sections: VhMapSections, sorted, not overlapping; it owns their strings
 * @range: any range; its ends are moved outward to whole pages of each section
 * @mark: called for each section that is inside then
 * @opaque: for @mark
 */
void vh_carve(GArray *sections, VhRange range,
              void (*mark)(VhMapSection *s, void *opaque), void *opaque);

#endif
