/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_API_H
#define VMHEAT_EXPORTER_API_H

#include "route.h"

/**
 * vh_request_vm() - the machine that a path names
 * @r: of which the fourth word is its id
 *
 * Returns: a reference; it has a view. NULL when there is none: then the
 * request was answered with 404.
 */
VhVm *vh_request_vm(VhRequest *r);

#endif
