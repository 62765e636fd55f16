/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compat/qemu.h"
#include "hw/guest-node.h"
#include "monitor/query.h"
#include "vmheat-version.h"

VmheatAttrs *vmheat_query_attrs(VmheatDevice *d)
{
    VmheatAttrs *a = g_new0(VmheatAttrs, 1);

    a->sampling_interval = d->attrs.sampling_us;
    a->aggregation_interval = d->attrs.aggregation_us;
    a->update_interval = d->attrs.update_us;
    a->min_regions = d->attrs.min_regions;
    a->max_regions = d->attrs.max_regions;
    a->traps_per_second = d->limits.traps_per_second;
    a->overhead_budget = d->limits.budget_bp;
    return a;
}

static VmheatPrimitive *query_primitive(const VmheatPrimitives *in_use,
                                        const VmheatVerdict *v)
{
    VmheatPrimitive *p = g_new0(VmheatPrimitive, 1);

    p->name = g_strdup(v->ops->name);
    p->summary = g_strdup(v->ops->summary);
    p->chosen = v->ops == in_use->primitive.ops;
    p->chosen_for_writes = v->ops == in_use->writes.ops;
    p->available = v->available;
    p->reason = vmheat_primitives_reason(in_use, v);
    vh_opt_set(p, reason);
    p->sees_reads = v->caps.sees & VH_SEES_READS;
    p->sees_writes = v->caps.sees & VH_SEES_WRITES;
    p->sees_dma = v->caps.sees & VH_SEES_DMA;
    p->granule = v->caps.granule;
    p->persistent = v->caps.persistent;
    p->through_migration = v->caps.through_migration;
    p->cost = v->caps.cost_ns;
    p->blind_spots = g_strdup(v->caps.blind);
    vh_opt_set(p, blind_spots);
    p->needs = g_strdup(v->caps.needs);
    vh_opt_set(p, needs);
    return p;
}

static VmheatPrimitiveList *query_primitives(const VmheatPrimitives *in_use)
{
    g_autoptr(GPtrArray) all = vmheat_verdicts(&in_use->chooser);
    VmheatPrimitiveList *list = NULL, **tail = &list;
    bool listed = false;

    for (guint i = 0; i < all->len; i++) {
        const VmheatVerdict *v = g_ptr_array_index(all, i);

        QAPI_LIST_APPEND(tail, query_primitive(in_use, v));
        listed |= v->ops == in_use->primitive.ops;
    }
    if (!listed) {
        VmheatVerdict *v =
            vmheat_verdict(&in_use->chooser, in_use->primitive.ops);

        QAPI_LIST_APPEND(tail, query_primitive(in_use, v));
        vmheat_verdict_free(v);
    }
    return list;
}

static bool is_watched(const VhMapSection *s, const VhRange *watched, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->gpa < watched[i].end && watched[i].start < s->gpa + s->size) {
            return true;
        }
    }
    return false;
}

static VmheatRange *query_range(const VhMapSection *s, bool monitored,
                                bool has_numa)
{
    VmheatRange *r = g_new0(VmheatRange, 1);

    r->start = s->gpa;
    r->size = s->size;
    r->block = g_strdup(s->name);
    r->page_size = s->page_size;
    r->shared = s->shared;
    r->monitored = monitored;
    r->has_node = has_numa && s->node;
    r->node = r->has_node ? s->node - 1 : 0;
    r->backend = g_strdup(s->label->backend);
    vh_opt_set(r, backend);
    r->device = g_strdup(s->label->device);
    vh_opt_set(r, device);
    r->has_reserved = s->flags & VH_SECTION_RESERVED;
    r->reserved = r->has_reserved ? s->label->reserved : 0;
    return r;
}

static void query_ranges(VmheatDevice *d, VmheatInfo *info)
{
    VmheatRangeList **tail = &info->ranges;
    bool has_numa =
        vmheat_guest_has_nodes() || (d->map.machine && d->map.machine->numa);
    size_t n;
    g_autofree VhRange *watched = vmheat_worker_ranges(d->worker, &n);

    for (size_t i = 0; i < d->map.map->nr; i++) {
        const VhMapSection *s = &d->map.map->sections[i];

        QAPI_LIST_APPEND(tail,
                         query_range(s, is_watched(s, watched, n), has_numa));
    }
    for (size_t i = 0; i < n; i++) {
        info->total_size += watched[i].end - watched[i].start;
    }
}

static VmheatReserved *query_held(const VmheatHeld *h)
{
    VmheatReserved *r = g_new0(VmheatReserved, 1);

    r->start = h->range.start;
    r->size = h->range.end - h->range.start;
    r->kind = h->kind;
    r->name = g_strdup(h->name);
    vh_opt_set(r, name);
    return r;
}

static VmheatReservedList *query_reserved(VmheatDevice *d)
{
    g_autoptr(GArray) held = vmheat_map_reserved(&d->map);
    VmheatReservedList *list = NULL, **tail = &list;

    for (guint i = 0; i < held->len; i++) {
        QAPI_LIST_APPEND(tail, query_held(&g_array_index(held, VmheatHeld, i)));
    }
    return list;
}

