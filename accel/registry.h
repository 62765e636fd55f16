/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The primitives there are. A new one is a line here and a line in registry.c.
 */
#ifndef VMHEAT_ACCEL_REGISTRY_H
#define VMHEAT_ACCEL_REGISTRY_H

#include "vmheat/primitive.h"

extern const VhPrimitiveOps vh_primitive_trap;
extern const VhPrimitiveOps vh_primitive_uffd_wp;
extern const VhPrimitiveOps vh_primitive_idle_page;
extern const VhPrimitiveOps vh_primitive_damon;
extern const VhPrimitiveOps vh_primitive_dirty_log;
extern const VhPrimitiveOps vh_primitive_dirty_ring;
extern const VhPrimitiveOps vh_primitive_fake;

#endif
