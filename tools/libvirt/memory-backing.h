/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_MEMORY_BACKING_H
#define VMHEAT_TOOLS_LIBVIRT_MEMORY_BACKING_H

#include "xml.h"

/**
 * vh_memory_backing_share() - make guest memory shared, if it is not
 * @domain: the root element
 * @notes: where what was changed is noted
 */
void vh_memory_backing_share(xmlNode *domain, xmlNode *notes);

/**
 * vh_memory_backing_undo() - take that back
 * @domain: the root element
 * @notes: what vh_memory_backing_share() noted
 */
void vh_memory_backing_undo(xmlNode *domain, xmlNode *notes);

/**
 * vh_memory_backing_private() - why is guest memory not shared?
 * @domain: the root element
 *
 * Returns: the reason, free it; NULL: it is shared.
 */
char *vh_memory_backing_private(xmlNode *domain);

#endif
