/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "accel/registry.h"

const VhPrimitiveOps *const *vh_primitives(void)
{
    static const VhPrimitiveOps *const all[] = {
        &vh_primitive_trap,
        &vh_primitive_uffd_wp,
        &vh_primitive_idle_page,
        &vh_primitive_damon,
        &vh_primitive_dirty_log,
        &vh_primitive_dirty_ring,
        &vh_primitive_fake,
        NULL,
    };

    return all;
}

const VhPrimitiveOps *vh_primitive_find(const char *name)
{
    for (const VhPrimitiveOps *const *p = vh_primitives(); *p; p++) {
        if (g_str_equal((*p)->name, name)) {
            return *p;
        }
    }
    return NULL;
}
