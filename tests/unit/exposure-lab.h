/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The estimator exposure by itself: a primitive, a guest and a budget that do
 * as a test says, on a clock the test moves. Every plan and every snapshot is
 * checked for what must be true of all of them.
 */
#ifndef TESTS_EXPOSURE_LAB_H
#define TESTS_EXPOSURE_LAB_H

#include <glib.h>
#include <string.h>

#include "chance.h"
#include "exposure.h"
#include "estimators.h"

#define MS 1000000ULL
#define S (1000 * MS)
#define MIB (1ULL << 20)
#define PAGE VH_PAGE_SIZE
#define LAB_CHECKS 1024
#define LAB_HOT 4

/**
 * struct LabHot - memory that is accessed
 * @at: which
 * @hz: how often, each page
 * @writes: share of them that are writes
 */
typedef struct LabHot {
    VhRange at;
    double hz;
    double writes;
} LabHot;

/**
 * struct LabArmed - a granule that is armed
 * @seen_ns: up to here it is decided whether it was touched
 * @left: it was collected as silent, so that it may be asked about
 */
typedef struct LabArmed {
    uint64_t seen_ns;
    bool left;
} LabArmed;

/**
 * struct Lab - all of it
 * @e: the estimator
 * @attrs: in force
 * @budget: for each plan
 * @writes: there is a second primitive, for writes
 * @writes_once: that one is not persistent, and does not care for costs
 * @granule: of the primitive
 * @odd: share of answers that are none
 * @was_odd: @odd ever was more than 0: granules of some wires are not known
 * @hot: memory that is accessed
 * @now_ns: the clock
 * @aggregated_ns: when the latest snapshot was made
 * @rng: chance
 * @ranges: what is watched
 * @nr_ranges: how many
 * @armed: what is, for all accesses and for writes
 * @answers: to checks in this tick: they do not differ within a granule
 * @checks: planned
 * @nr: how many
 * @news: checks to be armed so far
 * @asks: those of pages left armed
 * @news_hot: @news of pages that are accessed
 * @owed: sum of what owed() told
 * @snap: the latest snapshot
 */
typedef struct Lab {
    VhExposure *e;
    VhAttrs attrs;
    VhPlanBudget budget;
    bool writes;
    bool writes_once;
    uint64_t granule;
    double odd;
    bool was_odd;
    LabHot hot[LAB_HOT];
    uint64_t now_ns;
    uint64_t aggregated_ns;
    VhRng rng;
    VhRange ranges[16];
    size_t nr_ranges;
    GHashTable *armed[2];
    GHashTable *answers[2];
    VhCheck checks[2][LAB_CHECKS];
    size_t nr[2];
    uint64_t news, asks, news_hot;
    double owed;
    VhSnapshot *snap;
} Lab;

static const VhEstimatorOps *const lab_ops = &vh_estimator_exposure;

static inline void lab_set_ranges(Lab *l, const VhRange *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        l->ranges[i] = ranges[i];
    }
    l->nr_ranges = n;
    for (int i = 0; i < 2; i++) {
        g_hash_table_remove_all(l->armed[i]);
        l->nr[i] = 0;
    }
    lab_ops->set_ranges(l->e, ranges, n);
}

/* @bytes of memory, cold; costs are no object. */
static inline void lab_begin(Lab *l, uint64_t bytes, uint64_t seed)
{
    VhRng rng;

    *l = (Lab){ .attrs = VH_ATTRS_DEFAULT,
                .granule = PAGE,
                .budget = { .max_checks = LAB_CHECKS,
                            .max_arms = SIZE_MAX,
                            .max_fires = 1000,
                            .persistent = true,
                            .fires_per_s = 1000,
                            .asks_per_s = 5000 } };
    vh_rng_seed(&rng, seed);
    vh_rng_seed(&l->rng, seed + 1000);
    for (int i = 0; i < 2; i++) {
        l->armed[i] = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        l->answers[i] = g_hash_table_new(NULL, NULL);
    }
    l->e = lab_ops->create(&l->attrs, &rng);
    lab_set_ranges(l, &(VhRange){ 0, bytes }, bytes > 0);
}

