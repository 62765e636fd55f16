/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The engine belongs to the worker thread. The main thread checks new schemes,
 * keeps a copy, and posts another to the worker, which hands it to the engine.
 * Until that has happened query-vmheat-schemes answers from the copy: `wanted`
 * numbers what the main thread asked for, `taken` what the engine has.
 *
 * Around the engine, on the worker thread: what the host tells of its memory,
 * the page tables' view of pages (actions/page-info.h), and a look at pages
 * that were paged out, whether they came back (actions/paged.h). That look is
 * taken five times a second, a piece at a time; and so is what of guest memory
 * is in host memory counted, once a goal has asked for it.
 *
 * Files that filter young needs (vmheat grant) are the worker's own duplicates;
 * it takes them when schemes with that filter come, and closes them when these
 * go. When files are granted or revoked the main thread posts that to it.
 * Without them nobody knows which pages are young: the scheme leaves them
 * alone, as core/filters.c has it, and its detail says so.
 *
 * Events are sent from the worker thread, as all of ours are (hw/vmheat.c).
 */
#include "compat/qemu.h"
#include "actions/page-info.h"
#include "actions/paged.h"
#include "actions/resident.h"
#include "hw/events.h"
#include "hw/host-metrics.h"
#include "hw/scheme-qapi.h"
#include "hw/schemes.h"

#define SCAN_INTERVAL_NS 200000000ULL
#define SCAN_NS 300000ULL
#define COUNT_NS 2000000ULL

struct VmheatSchemes {
    /* constant */
    char *id;
    const VhHost *host;
    /* main thread */
    VmheatSchemeSet *set;
    VmheatWorker *worker;
    unsigned wanted;
    /* any thread, atomic */
    unsigned taken;
    /* worker thread; the engine's status: any thread */
    VhSchemes *engine;
    VmheatActionHost actions;
    VhPaged *paged;
    VhPageInfo *pages;
    VhMap *map;
    uint64_t scanned_ns;
    bool wants_resident;
    bool wants_young;
    VhResidentCount resident;
};

/* ---- worker thread: what the engine asks ---- */

static uint64_t now_ns(const VmheatSchemes *s)
{
    return vh_clock_now(&s->host->clock);
}

static double guest_busy(void *opaque)
{
    VmheatActionHost *h = opaque;

    return vmheat_vcpu_busy(&h->busy);
}

/* Of the last count; the first is under way when it is asked for first. */
static bool resident(VmheatSchemes *s, uint64_t *value)
{
    s->wants_resident = true;
    *value = s->resident.size;
    return s->resident.known;
}

static bool metric(void *opaque, VhMetric m, uint64_t *value)
{
    VmheatSchemes *s = opaque;

    switch (m) {
    case VH_METRIC_SOME_MEM_PSI_US:
        return vmheat_host_psi_total_us(value);
    case VH_METRIC_SOME_MEM_PSI:
        return vmheat_host_psi_avg10(value);
    case VH_METRIC_MEM_FREE:
        return vmheat_host_free_permille(value);
    case VH_METRIC_MEM_USED:
        if (!vmheat_host_free_permille(value)) {
            return false;
        }
        *value = 1000 - *value;
        return true;
    case VH_METRIC_GUEST_RSS:
        return resident(s, value);
    case VH_METRIC_GUEST_FREE:
        return vmheat_guest_free_permille(&s->actions, value);
    default:
        return false;
    }
}

static VhIs page(void *opaque, VhFilterType type, const VhMapSection *section,
                 uint64_t offset, uint64_t end, uint64_t *until)
{
    VmheatSchemes *s = opaque;

    return vh_page_info(s->pages, type, section, offset, end, until);
}

static void make_old(void *opaque, const VhMapSection *section, uint64_t offset,
                     uint64_t end)
{
    VmheatSchemes *s = opaque;

    vh_young_make_old(vh_page_info_young(s->pages), section, offset, end);
}

static bool asks_for_young(const VhScheme *scheme)
{
    for (size_t i = 0; i < scheme->nr_filters; i++) {
        if (scheme->filters[i].type == VH_FILTER_YOUNG) {
            return true;
        }
    }
    return false;
}

