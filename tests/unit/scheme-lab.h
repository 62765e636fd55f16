/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place to try schemes in: a clock the test moves, surroundings that say what
 * the test wants, and actions that write down what they were asked for.
 */
#ifndef TESTS_SCHEME_LAB_H
#define TESTS_SCHEME_LAB_H

#include <glib.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vmheat/scheme.h"

#define MS 1000000ULL
#define SECOND (1000 * MS)
#define MIB (1ULL << 20)
#define PAGE VH_PAGE_SIZE
#define CALLS 8192

/** struct Call - something an action or the engine did */
typedef struct Call {
    uint64_t at;
    uint64_t size;
    size_t who; /* scheme's state, in the order of open() */
} Call;

/**
 * struct Lab - see above
 * @page: of the host
 * @quantum: most bytes one apply() deals with; 0: all
 * @cost_ns: time one apply() says it took
 * @wait_ns: rest it asks for
 * @error: errno of an apply() that reaches @bad; 0: none
 * @bad: it stops there
 * @applied_half: only half of what is dealt with is applied
 * @known: metrics that are known
 * @metric: their values
 * @young: memory that is young; @huge: that is backed by huge pages;
 * @unknown: of which nobody knows
 * @blind: what is said of it, or NULL
 */
typedef struct Lab {
    uint64_t now;
    VhSchemes *e;
    VhMap *map;
    uint64_t sequence;
    uint64_t page;

    uint64_t quantum, cost_ns, wait_ns, bad;
    int error;
    bool applied_half;
    bool known[VH_METRICS];
    uint64_t metric[VH_METRICS];
    VhRange young, huge, unknown;
    const char *blind;
    uint64_t refaults[VH_SCHEMES_MAX];

    Call calls[CALLS], aged[CALLS], told[CALLS], old[CALLS];
    size_t nr_calls, nr_aged, nr_told, nr_old, nr_pages;
    size_t opens, closes, maps, ends, back_offs, reached;
    VhPass pass;
    char why[256];
    uint64_t span, reached_score;
} Lab;

typedef struct FakeAction {
    Lab *lab;
    size_t who;
    VhMap *map;
} FakeAction;

static inline uint64_t lab_now(void *opaque)
{
    return ((Lab *)opaque)->now;
}

static inline bool fake_probe(const VhActionEnv *env, const VhActionArgs *args,
                              char **why)
{
    return true;
}

static inline void *fake_open(const VhActionEnv *env)
{
    FakeAction *a = g_new0(FakeAction, 1);

    a->lab = env->opaque;
    a->who = a->lab->opens++;
    return a;
}

static inline void fake_set_map(void *opaque, VhMap *map)
{
    FakeAction *a = opaque;

    vh_map_ref(map);
    vh_map_unref(a->map);
    a->map = map;
    a->lab->maps++;
}

static inline VhApplied fake_apply(void *opaque, const VhActionArgs *args,
                                   const VhMapSection *s, uint64_t offset,
                                   uint64_t size)
{
    FakeAction *a = opaque;
    Lab *l = a->lab;
    uint64_t gpa = s->gpa + offset;
    VhApplied did = { .wait_ns = l->wait_ns, .spent_ns = l->cost_ns };

    g_assert_nonnull(a->map);
    g_assert_cmpuint(size, >, 0);
    g_assert_cmpuint(((uintptr_t)s->hva + offset) % l->page, ==, 0);
    g_assert_cmpuint(size % l->page, ==, 0);
    g_assert_cmpuint(offset + size, <=, s->size);
    g_assert_true(vh_map_find(a->map, gpa) == s);
    did.size = l->quantum ? MIN(size, l->quantum) : size;
    if (l->error && gpa + did.size > l->bad) {
        did.error = l->error;
        did.size = l->bad > gpa ? l->bad - gpa : 0;
    }
    did.applied = l->applied_half ? did.size / 2 : did.size;
    g_assert_cmpuint(l->nr_calls, <, CALLS);
    l->calls[l->nr_calls++] = (Call){ gpa, did.size, a->who };
    l->now += l->cost_ns;
    return did;
}

static inline void fake_end(void *opaque, const VhActionArgs *args,
                            const VhPass *pass)
{
    Lab *l = ((FakeAction *)opaque)->lab;

    l->ends++;
    l->pass = *pass;
}

static inline void fake_close(void *opaque)
{
    FakeAction *a = opaque;

    a->lab->closes++;
    vh_map_unref(a->map);
    g_free(a);
}

static inline char *fake_detail(void *opaque)
{
    return g_strdup_printf("%zu calls", ((FakeAction *)opaque)->lab->nr_calls);
}

