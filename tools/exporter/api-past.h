/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_API_PAST_H
#define VMHEAT_EXPORTER_API_PAST_H

#include <glib.h>

/** vh_past_pool_new() - threads that make pictures */
GThreadPool *vh_past_pool_new(void);

#endif
