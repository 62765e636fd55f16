/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schemes as values. */
#ifndef CORE_SCHEME_H
#define CORE_SCHEME_H

#include "vmheat/scheme.h"

/** vh_scheme_name() - of scheme @index of a list, the default if it has none */
char *vh_scheme_name(const VhScheme *s, size_t index);

/** vh_scheme_same() - do both ask for the same? Neither names nor what user
 * input of goals says now count. */
bool vh_scheme_same(const VhScheme *a, const VhScheme *b);

#endif
