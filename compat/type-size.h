/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_COMPAT_TYPE_SIZE_H
#define VMHEAT_COMPAT_TYPE_SIZE_H

#include <stddef.h>

/**
 * vh_type_size() - how many bytes an instance has in the QEMU that runs
 * @type: a QOM type
 *
 * Returns: its size; 0 when there is no such type or QEMU does not tell.
 */
size_t vh_type_size(const char *type);

#endif
