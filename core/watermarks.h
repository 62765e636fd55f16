/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watermarks: when a scheme is active. */
#ifndef CORE_WATERMARKS_H
#define CORE_WATERMARKS_H

#include "vmheat/scheme.h"

/**
 * struct VhWatermarkState - of one scheme
 * @active: what the last look said
 * @next_ns: when to look again
 * @reason: why it is not active; owned
 */
typedef struct VhWatermarkState {
    bool active;
    uint64_t next_ns;
    char *reason;
} VhWatermarkState;

/** vh_watermarks_look() - look if it is time; is the scheme active? */
bool vh_watermarks_look(VhWatermarkState *st, const VhWatermarks *w,
                        const VhSchemesEnv *env, uint64_t now);

#endif
