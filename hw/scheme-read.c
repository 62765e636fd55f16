/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * QAPI has parsed the words; here its optional members get their defaults and
 * become the engine's plain numbers, and members that do not go together are
 * refused. Numbers that are out of range are vh_schemes_check()'s to find.
 *
 * QEMU takes a negative number for a uint64 for old clients' sake, as the huge
 * one with the same bits. No number here is that large on purpose, so such are
 * refused as what they were.
 */
#include "compat/qemu.h"
#include <math.h>
#include "hw/actions.h"
#include "hw/scheme-qapi.h"
#include "qapi/qobject-input-visitor.h"
#include "vmheat-qapi-visit.h"

#define FLOOR_DEFAULT (128 * 1024 * 1024ULL)
#define HEADROOM_DEFAULT 200
#define STEP_DEFAULT (64 * 1024 * 1024ULL)
#define HYSTERESIS_DEFAULT (16 * 1024 * 1024ULL)

static const VhActionOps *find_in(const VhActionOps *const *all,
                                  const char *name)
{
    for (; *all; all++) {
        if (g_str_equal((*all)->name, name)) {
            return *all;
        }
    }
    return NULL;
}

const VhActionOps *vmheat_action_find(const char *name)
{
    return find_in(vh_actions(), name) ?: find_in(vmheat_hw_actions(), name);
}

/* Both list the same things in the same order. */
QEMU_BUILD_BUG_ON((int)VMHEAT_GOAL_METRIC_GUEST_FREE !=
                  (int)VH_METRIC_GUEST_FREE);
QEMU_BUILD_BUG_ON((int)VMHEAT_GOAL_METRIC_MEM_USED != (int)VH_METRIC_MEM_USED);
QEMU_BUILD_BUG_ON((int)VMHEAT_FILTER_TYPE__MAX != (int)VH_FILTERS);
QEMU_BUILD_BUG_ON((int)VMHEAT_FILTER_TYPE_PINNED != (int)VH_FILTER_PINNED);
QEMU_BUILD_BUG_ON((int)VMHEAT_FILTER_TYPE_YOUNG != (int)VH_FILTER_YOUNG);

/* What is being read, for messages. */
typedef struct Reader {
    const char *scheme;
    Error **errp;
    bool failed;
} Reader;

static void G_GNUC_PRINTF(2, 3) fail(Reader *r, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list ap;

    if (r->failed) {
        return;
    }
    va_start(ap, format);
    what = g_strdup_vprintf(format, ap);
    va_end(ap);
    error_setg(r->errp, "scheme '%s': %s", r->scheme, what);
    r->failed = true;
}

static uint64_t number(Reader *r, const char *member, bool given,
                       uint64_t value, uint64_t otherwise)
{
    if (given && value > INT64_MAX) {
        fail(r, "'%s' %" PRId64 ": must not be negative", member,
             (int64_t)value);
    }
    return given ? value : otherwise;
}

static VhBounds bounds(Reader *r, const char *member, const VmheatBounds *b)
{
    g_autofree char *min = g_strdup_printf("%s.min", member);
    g_autofree char *max = g_strdup_printf("%s.max", member);

    if (!b) {
        return (VhBounds){ 0, UINT64_MAX };
    }
    return (VhBounds){ number(r, min, b->has_min, b->min, 0),
                       number(r, max, b->has_max, b->max, UINT64_MAX) };
}

static VhPattern pattern(Reader *r, const VmheatPattern *p)
{
    VhPattern out = VH_PATTERN_ANY;

    if (!p) {
        return out;
    }
    if (p->nr_accesses && p->rate) {
        fail(r, "'pattern.nr-accesses' and 'pattern.rate' are both given: "
                "only one can be");
    }
    if (p->age && p->age_time) {
        fail(r, "'pattern.age' and 'pattern.age-time' are both given: only "
                "one can be");
    }
    out.size = bounds(r, "pattern.size", p->size);
    out.nr_accesses = bounds(r, "pattern.nr-accesses", p->nr_accesses);
    out.age_is_time = p->age_time != NULL;
    out.age = p->age_time ? bounds(r, "pattern.age-time", p->age_time)
                          : bounds(r, "pattern.age", p->age);
    out.by_rate = p->rate != NULL;
    if (p->rate) {
        out.rate_min = p->rate->has_min ? p->rate->min : 0;
        out.rate_max = p->rate->has_max ? p->rate->max : INFINITY;
    }
    return out;
}

static void goals(Reader *r, const VmheatGoalList *l, VhQuota *out)
{
    GArray *v = g_array_new(false, false, sizeof(VhGoal));

    for (; l; l = l->next) {
        const VmheatGoal *g = l->value;
        VhGoal goal = {
            .metric = (VhMetric)g->metric,
            .target = number(r, "quota.goals.target", true, g->target, 0),
            .current =
                number(r, "quota.goals.current", g->has_current, g->current, 0),
        };

        if (g->has_current && g->metric != VMHEAT_GOAL_METRIC_USER_INPUT) {
            fail(r,
                 "'quota.goals.current' goes with metric 'user-input' "
                 "only, not with '%s'",
                 VmheatGoalMetric_str(g->metric));
        }
        g_array_append_val(v, goal);
    }
    out->nr_goals = v->len;
    out->goals = (VhGoal *)(void *)g_array_free(v, v->len == 0);
}

