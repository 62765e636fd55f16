/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A primitive that fails in use is put on probation: 10 s, and twice as long
 * each time again, up to about five minutes. With "auto" the best of the others
 * takes over at once, and when a probation ends everything is considered anew,
 * so the better one comes back as soon as it can; while it cannot, that is looked
 * at again every five minutes. One that did well for as long starts anew with 10 s. A primitive asked for by name
 * is not replaced by another: it is opened again when its probation ends.
 */
#include "compat/qemu.h"
#include "hw/primitives.h"

#define PROBATION_MS 10000
#define PROBATION_DOUBLINGS 5
#define PROBATION_MAX_MS ((int64_t)PROBATION_MS << PROBATION_DOUBLINGS)

static void free_failure(void *opaque)
{
    VmheatFailure *f = opaque;

    g_free(f->why);
    g_free(f);
}

static int64_t now_ms(void)
{
    return qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
}

static bool in_use(const VmheatPrimitives *p, const VhPrimitiveOps *ops)
{
    return ops == p->primitive.ops || ops == p->writes.ops;
}

/* Sets the timer to when there may be news of one that failed. */
static void arm_retry(VmheatPrimitives *p)
{
    GHashTableIter iter;
    const VhPrimitiveOps *ops;
    VmheatFailure *f;
    int64_t first = INT64_MAX, now = now_ms();

    g_hash_table_iter_init(&iter, p->chooser.faults);
    while (g_hash_table_iter_next(&iter, (void **)&ops, (void **)&f)) {
        if (f->until_ms > now) {
            first = MIN(first, f->until_ms);
        } else if (!in_use(p, ops)) {
            first = MIN(first, now + PROBATION_MAX_MS);
        }
    }
    if (first < INT64_MAX) {
        timer_mod(p->retry, first + 1);
    }
}

static void put_on_probation(VmheatPrimitives *p, const VhPrimitiveOps *ops,
                             const char *why)
{
    VmheatFailure *f = g_hash_table_lookup(p->chooser.faults, ops);
    int64_t now = now_ms();

    if (!f) {
        f = g_new0(VmheatFailure, 1);
        g_hash_table_insert(p->chooser.faults, (void *)ops, f);
    }
    if (now - f->until_ms > PROBATION_MAX_MS) {
        f->times = 0;
    }
    g_free(f->why);
    f->why = g_strdup(why);
    f->until_ms = now + ((int64_t)PROBATION_MS << f->times);
    f->times = MIN(f->times + 1, PROBATION_DOUBLINGS);
}

static bool is_auto(const char *name)
{
    return g_str_equal(name, "auto");
}

static void choose_writes(VmheatPrimitives *p)
{
    Error *err = NULL;

    g_clear_pointer(&p->writes_why, g_free);
    if (!vmheat_choose_writes(&p->chooser, p->writes_name, p->primitive.ops,
                              &p->writes, &err)) {
        p->writes_why = g_strdup(error_get_pretty(err));
        error_free(err);
        p->writes = (VhSensor){ 0 };
    } else if (is_auto(p->writes_name) && !p->writes.ops) {
        p->writes_why =
            p->primitive.ops->regions
                ? g_strdup_printf("%s delivers regions of its own, which do "
                                  "not tell writes apart",
                                  p->primitive.ops->name)
                : g_strdup("nothing that can run here tells writes apart");
    }
}

/* The best for now; keeps what is in use when nothing can run. */
static void choose_anew(VmheatPrimitives *p)
{
    VhSensor best;
    char *choice = NULL;

    if (is_auto(p->name) &&
        vmheat_choose_primitive(&p->chooser, p->name, &best, &choice, NULL)) {
        p->primitive = best;
        g_free(p->choice);
        p->choice = g_steal_pointer(&choice);
    }
    g_free(choice);
    choose_writes(p);
}

static void change(VmheatPrimitives *p)
{
    p->failed = NULL;
    p->changed(p->opaque);
}

