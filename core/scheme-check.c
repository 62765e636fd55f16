/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of schemes: one sentence for the first thing that is wrong. */
#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "scheme.h"

#define INTERVAL_US_MIN 1000ULL
#define PERMILLE 1000U
#define BP 10000U
#define NAME_MAX_LENGTH 63

/* A scheme being checked: what to call it, and where to complain. */
typedef struct Checked {
    const VhScheme *s;
    const char *who;
    char **why;
} Checked;

static bool G_GNUC_PRINTF(2, 3)
    refuse(const Checked *c, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    *c->why = g_strdup_printf("%s: %s", c->who, what);
    return false;
}

static bool at_most(const Checked *c, const char *member, uint64_t value,
                    uint64_t most)
{
    return value <= most ||
           refuse(c,
                  "'%s' %" PRIu64 " is out of range: allowed is 0 .. %" PRIu64,
                  member, value, most);
}

static bool above_zero(const Checked *c, const char *member, uint64_t value)
{
    return value ||
           refuse(c, "'%s' 0 is out of range: allowed is 1 or more", member);
}

static bool ordered(const Checked *c, const char *low, uint64_t low_value,
                    const char *high, uint64_t high_value)
{
    return low_value <= high_value ||
           refuse(c, "'%s' %" PRIu64 " is above '%s' %" PRIu64, low, low_value,
                  high, high_value);
}

static bool interval_ok(const Checked *c, const char *member, uint64_t us,
                        bool zero)
{
    return (zero && !us) ||
           (us >= INTERVAL_US_MIN && us <= VH_INTERVAL_US_MAX) ||
           refuse(c,
                  "'%s' %" PRIu64 " is out of range: allowed is %s%llu .. %llu",
                  member, us, zero ? "0 or " : "", INTERVAL_US_MIN,
                  VH_INTERVAL_US_MAX);
}

static bool few(const Checked *c, const char *member, size_t n, size_t most)
{
    return n <= most ||
           refuse(c, "'%s' has %zu entries: allowed are at most %zu", member, n,
                  most);
}

static bool bounds_ok(const Checked *c, const char *member, const VhBounds *b)
{
    g_autofree char *min = g_strdup_printf("pattern.%s.min", member);
    g_autofree char *max = g_strdup_printf("pattern.%s.max", member);

    return ordered(c, min, b->min, max, b->max);
}

static bool rate_ok(const Checked *c, const char *member, double rate)
{
    return rate >= 0 || /* NaN is not */
           refuse(c, "'%s' %g is out of range: allowed is 0 or more", member,
                  rate);
}

static bool rates_ok(const Checked *c)
{
    const VhPattern *p = &c->s->pattern;

    return rate_ok(c, "pattern.rate.min", p->rate_min) &&
           rate_ok(c, "pattern.rate.max", p->rate_max) &&
           (p->rate_min <= p->rate_max ||
            refuse(c, "'pattern.rate.min' %g is above 'pattern.rate.max' %g",
                   p->rate_min, p->rate_max));
}

static bool pattern_ok(const Checked *c)
{
    const VhPattern *p = &c->s->pattern;

    return bounds_ok(c, "size", &p->size) &&
           (p->by_rate ? rates_ok(c)
                       : bounds_ok(c, "nr-accesses", &p->nr_accesses)) &&
           bounds_ok(c, p->age_is_time ? "age-time" : "age", &p->age);
}

static bool goals_ok(const Checked *c)
{
    const VhQuota *q = &c->s->quota;

    if (!few(c, "quota.goals", q->nr_goals, VH_GOALS_MAX)) {
        return false;
    }
    for (size_t i = 0; i < q->nr_goals; i++) {
        g_autofree char *target = g_strdup_printf("quota.goals[%zu].target", i);

        if (q->goals[i].metric > VH_METRIC_GUEST_FREE) {
            return refuse(c, "'quota.goals[%zu].metric' is not one for goals",
                          i);
        }
        if (!above_zero(c, target, q->goals[i].target)) {
            return false;
        }
    }
    return true;
}

static bool watermarks_ok(const Checked *c)
{
    const VhWatermarks *w = &c->s->watermarks;
    bool psi = w->metric == VH_METRIC_SOME_MEM_PSI;

    if (!w->used) {
        return true;
    }
    if (!psi && w->metric != VH_METRIC_MEM_FREE) {
        return refuse(c, "'watermarks.metric' is not one for watermarks");
    }
    return interval_ok(c, "watermarks.interval", w->interval_us, false) &&
           ordered(c, "watermarks.low", w->low, "watermarks.mid", w->mid) &&
           ordered(c, "watermarks.mid", w->mid, "watermarks.high", w->high) &&
           at_most(c, "watermarks.high", w->high, psi ? BP : PERMILLE);
}

/* Member that has VhFilter::id; NULL: the type has none. */
static const char *id_of(VhFilterType type)
{
    return type == VH_FILTER_BLOCK     ? "block"
           : type == VH_FILTER_BACKEND ? "backend"
           : type == VH_FILTER_DEVICE  ? "device"
                                       : NULL;
}