static VmheatStats *query_stats(VmheatDevice *d)
{
    VmheatStats *s = g_new0(VmheatStats, 1);
    VhMonitorStats m;

    vmheat_worker_stats(d->worker, &m);
    s->samples = m.ticks;
    s->aggregations = m.aggregations;
    s->checks = m.checks;
    s->skipped = m.skipped;
    s->arms = m.primitive.arms + m.writes.arms;
    s->arms_free = m.primitive.arms_free + m.writes.arms_free;
    s->traps = m.primitive.fires + m.writes.fires;
    s->lost = m.primitive.lost + m.writes.lost;
    s->arm_cost = m.primitive.arm_ns;
    s->collect_cost = m.primitive.collect_ns;
    s->trap_cost = m.primitive.fire_ns;
    s->worker_time = m.worker_ns + m.other_ns;
    s->vcpu_time = m.primitive.vcpu_ns + m.writes.vcpu_ns;
    s->main_time = MAX(m.primitive.host_ns, m.writes.host_ns);
    s->bql_hold_max = MAX(MAX(d->bql_max_ns, d->map.max_ns), d->dirty.max_ns);
    s->effective_sampling_interval = m.effective_sampling_us;
    s->throttled = m.throttled;
    s->detail = g_strdup(m.primitive.detail ?: "");
    s->write_detail = g_strdup(m.writes.detail);
    vh_opt_set(s, write_detail);
    return s;
}

static void query_choice(const VmheatPrimitives *p, VmheatInfo *info)
{
    info->primitive = g_strdup(p->primitive.ops->name);
    info->choice = g_strdup(p->choice);
    info->write_primitive =
        g_strdup(p->writes.ops ? p->writes.ops->name : NULL);
    vh_opt_set(info, write_primitive);
    info->write_reason = g_strdup(p->writes_why);
    vh_opt_set(info, write_reason);
}

VmheatInfo *vmheat_query_info(VmheatDevice *d)
{
    VmheatInfo *info = g_new0(VmheatInfo, 1);
    VhSnapshot *snap = vmheat_worker_snapshot(d->worker);

    info->id = g_strdup(DEVICE(d)->id);
    vh_opt_set(info, id);
    info->version = g_strdup(VMHEAT_VERSION);
    info->state = vmheat_get_state(d, &info->reason);
    vh_opt_set(info, reason);
    info->accelerator = g_strdup(kvm_enabled() ? "kvm" : "tcg");
    info->estimator = g_strdup(d->estimator->name);
    query_choice(&d->primitives, info);
    info->primitives = query_primitives(&d->primitives);
    info->attrs = vmheat_query_attrs(d);
    info->stats = query_stats(d);
    info->target = vmheat_target_query(&d->map.target);
    vh_opt_set(info, target);
    query_ranges(d, info);
    info->reserved = query_reserved(d);
    if (snap) {
        info->working_set_size = vh_snapshot_wss(snap);
        info->snapshot = snap->sequence;
    }
    vh_snapshot_unref(snap);
    return info;
}

bool vmheat_region_passes(const VhSnapRegion *r, const VmheatRegionFilter *f)
{
    return r->end > f->start && r->start < f->end &&
           r->nr_accesses >= f->min_nr_accesses;
}

/* What a snapshot tells besides nr-accesses and age. */
typedef struct Told {
    bool writes;
    bool rates;
    bool write_rates;
} Told;

static Told told_by(const VhSnapshot *s)
{
    return (Told){ .writes = s->has_writes,
                   .rates = s->has_rates,
                   .write_rates = s->has_rates && s->has_writes };
}

static void query_rates(VmheatRegion *out, const VhSnapRegion *r, Told told)
{
    out->has_rate = told.rates;
    out->has_rate_low = told.rates;
    out->has_rate_high = told.rates;
    out->has_write_rate = told.write_rates;
    out->has_idle_ms = told.rates;
    out->rate = vh_snapshot_rate(r->rate);
    out->rate_low = vh_snapshot_rate(r->rate_low);
    out->rate_high = vh_snapshot_rate(r->rate_high);
    out->write_rate = vh_snapshot_rate(r->write_rate);
    out->idle_ms = r->idle_ms;
}

static VmheatRegion *query_region(const VhSnapRegion *r, Told told)
{
    VmheatRegion *out = g_new0(VmheatRegion, 1);

    out->start = r->start;
    out->end = r->end;
    out->nr_accesses = r->nr_accesses;
    out->age = r->age;
    out->has_nr_writes = told.writes;
    out->nr_writes = r->nr_writes;
    query_rates(out, r, told);
    return out;
}