static VhQuota quota(Reader *r, const VmheatQuota *q)
{
    static const VmheatQuota none;
    static const VmheatWeights no_weights;
    const VmheatWeights *w;
    VhQuota out = { 0 };

    q = q ?: &none;
    w = q->weights ?: &no_weights;
    out.time_us = number(r, "quota.time", q->has_time, q->time, 0);
    out.size = number(r, "quota.size", q->has_size, q->size, 0);
    out.reset_us = number(r, "quota.reset-interval", q->has_reset_interval,
                          q->reset_interval, VH_QUOTA_RESET_US_DEFAULT);
    out.weight_size = w->has_size ? w->size : 0;
    out.weight_accesses = w->has_nr_accesses ? w->nr_accesses : 1;
    out.weight_age = w->has_age ? w->age : 1;
    out.tuner = q->has_tuner && q->tuner == VMHEAT_TUNER_TEMPORAL
                    ? VH_TUNER_TEMPORAL
                    : VH_TUNER_CONSIST;
    goals(r, q->has_goals ? q->goals : NULL, &out);
    return out;
}

static VhWatermarks watermarks(Reader *r, const VmheatWatermarks *w)
{
    if (!w) {
        return (VhWatermarks){ 0 };
    }
    return (VhWatermarks){
        .used = true,
        .metric = w->metric == VMHEAT_WATERMARK_METRIC_MEM_FREE
                      ? VH_METRIC_MEM_FREE
                      : VH_METRIC_SOME_MEM_PSI,
        .interval_us = number(r, "watermarks.interval", w->has_interval,
                              w->interval, VH_WATERMARK_INTERVAL_US_DEFAULT),
        .high = number(r, "watermarks.high", true, w->high, 0),
        .mid = number(r, "watermarks.mid", true, w->mid, 0),
        .low = number(r, "watermarks.low", true, w->low, 0),
    };
}

/* A member that only filters of one type have, and those must. */
static void belongs(Reader *r, const VmheatFilter *f, const char *member,
                    bool given, VmheatFilterType type)
{
    if (given && f->type != type) {
        fail(r, "'filters.%s' goes with type '%s' only, not with '%s'", member,
             VmheatFilterType_str(type), VmheatFilterType_str(f->type));
    } else if (!given && f->type == type) {
        fail(r, "a filter of type '%s' needs '%s'", VmheatFilterType_str(type),
             member);
    }
}

static VhFilter filter(Reader *r, const VmheatFilter *f)
{
    belongs(r, f, "start", f->has_start, VMHEAT_FILTER_TYPE_ADDRESS);
    belongs(r, f, "end", f->has_end, VMHEAT_FILTER_TYPE_ADDRESS);
    belongs(r, f, "node", f->has_node, VMHEAT_FILTER_TYPE_NODE);
    belongs(r, f, "block", f->block != NULL, VMHEAT_FILTER_TYPE_BLOCK);
    belongs(r, f, "backend", f->backend != NULL, VMHEAT_FILTER_TYPE_BACKEND);
    belongs(r, f, "device", f->device != NULL, VMHEAT_FILTER_TYPE_DEVICE);
    return (VhFilter){
        .type = (VhFilterType)f->type,
        .matching = !f->has_matching || f->matching,
        .allow = f->has_allow && f->allow,
        .start = number(r, "filters.start", f->has_start, f->start, 0),
        .end = number(r, "filters.end", f->has_end, f->end, 0),
        .node = f->has_node ? f->node : 0,
        .id = g_strdup(f->block ?: f->backend ?: f->device),
    };
}

static void filters(Reader *r, const VmheatFilterList *l, VhScheme *out)
{
    GArray *v = g_array_new(false, false, sizeof(VhFilter));

    for (; l; l = l->next) {
        VhFilter f = filter(r, l->value);

        g_array_append_val(v, f);
    }
    out->nr_filters = v->len;
    out->filters = (VhFilter *)(void *)g_array_free(v, v->len == 0);
}

static void nodes(const VmheatNodeList *l, VhActionArgs *out)
{
    GArray *v = g_array_new(false, false, sizeof(VhNodeWeight));

    for (; l; l = l->next) {
        VhNodeWeight n = { l->value->node,
                           l->value->has_weight ? l->value->weight : 1 };

        g_array_append_val(v, n);
    }
    out->nr_nodes = v->len;
    out->nodes = (VhNodeWeight *)(void *)g_array_free(v, v->len == 0);
}

