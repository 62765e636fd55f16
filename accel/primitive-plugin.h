/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading a primitive from a shared object. */
#ifndef VMHEAT_ACCEL_PRIMITIVE_PLUGIN_H
#define VMHEAT_ACCEL_PRIMITIVE_PLUGIN_H

#include "vmheat/primitive.h"

/**
 * vh_primitive_plugin_load() - load the primitive in the shared object @path
 * @why: out: a sentence that names the file and what is wrong; g_free()
 *
 * The shared object stays loaded until the process ends: texts of it may be
 * in use anywhere. Returns: the primitive for g_free(), or NULL.
 */
VhPrimitiveOps *vh_primitive_plugin_load(const char *path, char **why);

#endif
