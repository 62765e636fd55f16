/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history without any cleverness: all snapshots as they are, and loops over
 * all of them. What the real one answers is compared with it.
 */
#ifndef TESTS_HISTORY_REFERENCE_H
#define TESTS_HISTORY_REFERENCE_H

#include "history/history.h"
#include "sim.h"

/** struct Reference - snapshots, of Kept, and since when each is true */
typedef struct Reference {
    GArray *kept;
} Reference;

/** reference_init() - nothing */
void reference_init(Reference *ref);

/** reference_clear() - free what it holds */
void reference_clear(Reference *ref);

/**
 * reference_add() - keep the latest snapshot of a guest
 * @continues: it stands for all the time since the one before
 */
void reference_add(Reference *ref, const Sim *sim, bool continues,
                   const VhHistoryPoint *p);

/** reference_raster() - bytes as of vh_history_raster(); all of the guest */
void reference_raster(const Reference *ref, const VhRasterQuery *q,
                      uint8_t *data, uint8_t *idle);

/** reference_value() - mean of a value over a time; NAN: not known */
double reference_value(const Reference *ref, VhHistoryValue value,
                       int64_t from_us, int64_t to_us);

/** reference_region() - or NULL; @end_us: set */
const VhRegion *reference_region(const Reference *ref, int64_t us,
                                 uint64_t address, int64_t *end_us);

#endif
