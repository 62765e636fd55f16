/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"
#include "past.h"

bool vh_past_is_kept(void)
{
    return false;
}

static void no_history(VhRequest *r)
{
    g_autoptr(VhVm) vm = vh_request_vm(r);

    if (vm) {
        vh_request_fail(r, 404, "no history");
    }
}

void vh_get_history(VhRequest *r)
{
    no_history(r);
}

void vh_get_heatmap(VhRequest *r)
{
    no_history(r);
}

void vh_get_region(VhRequest *r)
{
    no_history(r);
}
