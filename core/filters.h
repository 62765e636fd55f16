/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters: to which memory of its pattern a scheme may be applied. */
#ifndef CORE_FILTERS_H
#define CORE_FILTERS_H

#include "vmheat/scheme.h"

/**
 * vh_filters_allow() - may the action be applied to the memory at @gpa?
 * @section: section of the map that holds [@gpa, @end)
 * @until: out: so far the answer holds; above @gpa, at most @end
 * @asked: out: filters that look at pages were asked: bits 1 << VhFilterType
 */
bool vh_filters_allow(const VhScheme *s, const VhSchemesEnv *env,
                      const VhMapSection *section, uint64_t gpa, uint64_t end,
                      uint64_t *until, unsigned *asked);

/**
 * vh_filters_may_allow() - the same, without a look at pages
 *
 * Where a filter that looks at pages would decide, the answer is yes.
 */
bool vh_filters_may_allow(const VhScheme *s, const VhSchemesEnv *env,
                          const VhMapSection *section, uint64_t gpa,
                          uint64_t end, uint64_t *until);

#endif
