/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schemes in QMP's words and in the engine's.
 */
#ifndef VMHEAT_HW_SCHEME_QAPI_H
#define VMHEAT_HW_SCHEME_QAPI_H

#include "compat/qemu.h"
#include "vmheat/scheme.h"
#include "vmheat-qapi-types.h"

/**
 * struct VmheatSchemeSet - schemes for the engine, with all defaults filled in
 * @v: the schemes, each with a name
 * @n: how many
 */
typedef struct VmheatSchemeSet {
    VhScheme *v;
    size_t n;
} VmheatSchemeSet;

/** vmheat_action_find() - the action of this name, or NULL */
const VhActionOps *vmheat_action_find(const char *name);

/**
 * vmheat_scheme_set_new() - from QMP's words
 *
 * Checks all that does not depend on the guest or the host. NULL and @errp on
 * the first thing that is wrong.
 */
VmheatSchemeSet *vmheat_scheme_set_new(const VmheatSchemeList *list,
                                       Error **errp);

/** vmheat_scheme_set_free() - frees it and its schemes; NULL is allowed */
void vmheat_scheme_set_free(VmheatSchemeSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmheatSchemeSet, vmheat_scheme_set_free)

/** vmheat_scheme_to_qapi() - to QMP's words, with all defaults filled in */
VmheatScheme *vmheat_scheme_to_qapi(const VhScheme *s);

/** vmheat_scheme_list_load() - from a file of JSON; NULL and @errp */
VmheatSchemeList *vmheat_scheme_list_load(const char *path, Error **errp);

#endif
