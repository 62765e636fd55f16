/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a snapshot: bytes that are how hot, and idle for how long. */
#ifndef VMHEAT_EXPORTER_SUMS_H
#define VMHEAT_EXPORTER_SUMS_H

#include "model.h"
#include "report/classes.h"

#define VH_NR_AGES 4
#define VH_NR_IDLE_BOUNDS 12
#define VH_NR_RATE_BOUNDS 11

/* Idle ages that are told by themselves, seconds. */
extern const unsigned vh_ages[VH_NR_AGES];
/* Upper bounds of the buckets of both histograms: seconds, accesses a second.
 */
extern const double vh_idle_bounds[VH_NR_IDLE_BOUNDS];
extern const double vh_rate_bounds[VH_NR_RATE_BOUNDS];

/* Beside VhClass: of VH_CLASS_IDLE what was never accessed. */
#define VH_CLASS_NEVER VH_CLASSES
#define VH_CLASSES_TOLD (VH_CLASSES + 1)

/**
 * struct VhSums - of the regions of a snapshot
 * @total: bytes
 * @idle: bytes that are idle for at least vh_ages
 * @classes: bytes of each class; idle is without never
 * @idle_buckets: bytes, each in one bucket only; the last one has no bound
 * @rate_buckets: the same
 * @idle_seconds: sum over bytes
 * @rate_hertz: the same
 * @heat: accesses a second of all pages (4 KiB)
 * @has_write_heat: the next is known
 * @write_heat: the same of writes
 * @confidence: part of the bytes whose class is the same at both ends of the
 *              interval that their rate is in with 90 % probability; negative:
 *              there are no such intervals
 */
typedef struct VhSums {
    uint64_t total;
    uint64_t idle[VH_NR_AGES];
    uint64_t classes[VH_CLASSES_TOLD];
    uint64_t idle_buckets[VH_NR_IDLE_BOUNDS + 1];
    uint64_t rate_buckets[VH_NR_RATE_BOUNDS + 1];
    double idle_seconds, rate_hertz;
    double heat;
    bool has_write_heat;
    double write_heat;
    double confidence;
} VhSums;

/**
 * vh_sums_of() - add up a snapshot
 * @s: the snapshot
 * @sums: set
 *
 * For how long memory is watched is not told; it is taken from the snapshot's
 * number. Memory idle for all that time was never accessed.
 */
void vh_sums_of(const VhSnapshot *s, VhSums *sums);

/** vh_sums_class_name() - of VhSums::classes, such as "never" */
const char *vh_sums_class_name(unsigned i);

#endif
