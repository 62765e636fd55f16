/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of charts. */
#include <math.h>

#include "internal.h"
#include "report/classes.h"

static const uint64_t idle_us[] = { 10000000, 60000000, 600000000, 3600000000 };

const char *vh_history_value_name(VhHistoryValue value)
{
    static const char *const names[VH_VALUES] = {
        [VH_VALUE_WORKING_SET] = "working_set",
        [VH_VALUE_NEEDS] = "needs",
        [VH_VALUE_HAS] = "has",
        [VH_VALUE_SAVED] = "saved",
        [VH_VALUE_IDLE_10] = "idle_10",
        [VH_VALUE_IDLE_60] = "idle_60",
        [VH_VALUE_IDLE_600] = "idle_600",
        [VH_VALUE_IDLE_3600] = "idle_3600",
        [VH_VALUE_HOT] = "hot",
        [VH_VALUE_WARM] = "warm",
        [VH_VALUE_COLD] = "cold",
        [VH_VALUE_IDLE] = "idle",
        [VH_VALUE_NEVER] = "never",
        [VH_VALUE_COST] = "cost",
    };

    return names[value];
}

static void count(const VhSnapshot *s, const VhRegion *r, uint64_t *classes,
                  uint64_t *idle)
{
    uint64_t bytes = r->end - r->start;

    classes[vh_class_of(s, r)] += bytes;
    for (unsigned i = 0; i < G_N_ELEMENTS(idle_us) && r->idle_us >= idle_us[i];
         i++) {
        idle[i] += bytes;
    }
}

static void set_known(float *out, const VhHistoryPoint *p)
{
    out[VH_VALUE_NEEDS] = isnan(p->needs) ? out[VH_VALUE_NEEDS] : p->needs;
    out[VH_VALUE_HAS] = p->has;
    out[VH_VALUE_SAVED] = p->saved;
    out[VH_VALUE_COST] = p->cost;
    out[VH_VALUE_NEVER] = p->never;
    if (!isnan(p->never)) {
        out[VH_VALUE_IDLE] = MAX(out[VH_VALUE_IDLE] - p->never, 0);
    }
}

void vh_values_of(const VhSnapshot *s, const VhHistoryPoint *p,
                  float out[static VH_VALUES])
{
    VhHistoryPoint none = VH_HISTORY_POINT_UNKNOWN;
    uint64_t classes[VH_CLASSES] = { 0 }, idle[G_N_ELEMENTS(idle_us)] = { 0 };
    uint64_t total = 0;

    for (size_t i = 0; i < s->nr; i++) {
        total += s->regions[i].end - s->regions[i].start;
        count(s, &s->regions[i], classes, idle);
    }
    out[VH_VALUE_WORKING_SET] = s->working_set_size;
    for (unsigned i = 0; i < G_N_ELEMENTS(idle_us); i++) {
        out[VH_VALUE_IDLE_10 + i] = idle[i];
    }
    out[VH_VALUE_NEEDS] = total - idle[1];
    out[VH_VALUE_HOT] = classes[VH_CLASS_HOT];
    out[VH_VALUE_WARM] = classes[VH_CLASS_WARM];
    out[VH_VALUE_COLD] = classes[VH_CLASS_COLD];
    out[VH_VALUE_IDLE] = classes[VH_CLASS_IDLE];
    set_known(out, p ? p : &none);
}
