/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest-physical addresses as a line without holes.
 *
 * Memory that was monitored at some time is a sorted list of ranges. Laid one
 * behind the other they are a line; where two of them do not touch is a seam.
 * Half of the line is half of the memory, whatever holes there are.
 */
#ifndef VMHEAT_TOOLS_HEAT_AXIS_H
#define VMHEAT_TOOLS_HEAT_AXIS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "../model.h"

/**
 * struct VhRamSpan - a range of addresses
 * @start: first one
 * @end: one past the last
 * @at: where it begins on the line
 */
typedef struct VhRamSpan {
    uint64_t start;
    uint64_t end;
    uint64_t at;
} VhRamSpan;

/**
 * struct VhHeatAxis - addresses that were monitored
 * @spans: VhRamSpan array, sorted; they do not touch each other
 * @start: addresses below are left out
 * @end: addresses from there on are left out
 * @length: of the line, bytes
 */
typedef struct VhHeatAxis {
    GArray *spans;
    uint64_t start;
    uint64_t end;
    uint64_t length;
} VhHeatAxis;

/** vh_heat_axis_init() - an axis with nothing on it yet */
void vh_heat_axis_init(VhHeatAxis *axis, uint64_t start, uint64_t end);

/** vh_heat_axis_clear() - free what it holds */
void vh_heat_axis_clear(VhHeatAxis *axis);

/** vh_heat_axis_covers() - is all of the snapshot on it, or left out? */
bool vh_heat_axis_covers(const VhHeatAxis *axis, const VhSnapshot *s);

/** vh_heat_axis_add() - put all of the snapshot on it, but what is left out */
void vh_heat_axis_add(VhHeatAxis *axis, const VhSnapshot *s);

/** vh_heat_axis_join() - put all of another axis on it */
void vh_heat_axis_join(VhHeatAxis *axis, const VhHeatAxis *other);

/**
 * vh_heat_axis_address() - which address is there?
 * @at: a place on the line, below its length
 */
uint64_t vh_heat_axis_address(const VhHeatAxis *axis, uint64_t at);

#endif
