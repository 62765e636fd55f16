/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_DIFF_H
#define VMHEAT_TOOLS_LIBVIRT_DIFF_H

#include "page.h"

/**
 * vh_diff_draw() - lines that differ, with "-" and "+", and some around them
 * @page: where to
 * @before: text
 * @after: text
 */
void vh_diff_draw(VhPage *page, const char *before, const char *after);

#endif