static VhBalloonArgs balloon(Reader *r, const VmheatBalloon *b)
{
    static const VmheatBalloon none;

    b = b ?: &none;
    return (VhBalloonArgs){
        .floor =
            number(r, "balloon.floor", b->has_floor, b->floor, FLOOR_DEFAULT),
        .ceiling = number(r, "balloon.ceiling", b->has_ceiling, b->ceiling, 0),
        .headroom_permille = b->has_headroom ? b->headroom : HEADROOM_DEFAULT,
        .step = number(r, "balloon.step", b->has_step, b->step, STEP_DEFAULT),
        .hysteresis = number(r, "balloon.hysteresis", b->has_hysteresis,
                             b->hysteresis, HYSTERESIS_DEFAULT),
    };
}

static VhBackOff back_off(const VmheatBackOff *b)
{
    return (VhBackOff){
        .refault_permille =
            b && b->has_refault ? b->refault : VH_REFAULT_PERMILLE_DEFAULT,
        .psi = b && b->has_psi ? b->psi : VH_PSI_BACK_OFF_DEFAULT,
    };
}

static void read_scheme(Reader *r, const VmheatScheme *s, VhScheme *out)
{
    *out = (VhScheme){
        .name = g_strdup(r->scheme),
        .action = vmheat_action_find(VmheatAction_str(s->action)),
        .pattern = pattern(r, s->pattern),
        .apply_us = number(r, "apply-interval", s->has_apply_interval,
                           s->apply_interval, 0),
        .quota = quota(r, s->quota),
        .watermarks = watermarks(r, s->watermarks),
        .max_snapshots = number(r, "max-snapshots", s->has_max_snapshots,
                                s->max_snapshots, 0),
        .back_off = back_off(s->back_off),
        .args.balloon = balloon(r, s->balloon),
    };
    filters(r, s->has_filters ? s->filters : NULL, out);
    nodes(s->has_nodes ? s->nodes : NULL, &out->args);
    if (!out->action) {
        fail(r, "action '%s' is not part of this vmheat",
             VmheatAction_str(s->action));
    }
    if (s->balloon && s->action != VMHEAT_ACTION_BALLOON) {
        fail(r, "'balloon' goes with action 'balloon' only, not with '%s'",
             VmheatAction_str(s->action));
    }
}

static size_t length(const VmheatSchemeList *l)
{
    size_t n = 0;

    for (; l; l = l->next) {
        n++;
    }
    return n;
}

static bool read_all(VmheatSchemeSet *set, const VmheatSchemeList *l,
                     Error **errp)
{
    for (; l; l = l->next) {
        g_autofree char *name =
            l->value->name
                ? g_strdup(l->value->name)
                : g_strdup_printf("%s-%zu", VmheatAction_str(l->value->action),
                                  set->n);
        Reader r = { .scheme = name, .errp = errp };

        read_scheme(&r, l->value, &set->v[set->n++]);
        if (r.failed) {
            return false;
        }
    }
    return true;
}

VmheatSchemeSet *vmheat_scheme_set_new(const VmheatSchemeList *list,
                                       Error **errp)
{
    VmheatSchemeSet *set = g_new0(VmheatSchemeSet, 1);
    g_autofree char *why = NULL;
    size_t n = length(list);

    if (n > VH_SCHEMES_MAX) {
        error_setg(errp, "%zu schemes: at most %d are allowed", n,
                   VH_SCHEMES_MAX);
        goto fail;
    }
    set->v = g_new0(VhScheme, n + 1);
    if (!read_all(set, list, errp)) {
        goto fail;
    }
    if (!vh_schemes_check(set->v, set->n, &why)) {
        error_setg(errp, "%s", why);
        goto fail;
    }
    return set;
fail:
    vmheat_scheme_set_free(set);
    return NULL;
}

void vmheat_scheme_set_free(VmheatSchemeSet *set)
{
    if (!set) {
        return;
    }
    for (size_t i = 0; i < set->n; i++) {
        vh_scheme_clear(&set->v[i]);
    }
    g_free(set->v);
    g_free(set);
}

/* The list itself, or a whole argument of vmheat-set-schemes. */
static QObject *list_of(QObject *root)
{
    QDict *d = qobject_to(QDict, root);

    return d && qdict_size(d) == 1 && qdict_haskey(d, "schemes")
               ? qdict_get(d, "schemes")
               : root;
}

VmheatSchemeList *vmheat_scheme_list_load(const char *path, Error **errp)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) gerr = NULL;
    VmheatSchemeList *list = NULL;
    QObject *root;
    Visitor *v;

    if (!g_file_get_contents(path, &text, NULL, &gerr)) {
        error_setg(errp, "schemes: %s", gerr->message);
        return NULL;
    }
    root = qobject_from_json(text, errp);
    if (root) {
        v = qobject_input_visitor_new(list_of(root));
        visit_type_VmheatSchemeList(v, NULL, &list, errp);
        visit_free(v);
        qobject_unref(root);
    }
    if (*errp) {
        error_prepend(errp, "schemes: '%s': ", path);
    }
    return list;
}