static char *blind(void *opaque, const VhScheme *scheme)
{
    VmheatSchemes *s = opaque;
    g_autofree char *why = NULL;

    if (asks_for_young(scheme)) {
        why = vh_young_trouble(vh_page_info_young(s->pages));
    }
    return why ? g_strdup_printf("filter 'young' does not know, and leaves all "
                                 "pages alone: %s; run 'vmheat grant' as root",
                                 why)
               : NULL;
}

static void applied(void *opaque, size_t index, const VhMapSection *section,
                    uint64_t offset, const VhApplied *did)
{
    VmheatSchemes *s = opaque;

    if (did->left) {
        vh_paged_add(s->paged, index, section, offset, did->left,
                     did->size / VH_PAGE_SIZE);
    }
}

static uint64_t refaults(void *opaque, size_t index)
{
    VmheatSchemes *s = opaque;

    return vh_paged_refaults(s->paged, index);
}

static void reset_age(void *opaque, VhRange r)
{
    VmheatSchemes *s = opaque;

    vmheat_worker_reset_age(s->worker, r);
}

static void backed_off(void *opaque, const VhScheme *scheme, const char *why,
                       uint64_t ns)
{
    VmheatSchemes *s = opaque;

    vmheat_event_back_off(s->id, scheme->name, why, ns / 1000);
}

static void goal_reached(void *opaque, const VhScheme *scheme, uint64_t score)
{
    VmheatSchemes *s = opaque;

    vmheat_event_goal_reached(s->id, scheme->name, score);
}

/* ---- worker thread: the actor ---- */

static void actor_set_map(void *opaque, VhMap *map)
{
    VmheatSchemes *s = opaque;

    vh_map_unref(s->map);
    s->map = vh_map_ref(map);
    vh_paged_set_map(s->paged, map);
    vh_resident_count_set_map(&s->resident, map);
    vh_schemes_set_map(s->engine, map);
}

static void actor_snapshot(void *opaque, const VhSnapshot *snapshot)
{
    VmheatSchemes *s = opaque;

    vh_schemes_snapshot(s->engine, snapshot);
}

static uint64_t actor_step(void *opaque)
{
    VmheatSchemes *s = opaque;
    uint64_t now = now_ns(s);

    if (now - s->scanned_ns >= SCAN_INTERVAL_NS) {
        s->scanned_ns = now;
        vh_paged_scan(s->paged, &s->host->clock, SCAN_NS);
        if (s->wants_resident) {
            vh_resident_count(&s->resident, &s->host->clock, COUNT_NS);
        }
    }
    return vh_schemes_step(s->engine);
}

static void actor_end(void *opaque)
{
    VmheatSchemes *s = opaque;

    vh_schemes_set(s->engine, NULL, 0);
}

VmheatActor vmheat_schemes_actor(VmheatSchemes *s)
{
    return (VmheatActor){ .set_map = actor_set_map,
                          .snapshot = actor_snapshot,
                          .step = actor_step,
                          .end = actor_end,
                          .opaque = s };
}

/* Schemes on their way to the worker thread. */
typedef struct NewSchemes {
    VmheatSchemes *s;
    VmheatSchemeSet *set;
    unsigned number;
} NewSchemes;

/* Worker thread: the files of filter young. */
static void take_files(void *opaque)
{
    VmheatSchemes *s = opaque;

    vh_young_use(vh_page_info_young(s->pages), s->wants_young);
    vh_schemes_refresh(s->engine);
}

static bool any_asks_for_young(const VmheatSchemeSet *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (asks_for_young(&set->v[i])) {
            return true;
        }
    }
    return false;
}

/* Worker thread. */
static void take_schemes(void *opaque)
{
    g_autofree NewSchemes *new = opaque;
    VmheatSchemes *s = new->s;

    s->wants_young = any_asks_for_young(new->set);
    take_files(s);
    vh_paged_retarget(s->paged, new->set->v, new->set->n);
    vh_schemes_set(s->engine, new->set->v, new->set->n);
    vmheat_scheme_set_free(new->set);
    s->wants_resident = false; /* those that do will ask again */
    qatomic_store_release(&s->taken, new->number);
}

