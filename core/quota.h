/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas: how much a scheme may do in a reset interval. */
#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include "goals.h"
#include "vmheat/scheme.h"

/**
 * struct VhCharge - what a scheme may do and has done
 * @started: there is a reset interval
 * @from_ns: when it began
 * @charged: bytes used up in it
 * @total_size: bytes charged in all intervals that are over
 * @total_ns: time spent, in all intervals
 * @esz: effective size; UINT64_MAX: no limit; 0: nothing may be done
 * @stale: the quota was changed since @esz was found
 * @min_score: least score of a region, while @esz is limited
 * @page: bytes of a page of the host; 0: no pass began
 */
typedef struct VhCharge {
    bool started;
    uint64_t from_ns;
    uint64_t charged;
    uint64_t total_size;
    uint64_t total_ns;
    uint64_t esz;
    bool stale;
    unsigned min_score;
    uint64_t page;
} VhCharge;

/** VH_CHARGE_NEW - of a new scheme */
#define VH_CHARGE_NEW ((VhCharge){ .esz = UINT64_MAX })

/** vh_quota_limits() - is there any limit? */
bool vh_quota_limits(const VhQuota *q);

/**
 * struct VhWeigher - how much of a region an action can be applied to
 * @bytes: of @r, whose pattern is right; NULL: all
 * @arg: for @bytes
 */
typedef struct VhWeigher {
    uint64_t (*bytes)(void *arg, const VhSnapRegion *r);
    void *arg;
} VhWeigher;

/**
 * vh_charge_begin() - a pass over @snap begins at @now
 * @weigh: memory that filters or the action itself keep out must not fill the
 *         quota: it would keep out others, for ever
 * @qt_exceeds: incremented when an interval is over that was used up
 *
 * DAMOS's damos_adjust_quota(): begins a new interval when it is time, and
 * finds the least score with which regions of the pattern fill the quota.
 */
void vh_charge_begin(VhCharge *c, VhGoals *g, const VhScheme *s,
                     const VhSnapshot *snap, const VhSchemesEnv *env,
                     VhWeigher weigh, uint64_t now, uint64_t *qt_exceeds);

/** vh_charge_room() - bytes left in whole pages of the host; UINT64_MAX: any
 * number */
uint64_t vh_charge_room(const VhCharge *c);

/** vh_charge_allows() - is the region's score high enough? */
bool vh_charge_allows(const VhCharge *c, const VhScheme *s,
                      const VhSnapshot *snap, const VhSnapRegion *r);

/** vh_charge_add() - @size bytes were tried, which took @ns */
void vh_charge_add(VhCharge *c, const VhQuota *q, uint64_t size, uint64_t ns);

#endif
