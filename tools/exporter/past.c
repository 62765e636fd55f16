/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <string.h>

#include "log.h"
#include "past.h"

#define LATE_US (3600ll * 1000000)

struct VhPast {
    GMutex lock;
    VhHistory *history;
    const char *records;
    char *domain; /* whose record it reads */
};

VhPast *vh_past_new(const VhHistoryLimits *limits, const char *records)
{
    VhPast *p;

    if (!limits->seconds) {
        return NULL;
    }
    p = g_new0(VhPast, 1);
    p->history = vh_history_new(limits);
    p->records = records;
    g_mutex_init(&p->lock);
    return p;
}

void vh_past_free(VhPast *p)
{
    if (p) {
        vh_history_free(p->history);
        g_mutex_clear(&p->lock);
        g_free(p->domain);
        g_free(p);
    }
}

/* A name that could lead out of the folder has no record. */
static void find_record(VhPast *p, const char *domain)
{
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;

    if (!p->records || !g_strcmp0(p->domain, domain)) {
        return;
    }
    g_free(p->domain);
    p->domain = g_strdup(domain);
    if (*domain && *domain != '.' && !strchr(domain, '/')) {
        name = g_strconcat(domain, ".vmheat", NULL);
        path = g_build_filename(p->records, name, NULL);
    }
    vh_history_set_record(p->history, path);
}

static void add_ranges(VhPast *p, const VhInfo *info, int64_t wall_us)
{
    g_autofree VhStateRange *ranges = g_new(VhStateRange, info->nr_ranges + 1);
    size_t nr = 0;

    for (size_t i = 0; i < info->nr_ranges; i++) {
        const VhRangeInfo *r = &info->ranges[i];

        if (r->monitored) {
            ranges[nr++] = (VhStateRange){
                .start = r->start,
                .size = r->size,
                .block = r->block,
                .device = r->device,
                .reserved = r->reserved,
                .node = r->has_node ? (int64_t)r->node : -1,
            };
        }
    }
    vh_history_set_ranges(p->history, wall_us, ranges, nr);
}

/* QEMU's clock is this host's; one that is not (a test) is not believed. */
static int64_t wall_of(const VhView *v)
{
    int64_t now = v->time * 1e6;
    int64_t ago =
        g_get_monotonic_time() - (int64_t)(v->snapshot->end_time / 1000);

    return ago >= 0 && ago < LATE_US ? now - ago : now;
}

static void tell(VhPast *p)
{
    g_autofree char *warning = vh_history_take_warning(p->history);

    if (warning) {
        vh_log("%s", warning);
    }
}

bool vh_past_add(VhPast *p, const VhView *view, const VhHost *host)
{
    VhUse use;
    VhHistoryPoint point;
    int64_t wall_us;
    bool news;

    if (!p || !view->snapshot) {
        return false;
    }
    vh_view_use(view, host, &use);
    point = (VhHistoryPoint){ .needs = use.needs,
                              .has = use.has,
                              .saved = use.saved,
                              .never = view->sums.classes[VH_CLASS_NEVER],
                              .cost = view->cost >= 0 ? view->cost : NAN };
    wall_us = wall_of(view);
    g_mutex_lock(&p->lock);
    find_record(p, view->domain);
    add_ranges(p, view->info, wall_us);
    news = vh_history_add(p->history, view->snapshot, wall_us, &point);
    tell(p);
    g_mutex_unlock(&p->lock);
    return news;
}

VhHistoryView *vh_past_view(VhPast *p)
{
    VhHistoryView *v;

    if (!p) {
        return NULL;
    }
    g_mutex_lock(&p->lock);
    v = vh_history_view(p->history);
    g_mutex_unlock(&p->lock);
    return v;
}
