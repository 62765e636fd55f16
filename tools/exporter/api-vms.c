/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"
#include "view-json.h"

VhVm *vh_request_vm(VhRequest *r)
{
    VhVm *vm = vh_vms_find(r->exporter->vms, r->path[3]);

    if (!vm) {
        vh_request_fail(r, 404, "there is no such virtual machine");
    }
    return vm;
}

void vh_get_vms(VhRequest *r)
{
    g_autoptr(GPtrArray) views = vh_vms_views(r->exporter->vms);
    g_autoptr(JsonBuilder) b = json_builder_new();
    VhHost host;

    vh_host_latest(&r->exporter->host, &host);
    vh_vms_look(r->exporter->vms);
    vh_views_json(b, views, &host);
    vh_request_json(r, b);
}

void vh_get_vm(VhRequest *r)
{
    g_autoptr(VhVm) vm = vh_request_vm(r);
    g_autoptr(VhView) view = vm ? vh_vm_view(vm) : NULL;
    g_autoptr(JsonBuilder) b = json_builder_new();
    VhHost host;

    if (vm) {
        vh_vm_look(vm, false);
        vh_host_latest(&r->exporter->host, &host);
        vh_view_json(b, view, &host, true);
        vh_request_json(r, b);
    }
}