static inline void lab_end(Lab *l)
{
    vh_snapshot_unref(l->snap);
    for (int i = 0; i < 2; i++) {
        g_hash_table_unref(l->armed[i]);
        g_hash_table_unref(l->answers[i]);
    }
    lab_ops->destroy(l->e);
}

/* Accesses a second, of all pages of the granule at @gpa. */
static inline double lab_hz(const Lab *l, uint64_t gpa, uint64_t granule,
                            bool write)
{
    double sum = 0;

    for (int i = 0; i < LAB_HOT; i++) {
        const LabHot *h = &l->hot[i];
        uint64_t from = MAX(gpa, h->at.start);
        uint64_t to = MIN(gpa + granule, h->at.end);

        if (from < to) {
            sum += (to - from) / PAGE * h->hz * (write ? h->writes : 1);
        }
    }
    return sum;
}

/* Was it touched since it was looked at last? */
static inline bool lab_touched(Lab *l, uint64_t gpa, LabArmed *a, bool write)
{
    double dt = (l->now_ns - a->seen_ns) * 1e-9;
    double hz = lab_hz(l, gpa, l->granule, write);

    a->seen_ns = l->now_ns;
    return hz > 0 && vh_rng_unit(&l->rng) < -expm1(-hz * dt);
}

static inline bool lab_persistent(const Lab *l, bool write)
{
    return write && l->writes_once ? false : l->budget.persistent;
}

static inline gpointer lab_key(const Lab *l, uint64_t gpa)
{
    return GSIZE_TO_POINTER((gpa & ~(l->granule - 1)) + 1);
}

/* Before what is hot changes: what was touched by now is no more armed. */
static inline void lab_settle(Lab *l)
{
    for (int i = 0; i < 2; i++) {
        GHashTableIter iter;
        gpointer key, value;

        g_hash_table_iter_init(&iter, l->armed[i]);
        while (g_hash_table_iter_next(&iter, &key, &value)) {
            uint64_t gpa = GPOINTER_TO_SIZE(key) - 1;

            if (lab_touched(l, gpa, value, i)) {
                ((LabArmed *)value)->seen_ns = UINT64_MAX; /* it was */
            }
        }
    }
}

static inline bool lab_watched(const Lab *l, uint64_t gpa)
{
    for (size_t i = 0; i < l->nr_ranges; i++) {
        if (gpa >= l->ranges[i].start && gpa < l->ranges[i].end) {
            return true;
        }
    }
    return false;
}

/* A page that was touched is mapped again: it is armed anew. */
static inline void lab_arm(Lab *l, VhCheck *c)
{
    GHashTable *armed = l->armed[c->write];
    LabArmed *a = g_hash_table_lookup(armed, lab_key(l, c->gpa));

    if (vh_rng_unit(&l->rng) < l->odd) {
        c->state = VH_CHECK_SKIPPED;
        return;
    }
    c->state = VH_CHECK_ARMED;
    c->granule = l->granule;
    if (!a) {
        a = g_new0(LabArmed, 1);
        g_hash_table_insert(armed, lab_key(l, c->gpa), a);
    }
    a->seen_ns = l->now_ns;
}

static inline VhCheckState lab_answer(Lab *l, const VhCheck *c)
{
    LabArmed *a = g_hash_table_lookup(l->armed[c->write], lab_key(l, c->gpa));

    g_assert_nonnull(a);
    if (vh_rng_unit(&l->rng) < l->odd) {
        return VH_CHECK_LOST;
    }
    return a->seen_ns == UINT64_MAX ||
                   lab_touched(l, c->gpa & ~(l->granule - 1), a, c->write)
               ? VH_CHECK_FIRED
               : VH_CHECK_SILENT;
}

static inline void lab_collect(Lab *l, VhCheck *c)
{
    gpointer key = lab_key(l, c->gpa), had;

    if (c->state != VH_CHECK_ARMED) {
        return;
    }
    had = g_hash_table_lookup(l->answers[c->write], key);
    c->state = had ? (VhCheckState)GPOINTER_TO_INT(had) : lab_answer(l, c);
    g_hash_table_insert(l->answers[c->write], key, GINT_TO_POINTER(c->state));
    if (c->state == VH_CHECK_SILENT && lab_persistent(l, c->write)) {
        LabArmed *a = g_hash_table_lookup(l->armed[c->write], key);

        a->left = true;
    } else {
        g_hash_table_remove(l->armed[c->write], key);
    }
}

