/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which guest RAM is watched, when it is not all of it.
 */
#ifndef VMHEAT_HW_TARGET_H
#define VMHEAT_HW_TARGET_H

#include "compat/qemu.h"
#include "vmheat-qapi-types.h"
#include "vmheat/map.h"

/**
 * struct VmheatMapTarget - memory for which all of this holds
 * @node: NUMA node of the guest; -1: any
 * @backend: id of the memory backend; NULL: any
 * @device: id of the memory device; NULL: any, main memory too
 * @any_node: nodes are not known yet: do not look at @node
 */
typedef struct VmheatMapTarget {
    int32_t node;
    char *backend;
    char *device;
    bool any_node;
} VmheatMapTarget;

/** vmheat_target_is_restricted() - is not all memory watched? */
bool vmheat_target_is_restricted(const VmheatMapTarget *t);

/**
 * vmheat_target_check() - is there such memory?
 * @map: all guest RAM
 *
 * Memory that is plugged later does not count: the error tells what there is.
 */
bool vmheat_target_check(const VmheatMapTarget *t, const VhMap *map,
                         Error **errp);

/**
 * vmheat_target_map() - that memory; @map itself when there is no restriction
 *
 * Returns a new reference, which keeps one on @map.
 */
VhMap *vmheat_target_map(const VmheatMapTarget *t, VhMap *map);

/** vmheat_target_query() - for QMP; NULL when there is no restriction */
VmheatTarget *vmheat_target_query(const VmheatMapTarget *t);

#endif
