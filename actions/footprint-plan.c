/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation in the header. */
#include <glib.h>

#include "actions/footprint-plan.h"

/* In a burst: rest for each CPU time spent */
#define BURST_REST 4

static bool wanted(const VhFootprintPlan *p, uint64_t now_ns)
{
    return p->asked && now_ns - p->asked_ns < VH_FOOTPRINT_WANTED_NS;
}

bool vh_footprint_plan_ask(VhFootprintPlan *p, uint64_t now_ns)
{
    bool begins = !wanted(p, now_ns);

    if (begins) {
        *p = (VhFootprintPlan){
            .asked = true,
            .due_ns = now_ns,
            .burst_ns = VH_FOOTPRINT_BURST_NS,
        };
    }
    p->asked_ns = now_ns;
    return begins;
}

uint64_t vh_footprint_plan_due(const VhFootprintPlan *p, uint64_t now_ns)
{
    return wanted(p, now_ns) ? p->due_ns : UINT64_MAX;
}

static uint64_t rest_after(VhFootprintPlan *p, uint64_t spent_ns, double share)
{
    if (p->burst_ns) {
        p->burst_ns -= MIN(p->burst_ns, spent_ns);
        return spent_ns * BURST_REST;
    }
    return spent_ns / share;
}

void vh_footprint_plan_worked(VhFootprintPlan *p, uint64_t now_ns,
                              uint64_t spent_ns, double share, bool finished)
{
    if (!p->under_way) {
        p->under_way = true;
        p->begun_ns = now_ns;
        p->spent_ns = 0;
    }
    p->spent_ns += spent_ns;
    p->due_ns = now_ns + rest_after(p, spent_ns, share);
    if (finished) {
        p->under_way = false;
        p->burst_ns = 0;
        p->due_ns =
            MAX(p->due_ns, p->begun_ns + MAX(VH_FOOTPRINT_PERIOD_NS,
                                             (uint64_t)(p->spent_ns / share)));
    }
}
