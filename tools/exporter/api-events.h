/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_API_EVENTS_H
#define VMHEAT_EXPORTER_API_EVENTS_H

#include "events.h"

/** vh_events_tick() - tell those who look at the list; call it each interval */
void vh_events_tick(VhExporter *x);

/** vh_events_view() - there is a new view of a machine */
void vh_events_view(VhExporter *x, VhVm *vm, const VhView *view);

/** vh_events_qmp() - a machine told something */
void vh_events_qmp(VhExporter *x, const char *id, const char *name,
                   JsonObject *data);

#endif
