/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_EXPORTER_ROUTE_H
#define VMHEAT_EXPORTER_ROUTE_H

#include "http.h"

/**
 * vh_route_find() - what answers a request
 * @r: with its path
 * @method: HEAD is GET without a body
 *
 * Returns: NULL when nothing does; then it was answered with 404 or 405.
 */
const VhRoute *vh_route_find(VhRequest *r, const char *method);

/* api-host.c */
/** vh_get_health() - GET /healthz */
void vh_get_health(VhRequest *r);
/** vh_get_host() - GET /api/v1/host */
void vh_get_host(VhRequest *r);
/** vh_get_metrics() - GET /metrics */
void vh_get_metrics(VhRequest *r);

/* api-vms.c */
/** vh_get_vms() - GET /api/v1/vms */
void vh_get_vms(VhRequest *r);
/** vh_get_vm() - GET /api/v1/vms/ID */
void vh_get_vm(VhRequest *r);

/* api-past.c */
/** vh_get_history() - GET /api/v1/vms/ID/history */
void vh_get_history(VhRequest *r);
/** vh_get_heatmap() - GET /api/v1/vms/ID/heatmap */
void vh_get_heatmap(VhRequest *r);
/** vh_get_region() - GET /api/v1/vms/ID/region */
void vh_get_region(VhRequest *r);

/* api-control.c */
/** vh_get_actions() - GET /api/v1/vms/ID/actions */
void vh_get_actions(VhRequest *r);
/** vh_post_pause() - POST /api/v1/vms/ID/pause */
void vh_post_pause(VhRequest *r);
/** vh_post_resume() - POST /api/v1/vms/ID/resume */
void vh_post_resume(VhRequest *r);
/** vh_post_attrs() - POST /api/v1/vms/ID/attrs */
void vh_post_attrs(VhRequest *r);
/** vh_put_schemes() - PUT /api/v1/vms/ID/schemes */
void vh_put_schemes(VhRequest *r);

/* api-events.c */
/** vh_get_events() - GET /api/v1/events */
void vh_get_events(VhRequest *r);
/** vh_get_vm_events() - GET /api/v1/vms/ID/events */
void vh_get_vm_events(VhRequest *r);

/* assets.c */
/** vh_get_asset() - GET / and all that the page needs */
void vh_get_asset(VhRequest *r);

#endif
