/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine: which schemes there are, and whose turn it is.
 *
 * Theory of operation
 * -------------------
 * A snapshot begins a pass of each scheme that is due (pass.c). From then on
 * vh_schemes_step() does one quantum of one scheme at a time, in turns, until
 * no pass has anything left to do. A scheme whose action asked for a rest is
 * left out meanwhile. When the next pass of a scheme is due before the last is
 * over, the rest of it is dropped and the new one goes on at that address, with
 * what the new snapshot says of the memory there.
 *
 * New schemes replace the old ones at once. One with the name and action of an
 * old one takes over everything but the scheme itself; its pass goes on when
 * the scheme is the same (what user input says now aside) and is stopped else.
 *
 * Threads: one thread calls everything but vh_schemes_status(). What status
 * tells is a copy under the lock, made after each step (schemes-status.c).
 */
#include <glib.h>
#include <string.h>

#include "pass.h"
#include "scheme.h"

VhSchemes *vh_schemes_new(const VhSchemesEnv *env)
{
    VhSchemes *e = g_new0(VhSchemes, 1);

    e->env = *env;
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

static void clear_status(VhSchemeStatus *st)
{
    g_free(st->reason);
    g_free(st->goal_current);
    g_free(st->tried);
    g_free(st->detail);
}

/* The action is closed already. */
static void free_run(VhSchemeRun *r)
{
    vh_snapshot_unref(r->walk.snap);
    vh_goals_clear(&r->goals);
    vh_backoff_clear(&r->off);
    g_free(r->watermarks.reason);
    clear_status(&r->pub);
    vh_scheme_clear(&r->s);
    g_free(r);
}

void vh_schemes_free(VhSchemes *e)
{
    if (!e) {
        return;
    }
    for (size_t i = 0; i < e->nr; i++) {
        e->runs[i]->s.action->close(e->runs[i]->state);
        free_run(e->runs[i]);
    }
    g_free(e->runs);
    vh_map_unref(e->map);
    pthread_mutex_destroy(&e->lock);
    g_free(e);
}

static VhSchemeRun *new_run(VhSchemes *e, VhScheme s)
{
    VhSchemeRun *r = g_new0(VhSchemeRun, 1);

    r->s = s;
    r->charge = VH_CHARGE_NEW;
    r->watermarks.active = true;
    vh_goals_set(&r->goals, NULL, &s.quota);
    r->state = s.action->open(&e->env.action);
    if (e->map && s.action->set_map) {
        s.action->set_map(r->state, e->map);
    }
    return r;
}

/* Takes from @old the one that goes on as @s, if any. */
static VhSchemeRun *take_run(VhSchemeRun **old, size_t nr, const VhScheme *s)
{
    for (size_t i = 0; i < nr; i++) {
        VhSchemeRun *r = old[i];

        if (r && r->s.action == s->action && g_str_equal(r->s.name, s->name)) {
            old[i] = NULL;
            return r;
        }
    }
    return NULL;
}

/* What belongs to the old form of a scheme must not outlive it. */
static void prepare_change(VhSchemes *e, VhSchemeRun *r, const VhScheme *s)
{
    vh_goals_set(&r->goals, &r->s.quota, &s->quota);
    if (!vh_scheme_same(&r->s, s)) {
        vh_pass_stop(e, r);
        r->began = false;
        r->watermarks.next_ns = 0;
        r->charge.stale = true;
    }
    if (memcmp(&r->s.back_off, &s->back_off, sizeof(s->back_off)) != 0) {
        vh_backoff_end(&r->off);
    }
    if (!vh_quota_limits(&s->quota)) {
        r->charge = VH_CHARGE_NEW;
    }
    vh_backoff_rebase(&r->off);
}

/* Puts the new list in place; @s goes where it belongs. */
static void replace_runs(VhSchemes *e, VhSchemeRun **runs, VhScheme *s,
                         size_t n)
{
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < n; i++) {
        if (runs[i]->s.name != s[i].name) { /* not a new one */
            VhScheme old = runs[i]->s;

            runs[i]->s = s[i];
            s[i] = old;
        } else {
            s[i] = (VhScheme){ 0 };
        }
        runs[i]->index = i;
    }
    e->runs = runs;
    e->nr = n;
    e->next = 0;
    pthread_mutex_unlock(&e->lock);
}

/* The runs that go on as @s, NULL for new ones; what is left of the old ones in
 * @left is closed. */
static VhSchemeRun **keep_runs(VhSchemes *e, VhSchemeRun **left,
                               const VhScheme *s, size_t n)
{
    VhSchemeRun **runs = g_new0(VhSchemeRun *, n);

    for (size_t i = 0; i < n; i++) {
        runs[i] = take_run(left, e->nr, &s[i]);
        if (runs[i]) {
            prepare_change(e, runs[i], &s[i]);
        }
    }
    for (size_t i = 0; i < e->nr; i++) {
        if (left[i]) {
            vh_pass_stop(e, left[i]);
            left[i]->s.action->close(left[i]->state);
        }
    }
    return runs;
}

