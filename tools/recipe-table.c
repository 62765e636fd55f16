/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recipes. One more: an entry here, its name in recipes/meson.build, and a
 * section in docs/user/schemes.md.
 *
 * Each says all that matters, defaults of the schema included, so that the
 * files made of them can be read and edited.
 */
#include "recipes.h"

#define JSON(...) #__VA_ARGS__

#define RECLAIM_OPTIONS "min-age save ram quota time-quota range watermarks"

/* clang-format off */

/*
 * The numbers of DAMON_RECLAIM. What is not in memory is not tried again: it would
 * use up the quota.
 */
static const char reclaim[] = JSON([
{
    "name": "reclaim",
    "action": "pageout",
    "pattern": {
        "nr-accesses": { "max": 0 },
        "age-time": { "min": 120000000 }
    },
    "quota": {
        "time": 10000,
        "size": 134217728,
        "reset-interval": 1000000,
        "weights": { "size": 0, "nr-accesses": 0, "age": 1 }
    },
    "watermarks": {
        "metric": "mem-free",
        "interval": 5000000,
        "high": 500,
        "mid": 400,
        "low": 200
    },
    "filters": [
        { "type": "present", "matching": false, "allow": false }
    ],
    "back-off": { "refault": 100, "psi": 2000 }
}
]);

/* Proactive: whether the host is short of memory or not. */
static const char prcl[] = JSON([
{
    "name": "prcl",
    "action": "pageout",
    "pattern": {
        "nr-accesses": { "max": 0 },
        "age-time": { "min": 5000000 }
    },
    "quota": {
        "size": 268435456,
        "reset-interval": 1000000,
        "weights": { "size": 0, "nr-accesses": 0, "age": 1 }
    },
    "filters": [
        { "type": "present", "matching": false, "allow": false }
    ],
    "back-off": { "refault": 100, "psi": 2000 }
}
]);

/*
 * 4 accesses a second are a fifth of what can be seen with the default sampling
 * interval of 50 ms.
 */
static const char ethp[] = JSON([
{
    "name": "ethp-hot",
    "action": "collapse",
    "pattern": {
        "size": { "min": 2097152 },
        "rate": { "min": 4 }
    },
    "quota": {
        "size": 268435456,
        "reset-interval": 1000000,
        "weights": { "size": 0, "nr-accesses": 1, "age": 1 }
    }
},
{
    "name": "ethp-cold",
    "action": "nohugepage",
    "pattern": {
        "size": { "min": 2097152 },
        "nr-accesses": { "max": 0 },
        "age-time": { "min": 7000000 }
    },
    "quota": {
        "size": 268435456,
        "reset-interval": 1000000,
        "weights": { "size": 0, "nr-accesses": 1, "age": 1 }
    }
}
]);

/* Quotas and weights of the kernel's mtier; but what is cold has to stay cold. */
static const char tiering[] = JSON([
{
    "name": "tiering-hot",
    "action": "migrate-hot",
    "pattern": {
        "nr-accesses": { "min": 1 }
    },
    "quota": {
        "size": 209715200,
        "reset-interval": 1000000,
        "weights": { "size": 0, "nr-accesses": 1, "age": 1 }
    },
    "nodes": [ { "node": 0, "weight": 1 } ]
},
{
    "name": "tiering-cold",
    "action": "migrate-cold",
    "pattern": {
        "nr-accesses": { "max": 0 },
        "age-time": { "min": 10000000 }
    },
    "quota": {
        "size": 209715200,
        "reset-interval": 1000000,
        "weights": { "size": 0, "nr-accesses": 1, "age": 1 }
    },
    "nodes": [ { "node": 1, "weight": 1 } ]
}
]);

static const char balloon[] = JSON([
{
    "name": "balloon",
    "action": "balloon",
    "pattern": {
        "nr-accesses": { "max": 0 },
        "age-time": { "min": 30000000 }
    },
    "apply-interval": 1000000,
    "balloon": {
        "floor": 268435456,
        "ceiling": 0,
        "headroom": 200,
        "step": 67108864,
        "hysteresis": 16777216
    }
}
]);

/* clang-format on */

static const VhRecipe table[] = {
    { "reclaim", "page out idle memory while the host is short of memory",
      RECLAIM_OPTIONS, reclaim },
    { "prcl", "page out idle memory in any case", RECLAIM_OPTIONS, prcl },
    { "ethp", "huge pages for hot memory, split those of cold",
      "min-age quota time-quota range", ethp },
    { "tiering", "hot memory to fast NUMA nodes, cold to slow ones",
      "min-age quota time-quota hot-node cold-node range watermarks", tiering },
    { "balloon", "leave the guest its working set and some headroom",
      "min-age floor ceiling step headroom watermarks", balloon },
    {},
};

const VhRecipe *vh_recipe_table(void)
{
    return table;
}
