/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pass of a scheme over the regions of a snapshot.
 *
 * Theory of operation
 * -------------------
 * DAMOS applies a scheme to all regions at once. Here a pass holds a reference
 * on its snapshot and goes through it from low to high addresses, one quantum
 * of the action at a time, for as long as it takes. Where it stands is one
 * address.
 *
 * A step finds the next piece: memory of a region that has the pattern and a
 * score high enough, cut at the borders of the map's sections. Memory that is
 * not in the map is passed over. The piece is tried; then it is
 *   - passed over when the section does not suit the action, or
 *   - cut into extents by the filters; what they reject is passed over, or
 *   - cut to whole pages of the host (they may be larger than VH_PAGE_SIZE):
 *     what is of a region, or allowed, only in part is passed over, or
 *   - given to the action, at most as much as the quota leaves room for.
 * Which pages are young is looked at without a change of them; only when they
 * were dealt with they are made old. So what an action left over, or the quota,
 * is still young when it is asked about again.
 *
 * Only what is given to the action is charged. DAMOS charges what its page
 * filters reject; that would only keep the action from its work. To look may be
 * dear, though (filter young walks page tables): so after a step in which
 * nothing was given to the action, the pass rests LOOK_REST times as long as it
 * took.
 *
 * The pass is over when nothing is left or the quota is used up. It is stopped
 * when a new one is due, by an error, and when the scheme may not go on. In all
 * cases but the first the next pass begins where this one ended, once: DAMOS's
 * damos_skip_charged_region(). DAMOS passes over the last region as well when
 * it has not reached the address before; here none is left out. When nothing is
 * behind that address the pass begins at the bottom.
 *
 * Ages: what the action was tried on begins a new age. It is told in runs as
 * long as possible, because the estimator may have to split regions for it: at
 * the end of a region, of the pass, and before a new snapshot is looked at.
 * Other schemes see the new age in the next snapshot; in DAMOS schemes further
 * down the list see it at once.
 */
#include <glib.h>
#include <inttypes.h>

#include "filters.h"
#include "pass.h"
#include "pattern.h"

/* Extents looked at in one step, and for how long; each may cost a look at the
 * page tables. */
#define LOOKS_PER_STEP 64
#define LOOK_NS 2000000ULL
#define LOOK_REST 9 /* so a pass takes a tenth of a core at most */

/* When an action did nothing and did not say for how long. */
#define WAIT_NS 1000000ULL

/* Memory to be tried: [from, to) of section @s; filters that look at pages were
 * @asked (vh_filters_allow()). */
typedef struct Piece {
    const VhMapSection *s;
    uint64_t from;
    uint64_t to;
    unsigned asked;
} Piece;

void vh_pass_tell_age(VhSchemes *e, VhSchemeRun *r)
{
    VhRange *aged = &r->walk.aged;

    if (aged->end > aged->start && e->env.reset_age) {
        e->env.reset_age(e->env.opaque, *aged);
    }
    *aged = (VhRange){ 0 };
}

static void reset_age(VhSchemes *e, VhSchemeRun *r, uint64_t from, uint64_t to)
{
    VhRange *aged = &r->walk.aged;

    if (r->s.action->keeps_age) {
        return;
    }
    if (aged->end != from) {
        vh_pass_tell_age(e, r);
        aged->start = from;
    }
    aged->end = to;
}

static void clear_walk(VhSchemes *e, VhSchemeRun *r)
{
    vh_pass_tell_age(e, r);
    vh_snapshot_unref(r->walk.snap);
    r->walk = (VhWalk){ 0 };
    if (r->s.action->rest) {
        r->s.action->rest(r->state);
    }
}

static void remember_place(VhSchemeRun *r)
{
    r->resumes = r->walk.at > 0;
    r->resume = r->walk.at;
}

void vh_pass_stop(VhSchemes *e, VhSchemeRun *r)
{
    if (vh_pass_running(r)) {
        remember_place(r);
        clear_walk(e, r);
        r->began = false; /* the rest does not wait for the apply interval */
    }
}

static uint64_t take_start(VhSchemeRun *r, const VhSnapshot *snap)
{
    uint64_t end =
        snap->nr_regions ? snap->regions[snap->nr_regions - 1].end : 0;
    uint64_t start = r->resumes && r->resume < end ? r->resume : 0;

    r->resumes = false;
    return start;
}

/* The section that holds @gpa, or else the next one; NULL: none. */
static const VhMapSection *section_from(const VhMap *m, uint64_t gpa)
{
    size_t lo = 0, hi = m->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const VhMapSection *s = &m->sections[mid];

        if (s->gpa + s->size <= gpa) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < m->nr ? &m->sections[lo] : NULL;
}

