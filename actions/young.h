/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are young, for filters: by the idle page bitmap.
 *
 * Worker thread, but for vh_young_new(), vh_young_free() and vh_young_probe().
 */
#ifndef VMHEAT_ACTIONS_YOUNG_H
#define VMHEAT_ACTIONS_YOUNG_H

#include "vmheat/primitive.h"
#include "vmheat/scheme.h"

typedef struct VhYoung VhYoung;

/** vh_young_probe() - can it be told on this map? Else false and @why; main
 * thread; does not block */
bool vh_young_probe(const VhHost *host, const VhMap *map, char **why);

/** vh_young_new() - without files; @host outlives it */
VhYoung *vh_young_new(const VhHost *host);

/** vh_young_free() - frees it */
void vh_young_free(VhYoung *y);

/**
 * vh_young_use() - let go of the files, and when @wanted take them anew
 *
 * To be called when files were granted or revoked, too.
 */
void vh_young_use(VhYoung *y, bool wanted);

/** vh_young_trouble() - why nothing is known of any page, a sentence (g_free);
 * NULL: it is, or was not wanted */
char *vh_young_trouble(const VhYoung *y);

/** vh_young_is() - VhSchemesEnv::page for VH_FILTER_YOUNG */
VhIs vh_young_is(VhYoung *y, const VhMapSection *s, uint64_t offset,
                 uint64_t end, uint64_t *until);

/** vh_young_make_old() - VhSchemesEnv::make_old */
void vh_young_make_old(VhYoung *y, const VhMapSection *s, uint64_t offset,
                       uint64_t end);

#endif
