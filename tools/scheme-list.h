/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_SCHEME_LIST_H
#define VMHEAT_TOOLS_SCHEME_LIST_H

#include "scheme-model.h"

/**
 * vh_scheme_list_load() - read a file of schemes
 * @file: its name; "-": standard input
 * @why: set when NULL is returned: one sentence; g_free()
 *
 * Only what JSON says is looked at: what a scheme may be is for QEMU to say.
 *
 * Returns: a list of objects, or NULL.
 */
JsonArray *vh_scheme_list_load(const char *file, char **why);

/**
 * vh_scheme_list_of() - the schemes in use as a list that can be set
 * @list: what query-vmheat-schemes said
 *
 * Returns: a list of VmheatScheme.
 */
JsonArray *vh_scheme_list_of(const VhSchemeList *list);

/**
 * vh_scheme_list_merge() - one list after another
 * @first: changed: a scheme whose name @then has too is replaced in its place,
 *         the others of @then come behind
 * @then: not changed
 */
void vh_scheme_list_merge(JsonArray *first, JsonArray *then);

#endif
