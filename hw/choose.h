/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing the primitive and the estimator.
 */
#ifndef VMHEAT_HW_CHOOSE_H
#define VMHEAT_HW_CHOOSE_H

#include "compat/qemu.h"
#include "vmheat/estimator.h"
#include "vmheat/primitive.h"

/**
 * vmheat_choose_primitive() - by name, or the best that can run here
 * @name: a primitive's name or "auto"
 * @map: guest memory
 * @host: surroundings
 * @choice: out, why this one, in words; g_free()
 */
const VhPrimitiveOps *vmheat_choose_primitive(const char *name,
                                              const VhMap *map,
                                              const VhHost *host,
                                              char **choice, Error **errp);

/** vmheat_choose_estimator() - by name */
const VhEstimatorOps *vmheat_choose_estimator(const char *name, Error **errp);

#endif