/* hugetlb does not suit */
static inline bool fake_suits(const VhMapSection *s, char **why)
{
    if (s->flags & VH_SECTION_HUGETLB) {
        *why = g_strdup("huge pages do not suit");
        return false;
    }
    return true;
}

#define FAKE(name_, prio_, ...)                                          \
    {                                                                    \
        .name = name_, .summary = "writes down", .prio = prio_,          \
        .probe = fake_probe, .open = fake_open, .set_map = fake_set_map, \
        .apply = fake_apply, .end = fake_end, .close = fake_close,       \
        .detail = fake_detail, .suits = fake_suits, __VA_ARGS__          \
    }

static const VhActionOps fake_cold G_GNUC_UNUSED =
    FAKE("cold", VH_PRIO_COLD, .counts_refaults = true);
static const VhActionOps fake_hot G_GNUC_UNUSED = FAKE("hot", VH_PRIO_HOT, );
static const VhActionOps fake_flat G_GNUC_UNUSED = FAKE("flat", VH_PRIO_NONE, );
static const VhActionOps fake_stat G_GNUC_UNUSED =
    FAKE("stat", VH_PRIO_NONE, .keeps_age = true);
static const VhActionOps fake_nodes G_GNUC_UNUSED =
    FAKE("nodes", VH_PRIO_COLD, .takes_nodes = true);
static const VhActionOps fake_balloon G_GNUC_UNUSED =
    FAKE("balloon", VH_PRIO_COLD, );

static inline bool lab_metric(void *opaque, VhMetric m, uint64_t *value)
{
    Lab *l = opaque;

    g_assert_cmpint(m, !=, VH_METRIC_USER_INPUT);
    *value = l->metric[m];
    return l->known[m];
}

/* Is @at in @r? The answer holds up to @until. */
static inline bool lab_in(VhRange r, uint64_t at, uint64_t *until)
{
    bool in = at >= r.start && at < r.end;

    if (in) {
        *until = MIN(*until, r.end);
    } else if (at < r.start) {
        *until = MIN(*until, r.start);
    }
    return in;
}

static inline void lab_make_old(void *opaque, const VhMapSection *s,
                                uint64_t offset, uint64_t end)
{
    Lab *l = opaque;

    g_assert_cmpuint(offset, <, end);
    g_assert_cmpuint(end, <=, s->size);
    l->old[l->nr_old++ % CALLS] = (Call){ s->gpa + offset, end - offset, 0 };
}

static inline char *lab_blind(void *opaque, const VhScheme *s)
{
    return s->nr_filters ? g_strdup(((Lab *)opaque)->blind) : NULL;
}

static inline VhIs lab_page(void *opaque, VhFilterType type,
                            const VhMapSection *s, uint64_t offset,
                            uint64_t end, uint64_t *until)
{
    Lab *l = opaque;
    uint64_t to = s->gpa + end;
    bool is = lab_in(type == VH_FILTER_YOUNG ? l->young : l->huge,
                     s->gpa + offset, &to);
    bool unknown = lab_in(l->unknown, s->gpa + offset, &to);

    l->nr_pages++;
    *until = to - s->gpa;
    return unknown ? VH_IS_UNKNOWN : is ? VH_IS : VH_IS_NOT;
}

static inline void lab_applied(void *opaque, size_t index,
                               const VhMapSection *s, uint64_t offset,
                               const VhApplied *did)
{
    Lab *l = opaque;

    l->told[l->nr_told++] = (Call){ s->gpa + offset, did->size, index };
}

static inline uint64_t lab_refaults(void *opaque, size_t index)
{
    return ((Lab *)opaque)->refaults[index];
}

static inline void lab_reset_age(void *opaque, VhRange r)
{
    Lab *l = opaque;

    g_assert_cmpuint(r.start, <, r.end);
    l->aged[l->nr_aged++] = (Call){ r.start, r.end - r.start, 0 };
}

static inline void lab_backed_off(void *opaque, const VhScheme *s,
                                  const char *why, uint64_t ns)
{
    Lab *l = opaque;

    l->back_offs++;
    l->span = ns;
    g_snprintf(l->why, sizeof(l->why), "%s: %s", s->name, why);
}

static inline void lab_goal_reached(void *opaque, const VhScheme *s,
                                    uint64_t score)
{
    Lab *l = opaque;

    l->reached++;
    l->reached_score = score;
}

static inline VhSchemesEnv lab_env(Lab *l)
{
    return (VhSchemesEnv){
        .action = { .clock = { lab_now, l }, .opaque = l },
        .page_size = l->page,
        .metric = lab_metric,
        .page = lab_page,
        .make_old = lab_make_old,
        .blind = lab_blind,
        .applied = lab_applied,
        .refaults = lab_refaults,
        .reset_age = lab_reset_age,
        .backed_off = lab_backed_off,
        .goal_reached = lab_goal_reached,
        .opaque = l,
    };
}