/* ---- main thread ---- */

static VmheatSchemeSet *copy_set(const VmheatSchemeSet *set)
{
    VmheatSchemeSet *copy = g_new0(VmheatSchemeSet, 1);

    copy->v = g_new0(VhScheme, set->n + 1);
    copy->n = set->n;
    for (size_t i = 0; i < set->n; i++) {
        vh_scheme_copy(&copy->v[i], &set->v[i]);
    }
    return copy;
}

static void hand_over(VmheatSchemes *s)
{
    NewSchemes *new = g_new(NewSchemes, 1);

    *new = (NewSchemes){ s, copy_set(s->set), ++s->wanted };
    vmheat_worker_post(s->worker, take_schemes, new);
}

static VhActionEnv action_env(VmheatSchemes *s)
{
    return (VhActionEnv){ .clock = s->host->clock,
                          .guest_busy = guest_busy,
                          .kvm = s->host->kvm,
                          .opaque = &s->actions };
}

VmheatSchemes *vmheat_schemes_new(const char *id, VmheatBqlCaller *bql,
                                  const VhHost *host)
{
    VmheatSchemes *s = g_new0(VmheatSchemes, 1);
    VhSchemesEnv env = {
        .page_size = vh_host_page(host),
        .metric = metric,
        .page = page,
        .make_old = make_old,
        .blind = blind,
        .applied = applied,
        .refaults = refaults,
        .reset_age = reset_age,
        .backed_off = backed_off,
        .goal_reached = goal_reached,
        .opaque = s,
    };

    s->id = g_strdup(id);
    s->host = host;
    s->actions.bql = bql;
    s->set = g_new0(VmheatSchemeSet, 1);
    s->paged = vh_paged_new();
    s->pages = vh_page_info_new(host);
    env.action = action_env(s);
    s->engine = vh_schemes_new(&env);
    return s;
}

void vmheat_schemes_free(VmheatSchemes *s)
{
    vh_schemes_free(s->engine);
    vh_page_info_free(s->pages);
    vh_paged_free(s->paged);
    vmheat_vcpu_busy_clear(&s->actions.busy);
    vh_resident_count_set_map(&s->resident, NULL);
    vmheat_scheme_set_free(s->set);
    vh_map_unref(s->map);
    g_free(s->id);
    g_free(s);
}

void vmheat_schemes_attach(VmheatSchemes *s, VmheatWorker *w)
{
    s->worker = w;
    if (s->set->n) {
        hand_over(s);
    }
}

bool vmheat_schemes_any(const VmheatSchemes *s)
{
    return s->set->n > 0;
}

/* Is there memory it can be done to? Else @why of the first there is. */
static bool suits_some(const VhActionOps *ops, const VhMap *map, char **why)
{
    bool any = !ops->suits;

    *why = map->nr ? NULL : g_strdup("the guest has no memory");
    for (size_t i = 0; !any && i < map->nr; i++) {
        g_autofree char *refusal = NULL;

        any = ops->suits(&map->sections[i], &refusal);
        if (!any && !*why) {
            *why = g_steal_pointer(&refusal);
        }
    }
    if (any) {
        g_clear_pointer(why, g_free);
    }
    return any;
}

static bool can_run(VmheatSchemes *s, const VhActionOps *ops,
                    const VhActionArgs *args, const VhMap *map, char **why)
{
    VhActionEnv env = action_env(s);

    return ops->probe(&env, args, why) && suits_some(ops, map, why);
}

/*
 * An action that wants a sum at the end of a pass has the engine ask about all
 * memory once more, and what was young in the pass is not any more.
 */
static bool can_tell_young(VmheatSchemes *s, const VhMap *map,
                           const VhScheme *scheme, Error **errp)
{
    g_autofree char *why = NULL;

    if (scheme->action->end) {
        why = g_strdup_printf("it does not go with action '%s'",
                              scheme->action->name);
    } else {
        vh_young_probe(s->host, map, &why);
    }
    if (why) {
        error_setg(errp, "scheme '%s': filter 'young' cannot be used: %s",
                   scheme->name, why);
    }
    return !why;
}

