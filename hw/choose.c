/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Every primitive is asked whether it can run here; one that failed in use is
 * out until its time of probation is over. Of those that remain "auto" takes
 * the one that sees most (reads and writes before writes alone), then one whose
 * pages stay armed until they are touched, which misses less than one that only
 * looks now and then (damon), then the one whose check of a page in use costs the
 * guest least, then the first in the registry's order. For writes it takes the cheapest that sees writes alone:
 * only such a one tells them from reads.
 */
#include "compat/qemu.h"
#include "hw/choose.h"

static const VhPrimitiveOps *find(const VmheatChooser *c, const char *name)
{
    return c->plugin && g_str_equal(c->plugin->name, name)
               ? c->plugin
               : vh_primitive_find(name);
}

static char *primitive_names(const VmheatChooser *c, const char *first)
{
    GString *s = g_string_new(first);

    for (const VhPrimitiveOps *const *p = vh_primitives(); *p; p++) {
        if (!(*p)->hidden) {
            g_string_append_printf(s, ", %s", (*p)->name);
        }
    }
    if (c->plugin) {
        g_string_append_printf(s, ", %s", c->plugin->name);
    }
    return g_string_free(s, false);
}

static const VmheatFailure *failure(const VmheatChooser *c,
                                    const VhPrimitiveOps *ops)
{
    const VmheatFailure *f =
        c->faults ? g_hash_table_lookup(c->faults, ops) : NULL;

    return f && f->until_ms > qemu_clock_get_ms(QEMU_CLOCK_REALTIME) ? f : NULL;
}

VmheatVerdict *vmheat_verdict(const VmheatChooser *c, const VhPrimitiveOps *ops)
{
    VmheatVerdict *v = g_new0(VmheatVerdict, 1);
    const VmheatFailure *f = failure(c, ops);

    v->ops = ops;
    v->available = ops->probe(c->map, c->host, &v->caps, &v->why);
    if (v->available && f) {
        v->available = false;
        v->why = g_strdup(f->why);
    }
    return v;
}

void vmheat_verdict_free(VmheatVerdict *v)
{
    g_free(v->why);
    g_free(v);
}

static void free_verdict(void *v)
{
    vmheat_verdict_free(v);
}

GPtrArray *vmheat_verdicts(const VmheatChooser *c)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(free_verdict);

    for (const VhPrimitiveOps *const *p = vh_primitives(); *p; p++) {
        if (!(*p)->hidden) {
            g_ptr_array_add(all, vmheat_verdict(c, *p));
        }
    }
    if (c->plugin) {
        g_ptr_array_add(all, vmheat_verdict(c, c->plugin));
    }
    return all;
}

static unsigned sees_accesses(const VmheatVerdict *v)
{
    return ctpop32(v->caps.sees & (VH_SEES_READS | VH_SEES_WRITES));
}

static bool better(const VmheatVerdict *a, const VmheatVerdict *b)
{
    if (sees_accesses(a) != sees_accesses(b)) {
        return sees_accesses(a) > sees_accesses(b);
    }
    if (a->caps.persistent != b->caps.persistent) {
        return a->caps.persistent;
    }
    return a->caps.cost_ns < b->caps.cost_ns;
}

/* Why nothing could be chosen. */
static char *all_reasons(const GPtrArray *all)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < all->len; i++) {
        const VmheatVerdict *v = g_ptr_array_index(all, i);

        g_string_append_printf(s, "%s%s: %s", i ? "; " : "", v->ops->name,
                               v->why ?: "not usable alone");
    }
    return g_string_free(s, false);
}

static char *explain(const VmheatVerdict *v)
{
    bool both = sees_accesses(v) == 2;

    return g_strdup_printf(
        "auto: %s sees %s and is the best that does, at an estimated %.1f us "
        "of guest time for a check that fires",
        v->ops->name, both ? "reads and writes" : "writes (nothing that can "
                                                  "run here sees reads)",
        v->caps.cost_ns / 1000.0);
}

