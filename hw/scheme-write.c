/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's schemes in QMP's words; the other way is hw/scheme-read.c. */
#include "compat/qemu.h"
#include <math.h>
#include "hw/scheme-qapi.h"

static VmheatBounds *bounds_to_qapi(VhBounds b)
{
    VmheatBounds *out = g_new0(VmheatBounds, 1);

    out->has_min = true;
    out->min = b.min;
    out->has_max = b.max != UINT64_MAX;
    out->max = b.max;
    return out;
}

static VmheatRateBounds *rate_to_qapi(const VhPattern *p)
{
    VmheatRateBounds *out = g_new0(VmheatRateBounds, 1);

    out->has_min = true;
    out->min = p->rate_min;
    out->has_max = isfinite(p->rate_max);
    out->max = out->has_max ? p->rate_max : 0;
    return out;
}

static VmheatPattern *pattern_to_qapi(const VhPattern *p)
{
    VmheatPattern *out = g_new0(VmheatPattern, 1);

    out->size = bounds_to_qapi(p->size);
    vh_opt_set(out, size);
    if (p->by_rate) {
        out->rate = rate_to_qapi(p);
        vh_opt_set(out, rate);
    } else {
        out->nr_accesses = bounds_to_qapi(p->nr_accesses);
        vh_opt_set(out, nr_accesses);
    }
    *(p->age_is_time ? &out->age_time : &out->age) = bounds_to_qapi(p->age);
    vh_opt_set(out, age);
    vh_opt_set(out, age_time);
    return out;
}

static VmheatGoalList *goals_to_qapi(const VhQuota *q)
{
    VmheatGoalList *list = NULL, **tail = &list;

    for (size_t i = 0; i < q->nr_goals; i++) {
        VmheatGoal *g = g_new0(VmheatGoal, 1);

        g->metric = (VmheatGoalMetric)q->goals[i].metric;
        g->target = q->goals[i].target;
        g->has_current = q->goals[i].metric == VH_METRIC_USER_INPUT;
        g->current = q->goals[i].current;
        QAPI_LIST_APPEND(tail, g);
    }
    return list;
}

static VmheatQuota *quota_to_qapi(const VhQuota *q)
{
    VmheatQuota *out = g_new0(VmheatQuota, 1);

    out->has_time = out->has_size = out->has_reset_interval = true;
    out->time = q->time_us;
    out->size = q->size;
    out->reset_interval = q->reset_us;
    out->weights = g_new0(VmheatWeights, 1);
    vh_opt_set(out, weights);
    *out->weights = (VmheatWeights){
        .has_size = true,
        .size = q->weight_size,
        .has_nr_accesses = true,
        .nr_accesses = q->weight_accesses,
        .has_age = true,
        .age = q->weight_age,
    };
    out->has_goals = true;
    out->goals = goals_to_qapi(q);
    out->has_tuner = true;
    out->tuner = q->tuner == VH_TUNER_TEMPORAL ? VMHEAT_TUNER_TEMPORAL
                                               : VMHEAT_TUNER_CONSIST;
    return out;
}

static VmheatWatermarks *watermarks_to_qapi(const VhWatermarks *w)
{
    VmheatWatermarks *out = g_new0(VmheatWatermarks, 1);

    *out = (VmheatWatermarks){
        .metric = w->metric == VH_METRIC_MEM_FREE
                      ? VMHEAT_WATERMARK_METRIC_MEM_FREE
                      : VMHEAT_WATERMARK_METRIC_SOME_MEM_PSI,
        .has_interval = true,
        .interval = w->interval_us,
        .high = w->high,
        .mid = w->mid,
        .low = w->low,
    };
    return out;
}

static VmheatFilterList *filters_to_qapi(const VhScheme *s)
{
    VmheatFilterList *list = NULL, **tail = &list;

    for (size_t i = 0; i < s->nr_filters; i++) {
        const VhFilter *f = &s->filters[i];
        VmheatFilter *out = g_new0(VmheatFilter, 1);

        out->type = (VmheatFilterType)f->type;
        out->has_matching = out->has_allow = true;
        out->matching = f->matching;
        out->allow = f->allow;
        out->has_start = out->has_end = f->type == VH_FILTER_ADDRESS;
        out->start = f->start;
        out->end = f->end;
        out->has_node = f->type == VH_FILTER_NODE;
        out->node = f->node;
        out->block = f->type == VH_FILTER_BLOCK ? g_strdup(f->id) : NULL;
        vh_opt_set(out, block);
        out->backend = f->type == VH_FILTER_BACKEND ? g_strdup(f->id) : NULL;
        vh_opt_set(out, backend);
        out->device = f->type == VH_FILTER_DEVICE ? g_strdup(f->id) : NULL;
        vh_opt_set(out, device);
        QAPI_LIST_APPEND(tail, out);
    }
    return list;
}

static VmheatNodeList *nodes_to_qapi(const VhActionArgs *a)
{
    VmheatNodeList *list = NULL, **tail = &list;

    for (size_t i = 0; i < a->nr_nodes; i++) {
        VmheatNode *n = g_new0(VmheatNode, 1);

        n->node = a->nodes[i].node;
        n->has_weight = true;
        n->weight = a->nodes[i].weight;
        QAPI_LIST_APPEND(tail, n);
    }
    return list;
}

static VmheatBalloon *balloon_to_qapi(const VhBalloonArgs *b)
{
    VmheatBalloon *out = g_new0(VmheatBalloon, 1);

    *out = (VmheatBalloon){
        .has_floor = true,
        .floor = b->floor,
        .has_ceiling = true,
        .ceiling = b->ceiling,
        .has_headroom = true,
        .headroom = b->headroom_permille,
        .has_step = true,
        .step = b->step,
        .has_hysteresis = true,
        .hysteresis = b->hysteresis,
    };
    return out;
}

static VmheatBackOff *back_off_to_qapi(const VhBackOff *b)
{
    VmheatBackOff *out = g_new0(VmheatBackOff, 1);

    *out = (VmheatBackOff){
        .has_refault = true,
        .refault = b->refault_permille,
        .has_psi = true,
        .psi = b->psi,
    };
    return out;
}

VmheatScheme *vmheat_scheme_to_qapi(const VhScheme *s)
{
    VmheatScheme *out = g_new0(VmheatScheme, 1);

    out->name = g_strdup(s->name);
    vh_opt_set(out, name);
    out->action =
        qapi_enum_parse(&VmheatAction_lookup, s->action->name, 0, &error_abort);
    out->pattern = pattern_to_qapi(&s->pattern);
    vh_opt_set(out, pattern);
    out->has_apply_interval = true;
    out->apply_interval = s->apply_us;
    out->quota = quota_to_qapi(&s->quota);
    vh_opt_set(out, quota);
    out->watermarks =
        s->watermarks.used ? watermarks_to_qapi(&s->watermarks) : NULL;
    vh_opt_set(out, watermarks);
    out->has_filters = s->nr_filters > 0;
    out->filters = filters_to_qapi(s);
    out->has_max_snapshots = true;
    out->max_snapshots = s->max_snapshots;
    out->has_nodes = s->args.nr_nodes > 0;
    out->nodes = nodes_to_qapi(&s->args);
    out->balloon = out->action == VMHEAT_ACTION_BALLOON
                       ? balloon_to_qapi(&s->args.balloon)
                       : NULL;
    vh_opt_set(out, balloon);
    out->back_off = back_off_to_qapi(&s->back_off);
    vh_opt_set(out, back_off);
    return out;
}