/* What a check that was planned may be. */
static inline void lab_check_one(Lab *l, const VhCheck *c, GHashTable *seen)
{
    LabArmed *a = g_hash_table_lookup(l->armed[c->write], lab_key(l, c->gpa));

    g_assert_true(lab_watched(l, c->gpa));
    g_assert_cmpuint(c->gpa % PAGE, ==, 0);
    g_assert_true(g_hash_table_add(seen, GSIZE_TO_POINTER(c->gpa + 1)));
    if (c->state == VH_CHECK_ARMED) {
        g_assert_true(lab_persistent(l, c->write));
        g_assert_nonnull(a);
        g_assert_true(a->left);
        g_assert_cmpuint(c->granule, ==, l->granule);
        g_assert_true(c->gpa % l->granule == 0 ||
                      !lab_watched(l, c->gpa - PAGE));
    }
}

static inline void lab_check_plan(Lab *l, const VhCheck *c, size_t n)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    size_t news = 0;

    g_assert_cmpuint(n, <=, l->budget.max_checks);
    while (news < n && c[news].state == VH_CHECK_NEW) {
        news++;
    }
    g_assert_cmpuint(news, <=, l->budget.max_arms);
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpint(c[i].state, ==,
                        i < news ? VH_CHECK_NEW : VH_CHECK_ARMED);
        g_assert_cmpint(c[i].write, ==, l->budget.write);
        lab_check_one(l, &c[i], seen);
        l->news_hot += i < news && lab_hz(l, c[i].gpa, PAGE, false) > 0;
    }
    l->news += news;
    l->asks += n - news;
}

static inline void lab_check_wires(const Lab *l)
{
    for (int k = 0; k < 2; k++) {
        const VhWires *ws = &l->e->fields[k].wires;
        const VhGaps *gaps = &l->e->fields[k].gaps;
        uint64_t end = 0;

        for (size_t i = 1; i < gaps->nr; i++) { /* best first */
            g_assert_cmpfloat(gaps->v[i].score, <=, gaps->v[i - 1].score);
        }
        g_assert_cmpuint(ws->nr, <=, ws->room);
        for (size_t i = 0; i < ws->nr; i++) {
            const VhWire *w = &ws->v[i];

            g_assert_true(!i || w->page > w[-1].page);
            /* a gap may be older than a granule; then it waits for the pass */
            if (!w->dead && !l->was_odd && (w->nr || w->from != w->asked)) {
                g_assert_cmpuint(w->page, >=, end);
                end = vh_wire_end(w);
            }
        }
    }
}

static inline void lab_check_region(const Lab *l, const VhSnapRegion *r)
{
    uint32_t max = vh_attrs_max_accesses(&l->attrs);

    g_assert_cmpuint(r->start, <, r->end);
    g_assert_cmpuint(r->start % PAGE, ==, 0);
    g_assert_cmpuint(r->end % PAGE, ==, 0);
    g_assert_cmpfloat(r->rate_low, >=, 0);
    g_assert_cmpfloat(r->rate_low, <=, r->rate * 1.0001f);
    g_assert_cmpfloat(r->rate, <=, r->rate_high * 1.0001f);
    g_assert_cmpfloat(r->rate_high, <, 2000);
    g_assert_cmpfloat(r->write_rate, >=, 0);
    g_assert_cmpfloat(r->write_rate, <=, r->rate_high * 1.0001f);
    g_assert_cmpuint(r->nr_accesses, <=, max);
    g_assert_cmpuint(r->nr_writes, <=, r->nr_accesses);
    if (!r->nr_accesses) {
        g_assert_cmpuint(r->age * l->attrs.aggregation_us, <=,
                         (r->idle_ms + 1) * 1000);
    }
    g_assert_cmpuint(r->idle_ms, <=, 2 * 172800000ULL);
}

