/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of queries; false: it is not valid, and that was answered (400). */
#ifndef VMHEAT_EXPORTER_ARGUMENTS_H
#define VMHEAT_EXPORTER_ARGUMENTS_H

#include "http.h"

/** vh_argument_uint() - a number; @out stays when there is none */
bool vh_argument_uint(VhRequest *r, const char *name, uint64_t min,
                      uint64_t max, uint64_t *out);

/** vh_argument_time() - Unix seconds, as us; @out stays when there is none */
bool vh_argument_time(VhRequest *r, const char *name, int64_t *out);

/** vh_argument_range() - start and end, addresses; 0 and 0 (all) without */
bool vh_argument_range(VhRequest *r, uint64_t *start, uint64_t *end);

#endif
