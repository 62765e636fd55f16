/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_PRIMITIVES_H
#define VMHEAT_TOOLS_PRIMITIVES_H

#include "model.h"
#include "page.h"

/**
 * vh_primitives_draw() - what QEMU says of its primitives
 * @page: where to
 * @info: from QEMU
 */
void vh_primitives_draw(VhPage *page, const VhInfo *info);

#endif