/* The first memory of the map in [@from, @to), up to its section's end. */
static bool find_piece(const VhMap *m, uint64_t from, uint64_t to, Piece *out)
{
    const VhMapSection *s = section_from(m, from);

    if (!s || s->gpa >= to) {
        return false;
    }
    *out = (Piece){ .s = s,
                    .from = MAX(from, s->gpa),
                    .to = MIN(to, s->gpa + s->size) };
    return out->from < out->to;
}

/* How far it is from @gpa to where a page of the host begins. */
static uint64_t to_page(const VhSchemes *e, const Piece *p, uint64_t gpa)
{
    uintptr_t at = (uintptr_t)p->s->hva + (gpa - p->s->gpa);

    return -at % vh_schemes_page(&e->env);
}

/* Asking may take a look at files, so once for each section of a pass. */
static bool suits(VhSchemeRun *r, const VhMapSection *s)
{
    g_autofree char *why = NULL;

    if (r->walk.asked != s) {
        r->walk.asked = s;
        r->walk.suits = !r->s.action->suits || r->s.action->suits(s, &why);
    }
    return r->walk.suits;
}

typedef struct Weighing {
    const VhSchemes *e;
    VhSchemeRun *r;
} Weighing;

/* For VhWeigher. */
static uint64_t eligible(void *arg, const VhSnapRegion *g)
{
    Weighing *w = arg;
    uint64_t at = g->start, sum = 0, until;
    Piece p;

    while (w->e->map && find_piece(w->e->map, at, g->end, &p)) {
        bool may = vh_filters_may_allow(&w->r->s, &w->e->env, p.s, p.from, p.to,
                                        &until);

        sum += may && suits(w->r, p.s) ? until - p.from : 0;
        at = until;
    }
    return sum;
}

void vh_pass_begin(VhSchemes *e, VhSchemeRun *r, VhSnapshot *snap, uint64_t now)
{
    Weighing w = { e, r };

    vh_pass_stop(e, r);
    r->stats.nr_snapshots++;
    r->began = true;
    r->began_ns = snap->end_ns;
    vh_charge_begin(&r->charge, &r->goals, &r->s, snap, &e->env,
                    (VhWeigher){ eligible, &w }, now, &r->stats.qt_exceeds);
    r->walk =
        (VhWalk){ .snap = vh_snapshot_ref(snap), .at = take_start(r, snap) };
    vh_run_publish_tried(e, r, snap);
}

static void next_region(VhSchemes *e, VhSchemeRun *r)
{
    vh_pass_tell_age(e, r);
    r->walk.i++;
    r->walk.tried = false;
    r->walk.applied = false;
}

/* Goes to the next piece; false: none is left. */
static bool next_piece(VhSchemes *e, VhSchemeRun *r, Piece *out)
{
    VhWalk *w = &r->walk;

    for (; w->i < w->snap->nr_regions; next_region(e, r)) {
        const VhSnapRegion *g = &w->snap->regions[w->i];

        if (g->end > w->at && vh_pattern_match(&r->s.pattern, w->snap, g) &&
            vh_charge_allows(&r->charge, &r->s, w->snap, g) &&
            find_piece(e->map, MAX(g->start, w->at), g->end, out)) {
            return true;
        }
    }
    return false;
}

/* [@from, @to) of the piece was dealt with. */
static void count_tried(VhSchemeRun *r, uint64_t from, uint64_t to)
{
    VhWalk *w = &r->walk;

    if (to > from) {
        r->stats.nr_tried += !w->tried;
        r->stats.sz_tried += to - from;
        w->tried = true;
    }
    w->at = to;
}

static void count_applied(VhSchemes *e, VhSchemeRun *r, const Piece *p,
                          const VhApplied *did)
{
    VhWalk *w = &r->walk;

    r->stats.sz_filter_passed += did->size;
    r->stats.sz_applied += did->applied;
    r->stats.spent_ns += did->spent_ns;
    vh_charge_add(&r->charge, &r->s.quota, did->size, did->spent_ns);
    if (did->applied) {
        r->stats.nr_applied += !w->applied;
        w->applied = true;
        if (r->s.action->counts_refaults && e->env.applied) {
            e->env.applied(e->env.opaque, r->index, p->s, p->from - p->s->gpa,
                           did);
        }
    }
    if (did->size) {
        reset_age(e, r, p->from, p->from + did->size);
    }
}

/* An action must not upset the engine. */
static VhApplied sane(const VhSchemes *e, VhApplied did, uint64_t asked)
{
    did.size = MIN(did.size, asked);
    did.size -= did.size % vh_schemes_page(&e->env);
    did.applied = MIN(did.applied, did.size);
    if (!did.size && !did.wait_ns) {
        did.wait_ns = WAIT_NS;
    }
    return did;
}

void vh_run_back_off(VhSchemes *e, VhSchemeRun *r, char *why)
{
    uint64_t now = vh_clock_now(&e->env.action.clock);
    uint64_t span = vh_backoff_start(&r->off, now, why);

    r->stats.back_offs++;
    vh_pass_stop(e, r);
    if (e->env.backed_off) {
        e->env.backed_off(e->env.opaque, &r->s, why, span);
    }
}