static bool filter_can_match(VmheatSchemes *s, const VhFilter *f,
                             const VhMap *map, const VhScheme *scheme,
                             Error **errp)
{
    if (f->type == VH_FILTER_YOUNG) {
        return can_tell_young(s, map, scheme, errp);
    }
    if (f->type != VH_FILTER_NODE) {
        return true;
    }
    for (size_t i = 0; i < map->nr; i++) {
        const VhMapSection *m = &map->sections[i];

        if (m->node == f->node + 1 ||
            m->label->reserved == VMHEAT_RESERVED_KIND_UNKNOWN) {
            return true; /* or nodes are not known, see hw/map.c */
        }
    }
    error_setg(
        errp,
        "scheme '%s': 'filters.node' %u: the guest has no memory on such "
        "a node",
        scheme->name, f->node);
    return false;
}

static bool can_be_used(VmheatSchemes *s, const VhScheme *scheme,
                        const VhMap *map, Error **errp)
{
    g_autofree char *why = NULL;

    if (!can_run(s, scheme->action, &scheme->args, map, &why)) {
        error_setg(errp, "scheme '%s': action '%s' cannot be used: %s",
                   scheme->name, scheme->action->name, why);
        return false;
    }
    for (size_t i = 0; i < scheme->nr_filters; i++) {
        if (!filter_can_match(s, &scheme->filters[i], map, scheme, errp)) {
            return false;
        }
    }
    return true;
}

void vmheat_schemes_regrant(VmheatSchemes *s)
{
    if (s->worker) {
        vmheat_worker_post(s->worker, take_files, s);
    }
}

bool vmheat_schemes_set(VmheatSchemes *s, const VmheatSchemeList *list,
                        const VhMap *map, Error **errp)
{
    g_autoptr(VmheatSchemeSet) set = vmheat_scheme_set_new(list, errp);

    if (!set) {
        return false;
    }
    for (size_t i = 0; i < set->n; i++) {
        if (!can_be_used(s, &set->v[i], map, errp)) {
            return false;
        }
    }
    vmheat_scheme_set_free(s->set);
    s->set = g_steal_pointer(&set);
    if (s->worker) {
        hand_over(s);
    }
    return true;
}

/* ---- main thread: queries ---- */

static VmheatSchemeStats *stats_to_qapi(const VhSchemeStats *st)
{
    VmheatSchemeStats *out = g_new0(VmheatSchemeStats, 1);

    *out = (VmheatSchemeStats){
        .nr_tried = st->nr_tried,
        .sz_tried = st->sz_tried,
        .nr_applied = st->nr_applied,
        .sz_applied = st->sz_applied,
        .sz_filter_passed = st->sz_filter_passed,
        .qt_exceeds = st->qt_exceeds,
        .nr_snapshots = st->nr_snapshots,
        .errors = st->errors,
        .back_offs = st->back_offs,
        .refaulted = st->refaulted,
        .time = st->spent_ns,
    };
    return out;
}

static VmheatRegionList *tried_to_qapi(const VhSchemeStatus *st)
{
    VmheatRegionList *list = NULL, **tail = &list;

    for (size_t i = 0; i < st->nr_tried; i++) {
        const VhSnapRegion *r = &st->tried[i];
        VmheatRegion *out = g_new0(VmheatRegion, 1);

        *out = (VmheatRegion){ .start = r->start,
                               .end = r->end,
                               .nr_accesses = r->nr_accesses,
                               .age = r->age };
        QAPI_LIST_APPEND(tail, out);
    }
    return list;
}

static uint64List *goal_values(const VhSchemeStatus *st)
{
    uint64List *list = NULL, **tail = &list;

    for (size_t i = 0; i < st->scheme.quota.nr_goals; i++) {
        QAPI_LIST_APPEND(tail, st->goal_current[i]);
    }
    return list;
}

