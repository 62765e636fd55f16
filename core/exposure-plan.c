/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to arm and what to ask in the coming interval, within the budget.
 *
 * Theory of operation
 * -------------------
 * In this order:
 *   1. arm again what is urgent: a wire that was silent unexpectedly may speak
 *      of a change, one that fired unexpectedly may have been hit by chance
 *   2. new wires in the best gaps
 *   3. arm again wires that have rested, at random: each at the rate that its
 *      delay says, so their turns are spread and tell nothing of each other
 *   4. the sweep: wires at places where nothing is expected, one after another
 *      all over memory (the golden ratio's multiples, modulo 1, fill a line
 *      evenly at any time), to be dropped when nothing is found
 *   5. ask about armed wires that are due.
 * Arming costs arms; a wire that is likely to fire costs a fire, by its chance.
 * A fire that comes unexpectedly is not planned for: the budget's controller
 * sees it, and plans get less.
 *
 * A primitive that is not persistent disarms what it answered: then a silent
 * wire is armed again instead of being asked about.
 */
#include <math.h>
#include <string.h>

#include "exposure.h"

#define CHANCE_DOUBT 0.3  /* of a wire that was silent unexpectedly */
#define CHANCE_URGENT 0.9 /* of one that fired unexpectedly */
#define CHANCE_AGAIN 0.7  /* at least, of any other that ever fired */
#define CONFIRM_LEAST 8   /* unexpected fires followed up in one interval */
#define CONFIRM 0.5       /* of the fires that it has */
#define KEPT 0.3          /* of the fires, for what has rested */
#define ASKS_PER_S 20000  /* at most */
#define SWEEP_CHANCE 0.3f /* where that is likely, no sweep is needed */
#define SWEEP_PER_ASK 6   /* wires of the sweep for each ask there could be */
#define SWEEP_SHARE 0.5   /* of the fires that nothing else was in need of */
#define SWEEP_TRIES (2 * VH_PLAN_MOST)
#define GOLDEN 0.6180339887498949

typedef struct Plan {
    VhExposure *e;
    VhField *f;
    VhCheck *out;
    size_t n;
    size_t room; /* in @out */
    double arms;
    double fires;
    double share; /* of a second, that the interval has */
    bool write;
    size_t nr_down;
    size_t nr_ask;
    size_t nr_fresh;
} Plan;

/* What a wire whose turn it is may be armed for. */
typedef enum Reason {
    DOUBT,
    URGENT,
    RESTED,
} Reason;

/* A page of @w that is memory: its granule may begin before its range. */
static uint64_t page_of(const VhExposure *e, const VhWire *w)
{
    size_t r = 0;

    while (r + 1 < e->nr_ranges && w->page >= e->ranges[r].end) {
        r++;
    }
    return MAX(w->page, e->ranges[r].start);
}

static VhCheck check_of(const Plan *p, const VhWire *w, VhCheckState state)
{
    return (VhCheck){ .gpa = page_of(p->e, w) * VH_PAGE_SIZE,
                      .cookie = w->page,
                      .granule = VH_PAGE_SIZE << w->order,
                      .state = state,
                      .write = p->write };
}

static bool afford(Plan *p, double chance)
{
    if (p->n + p->nr_fresh >= p->room || p->arms < 1 ||
        (chance > VH_SURPRISE && chance > p->fires)) {
        return false;
    }
    p->arms -= 1;
    p->fires -= chance;
    return true;
}

static Reason reason_of(const VhWire *w)
{
    return w->doubt ? DOUBT : w->urgent ? URGENT : RESTED;
}

static double chance_of(const VhExposure *e, const VhWire *w)
{
    double chance = e->chance[w->rate];

    switch (reason_of(w)) {
    case DOUBT:
        return CHANCE_DOUBT;
    case URGENT:
        return CHANCE_URGENT;
    default:
        return w->nr ? MAX(CHANCE_AGAIN, chance) : chance;
    }
}

static bool arm_again(Plan *p, VhWire *w)
{
    if (!afford(p, chance_of(p->e, w))) {
        return false;
    }
    w->doubt = false;
    vh_wire_armed(w, vh_exposure_now(p->e));
    w->state = VH_WIRE_PENDING;
    p->out[p->n++] = check_of(p, w, VH_CHECK_NEW);
    return true;
}

