/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that schemes paged out, and how many of them came back.
 */
#ifndef VMHEAT_ACTIONS_PAGED_H
#define VMHEAT_ACTIONS_PAGED_H

#include "vmheat/scheme.h"

typedef struct VhPaged VhPaged;

/** vh_paged_new() - of no scheme; one thread */
VhPaged *vh_paged_new(void);

/** vh_paged_free() - frees it; NULL is allowed */
void vh_paged_free(VhPaged *p);

/**
 * vh_paged_retarget() - these are the schemes from now on
 *
 * One that has the name and action of one before goes on.
 */
void vh_paged_retarget(VhPaged *p, const VhScheme *v, size_t n);

/**
 * vh_paged_set_map() - look at the memory of this map; NULL: at none
 *
 * What is known of memory is kept until a map comes that does not have it.
 */
void vh_paged_set_map(VhPaged *p, VhMap *map);

/**
 * vh_paged_add() - scheme @index paged pages out
 * @s: section of the map
 * @offset: where in it the first page of @left is
 * @left: a bit for each page; words of 64
 * @pages: bits in @left
 */
void vh_paged_add(VhPaged *p, size_t index, const VhMapSection *s,
                  uint64_t offset, const uint64_t *left, size_t pages);

/**
 * vh_paged_scan() - look which pages came back
 * @clock: time
 * @max_ns: stop when it took that long; the next call goes on there
 */
void vh_paged_scan(VhPaged *p, const VhClock *clock, uint64_t max_ns);

/** vh_paged_refaults() - bytes of scheme @index that came back so far */
uint64_t vh_paged_refaults(const VhPaged *p, size_t index);

#endif