static bool filter_ok(const Checked *c, size_t i)
{
    const VhFilter *f = &c->s->filters[i];

    if (f->type >= VH_FILTERS) {
        return refuse(c, "'filters[%zu].type' is not known", i);
    }
    if (f->type == VH_FILTER_ADDRESS && f->start >= f->end) {
        return refuse(c,
                      "'filters[%zu].start' %" PRIu64 " is not below "
                      "'filters[%zu].end' %" PRIu64,
                      i, f->start, i, f->end);
    }
    if (id_of(f->type) && (!f->id || !*f->id)) {
        return refuse(c, "'filters[%zu].%s' is empty", i, id_of(f->type));
    }
    return true;
}

static bool filters_ok(const Checked *c)
{
    if (!few(c, "filters", c->s->nr_filters, VH_FILTERS_MAX)) {
        return false;
    }
    for (size_t i = 0; i < c->s->nr_filters; i++) {
        if (!filter_ok(c, i)) {
            return false;
        }
    }
    return true;
}

static bool node_ok(const Checked *c, size_t i)
{
    const VhNodeWeight *v = c->s->args.nodes;
    g_autofree char *weight = g_strdup_printf("nodes[%zu].weight", i);

    for (size_t k = 0; k < i; k++) {
        if (v[k].node == v[i].node) {
            return refuse(c, "'nodes[%zu].node' %" PRIu32 " is named twice", i,
                          v[i].node);
        }
    }
    return above_zero(c, weight, v[i].weight);
}

static bool nodes_ok(const Checked *c)
{
    const VhActionArgs *a = &c->s->args;
    const char *action = c->s->action->name;

    if (!a->nr_nodes && c->s->action->takes_nodes) {
        return refuse(c, "'nodes' is missing: action %s needs it", action);
    }
    if (a->nr_nodes && !c->s->action->takes_nodes) {
        return refuse(c, "'nodes' is not for action %s", action);
    }
    if (!few(c, "nodes", a->nr_nodes, VH_NODES_MAX)) {
        return false;
    }
    for (size_t i = 0; i < a->nr_nodes; i++) {
        if (!node_ok(c, i)) {
            return false;
        }
    }
    return true;
}

static bool balloon_ok(const Checked *c)
{
    const VhBalloonArgs *b = &c->s->args.balloon;

    return strcmp(c->s->action->name, "balloon") ||
           ((!b->ceiling || ordered(c, "balloon.floor", b->floor,
                                    "balloon.ceiling", b->ceiling)) &&
            above_zero(c, "balloon.step", b->step) &&
            at_most(c, "balloon.headroom", b->headroom_permille, BP));
}

static bool scheme_ok(const Checked *c)
{
    const VhScheme *s = c->s;

    return pattern_ok(c) &&
           interval_ok(c, "apply-interval", s->apply_us, true) &&
           interval_ok(c, "quota.reset-interval", s->quota.reset_us, false) &&
           goals_ok(c) && watermarks_ok(c) && filters_ok(c) && nodes_ok(c) &&
           balloon_ok(c) &&
           at_most(c, "back-off.refault", s->back_off.refault_permille,
                   PERMILLE) &&
           at_most(c, "back-off.psi", s->back_off.psi, BP);
}

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return n && n <= NAME_MAX_LENGTH && !name[n];
}

/* Nothing can be called by its name before the name is in order. */
static bool name_ok(const VhScheme *v, size_t i, char **why)
{
    g_autofree char *who = g_strdup_printf("scheme %zu", i), *name = NULL;
    Checked c = { &v[i], who, why };

    if (!v[i].action) {
        return refuse(&c, "'action' is missing");
    }
    if (v[i].name && !is_name(v[i].name)) {
        return refuse(&c,
                      "'name' '%.80s' cannot be used: allowed are 1 .. %d "
                      "letters, digits, '-', '_' and '.'",
                      v[i].name, NAME_MAX_LENGTH);
    }
    name = vh_scheme_name(&v[i], i);
    for (size_t k = 0; k < i; k++) {
        g_autofree char *other = vh_scheme_name(&v[k], k);

        if (strcmp(name, other) == 0) {
            return refuse(&c, "'name' '%s' is that of scheme %zu, too", name,
                          k);
        }
    }
    return true;
}

static char *who_is(const VhScheme *s, size_t i)
{
    return s->name ? g_strdup_printf("scheme '%s'", s->name)
                   : g_strdup_printf("scheme %zu", i);
}

bool vh_schemes_check(const VhScheme *v, size_t n, char **why)
{
    if (n > VH_SCHEMES_MAX) {
        *why = g_strdup_printf("%zu schemes are too many: allowed are at most "
                               "%d",
                               n, VH_SCHEMES_MAX);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        g_autofree char *who = who_is(&v[i], i);
        Checked c = { &v[i], who, why };

        if (!name_ok(v, i, why) || !scheme_ok(&c)) {
            return false;
        }
    }
    return true;
}