static void arm_some(Plan *p, Reason why, size_t most)
{
    for (size_t k = 0; k < p->nr_down && most; k++) {
        VhWire *w = &p->f->wires.v[p->e->down[k]];

        if (w->state == VH_WIRE_DOWN && reason_of(w) == why) {
            if (!arm_again(p, w)) {
                return;
            }
            most--;
        }
    }
}

static bool room_for_fresh(const Plan *p)
{
    return p->nr_fresh < VH_PLAN_MOST &&
           p->f->wires.nr + p->nr_fresh < p->f->wires.room;
}

/* Until it speaks, it is taken for what is next to it. */
static void add_fresh(Plan *p, uint64_t page, bool sweep)
{
    const VhWires *ws = &p->f->wires;
    VhStamp now = vh_exposure_now(p->e);
    VhWire w = { .page = page,
                 .state = VH_WIRE_PENDING,
                 .sweep = sweep,
                 .from = now,
                 .asked = now,
                 .since = now };

    if (ws->nr) {
        const VhWire *near = &ws->v[MIN(vh_wires_find(ws, page), ws->nr - 1)];

        w.rate = near->rate;
        w.since = near->since;
        w.nr_accesses = near->nr_accesses;
        w.delay = near->delay;
    }
    p->e->fresh[p->nr_fresh++] = w;
}

/* A wire covers @page; behind it may be dead ones that it covers, too. */
static bool is_taken(const VhWires *ws, uint64_t page)
{
    size_t i = vh_wires_find(ws, page);

    if (i < ws->nr && ws->v[i].page <= page) {
        return true;
    }
    while (i && ws->v[i - 1].dead) {
        i--;
    }
    return i && vh_wire_end(&ws->v[i - 1]) > page;
}

static void fill_gaps(Plan *p)
{
    VhGaps *g = &p->f->gaps;
    size_t n;

    for (n = 0; n < g->nr && room_for_fresh(p); n++) {
        uint64_t page = vh_exposure_place(p->e, &g->v[n]);

        if (is_taken(&p->f->wires, page)) {
            continue;
        }
        if (!afford(p, g->v[n].chance)) {
            break;
        }
        add_fresh(p, page, false);
    }
    g->nr -= n;
    memmove(g->v, g->v + n, g->nr * sizeof(*g->v));
}

/* The sweep's next page. */
static uint64_t next_page(VhExposure *e, VhField *f)
{
    uint64_t at;
    size_t r = 0;

    f->golden += GOLDEN;
    f->golden -= f->golden >= 1;
    at = f->golden * e->pages;
    while (r + 1 < e->nr_ranges &&
           at >= e->ranges[r].end - e->ranges[r].start) {
        at -= e->ranges[r].end - e->ranges[r].start;
        r++;
    }
    return MIN(e->ranges[r].start + at, e->ranges[r].end - 1);
}

/*
 * What a wire of the sweep at @page may cost: it stays armed when it is
 * dropped, and fires some time. More than 1: there is a wire already, or one is
 * not needed because so much is expected there.
 */
static double sweep_chance(const VhExposure *e, const VhField *f, uint64_t page)
{
    size_t i = vh_wires_find(&f->wires, page);
    const VhWire *w;

    if (!f->wires.nr) {
        return CHANCE_DOUBT;
    }
    w = &f->wires.v[MIN(i, f->wires.nr - 1)];
    if (is_taken(&f->wires, page) || e->chance[w->rate] > SWEEP_CHANCE) {
        return INFINITY;
    }
    return vh_exposure_owes(e, f, w);
}

static void sweep(Plan *p)
{
    double n = MIN(p->arms, SWEEP_PER_ASK * p->f->asks_per_s * p->share);
    double least = p->fires * (1 - SWEEP_SHARE);

    if (!p->e->pages || p->f->gaps.nr) {
        return;
    }
    for (n = MIN(n, SWEEP_TRIES); n >= 1 && room_for_fresh(p); n--) {
        uint64_t page = next_page(p->e, p->f);
        double chance = sweep_chance(p->e, p->f, page);

        if (isinf(chance)) {
            continue;
        }
        if (p->fires - chance < least || !afford(p, chance)) {
            return;
        }
        /* what does not stay armed is seen to fire, or does not */
        p->e->owed += p->f->persistent ? chance : 0;
        add_fresh(p, page, true);
    }
}

