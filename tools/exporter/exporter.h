/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all parts of the exporter share. */
#ifndef VMHEAT_EXPORTER_EXPORTER_H
#define VMHEAT_EXPORTER_EXPORTER_H

#include "host.h"
#include "options.h"
#include "stats.h"
#include "vms.h"

typedef struct VhEvents VhEvents;

/**
 * struct VhExporter - the exporter
 * @options: of the command line
 * @token: that changes need; NULL: none are allowed
 * @host: memory of the host
 * @tcp: requests come by TCP: Host is checked
 * @counters: of itself
 * @vms: the machines
 * @events: who is sent events
 * @pool: does what takes longer than a scrape may wait
 */
typedef struct VhExporter {
    const VhExporterOptions *options;
    char *token;
    VhHostCache host;
    bool tcp;
    VhCounters counters;
    VhVms *vms;
    VhEvents *events;
    GThreadPool *pool;
} VhExporter;

#endif
