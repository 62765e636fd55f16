/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A primitive that does as a test says, on a clock the test moves. */
#ifndef TESTS_SCRIPTED_H
#define TESTS_SCRIPTED_H

#include <glib.h>

#include "vmheat/monitor.h"

#define MS 1000000ULL
#define MIB (1ULL << 20)

/**
 * struct Scripted - the script and what was asked for
 * @now_ns: the clock
 * @cpu_ns: the CPU clock; grows by @tick_cpu_ns whenever it is read
 * @hot: pages in here fire
 * @outcome: if not NEW, what becomes of every check instead
 * @refuse: set_map says no
 * @refuse_open: open says no
 * @opens, @maps, @idles, @releases, @rests: calls so far
 * @batches: calls of arm
 * @broken: what the primitive says it is, or NULL
 * @allowed: what allow() was last told
 * @writes: script of scripted_writes, on the same clock
 */
typedef struct Scripted {
    uint64_t now_ns;
    uint64_t cpu_ns;
    uint64_t tick_cpu_ns;
    VhRange hot;
    VhCheckState outcome;
    bool refuse;
    bool refuse_open;
    int opens, maps, idles, releases, rests, batches;
    VhMap *map;
    VhPrimitiveStats stats;
    const char *broken;
    double allowed;
    struct Scripted *writes;
    VhHost host;
} Scripted;

static inline uint64_t scripted_now(void *opaque)
{
    return ((Scripted *)opaque)->now_ns;
}

static inline uint64_t scripted_cpu(void *opaque)
{
    Scripted *s = opaque;

    return s->cpu_ns += s->tick_cpu_ns;
}

static inline void *scripted_begin(Scripted *s, char **why)
{
    if (s->refuse_open) {
        *why = g_strdup("no such luck");
        return NULL;
    }
    s->opens++;
    return s;
}

static inline void *scripted_open(const VhHost *host, char **why)
{
    return scripted_begin(host->opaque, why);
}

static inline void *scripted_open_writes(const VhHost *host, char **why)
{
    return scripted_begin(((Scripted *)host->opaque)->writes, why);
}

static inline bool scripted_set_map(void *p, VhMap *map, char **why)
{
    Scripted *s = p;

    s->maps++;
    if (s->refuse) {
        *why = g_strdup("this map is not to my taste");
        return false;
    }
    vh_map_unref(s->map);
    s->map = vh_map_ref(map);
    return true;
}

static inline void scripted_arm(void *p, VhCheck *checks, size_t n)
{
    Scripted *s = p;

    s->batches++;
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(checks[i].state, ==, VH_CHECK_NEW);
        g_assert_nonnull(vh_map_find(s->map, checks[i].gpa));
        checks[i].state =
            s->outcome == VH_CHECK_SKIPPED ? VH_CHECK_SKIPPED : VH_CHECK_ARMED;
        checks[i].present = true;
        checks[i].granule = VH_PAGE_SIZE;
        s->stats.arms++;
    }
}

static inline void scripted_collect(void *p, VhCheck *checks, size_t n)
{
    Scripted *s = p;

    for (size_t i = 0; i < n; i++) {
        bool hot = checks[i].gpa >= s->hot.start && checks[i].gpa < s->hot.end;

        if (checks[i].state != VH_CHECK_ARMED) {
            continue;
        }
        checks[i].state = s->outcome ? s->outcome
                          : hot      ? VH_CHECK_FIRED
                                     : VH_CHECK_SILENT;
        s->stats.fires += checks[i].state == VH_CHECK_FIRED;
    }
}

static inline void scripted_idle(void *p)
{
    Scripted *s = p;

    s->idles++;
    vh_map_unref(s->map);
    s->map = NULL;
}

static inline void scripted_release(void *p)
{
    Scripted *s = p;

    s->releases++;
    vh_map_unref(s->map);
    s->map = NULL;
}

static inline void scripted_stats(void *p, VhPrimitiveStats *out)
{
    *out = ((Scripted *)p)->stats;
    out->detail = "scripted";
}

static inline char *scripted_broken(void *p)
{
    return g_strdup(((Scripted *)p)->broken);
}

static inline void scripted_allow(void *p, double fires)
{
    ((Scripted *)p)->allowed = fires;
}

static inline void scripted_rest(void *p)
{
    ((Scripted *)p)->rests++;
}

#define SCRIPTED_OPS(name_, open_)                                       \
    {                                                                    \
        .size = sizeof(VhPrimitiveOps), .version = VH_PRIMITIVE_VERSION, \
        .name = name_, .open = open_, .set_map = scripted_set_map,       \
        .arm = scripted_arm, .collect = scripted_collect,                \
        .idle = scripted_idle, .release = scripted_release,              \
        .stats = scripted_stats, .broken = scripted_broken,              \
        .allow = scripted_allow, .rest = scripted_rest,                  \
    }

static const VhPrimitiveOps scripted_primitive =
    SCRIPTED_OPS("scripted", scripted_open);

static const VhPrimitiveOps scripted_writes G_GNUC_UNUSED =
    SCRIPTED_OPS("scripted-writes", scripted_open_writes);

/* A map of one section for each of @n ranges. */
static inline VhMap *scripted_map(const VhRange *ranges, size_t n)
{
    VhMapSection *v = g_new0(VhMapSection, n);

    for (size_t i = 0; i < n; i++) {
        v[i].gpa = ranges[i].start;
        v[i].size = ranges[i].end - ranges[i].start;
        v[i].page_size = VH_PAGE_SIZE;
        v[i].name = g_strdup_printf("ram%zu", i);
    }
    return vh_map_new(v, n);
}

static inline VhMonitorConfig scripted_config(Scripted *s)
{
    s->host = (VhHost){ .clock = { scripted_now, s }, .opaque = s };
    return (VhMonitorConfig){
        .attrs = { 10000, 100000, 1000000, 10, 200 },
        .limits = { .traps_per_second = VH_TRAPS_MAX,
                    .budget_bp = VH_BUDGET_BP_MAX },
        .estimator = vh_estimator_find("classic"),
        .primitive = { .ops = &scripted_primitive },
        .host = &s->host,
        .cpu = { scripted_cpu, s },
        .seed = 1,
    };
}

#endif
