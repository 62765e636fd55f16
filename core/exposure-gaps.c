/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a new tripwire would tell most.
 *
 * Theory of operation
 * -------------------
 * What is to be known is the heat of every page (VhExposure::heat). A gap is
 * pages between two wires. Where the regions on either side differ the border
 * between them is in the gap, and half of it on average is taken for what it is
 * not, by the difference of heat; a wire in the middle halves that. Where they
 * are alike something else may still hide in between, the more likely the
 * rougher the neighbourhood is: changes of heat at the ROUGH gaps on either
 * side, per page, make the expected number of hidden borders. So
 *     score = pages * heat that may differ / (1 + FIRE_PRICE * chance to fire)
 * and the best of them are kept, in a heap. "Expected information per
 * disturbance", in other words, of a telegraph process with a rate that is
 * estimated around each gap.
 *
 * Borders are looked for by bisection, at pages that memory allocators favour:
 * the most aligned ones. Elsewhere the largest aligned power of two of pages
 * inside the gap is hit anywhere, so wires are stratified: each aligned block
 * gets its first one before any gets a second.
 *
 * Where all is alike there is no end to looking closer. It stops when there are
 * as many wires as vh_exposure_few() says; what comes on top are the wires of
 * the sweep, which go away again (exposure-plan.c). Wires that are closer to
 * each other than that, because a border was here once, are dropped.
 */
#include <math.h>

#include "exposure.h"

#define ROUGH 8
#define CHANGES_AT_LEAST 0.2f /* there are never none */
#define FIRE_PRICE_MIN 1.0f
#define FIRE_PRICE_MAX 15.0f
#define EDGE_SHARE 0.05f
#define DIFFER_MOST 0.45f   /* more than that is not told from chance */
#define HIDDEN_MOST 20.0f   /* more are as good as certain */
#define LIKELY 0.2f         /* a hidden border that is looked for anyway */
#define UNLIKELY 0.1f       /* one for which no wire is kept */
#define UNKNOWN_CHANCE 0.3f /* that a page fires of which nothing is known */
#define SPREAD 16           /* wires at once in a gap that is large enough */
#define HOT_CHANCE 0.5f
#define HOT_SPARSER 4 /* where a wire costs a fire, that much fewer */
#define DECIDED 2.0f  /* nats by which a wire belongs to its side */
#define FEW_LEAST 512
#define FEW_PER_FIRE 10 /* seconds in which all can fire once */
#define FEW_PER_ASK 4   /* seconds in which all can be asked once */
#define EVICT 0.9f      /* of the score of a gap that it makes room for */
#define FILLED 0.97     /* of the room; no more to spare where all is alike */

/*
 * The place that is being looked at: before wire @i.
 * a, b, changes: changes of heat before wires [a, b), which are around it
 * least: smallest gap worth a wire where all is alike
 * rough: changes of heat per page
 * lo, hi: the gap, in pages
 */
typedef struct Look {
    const VhExposure *e;
    VhField *f;
    VhSpan span;
    uint64_t least;
    float fire_price;
    float evict;
    size_t i;
    size_t a, b;
    float changes;
    float rough;
    uint64_t lo, hi;
} Look;

size_t vh_exposure_few(const VhExposure *e, const VhField *f)
{
    double n = MIN(FEW_PER_FIRE * f->fires_per_s, FEW_PER_ASK * f->asks_per_s);
    double most = f->wires.room / 2.0;
    double left = f->wires.room * FILLED - f->wires.nr;

    return CLAMP(MIN(n, left), MIN(FEW_LEAST, most), most);
}

uint64_t vh_most_aligned(uint64_t lo, uint64_t hi)
{
    uint64_t unit = 1, mid = lo + (hi - lo) / 2, at;

    while (hi / (2 * unit) * (2 * unit) >= MAX(lo, 1)) {
        unit *= 2;
    }
    at = (mid + unit / 2) / unit * unit;
    return at < lo ? at + unit : at > hi ? at - unit : at;
}

