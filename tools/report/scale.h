/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Round numbers for the axes of pictures. */
#ifndef VMHEAT_TOOLS_SCALE_H
#define VMHEAT_TOOLS_SCALE_H

#include <stdint.h>

/**
 * vh_scale_bytes() - distance of marks on an axis of bytes
 * @max: what has to fit
 * @marks: at most so many distances, 1 or more
 *
 * Returns: the least power of two that is enough; at most 2^62.
 */
uint64_t vh_scale_bytes(uint64_t max, unsigned marks);

/**
 * vh_scale_seconds() - distance of marks on an axis of time
 * @span: what has to fit
 * @marks: at most so many distances, 1 or more
 *
 * Returns: seconds, a number that divides the minute, the hour or the day, or
 * whole days.
 */
uint64_t vh_scale_seconds(uint64_t span, unsigned marks);

#endif