/* Where the next region of the answer goes, in either form. */
typedef struct Tails {
    Told told;
    VmheatRegionList **region; /* NULL: columns, which are: */
    uint64List **start;
    uint64List **end;
    uint32List **nr_accesses;
    uint32List **age;
    uint32List **nr_writes;
    numberList **rate;
    numberList **rate_low;
    numberList **rate_high;
    numberList **write_rate;
    uint64List **idle_ms;
} Tails;

static VmheatColumns *new_columns(Told told)
{
    VmheatColumns *c = g_new0(VmheatColumns, 1);

    c->has_nr_writes = told.writes;
    c->has_rate = told.rates;
    c->has_rate_low = told.rates;
    c->has_rate_high = told.rates;
    c->has_write_rate = told.write_rates;
    c->has_idle_ms = told.rates;
    return c;
}

static Tails open_answer(VmheatSnapshot *out, bool columns, Told told)
{
    VmheatColumns *c;

    if (!columns) {
        return (Tails){ .told = told, .region = &out->regions };
    }
    c = new_columns(told);
    out->columns = c;
    vh_opt_set(out, columns);
    return (Tails){ .told = told,
                    .start = &c->start,
                    .end = &c->end,
                    .nr_accesses = &c->nr_accesses,
                    .age = &c->age,
                    .nr_writes = &c->nr_writes,
                    .rate = &c->rate,
                    .rate_low = &c->rate_low,
                    .rate_high = &c->rate_high,
                    .write_rate = &c->write_rate,
                    .idle_ms = &c->idle_ms };
}

static void append_rates(Tails *t, const VhSnapRegion *r)
{
    QAPI_LIST_APPEND(t->rate, vh_snapshot_rate(r->rate));
    QAPI_LIST_APPEND(t->rate_low, vh_snapshot_rate(r->rate_low));
    QAPI_LIST_APPEND(t->rate_high, vh_snapshot_rate(r->rate_high));
    QAPI_LIST_APPEND(t->idle_ms, r->idle_ms);
    if (t->told.write_rates) {
        QAPI_LIST_APPEND(t->write_rate, vh_snapshot_rate(r->write_rate));
    }
}

static void append_region(Tails *t, const VhSnapRegion *r)
{
    if (t->region) {
        QAPI_LIST_APPEND(t->region, query_region(r, t->told));
        return;
    }
    QAPI_LIST_APPEND(t->start, r->start);
    QAPI_LIST_APPEND(t->end, r->end);
    QAPI_LIST_APPEND(t->nr_accesses, r->nr_accesses);
    QAPI_LIST_APPEND(t->age, r->age);
    if (t->told.writes) {
        QAPI_LIST_APPEND(t->nr_writes, r->nr_writes);
    }
    if (t->told.rates) {
        append_rates(t, r);
    }
}

static void add_regions(VmheatSnapshot *out, const VhSnapshot *s,
                        const VmheatRegionFilter *f)
{
    Tails tails = open_answer(out, f->columns, told_by(s));
    uint64_t n = 0;

    for (size_t i = 0; i < s->nr_regions; i++) {
        if (!vmheat_region_passes(&s->regions[i], f)) {
            continue;
        }
        if (n++ == f->limit) {
            out->truncated = true;
            return;
        }
        append_region(&tails, &s->regions[i]);
    }
}

/*
 * Building a thousand list elements takes longer than the BQL may be held, and
 * needs nothing it protects: the snapshot never changes and is ours, and the
 * main thread, which alone could unplug the device, is busy here.
 */
static void add_regions_unlocked(VmheatDevice *d, VmheatSnapshot *out,
                                 const VhSnapshot *s,
                                 const VmheatRegionFilter *f)
{
    int64_t start = get_clock();

    vh_bql_unlock();
    if (f->packed) {
        vmheat_pack_regions(out, s, f);
    } else {
        add_regions(out, s, f);
    }
    vh_bql_lock();
    d->bql_dropped_ns += get_clock() - start;
}

VmheatSnapshot *vmheat_query_regions(VmheatDevice *d,
                                     const VmheatRegionFilter *filter)
{
    VmheatSnapshot *out = g_new0(VmheatSnapshot, 1);
    VhSnapshot *s = vmheat_worker_snapshot(d->worker);
    const VhAttrs *attrs = s ? &s->attrs : &d->attrs;

    out->sampling_interval = attrs->sampling_us;
    out->aggregation_interval = attrs->aggregation_us;
    out->max_nr_accesses = vh_attrs_max_accesses(attrs);
    if (!s && filter->packed) {
        vmheat_pack_regions(out, NULL, filter);
    } else if (!s) {
        open_answer(out, filter->columns, (Told){ 0 });
    } else {
        out->sequence = s->sequence;
        out->start_time = s->start_ns;
        out->end_time = s->end_ns;
        out->max_nr_accesses = s->max_nr_accesses;
        out->nr_regions = s->nr_regions;
        out->working_set_size = vh_snapshot_wss(s);
        out->total_size = vh_snapshot_total(s);
        add_regions_unlocked(d, out, s, filter);
    }
    vh_snapshot_unref(s);
    return out;
}