static uint64_t round_up(uint64_t v, uint64_t unit)
{
    return (v + unit - 1) / unit * unit;
}

/* The largest aligned power of two of pages within [lo, hi). */
static VhRange largest_block(uint64_t lo, uint64_t hi)
{
    uint64_t size = 1;

    while (round_up(lo, 2 * size) + 2 * size <= hi) {
        size *= 2;
    }
    lo = round_up(lo, size);
    return (VhRange){ lo, lo + size };
}

/* The heap has the worst on top, so that it can make room. */
static void sift_down(VhGaps *g, const VhGap *x)
{
    size_t i = 0, c;

    while ((c = 2 * i + 1) < g->nr) {
        c += c + 1 < g->nr && g->v[c + 1].score < g->v[c].score;
        if (g->v[c].score >= x->score) {
            break;
        }
        g->v[i] = g->v[c];
        i = c;
    }
    g->v[i] = *x;
}

static void offer(VhGaps *g, const VhGap *x)
{
    size_t i = g->nr;

    if (i == g->room) {
        if (x->score > g->v[0].score) {
            sift_down(g, x);
        }
        return;
    }
    g->nr++;
    while (i && g->v[(i - 1) / 2].score > x->score) {
        g->v[i] = g->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    g->v[i] = *x;
}

/* What a fire costs, in arms: the scarcer they are. */
static float fire_price(const VhField *f)
{
    return CLAMP(f->asks_per_s / f->fires_per_s, FIRE_PRICE_MIN,
                 FIRE_PRICE_MAX);
}

static float score_of(const Look *k, double pages, float heat, float chance)
{
    return pages * heat / (1 + k->fire_price * chance);
}

/* How much the heat changes right before wire @j. */
static float change_at(const Look *k, size_t j)
{
    const VhWire *w = &k->f->wires.v[j];

    return j > k->span.first && w->first
               ? fabsf(k->e->heat[w->rate] - k->e->heat[w[-1].rate])
               : 0;
}

/* How many borders a gap has if its ends differ with probability @q. */
static float borders(float q)
{
    return -0.5f * log1pf(-2 * MIN(q, DIFFER_MOST));
}

/* Moves on to the gap before wire @i, or the last one. */
static void look_at(Look *k, size_t i)
{
    const VhWire *v = k->f->wires.v;
    const VhSpan *s = &k->span;
    size_t a = i >= s->first + ROUGH ? i - ROUGH : s->first;
    size_t b = MIN(i + ROUGH, s->end);
    uint64_t lo = a > s->first ? v[a - 1].page : s->lo;
    uint64_t hi = b < s->end ? v[b].page : s->hi;

    while (k->b < b) {
        k->changes += change_at(k, k->b++);
    }
    while (k->a < a) {
        k->changes -= change_at(k, k->a++);
    }
    k->i = i;
    k->rough = borders((MAX(k->changes, 0) + CHANGES_AT_LEAST) / (b - a + 1)) *
               (b - a + 1) / (hi - lo);
    k->lo = i > s->first ? vh_wire_end(&v[i - 1]) : s->lo;
    k->hi = i < s->end ? v[i].page : s->hi;
}

/* The wires on either side of a gap; open: memory ends on one side. */
typedef enum Ends {
    ALIKE,
    DIFFER,
    OPEN,
} Ends;

/*
 * How likely borders hide in @pages of which nothing is known, given how many
 * there are around: two or more if the ends are alike, three or more if they
 * differ, any if one is open.
 */
static float hidden(const Look *k, uint64_t pages, Ends ends)
{
    float x = MIN(k->rough * pages, HIDDEN_MOST);

    switch (ends) {
    case ALIKE:
        return 1 - 1 / coshf(x);
    case DIFFER:
        return x < 0.1f ? x * x / 6 : 1 - x / sinhf(x);
    default:
        return -expm1f(-x);
    }
}

/* How strongly @w belongs to its own region, and not to one of rate @other. */
static bool decided(const VhExposure *e, VhWire *w, unsigned other)
{
    VhLikelihood l;

    vh_wire_seen(w, &e->rates, vh_exposure_now(e), &l);
    if (l.of[w->rate] - l.of[other] >= DECIDED) {
        return true;
    }
    w->urgent = true; /* before the gap is cut any further */
    return false;
}

/* Nothing is known of it yet. */
static bool unheard(const VhWire *w)
{
    return w->state == VH_WIRE_PENDING || (w->from == w->asked && !w->nr);
}

/* What a block within @gap that is hit anywhere may find. */
static VhGap block_in(const Look *k, VhRange gap, VhRange within, float chance,
                      Ends ends)
{
    VhRange b = largest_block(within.start, within.end);
    float border = hidden(k, gap.end - gap.start, ends);

    return (VhGap){ .lo = b.start,
                    .hi = b.end,
                    .chance = chance,
                    .score = score_of(k, b.end - b.start, border, chance) };
}

/* The wires on either side of the gap are of two regions. */
static void offer_edge(const Look *k)
{
    VhWire *b = &k->f->wires.v[k->i], *a = b - 1;
    const VhExposure *e = k->e;
    float heat = fabsf(e->heat[a->rate] - e->heat[b->rate]);
    float chance = (e->chance[a->rate] + e->chance[b->rate]) / 2;
    VhGap g = { .lo = k->lo, .hi = k->hi, .chance = chance, .edge = true };
    VhRange gap = { k->lo, k->hi };
    VhGap inner;

    if (!decided(e, a, b->rate) || !decided(e, b, a->rate)) {
        return;
    }
    inner = block_in(k, gap, gap, chance, DIFFER);
    g.score = score_of(k, EDGE_SHARE * (g.hi - g.lo), heat, chance);
    offer(&k->f->gaps, g.score > inner.score ? &g : &inner);
}

/* The wires on either side, if there are two, are alike. */
static void offer_inside(const Look *k)
{
    const VhSpan *s = &k->span;
    const VhWire *w =
        s->end > s->first ? &k->f->wires.v[MIN(k->i, s->end - 1)] : NULL;
    float chance = w ? k->e->chance[w->rate] : UNKNOWN_CHANCE;
    Ends ends = k->i == s->first || k->i == s->end ? OPEN : ALIKE;
    bool sparse = chance > HOT_CHANCE && ends == ALIKE;
    uint64_t least = k->least * (sparse ? HOT_SPARSER : 1);
    uint64_t len = k->hi - k->lo, pieces = 1;
    VhRange gap = { k->lo, k->hi };
    bool likely = !w || hidden(k, len, ends) >= LIKELY;

    if (len < least && !likely) {
        return;
    }
    if (len >= 2 * least) {
        pieces = MIN(SPREAD, len / least);
    } else if (w && unheard(w)) {
        return;
    }
    for (uint64_t p = 0; p < pieces; p++) {
        VhRange part = { k->lo + len * p / pieces,
                         k->lo + len * (p + 1) / pieces };
        VhGap g = block_in(k, gap, part, chance, ends);

        if (2 * (g.hi - g.lo) >= least || likely) {
            offer(&k->f->gaps, &g);
        }
    }
}

static void offer_gap(const Look *k)
{
    bool inner = k->i > k->span.first && k->i < k->span.end;

    if (k->hi <= k->lo) {
        return;
    }
    if (inner && k->f->wires.v[k->i].first) {
        offer_edge(k);
    } else {
        offer_inside(k);
    }
}

/* Wire k->i and the two before and behind it are of one region. */
static bool inside_region(const Look *k)
{
    const VhWire *w = &k->f->wires.v[k->i];

    return k->i > k->span.first + 1 && k->i + 2 < k->span.end && !w[-1].first &&
           !w[0].first && !w[1].first && !w[2].first;
}

/* It is not needed for what is going on, nor is its neighbour just gone. */
static bool may_go(const VhWire *w)
{
    return !w->urgent && !w->sweep && w->state != VH_WIRE_PENDING &&
           !w[-1].dead;
}

/* Nothing would be missed without wire k->i. */
static bool too_close(const Look *k)
{
    const VhWire *w = &k->f->wires.v[k->i];
    uint64_t len, least = k->least;

    if (!inside_region(k) || !may_go(w)) {
        return false;
    }
    least *= k->e->chance[w->rate] > HOT_CHANCE ? HOT_SPARSER : 1;
    len = w[1].page - vh_wire_end(w - 1);
    return len < least * 4 / 5 && hidden(k, len, ALIKE) < UNLIKELY;
}

/* What would be unknown without wire k->i, as the score of a gap. */
static float value_of(Look *k)
{
    const VhWire *w = &k->f->wires.v[k->i];
    VhRange gap = { vh_wire_end(w - 1), w[1].page };
    float chance = (k->e->chance[w[-1].rate] + k->e->chance[w[1].rate]) / 2;
    float heat = fabsf(k->e->heat[w[-1].rate] - k->e->heat[w[1].rate]);
    float edge = score_of(k, EDGE_SHARE * (gap.end - gap.start), heat, chance);

    return MAX(edge,
               block_in(k, gap, gap, chance, heat > 0 ? DIFFER : ALIKE).score);
}

/* Others are worth more, and there is no room for them. */
static bool worth_least(Look *k)
{
    const VhWire *w = &k->f->wires.v[k->i];

    return k->evict > 0 && k->i > k->span.first && k->i + 1 < k->span.end &&
           (w[0].rate == w[-1].rate || w[0].rate == w[1].rate) && may_go(w) &&
           value_of(k) < k->evict;
}

static void look_along(Look *k)
{
    k->a = k->b = k->span.first;
    k->changes = 0;
    for (size_t i = k->span.first; i <= k->span.end; i++) {
        look_at(k, i);
        offer_gap(k);
        if (i < k->span.end && (too_close(k) || worth_least(k))) {
            k->f->wires.v[i].dead = true;
        }
    }
}

/* Best first: the worst, which is on top, goes to the end, and so on. */
static void sort_heap(VhGaps *g)
{
    size_t nr = g->nr;

    while (g->nr > 1) {
        VhGap worst = g->v[0], last = g->v[--g->nr];

        sift_down(g, &last);
        g->v[g->nr] = worst;
    }
    g->nr = nr;
}

/* There is no room for the best gaps: wires that are worth far less go. */
static float evict_below(const VhField *f)
{
    return f->gaps.nr && f->wires.nr > FILLED * f->wires.room
               ? f->gaps.v[f->gaps.nr / 2].score * EVICT
               : 0;
}

void vh_exposure_gaps(VhExposure *e, VhField *f)
{
    Look k = { .e = e,
               .f = f,
               .fire_price = fire_price(f),
               .evict = evict_below(f),
               .least = MAX(e->pages / vh_exposure_few(e, f), 1) };

    f->gaps.nr = 0;
    for (size_t r = 0; r < e->nr_ranges; r++) {
        k.span = vh_exposure_span(e, f, r, k.span.end);
        look_along(&k);
    }
    sort_heap(&f->gaps);
}

uint64_t vh_exposure_place(VhExposure *e, const VhGap *g)
{
    uint64_t len = g->hi - g->lo, at;

    if (!g->edge || len == 1) {
        return g->lo + vh_rng_below(&e->rng, len);
    }
    at = vh_most_aligned(g->lo + len / 4, g->hi - 1 - len / 4);
    /* either side of where the border may well be */
    return at > g->lo && vh_rng_next(&e->rng) >> 63 ? at - 1 : at;
}
