/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watermarks, as DAMOS's damos_wmark_wait_us(): a scheme goes to sleep above
 * the high and below the low watermark, and wakes up only below the middle one
 * (at the middle one itself it sleeps on). A metric nobody knows lets it be
 * active.
 */
#include <glib.h>
#include <inttypes.h>

#include "watermarks.h"

static const char *metric_name(VhMetric m)
{
    return m == VH_METRIC_MEM_FREE ? "mem-free" : "some-mem-psi";
}

/* A sentence why the scheme is to sleep, or NULL. */
static char *why_asleep(const VhWatermarkState *st, const VhWatermarks *w,
                        uint64_t value)
{
    const char *name = metric_name(w->metric);

    if (value > w->high) {
        return g_strdup_printf("%s is %" PRIu64 ", above the high watermark "
                               "%" PRIu64,
                               name, value, w->high);
    }
    if (value < w->low) {
        return g_strdup_printf("%s is %" PRIu64 ", below the low watermark "
                               "%" PRIu64,
                               name, value, w->low);
    }
    if (value >= w->mid && !st->active) {
        return g_strdup_printf("%s is %" PRIu64 ", not yet below the middle "
                               "watermark %" PRIu64,
                               name, value, w->mid);
    }
    return NULL;
}

bool vh_watermarks_look(VhWatermarkState *st, const VhWatermarks *w,
                        const VhSchemesEnv *env, uint64_t now)
{
    uint64_t value;

    if (now < st->next_ns) {
        return st->active;
    }
    st->next_ns = now + w->interval_us * 1000;
    g_clear_pointer(&st->reason, g_free);
    if (w->used && env->metric && env->metric(env->opaque, w->metric, &value)) {
        st->reason = why_asleep(st, w, value);
    }
    st->active = !st->reason;
    return st->active;
}