static void retry(void *opaque)
{
    VmheatPrimitives *p = opaque;
    const VhPrimitiveOps *was = p->primitive.ops, *writes = p->writes.ops;

    choose_anew(p);
    if (p->failed || p->primitive.ops != was || p->writes.ops != writes) {
        change(p);
    }
    arm_retry(p);
}

bool vmheat_primitives_start(VmheatPrimitives *p, const VhMap *map,
                             const VhHost *host, void (*changed)(void *opaque),
                             void *opaque, Error **errp)
{
    p->chooser.map = map;
    p->chooser.host = host;
    p->chooser.faults =
        g_hash_table_new_full(NULL, NULL, NULL, free_failure);
    p->retry = timer_new_ms(QEMU_CLOCK_REALTIME, retry, p);
    p->changed = changed;
    p->opaque = opaque;
    if (!vmheat_choose_primitive(&p->chooser, p->name, &p->primitive,
                                 &p->choice, errp) ||
        !vmheat_choose_writes(&p->chooser, p->writes_name, p->primitive.ops,
                              &p->writes, errp)) {
        vmheat_primitives_stop(p);
        return false;
    }
    choose_writes(p); /* for the reason why there is none */
    return true;
}

void vmheat_primitives_stop(VmheatPrimitives *p)
{
    g_clear_pointer(&p->retry, timer_free);
    g_clear_pointer(&p->chooser.faults, g_hash_table_destroy);
    g_clear_pointer(&p->choice, g_free);
    g_clear_pointer(&p->writes_why, g_free);
}

void vmheat_primitives_failed(VmheatPrimitives *p, const VhPrimitiveOps *ops,
                              const char *why)
{
    const VhPrimitiveOps *was = p->primitive.ops;

    if (!in_use(p, ops)) {
        return; /* old news: it is in use no more */
    }
    put_on_probation(p, ops, why);
    arm_retry(p);
    if (ops == p->writes.ops) {
        p->writes = (VhSensor){ 0 };
        g_free(p->writes_why);
        p->writes_why = g_strdup(why);
        return;
    }
    choose_anew(p);
    if (p->primitive.ops != was) {
        char *choice = g_strdup_printf("%s; %s cannot go on: %s", p->choice,
                                       was->name, why);

        g_free(p->choice);
        p->choice = choice;
        change(p);
    } else {
        p->failed = was;
    }
}

void vmheat_primitives_reconsider(VmheatPrimitives *p)
{
    g_hash_table_remove_all(p->chooser.faults);
    choose_anew(p);
    change(p);
}

char *vmheat_primitives_reason(const VmheatPrimitives *p,
                               const VmheatVerdict *v)
{
    const VhSensor *in_use = &p->primitive;

    if (v->ops == in_use->ops) {
        return NULL;
    }
    if (v->why) {
        return g_strdup(v->why);
    }
    if (!is_auto(p->name)) {
        return g_strdup_printf("%s was asked for", in_use->ops->name);
    }
    if (in_use->caps.sees & ~v->caps.sees & VH_SEES_READS) {
        return g_strdup_printf("works, but %s sees reads too",
                               in_use->ops->name);
    }
    if (in_use->caps.persistent && !v->caps.persistent) {
        return g_strdup_printf("works, but %s misses less",
                               in_use->ops->name);
    }
    return g_strdup_printf("works, but %s costs the guest less: %.1f us "
                           "against %.1f us for a check that fires",
                           in_use->ops->name, in_use->caps.cost_ns / 1000.0,
                           v->caps.cost_ns / 1000.0);
}

/* Memory that was plugged in since it was chosen may have changed that. */
static bool through_migration(const VmheatPrimitives *p, const VhSensor *s)
{
    VhCaps now = s->caps;
    char *why = NULL;

    if (s->caps.through_migration) {
        s->ops->probe(p->chooser.map, p->chooser.host, &now, &why);
        g_free(why);
    }
    return now.through_migration;
}

bool vmheat_primitives_through_migration(const VmheatPrimitives *p)
{
    return through_migration(p, &p->primitive) &&
           (!p->writes.ops || through_migration(p, &p->writes));
}
