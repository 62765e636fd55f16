/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory is how hot, in all and of each part of the machine. */
#ifndef VMHEAT_TOOLS_CLASSES_H
#define VMHEAT_TOOLS_CLASSES_H

#include "filter.h"

/* Rates from which memory is hot, and warm, accesses a second. */
#define VH_HOT_HZ 10
#define VH_WARM_HZ 0.1
/* Idle from so long on. */
#define VH_IDLE_US 60000000

/* Of a region of a snapshot. */
typedef enum VhClass {
    VH_CLASS_HOT,
    VH_CLASS_WARM,
    VH_CLASS_COLD,
    VH_CLASS_IDLE,
    VH_CLASSES,
} VhClass;

/**
 * struct VhAmount - bytes over time
 * @min: the least
 * @max: the most
 * @mean: by the time that each snapshot took
 */
typedef struct VhAmount {
    uint64_t min, max;
    double mean;
} VhAmount;

/**
 * struct VhGroup - a part of the machine's memory
 * @kind: "all", "block" or "node"
 * @name: of the block, or number of the node
 * @amounts: of each class
 * @ns: that all its snapshots took; 0: the amounts are nothing
 */
typedef struct VhGroup {
    const char *kind;
    char *name;
    VhAmount amounts[VH_CLASSES];
    uint64_t ns;
} VhGroup;

/**
 * struct VhPlace - addresses that belong to groups
 * @start: the first
 * @end: behind the last
 * @block: place of its group in VhClasses::groups
 * @node: the same; -1: not told
 */
typedef struct VhPlace {
    uint64_t start, end;
    int block, node;
} VhPlace;

/**
 * struct VhClasses - what was counted
 * @groups: of VhGroup; the first one is all
 * @places: of VhPlace, ascending, that do not overlap
 */
typedef struct VhClasses {
    GArray *groups;
    GArray *places;
} VhClasses;

/** vh_class_name() - such as "hot" */
const char *vh_class_name(VhClass c);

/** vh_class_of() - of a region of a snapshot */
VhClass vh_class_of(const VhSnapshot *s, const VhRegion *r);

/** vh_classes_init() - nothing was counted */
void vh_classes_init(VhClasses *c);

/** vh_classes_clear() - free what it holds */
void vh_classes_clear(VhClasses *c);

/**
 * vh_classes_state() - from now on memory is placed like that
 * @c: the classes
 * @json: a record's block of type VH_RECORD_STATE; what it does not tell, or
 * not as it should, is left out
 */
void vh_classes_state(VhClasses *c, const char *json);

/** vh_classes_add() - count a snapshot */
void vh_classes_add(VhClasses *c, const VhSnapshot *s);

#endif
