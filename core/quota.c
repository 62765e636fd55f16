/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quotas, as DAMOS's damos_adjust_quota() and damos_set_effective_quota().
 *
 * At the beginning of a reset interval the limits become one number, the
 * effective size: the smallest of the size limit, what the goals ask for, and
 * what can be done in the time limit at the measured speed. Before anything was
 * measured that is 4 MiB a millisecond.
 *
 * What differs: DAMOS's 0 means "no limit" or, with goals, "nothing"; here no
 * limit is UINT64_MAX. An interval counts as used up when less than a page is
 * left (as later kernels do; before, a rest that no page fits in hid it).
 */
#include <glib.h>
#include <string.h>

#include "pattern.h"
#include "quota.h"

#define FIRST_BYTES_PER_MS (VH_PAGE_SIZE * 1024)

bool vh_quota_limits(const VhQuota *q)
{
    return q->time_us || q->size || q->nr_goals;
}

static bool limited(const VhCharge *c)
{
    return c->esz != UINT64_MAX;
}

uint64_t vh_charge_room(const VhCharge *c)
{
    uint64_t left;

    if (!limited(c)) {
        return UINT64_MAX;
    }
    left = c->esz - MIN(c->charged, c->esz);
    return left - left % c->page;
}

/* What can be done in the time limit. */
static uint64_t size_in_time(const VhCharge *c, uint64_t time_us)
{
    unsigned __int128 size;

    if (c->total_ns) {
        size = (unsigned __int128)c->total_size * time_us * 1000 / c->total_ns;
    } else {
        size = (unsigned __int128)FIRST_BYTES_PER_MS * time_us / 1000;
    }
    return MIN(size, UINT64_MAX);
}

static uint64_t effective(const VhCharge *c, VhGoals *g, const VhScheme *s,
                          const VhSchemesEnv *env)
{
    const VhQuota *q = &s->quota;
    uint64_t esz = UINT64_MAX;

    if (q->nr_goals) {
        esz = vh_goals_size(g, s, env);
        if (!esz) {
            return 0;
        }
    }
    if (q->time_us) {
        esz = MIN(esz, size_in_time(c, q->time_us));
        esz = MAX(esz, c->page);
    }
    return q->size ? MIN(esz, q->size) : esz;
}

static void begin_interval(VhCharge *c, VhGoals *g, const VhScheme *s,
                           const VhSchemesEnv *env, uint64_t now)
{
    c->started = true;
    c->from_ns = now;
    c->charged = 0;
    c->esz = effective(c, g, s, env);
}

static void end_interval(VhCharge *c, uint64_t *qt_exceeds)
{
    if (c->charged && !vh_charge_room(c)) {
        ++*qt_exceeds;
    }
    c->total_size += c->charged;
}

/* From the highest score down, until the regions fill the quota. */
static unsigned least_score(const VhCharge *c, const VhScheme *s,
                            const VhSnapshot *snap, VhWeigher weigh)
{
    uint64_t histogram[VH_SCORE_MAX + 1] = { 0 }, sum = 0;
    unsigned score = VH_SCORE_MAX;

    for (size_t i = 0; i < snap->nr_regions; i++) {
        const VhSnapRegion *r = &snap->regions[i];

        if (vh_pattern_match(&s->pattern, snap, r)) {
            histogram[vh_scheme_score(s, snap, r)] +=
                weigh.bytes ? weigh.bytes(weigh.arg, r) : r->end - r->start;
        }
    }
    for (;; score--) {
        sum += histogram[score];
        if (sum >= c->esz || !score) {
            return score;
        }
    }
}

void vh_charge_begin(VhCharge *c, VhGoals *g, const VhScheme *s,
                     const VhSnapshot *snap, const VhSchemesEnv *env,
                     VhWeigher weigh, uint64_t now, uint64_t *qt_exceeds)
{
    if (!vh_quota_limits(&s->quota)) {
        *c = VH_CHARGE_NEW;
        return;
    }
    c->page = vh_schemes_page(env);
    if (!c->started) {
        begin_interval(c, g, s, env, now);
    } else if (now - c->from_ns >= s->quota.reset_us * 1000) {
        end_interval(c, qt_exceeds);
        begin_interval(c, g, s, env, now);
    } else if (c->stale && !s->quota.nr_goals) {
        c->esz = effective(c, g, s, env);
    }
    c->stale = false;
    if (limited(c)) {
        c->min_score = least_score(c, s, snap, weigh);
    }
}

bool vh_charge_allows(const VhCharge *c, const VhScheme *s,
                      const VhSnapshot *snap, const VhSnapRegion *r)
{
    return !limited(c) || vh_scheme_score(s, snap, r) >= c->min_score;
}

void vh_charge_add(VhCharge *c, const VhQuota *q, uint64_t size, uint64_t ns)
{
    if (vh_quota_limits(q)) {
        c->charged += size;
        c->total_ns += ns;
    }
}