/* [p->from, @to) was dealt with. */
static void make_old(const VhSchemes *e, const Piece *p, uint64_t to)
{
    if ((p->asked & 1u << VH_FILTER_YOUNG) && to > p->from && e->env.make_old) {
        e->env.make_old(e->env.opaque, p->s, p->from - p->s->gpa,
                        to - p->s->gpa);
    }
}

static void apply(VhSchemes *e, VhSchemeRun *r, const Piece *p)
{
    uint64_t asked = p->to - p->from;
    VhApplied did = sane(e,
                         r->s.action->apply(r->state, &r->s.args, p->s,
                                            p->from - p->s->gpa, asked),
                         asked);

    count_applied(e, r, p, &did);
    count_tried(r, p->from, p->from + did.size);
    make_old(e, p, p->from + did.size);
    if (did.wait_ns) {
        r->walk.ready_ns = vh_clock_now(&e->env.action.clock) + did.wait_ns;
    }
    if (did.error) {
        r->stats.errors++;
        vh_run_back_off(e, r,
                        g_strdup_printf("the host refused %s: %s",
                                        r->s.action->name,
                                        g_strerror(did.error)));
    }
}

/* Bytes of a region of the pattern that pass the filters. */
static uint64_t passing(const VhSchemes *e, const VhSchemeRun *r,
                        const VhSnapRegion *g)
{
    uint64_t at = g->start, sum = 0, until;
    Piece p;

    while (e->map && find_piece(e->map, at, g->end, &p)) {
        if (vh_filters_allow(&r->s, &e->env, p.s, p.from, p.to, &until,
                             &p.asked)) {
            sum += until - p.from;
        }
        at = until;
    }
    return sum;
}

static VhPass summary(const VhSchemes *e, const VhSchemeRun *r)
{
    const VhSnapshot *snap = r->walk.snap;
    VhPass pass = { .snapshot_ns = snap->end_ns,
                    .total = vh_snapshot_total(snap),
                    .accessed = vh_snapshot_wss(snap) };

    for (size_t i = 0; i < snap->nr_regions; i++) {
        if (vh_pattern_match(&r->s.pattern, snap, &snap->regions[i])) {
            pass.matched += passing(e, r, &snap->regions[i]);
        }
    }
    return pass;
}

static void finish(VhSchemes *e, VhSchemeRun *r)
{
    if (r->s.action->end) {
        VhPass pass = summary(e, r);

        r->s.action->end(r->state, &r->s.args, &pass);
    }
    clear_walk(e, r);
}

static void stop_at_quota(VhSchemes *e, VhSchemeRun *r)
{
    /* a full quota at the start leaves the place where it was, too */
    remember_place(r);
    finish(e, r);
}

static uint64_t looked_ns(const VhSchemes *e, uint64_t start)
{
    return vh_clock_now(&e->env.action.clock) - start;
}

/* Passes over the rest of a page of the host; false: nothing else is left. */
static bool skip_part(const VhSchemes *e, VhSchemeRun *r, Piece *p)
{
    uint64_t part = MIN(to_page(e, p, p->from), p->to - p->from);

    count_tried(r, p->from, p->from + part);
    p->from += part;
    return p->from < p->to;
}

/* To what ends before @until and takes @room at most; false: no page does. */
static bool cut(const VhSchemes *e, Piece *p, uint64_t until, uint64_t room)
{
    uint64_t part = (vh_schemes_page(&e->env) - to_page(e, p, until)) %
                    vh_schemes_page(&e->env);

    if (until - p->from <= part) {
        return false;
    }
    p->to = p->from + MIN(until - part - p->from, room);
    return true;
}

void vh_pass_step(VhSchemes *e, VhSchemeRun *r)
{
    uint64_t start = vh_clock_now(&e->env.action.clock);
    uint64_t room = vh_charge_room(&r->charge), until;
    Piece p;

    for (int i = 0; i < LOOKS_PER_STEP && looked_ns(e, start) < LOOK_NS; i++) {
        if (!room) {
            stop_at_quota(e, r);
            return;
        }
        if (!next_piece(e, r, &p)) {
            finish(e, r);
            return;
        }
        if (!suits(r, p.s)) {
            count_tried(r, p.from, p.to);
            continue;
        }
        if (!skip_part(e, r, &p)) {
            continue;
        }
        if (vh_filters_allow(&r->s, &e->env, p.s, p.from, p.to, &until,
                             &p.asked) &&
            cut(e, &p, until, room)) {
            apply(e, r, &p);
            return;
        }
        count_tried(r, p.from, until);
        make_old(e, &p, until);
        if (p.asked) {
            reset_age(e, r, p.from, until); /* or it is asked about for ever */
        }
    }
    r->walk.ready_ns = start + looked_ns(e, start) * (1 + LOOK_REST);
}