void vh_schemes_set(VhSchemes *e, const VhScheme *v, size_t n)
{
    VhSchemeRun **old = e->runs, **runs;
    VhSchemeRun **left = g_memdup2(old, e->nr * sizeof(*old));
    g_autofree VhScheme *s = g_new0(VhScheme, n);
    size_t nr_old = e->nr;

    for (size_t i = 0; i < n; i++) {
        vh_scheme_copy(&s[i], &v[i]);
        g_free(s[i].name);
        s[i].name = vh_scheme_name(&v[i], i);
    }
    runs = keep_runs(e, left, s, n);
    for (size_t i = 0; i < n; i++) {
        runs[i] = runs[i] ? runs[i] : new_run(e, s[i]);
    }
    replace_runs(e, runs, s, n);
    for (size_t i = 0; i < n; i++) {
        vh_scheme_clear(&s[i]);
        vh_run_publish(e, runs[i]);
    }
    for (size_t i = 0; i < nr_old; i++) {
        if (left[i]) {
            free_run(left[i]);
        }
    }
    g_free(left);
    g_free(old);
}

void vh_schemes_pause(VhSchemes *e)
{
    for (size_t i = 0; i < e->nr; i++) {
        vh_pass_stop(e, e->runs[i]);
        vh_run_publish(e, e->runs[i]);
    }
}

void vh_schemes_refresh(VhSchemes *e)
{
    for (size_t i = 0; i < e->nr; i++) {
        vh_run_publish(e, e->runs[i]);
    }
}

void vh_schemes_set_map(VhSchemes *e, VhMap *map)
{
    VhMap *old = e->map;

    if (!map) {
        vh_schemes_pause(e);
    }
    e->map = vh_map_ref(map);
    for (size_t i = 0; i < e->nr; i++) {
        VhSchemeRun *r = e->runs[i];

        r->walk.asked = NULL;
        if (r->s.action->set_map) {
            r->s.action->set_map(r->state, map);
        }
    }
    vh_map_unref(old);
}

VhSchemeState vh_run_state(const VhSchemeRun *r, uint64_t now)
{
    if (r->s.max_snapshots && r->stats.nr_snapshots >= r->s.max_snapshots &&
        !vh_pass_running(r)) {
        return VH_SCHEME_FINISHED;
    }
    if (vh_backoff_active(&r->off, now)) {
        return VH_SCHEME_BACK_OFF;
    }
    return r->watermarks.active ? VH_SCHEME_ACTIVE : VH_SCHEME_INACTIVE;
}

/* May the scheme go on? Ends its pass if not. */
static bool look(VhSchemes *e, VhSchemeRun *r, uint64_t now)
{
    char *why;

    vh_watermarks_look(&r->watermarks, &r->s.watermarks, &e->env, now);
    why = vh_backoff_look(&r->off, &r->s, r->index, &e->env, &r->stats, now);
    if (why && vh_run_state(r, now) == VH_SCHEME_ACTIVE) {
        vh_run_back_off(e, r, g_steal_pointer(&why));
    }
    g_free(why);
    if (vh_run_state(r, now) != VH_SCHEME_ACTIVE) {
        vh_pass_stop(e, r);
        return false;
    }
    return true;
}

static bool due(const VhSchemeRun *r, const VhSnapshot *s)
{
    return !(r->s.max_snapshots &&
             r->stats.nr_snapshots >= r->s.max_snapshots) &&
           (!r->began || s->end_ns - r->began_ns >= r->s.apply_us * 1000);
}

void vh_schemes_snapshot(VhSchemes *e, const VhSnapshot *s)
{
    uint64_t now = vh_clock_now(&e->env.action.clock);

    for (size_t i = 0; i < e->nr; i++) {
        VhSchemeRun *r = e->runs[i];

        vh_pass_tell_age(e, r);
        if (look(e, r, now) && e->map && due(r, s)) {
            /* a reference is no change */
            vh_pass_begin(e, r, (VhSnapshot *)s, now);
        }
        vh_run_publish(e, r);
    }
}

/* May the scheme's pass go on now? */
static bool goes_on(VhSchemes *e, VhSchemeRun *r, uint64_t now)
{
    if (!vh_pass_running(r) || r->walk.ready_ns > now) {
        return false;
    }
    if (!look(e, r, now)) {
        vh_run_publish(e, r);
        return false;
    }
    return true;
}

/* The scheme whose turn it is, or NULL. */
static VhSchemeRun *next_run(VhSchemes *e, uint64_t now)
{
    for (size_t k = 0; k < e->nr; k++) {
        size_t i = (e->next + k) % e->nr;

        if (goes_on(e, e->runs[i], now)) {
            e->next = (i + 1) % e->nr;
            return e->runs[i];
        }
    }
    return NULL;
}

/* When any pass may go on. */
static uint64_t ready_ns(const VhSchemes *e, uint64_t now)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < e->nr; i++) {
        if (vh_pass_running(e->runs[i])) {
            first = MIN(first, MAX(e->runs[i]->walk.ready_ns, now));
        }
    }
    return first;
}

uint64_t vh_schemes_step(VhSchemes *e)
{
    uint64_t now = vh_clock_now(&e->env.action.clock);
    VhSchemeRun *r = next_run(e, now);

    if (r) {
        vh_pass_step(e, r);
        vh_run_publish(e, r);
        now = vh_clock_now(&e->env.action.clock);
    }
    return ready_ns(e, now);
}