/* Regions are the ranges, cut. */
static inline void lab_check_snapshot(const Lab *l, const VhSnapshot *s)
{
    uint64_t pages = 0;
    size_t k = 0;

    for (size_t i = 0; i < l->nr_ranges; i++) {
        uint64_t at = l->ranges[i].start;

        pages += (l->ranges[i].end - at) / PAGE;
        while (at < l->ranges[i].end) {
            g_assert_cmpuint(k, <, s->nr_regions);
            g_assert_cmpuint(s->regions[k].start, ==, at);
            lab_check_region(l, &s->regions[k]);
            g_assert_cmpuint(s->regions[k].nr_accesses, ==,
                             vh_exposure_accesses(l->e, s->regions[k].rate));
            at = s->regions[k++].end;
        }
        g_assert_cmpuint(at, ==, l->ranges[i].end);
    }
    g_assert_cmpuint(k, ==, s->nr_regions);
    g_assert_cmpuint(k, <=, l->attrs.max_regions);
    g_assert_true(k >= l->attrs.min_regions || pages < l->attrs.min_regions);
    g_assert_true(s->has_rates);
    g_assert_cmpuint(s->max_nr_accesses, ==, vh_attrs_max_accesses(&l->attrs));
}

static inline void lab_plan(Lab *l, bool write)
{
    VhPlanBudget b = l->budget;

    l->budget.write = b.write = write;
    b.persistent = lab_persistent(l, write);
    b.fires_per_s = write && l->writes_once ? INFINITY : b.fires_per_s;
    l->nr[write] = lab_ops->plan(l->e, &b, l->checks[write]);
    l->owed += lab_ops->owed(l->e);
    lab_check_plan(l, l->checks[write], l->nr[write]);
    for (size_t i = 0; i < l->nr[write]; i++) {
        if (l->checks[write][i].state == VH_CHECK_NEW) {
            lab_arm(l, &l->checks[write][i]);
        }
    }
}

static inline void lab_aggregate(Lab *l)
{
    vh_snapshot_unref(l->snap);
    l->snap = lab_ops->aggregate(l->e);
    l->aggregated_ns = l->now_ns;
    lab_check_snapshot(l, l->snap);
}

/* Checks end, and are made, @ns later. */
static inline void lab_tick(Lab *l, uint64_t ns)
{
    l->now_ns += ns;
    lab_ops->tick(l->e, l->now_ns);
    for (int i = 0; i < 2; i++) {
        g_hash_table_remove_all(l->answers[i]);
        for (size_t k = 0; k < l->nr[i]; k++) {
            lab_collect(l, &l->checks[i][k]);
        }
        lab_ops->observe(l->e, l->checks[i], l->nr[i]);
        l->nr[i] = 0;
    }
    lab_check_wires(l);
    if (l->now_ns - l->aggregated_ns >= l->attrs.aggregation_us * 1000) {
        lab_aggregate(l);
    }
    lab_plan(l, false);
    if (l->writes) {
        lab_plan(l, true);
    }
}

static inline void lab_run(Lab *l, double seconds)
{
    uint64_t end = l->now_ns + seconds * S;

    while (l->now_ns < end) {
        lab_tick(l, l->attrs.sampling_us * 1000 / lab_ops->shorter(l->e));
    }
}

/* Nobody looked for @ns, and nothing is armed any more. */
static inline void lab_pause(Lab *l, uint64_t ns)
{
    for (int i = 0; i < 2; i++) {
        g_hash_table_remove_all(l->armed[i]);
        l->nr[i] = 0;
    }
    l->now_ns += ns;
    lab_ops->tick(l->e, l->now_ns);
    lab_ops->restart(l->e);
}

static inline const VhSnapRegion *lab_region(const Lab *l, uint64_t at)
{
    for (size_t i = 0; i < l->snap->nr_regions; i++) {
        if (at >= l->snap->regions[i].start && at < l->snap->regions[i].end) {
            return &l->snap->regions[i];
        }
    }
    g_assert_not_reached();
}

/* Share of @r whose rate is told to be about @hz: within a factor of two. */
static inline double lab_right(const Lab *l, VhRange r, double hz)
{
    uint64_t right = 0;

    for (size_t i = 0; i < l->snap->nr_regions; i++) {
        const VhSnapRegion *g = &l->snap->regions[i];
        uint64_t from = MAX(r.start, g->start), to = MIN(r.end, g->end);

        if (from < to && g->rate >= hz / 2 && g->rate <= hz * 2) {
            right += to - from;
        }
    }
    return (double)right / (r.end - r.start);
}

#endif