static VmheatSchemeInfo *status_to_qapi(const VhSchemeStatus *st, bool tried)
{
    VmheatSchemeInfo *out = g_new0(VmheatSchemeInfo, 1);
    bool goals = st->goal_current && st->scheme.quota.nr_goals;

    out->scheme = vmheat_scheme_to_qapi(&st->scheme);
    out->state = (VmheatSchemeState)st->state;
    out->reason = g_strdup(st->reason);
    vh_opt_set(out, reason);
    out->stats = stats_to_qapi(&st->stats);
    out->has_effective_quota = st->effective_size != UINT64_MAX;
    out->effective_quota = st->effective_size;
    out->charged = st->charged_size;
    out->has_goal_score = out->has_goal_values = goals;
    out->goal_score = st->goal_score;
    out->goal_values = goals ? goal_values(st) : NULL;
    out->detail = g_strdup(st->detail);
    vh_opt_set(out, detail);
    out->has_tried_regions = tried;
    out->tried_regions = tried ? tried_to_qapi(st) : NULL;
    return out;
}

/* Both list the same states in the same order. */
QEMU_BUILD_BUG_ON((int)VMHEAT_SCHEME_STATE_BACK_OFF != (int)VH_SCHEME_BACK_OFF);
QEMU_BUILD_BUG_ON((int)VMHEAT_SCHEME_STATE_FINISHED != (int)VH_SCHEME_FINISHED);

/* What is known of @scheme: what the engine says of the one that it replaces.
 */
static VhSchemeStatus known_of(const VhScheme *scheme, const VhSchemeStatus *v,
                               size_t n)
{
    VhSchemeStatus st = { .effective_size = UINT64_MAX };

    for (size_t i = 0; i < n; i++) {
        if (v[i].scheme.action == scheme->action &&
            g_str_equal(v[i].scheme.name, scheme->name)) {
            st = v[i];
            st.goal_current = NULL; /* of other goals, maybe */
        }
    }
    st.scheme = *scheme;
    return st;
}

/* Of schemes that the engine does not have yet. */
static VmheatSchemeInfoList *query_wanted(const VmheatSchemes *s, bool tried)
{
    VmheatSchemeInfoList *list = NULL, **tail = &list;
    size_t n;
    VhSchemeStatus *v = vh_schemes_status(s->engine, &n);

    for (size_t i = 0; i < s->set->n; i++) {
        VhSchemeStatus st = known_of(&s->set->v[i], v, n);

        QAPI_LIST_APPEND(tail, status_to_qapi(&st, tried));
    }
    vh_schemes_status_free(v, n);
    return list;
}

VmheatSchemeInfoList *vmheat_schemes_query(VmheatSchemes *s, bool tried)
{
    VmheatSchemeInfoList *list = NULL, **tail = &list;
    VhSchemeStatus *v;
    size_t n;

    if (qatomic_load_acquire(&s->taken) != s->wanted) {
        return query_wanted(s, tried);
    }
    v = vh_schemes_status(s->engine, &n);
    for (size_t i = 0; i < n; i++) {
        QAPI_LIST_APPEND(tail, status_to_qapi(&v[i], tried));
    }
    vh_schemes_status_free(v, n);
    return list;
}

static VmheatActionInfo *query_action(VmheatSchemes *s, const VhMap *map,
                                      VmheatAction name)
{
    VmheatActionInfo *out = g_new0(VmheatActionInfo, 1);
    const VhActionOps *ops = vmheat_action_find(VmheatAction_str(name));
    static const VhActionArgs none;

    out->name = name;
    if (!ops) {
        out->summary = g_strdup("not part of this vmheat");
        return out;
    }
    out->summary = g_strdup(ops->summary);
    out->available = can_run(s, ops, &none, map, &out->reason);
    vh_opt_set(out, reason);
    out->needs = g_strdup(ops->needs);
    vh_opt_set(out, needs);
    return out;
}

VmheatActionInfoList *vmheat_schemes_actions(VmheatSchemes *s, const VhMap *map)
{
    VmheatActionInfoList *list = NULL, **tail = &list;

    for (int i = 0; i < VMHEAT_ACTION__MAX; i++) {
        QAPI_LIST_APPEND(tail, query_action(s, map, i));
    }
    return list;
}
