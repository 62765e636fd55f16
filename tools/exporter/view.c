/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

VhView *vh_view_new(void)
{
    VhView *v = g_atomic_rc_box_new0(VhView);

    v->memory = (VhMemory){ .resident = -1, .swapped = -1, .huge = -1 };
    v->cost = -1;
    return v;
}

VhView *vh_view_ref(VhView *view)
{
    return g_atomic_rc_box_acquire(view);
}

static void clear(void *opaque)
{
    VhView *v = opaque;

    g_free(v->id);
    g_free(v->domain);
    g_free(v->uuid);
    g_free(v->reason);
    g_free(v->qemu_version);
    vh_info_free(v->info);
    vh_snapshot_free(v->snapshot);
    vh_scheme_list_free(v->schemes);
}

void vh_view_unref(VhView *view)
{
    if (view) {
        g_atomic_rc_box_release_full(view, clear);
    }
}

/* Without query-vmheat-memory: what pageout did and did not come back. */
static uint64_t paged_out(const VhView *v)
{
    uint64_t sum = 0;

    if (v->memory.swapped >= 0) {
        return v->memory.swapped;
    }
    for (size_t i = 0; v->schemes && i < v->schemes->nr; i++) {
        const VhSchemeInfo *s = &v->schemes->schemes[i];

        if (g_str_equal(s->action, "pageout")) {
            sum += s->stats.sz_applied -
                   MIN(s->stats.refaulted, s->stats.sz_applied);
        }
    }
    return sum;
}

void vh_view_use(const VhView *view, const VhHost *host, VhUse *use)
{
    uint64_t total = view->info ? view->info->total_size : 0;

    *use = (VhUse){ .size = view->memory.size ? view->memory.size : total };
    if (view->has_balloon && view->balloon_actual < use->size) {
        use->ballooned = use->size - view->balloon_actual;
    }
    use->has = view->memory.resident >= 0 ? (uint64_t)view->memory.resident
                                          : use->size - use->ballooned;
    use->needs = view->sums.total - view->sums.idle[1];
    use->paged_out = MIN(paged_out(view), use->size - use->ballooned);
    use->compressed = vh_host_compressed(host, use->paged_out);
    use->saved = use->ballooned + use->paged_out - use->compressed;
}