/* Shell's sort; qsort() may allocate. */
static void sort_by_page(VhWire *v, size_t n)
{
    for (size_t gap = n / 2; gap; gap /= 2) {
        for (size_t i = gap; i < n; i++) {
            VhWire w = v[i];
            size_t j = i;

            for (; j >= gap && v[j - gap].page > w.page; j -= gap) {
                v[j] = v[j - gap];
            }
            v[j] = w;
        }
    }
}

/* Sorts them, and has each once. */
static void add_fresh_checks(Plan *p)
{
    VhWire *v = p->e->fresh;
    size_t n = 0;

    sort_by_page(v, p->nr_fresh);
    for (size_t i = 0; i < p->nr_fresh; i++) {
        if (!n || v[n - 1].page != v[i].page) {
            v[n++] = v[i];
        }
    }
    p->nr_fresh = n;
    for (size_t i = 0; i < n; i++) {
        p->out[p->n++] = check_of(p, &v[i], VH_CHECK_NEW);
    }
}

/* Nothing is known of it since it fired. */
static bool rests(const VhWire *w)
{
    return w->state == VH_WIRE_DOWN && w->from == w->asked && w->nr;
}

static bool is_due(VhExposure *e, const VhField *f, const VhWire *w)
{
    float since = (e->now_ns - f->planned_ns) * 1e-9f;

    if (w->urgent) {
        return true;
    }
    if (rests(w)) {
        return vh_rng_unit(&e->rng) * e->rates.seconds[w->delay] <= since;
    }
    return vh_stamp_s(w->due, vh_exposure_now(e)) >= 0;
}

/* Begins anywhere, so that nobody is always last when there is little room. */
static void list_due(Plan *p)
{
    VhExposure *e = p->e;
    size_t n = p->f->wires.nr, start = n ? vh_rng_below(&e->rng, n) : 0;

    for (size_t k = 0; k < n; k++) {
        size_t i = start + k < n ? start + k : start + k - n;
        const VhWire *w = &p->f->wires.v[i];

        if (w->dead || !is_due(e, p->f, w)) {
            continue;
        }
        if (w->state == VH_WIRE_ARMED && p->nr_ask < VH_PLAN_MOST) {
            e->ask[p->nr_ask++] = i;
        } else if (w->state == VH_WIRE_DOWN && p->nr_down < VH_PLAN_MOST) {
            e->down[p->nr_down++] = i;
        }
    }
}

static void add_asks(Plan *p)
{
    for (size_t k = 0; k < p->nr_ask && p->n < p->room; k++) {
        p->out[p->n++] =
            check_of(p, &p->f->wires.v[p->e->ask[k]], VH_CHECK_ARMED);
    }
}

/* The best places first, but what has rested gets its part. */
static void spend(Plan *p)
{
    double kept;

    arm_some(p, DOUBT, SIZE_MAX);
    arm_some(
        p, URGENT,
        MAX(CONFIRM_LEAST, MIN(1e5, CONFIRM * p->f->fires_per_s * p->share)));
    kept = p->nr_down > p->n ? KEPT * CLAMP(p->fires, 0, 1e6) : 0;
    p->fires -= kept;
    fill_gaps(p);
    p->fires += kept;
    arm_some(p, RESTED, SIZE_MAX);
    sweep(p);
}

size_t vh_exposure_plan(VhExposure *e, const VhPlanBudget *budget, VhCheck *out)
{
    VhField *f = &e->fields[budget->write];
    Plan p = { .e = e,
               .f = f,
               .out = out,
               .room = budget->max_checks,
               .arms = budget->max_arms,
               .fires = budget->max_fires,
               .share = e->attrs.sampling_us / 1e6,
               .write = budget->write };

    f->fires_per_s = budget->fires_per_s;
    f->asks_per_s = MIN(budget->asks_per_s, ASKS_PER_S);
    f->persistent = budget->persistent;
    f->planned_tick = e->ticks;
    if (e->now_ns >= f->pass_ns) {
        vh_exposure_pass(e, f);
    }
    list_due(&p);
    spend(&p);
    add_fresh_checks(&p);
    add_asks(&p); /* before they are merged in: numbers of wires change */
    vh_wires_merge(&f->wires, e->fresh, p.nr_fresh);
    f->planned_ns = e->now_ns;
    return p.n;
}
