/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proving what kind of mapping an address range is.
 */
#ifndef VMHEAT_ACCEL_PROC_MAPS_H
#define VMHEAT_ACCEL_PROC_MAPS_H

#include <stdbool.h>
#include <stdint.h>

/** vh_proc_maps_read() - text of /proc/self/maps (g_free), or NULL and @why */
char *vh_proc_maps_read(char **why);

/**
 * vh_proc_maps_shared() - is [@start, @end) mapped MAP_SHARED without a gap?
 * @text: in the format of /proc/PID/maps
 *
 * Says no when in doubt: a gap, a private part, a line it cannot read.
 */
bool vh_proc_maps_shared(const char *text, uint64_t start, uint64_t end);

#endif