/* A map of @n sections; names ram0, ram1, ... */
static inline void lab_map(Lab *l, const VhMapSection *v, size_t n)
{
    VhMapSection *copy = g_memdup2(v, n * sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        copy[i].name = g_strdup_printf("ram%zu", i);
        copy[i].page_size =
            copy[i].flags & VH_SECTION_HUGETLB ? 2 * MIB : l->page;
    }
    vh_map_unref(l->map);
    l->map = vh_map_new(copy, n);
    vh_schemes_set_map(l->e, l->map);
}

/* Starts at one second, with 1 GiB of memory at 0. @page: of the host */
static inline Lab *lab_new_on(uint64_t page)
{
    Lab *l = g_new0(Lab, 1);
    VhSchemesEnv env;

    l->page = page;
    env = lab_env(l);
    l->now = SECOND;
    l->e = vh_schemes_new(&env);
    lab_map(l, &(VhMapSection){ .size = 1024 * MIB }, 1);
    return l;
}

static inline Lab *lab_new(void)
{
    return lab_new_on(PAGE);
}

static inline void lab_free(Lab *l)
{
    vh_schemes_free(l->e);
    vh_map_unref(l->map);
    g_assert_cmpuint(l->opens, ==, l->closes);
    g_free(l);
}

/* A scheme for all memory, without limits. */
static inline VhScheme any(const VhActionOps *action)
{
    return (VhScheme){ .name = (char *)action->name,
                       .pattern = VH_PATTERN_ANY,
                       .action = action,
                       .quota = { .reset_us = VH_QUOTA_RESET_US_DEFAULT,
                                  .weight_accesses = 1,
                                  .weight_age = 1 } };
}

/* 20 samples in an aggregation of 100 ms. */
static inline VhSnapshot *snap_of(const VhSnapRegion *v, size_t n)
{
    VhSnapshot *s = vh_snapshot_new(n);

    s->attrs = (VhAttrs){ 5000, 100000, 1000000, 10, 1000 };
    s->max_nr_accesses = 20;
    for (size_t i = 0; i < n; i++) {
        s->regions[i] = v[i];
    }
    return s;
}

/* A snapshot that is over now. */
static inline void lab_snapshot(Lab *l, const VhSnapRegion *v, size_t n)
{
    VhSnapshot *s = snap_of(v, n);

    s->sequence = ++l->sequence;
    s->end_ns = l->now;
    s->start_ns = l->now - 100 * MS;
    vh_schemes_snapshot(l->e, s);
    vh_snapshot_unref(s);
}

/* Does what is to be done, at the times the engine wants; for at most @ns. */
static inline void lab_run(Lab *l, uint64_t ns)
{
    uint64_t end = ns == UINT64_MAX ? ns : l->now + ns;

    for (int i = 0; i < 100000; i++) {
        uint64_t next = vh_schemes_step(l->e);

        if (next == UINT64_MAX || next > end) {
            return;
        }
        l->now = MAX(l->now, next);
    }
    g_assert_not_reached(); /* it never ends */
}

static inline void lab_run_all(Lab *l)
{
    lab_run(l, UINT64_MAX);
}

/* Status of scheme @i; free with vh_schemes_status_free(, 1). */
static inline VhSchemeStatus *lab_status(Lab *l, size_t i)
{
    size_t n;
    VhSchemeStatus *v = vh_schemes_status(l->e, &n);
    VhSchemeStatus one, *out = g_new0(VhSchemeStatus, 1);

    g_assert_cmpuint(i, <, n);
    one = v[i];
    v[i] = v[n - 1];
    *out = one;
    if (n > 1) {
        vh_schemes_status_free(v, n - 1);
    } else {
        g_free(v);
    }
    return out;
}

static inline VhSchemeStats lab_stats(Lab *l, size_t i)
{
    VhSchemeStatus *st = lab_status(l, i);
    VhSchemeStats stats = st->stats;

    vh_schemes_status_free(st, 1);
    return stats;
}

static inline VhSchemeState lab_state(Lab *l, size_t i)
{
    VhSchemeStatus *st = lab_status(l, i);
    VhSchemeState state = st->state;

    vh_schemes_status_free(st, 1);
    return state;
}

static inline void assert_reason(Lab *l, size_t i, const char *reason)
{
    VhSchemeStatus *st = lab_status(l, i);

    g_assert_cmpstr(st->reason, ==, reason);
    vh_schemes_status_free(st, 1);
}

#define assert_call(call, at_, size_)              \
    do {                                           \
        g_assert_cmphex((call).at, ==, (at_));     \
        g_assert_cmphex((call).size, ==, (size_)); \
    } while (0)

#endif