static bool choose_best(const VmheatChooser *c, VhSensor *out, char **choice,
                        Error **errp)
{
    g_autoptr(GPtrArray) all = vmheat_verdicts(c);
    g_autofree char *reasons = NULL;
    const VmheatVerdict *best = NULL;

    for (guint i = 0; i < all->len; i++) {
        const VmheatVerdict *v = g_ptr_array_index(all, i);

        if (v->available && (!best || better(v, best))) {
            best = v;
        }
    }
    if (best) {
        *out = (VhSensor){ best->ops, best->caps };
        *choice = explain(best);
        return true;
    }
    reasons = all_reasons(all);
    error_setg(errp, "no access-check primitive can run here: %s", reasons);
    return false;
}

static bool choose_named(const VmheatChooser *c, const char *name,
                         const char *others, VhSensor *out, Error **errp)
{
    const VhPrimitiveOps *ops = find(c, name);
    g_autofree char *why = NULL;

    if (!ops) {
        g_autofree char *names = primitive_names(c, others);

        error_setg(errp, "unknown primitive '%s': must be one of %s", name,
                   names);
        return false;
    }
    out->ops = ops;
    if (!ops->probe(c->map, c->host, &out->caps, &why) &&
        !out->caps.waits_for_grant) {
        error_setg(errp, "primitive '%s' cannot run here: %s", name, why);
        return false;
    }
    return true;
}

bool vmheat_choose_primitive(const VmheatChooser *c, const char *name,
                             VhSensor *out, char **choice, Error **errp)
{
    if (g_str_equal(name, "auto")) {
        return choose_best(c, out, choice, errp);
    }
    *choice = g_strdup("asked for");
    return choose_named(c, name, "auto", out, errp);
}

/* Only what sees no reads can tell writes apart. */
static bool tells_writes(const VhCaps *caps)
{
    return (caps->sees & VH_SEES_WRITES) && !(caps->sees & VH_SEES_READS);
}

static void choose_best_writes(const VmheatChooser *c,
                               const VhPrimitiveOps *primitive, VhSensor *out)
{
    g_autoptr(GPtrArray) all = vmheat_verdicts(c);

    for (guint i = 0; i < all->len; i++) {
        const VmheatVerdict *v = g_ptr_array_index(all, i);

        if (v->available && v->ops != primitive && tells_writes(&v->caps) &&
            (!out->ops || v->caps.cost_ns < out->caps.cost_ns)) {
            *out = (VhSensor){ v->ops, v->caps };
        }
    }
}

bool vmheat_choose_writes(const VmheatChooser *c, const char *name,
                          const VhPrimitiveOps *primitive, VhSensor *out,
                          Error **errp)
{
    *out = (VhSensor){ 0 };
    if (g_str_equal(name, "none")) {
        return true;
    }
    if (g_str_equal(name, "auto") && primitive->regions) {
        return true; /* of no use there */
    }
    if (g_str_equal(name, "auto")) {
        choose_best_writes(c, primitive, out);
        return true;
    }
    if (primitive->regions) {
        error_setg(errp,
                   "write-primitive '%s' is of no use beside primitive '%s', "
                   "which delivers regions of its own",
                   name, primitive->name);
        return false;
    }
    if (!choose_named(c, name, "auto, none", out, errp)) {
        return false;
    }
    if (out->ops == primitive || !tells_writes(&out->caps)) {
        error_setg(errp, "write-primitive '%s' %s", name,
                   out->ops == primitive
                       ? "is the primitive already"
                       : "cannot tell writes from reads; use dirty-log, "
                         "dirty-ring, uffd-wp, auto or none");
        return false;
    }
    return true;
}

const VhEstimatorOps *vmheat_choose_estimator(const char *name, Error **errp)
{
    const VhEstimatorOps *e = vh_estimator_find(name);
    g_autoptr(GString) names = g_string_new(NULL);

    if (e) {
        return e;
    }
    for (const VhEstimatorOps *const *p = vh_estimators(); *p; p++) {
        g_string_append_printf(names, "%s%s", names->len ? ", " : "",
                               (*p)->name);
    }
    error_setg(errp, "unknown estimator '%s': must be one of %s", name,
               names->str);
    return NULL;
}
