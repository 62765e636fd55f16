/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What machines were like before: the one place where history comes in.
 * (Not kept yet: there is no history.)
 */
#ifndef VMHEAT_EXPORTER_PAST_H
#define VMHEAT_EXPORTER_PAST_H

#include <stdbool.h>

/** vh_past_is_kept() - is there any history? */
bool vh_past_is_kept(void);

#endif
