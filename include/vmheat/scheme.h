/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schemes: "memory with this access pattern: do that to it", as DAMON's
 * operation schemes (DAMOS). See docs/design/schemes.md for where the semantics
 * are DAMON's to the letter and where not.
 *
 * A VhSchemes is the engine. One thread drives it (the worker); only
 * vh_schemes_status() may be called from any thread:
 *   set_map()   the guest memory map changed, or must be let go of (NULL)
 *   snapshot()  an aggregation is over: begins a pass for each scheme whose
 *               apply interval has passed
 *   step()      does one quantum of the work of the running passes
 */
#ifndef VMHEAT_SCHEME_H
#define VMHEAT_SCHEME_H

#include "vmheat/action.h"
#include "vmheat/map.h"
#include "vmheat/snapshot.h"
#include "vmheat/types.h"

#define VH_SCHEMES_MAX 64
#define VH_GOALS_MAX 16
#define VH_FILTERS_MAX 64
#define VH_NODES_MAX 64
#define VH_TRIED_MAX 1000 /* tried regions kept of each scheme */

/** struct VhBounds - from @min to @max, both included */
typedef struct VhBounds {
    uint64_t min;
    uint64_t max;
} VhBounds;

/**
 * struct VhPattern - the access pattern
 * @size: bytes of a region
 * @nr_accesses: of a region, in samples
 * @rate_min: @by_rate: least accesses a second; see vh_region_rate()
 * @rate_max: @by_rate: most
 * @by_rate: the rate decides, not @nr_accesses
 * @age: aggregation intervals; microseconds when @age_is_time
 * @age_is_time: see @age
 */
typedef struct VhPattern {
    VhBounds size;
    VhBounds nr_accesses;
    double rate_min;
    double rate_max;
    bool by_rate;
    VhBounds age;
    bool age_is_time;
} VhPattern;

/** VH_PATTERN_ANY - matches every region */
#define VH_PATTERN_ANY                              \
    ((VhPattern){ .size = { 0, UINT64_MAX },        \
                  .nr_accesses = { 0, UINT64_MAX }, \
                  .age = { 0, UINT64_MAX } })

/**
 * enum VhMetric - something the surroundings can tell
 *
 * USER_INPUT: the user says so. The others never block.
 */
typedef enum VhMetric {
    VH_METRIC_USER_INPUT,
    VH_METRIC_SOME_MEM_PSI_US, /* goal: us of "some" stall in the interval */
    VH_METRIC_MEM_FREE,        /* free memory of the host, in 1/1000 */
    VH_METRIC_MEM_USED,        /* the rest, in 1/1000 */
    VH_METRIC_GUEST_RSS,       /* bytes of guest RAM in host memory */
    VH_METRIC_GUEST_FREE,      /* the guest's own "available", in 1/1000 */
    VH_METRIC_SOME_MEM_PSI,    /* watermark: "some avg10", in 1/10000 */
    VH_METRICS,
} VhMetric;

/**
 * struct VhGoal - a quota goal
 * @metric: what to look at
 * @target: value it should have; above 0
 * @current: USER_INPUT: value it has
 */
typedef struct VhGoal {
    VhMetric metric;
    uint64_t target;
    uint64_t current;
} VhGoal;

/** enum VhTuner - how goals set the quota, as DAMOS */
typedef enum VhTuner {
    VH_TUNER_CONSIST,  /* feedback loop towards a steady quota */
    VH_TUNER_TEMPORAL, /* all of the quota until the goal is reached, then none
                        */
} VhTuner;

/**
 * struct VhQuota - limits of one reset interval; 0: none
 * @time_us: time for applying the action
 * @size: bytes the action is tried on
 * @reset_us: reset interval
 * @weight_size: priority of large regions
 * @weight_accesses: priority by nr_accesses
 * @weight_age: priority by age
 * @tuner: for @goals
 * @goals: owned
 * @nr_goals: how many
 */
typedef struct VhQuota {
    uint64_t time_us;
    uint64_t size;
    uint64_t reset_us;
    uint32_t weight_size;
    uint32_t weight_accesses;
    uint32_t weight_age;
    VhTuner tuner;
    VhGoal *goals;
    size_t nr_goals;
} VhQuota;

/**
 * struct VhWatermarks - when the scheme is active, as DAMOS
 * @used: there are watermarks
 * @metric: MEM_FREE or SOME_MEM_PSI
 * @interval_us: how often to look
 * @high: above it the scheme goes to sleep
 * @mid: below it, it wakes up
 * @low: below it, it goes to sleep
 */
typedef struct VhWatermarks {
    bool used;
    VhMetric metric;
    uint64_t interval_us;
    uint64_t high;
    uint64_t mid;
    uint64_t low;
} VhWatermarks;

/** enum VhFilterType - what a filter looks at */
typedef enum VhFilterType {
    VH_FILTER_ADDRESS,     /* guest-physical address in [start, end) */
    VH_FILTER_NODE,        /* NUMA node of the guest */
    VH_FILTER_BLOCK,       /* id of the RAMBlock */
    VH_FILTER_BACKEND,     /* id of the memory backend */
    VH_FILTER_DEVICE,      /* id of the memory device */
    VH_FILTER_FILE_BACKED, /* kinds of RAMBlock */
    VH_FILTER_SHARED,
    VH_FILTER_HUGETLB,
    VH_FILTER_PINNED,   /* a device may write it behind the host's back */
    VH_FILTER_HUGEPAGE, /* page by page from here on: VhPageInfo */
    VH_FILTER_PRESENT,  /* in host memory */
    VH_FILTER_YOUNG,    /* accessed since it was made old last */
    VH_FILTERS,
} VhFilterType;

/**
 * struct VhFilter - one filter; the first of a scheme's that matches decides
 * @type: what it looks at
 * @matching: it matches memory of that type; else all other memory
 * @allow: the action may be applied to what matches; else not
 * @start: ADDRESS
 * @end: ADDRESS
 * @node: NODE
 * @id: BLOCK, BACKEND, DEVICE; owned
 *
 * Memory with VH_SECTION_RESERVED is refused whatever they say.
 * What no filter matches: the opposite of the last filter's @allow.
 */
typedef struct VhFilter {
    VhFilterType type;
    bool matching;
    bool allow;
    uint64_t start;
    uint64_t end;
    uint32_t node;
    char *id;
} VhFilter;

/**
 * struct VhBackOff - when to leave the guest alone
 * @refault_permille: of the bytes applied in the last minute, how many may come
 *                    back; 0: any number. Only actions that count refaults.
 * @psi: most memory pressure ("some avg10", 1/10000); 0: any
 */
typedef struct VhBackOff {
    uint32_t refault_permille;
    uint32_t psi;
} VhBackOff;

/**
 * struct VhScheme - one scheme, as the user wants it
 * @name: for humans; never NULL in an engine; owned
 * @pattern: which memory
 * @action: what to do
 * @args: its parameters
 * @apply_us: apply interval; 0: the aggregation interval
 * @quota: limits
 * @watermarks: when to be active
 * @filters: owned
 * @nr_filters: how many
 * @max_snapshots: snapshots after which it does no more; 0: never
 * @back_off: when to leave the guest alone
 */
typedef struct VhScheme {
    char *name;
    VhPattern pattern;
    const VhActionOps *action;
    VhActionArgs args;
    uint64_t apply_us;
    VhQuota quota;
    VhWatermarks watermarks;
    VhFilter *filters;
    size_t nr_filters;
    uint64_t max_snapshots;
    VhBackOff back_off;
} VhScheme;

#define VH_QUOTA_RESET_US_DEFAULT 1000000ULL
#define VH_WATERMARK_INTERVAL_US_DEFAULT 5000000ULL
#define VH_REFAULT_PERMILLE_DEFAULT 100U
#define VH_PSI_BACK_OFF_DEFAULT 2000U

/**
 * vh_schemes_check() - can these schemes be used?
 * @v: schemes
 * @n: how many
 * @why: out, one sentence naming the scheme, the member in QMP's words, its
 *       value and what is allowed (g_free)
 *
 * Looks at numbers only; whether actions can run here is for hw/ to ask.
 */
bool vh_schemes_check(const VhScheme *v, size_t n, char **why);

/** vh_scheme_clear() - frees what a scheme owns, not the scheme */
void vh_scheme_clear(VhScheme *s);

/** vh_scheme_copy() - a deep copy */
void vh_scheme_copy(VhScheme *to, const VhScheme *from);

/** vh_region_rate() - accesses a second of each page of a region, at most one
 * per sample: nr_accesses / aggregation interval */
double vh_region_rate(const VhSnapshot *s, uint32_t nr_accesses);

/** vh_scheme_score() - DAMOS's priority, 0 .. 99 */
unsigned vh_scheme_score(const VhScheme *s, const VhSnapshot *snap,
                         const VhSnapRegion *r);

/** enum VhSchemeState - what a scheme is doing */
typedef enum VhSchemeState {
    VH_SCHEME_ACTIVE,
    VH_SCHEME_INACTIVE, /* watermarks */
    VH_SCHEME_BACK_OFF, /* leaves the guest alone for a while */
    VH_SCHEME_FINISHED, /* max_snapshots */
} VhSchemeState;

/**
 * struct VhSchemeStats - counters since the scheme was set
 * @nr_tried: regions of the pattern
 * @sz_tried: their bytes
 * @nr_applied: regions the action was applied to, at least in part
 * @sz_applied: bytes it was applied to
 * @sz_filter_passed: bytes that passed the filters
 * @qt_exceeds: reset intervals in which the quota was used up
 * @nr_snapshots: snapshots looked at
 * @errors: quanta that failed for a reason that may pass
 * @back_offs: times the scheme backed off
 * @refaulted: bytes that came back to host memory
 * @spent_ns: time spent applying
 */
typedef struct VhSchemeStats {
    uint64_t nr_tried;
    uint64_t sz_tried;
    uint64_t nr_applied;
    uint64_t sz_applied;
    uint64_t sz_filter_passed;
    uint64_t qt_exceeds;
    uint64_t nr_snapshots;
    uint64_t errors;
    uint64_t back_offs;
    uint64_t refaulted;
    uint64_t spent_ns;
} VhSchemeStats;

/**
 * struct VhSchemeStatus - what one scheme does; a copy
 * @scheme: the scheme
 * @state: what it is doing
 * @reason: why it is not active, or NULL; owned
 * @stats: counters
 * @effective_size: effective quota in bytes; UINT64_MAX: no limit
 * @charged_size: of which used up in this reset interval
 * @goal_score: best score of the goals in 1/10000 of reached; 0 without goals
 * @goal_current: value each goal's metric had last, one per goal; owned
 * @tried: regions of the pattern of the latest pass, owned; at most
 * VH_TRIED_MAX, largest score first not guaranteed: lowest addresses first
 * @nr_tried: how many of them
 * @tried_truncated: there were more
 * @detail: what the action says, and why filters do not know, or NULL; owned
 */
typedef struct VhSchemeStatus {
    VhScheme scheme;
    VhSchemeState state;
    char *reason;
    VhSchemeStats stats;
    uint64_t effective_size;
    uint64_t charged_size;
    uint64_t goal_score;
    uint64_t *goal_current;
    VhSnapRegion *tried;
    size_t nr_tried;
    bool tried_truncated;
    char *detail;
} VhSchemeStatus;

/**
 * enum VhIs - is memory of a filter's type?
 *
 * Where that is not known the filter decides so that less is done: one that
 * rejects matches, one that allows does not.
 */
typedef enum VhIs {
    VH_IS_NOT,
    VH_IS,
    VH_IS_UNKNOWN,
} VhIs;

/**
 * struct VhSchemesEnv - what the engine needs of its surroundings
 * @action: handed to the actions
 * @page_size: of the host: 4, 16 or 64 KiB; 0: VH_PAGE_SIZE. Actions are given
 *             whole pages of it, as quotas are, though regions and filters are
 *             counted in VH_PAGE_SIZE
 * @metric: fill in @value of a metric (not USER_INPUT); false: not known here.
 *          PSI_US is a running total.
 * @page: is the memory at @offset of section @s of a type that is decided page
 *        by page? @until: out, the answer holds up to here, at most @end; above
 *        @offset. Asking changes nothing. NULL: no page is.
 * @make_old: [@offset, @end) was dealt with, and @page was asked at @offset
 * last which of it is young: that is old from now on; may be NULL
 * @blind: a sentence why a filter of scheme @s does not know what memory is
 *         (g_free), or NULL; may be NULL
 * @applied: the action of scheme @index, which counts refaults, did this, from
 *           @offset of section @s on; may be NULL
 * @refaults: bytes applied by scheme @index that came back, in all; NULL: none
 * @reset_age: regions of the range begin a new age
 * @backed_off: scheme @s leaves the guest alone for @ns, and why
 * @goal_reached: a goal's score reached 10000 and was below it before
 * @opaque: for all of these
 *
 * All on the worker thread.
 */
typedef struct VhSchemesEnv {
    VhActionEnv action;
    uint64_t page_size;
    bool (*metric)(void *opaque, VhMetric m, uint64_t *value);
    VhIs (*page)(void *opaque, VhFilterType type, const VhMapSection *s,
                 uint64_t offset, uint64_t end, uint64_t *until);
    void (*make_old)(void *opaque, const VhMapSection *s, uint64_t offset,
                     uint64_t end);
    char *(*blind)(void *opaque, const VhScheme *s);
    void (*applied)(void *opaque, size_t index, const VhMapSection *s,
                    uint64_t offset, const VhApplied *did);
    uint64_t (*refaults)(void *opaque, size_t index);
    void (*reset_age)(void *opaque, VhRange r);
    void (*backed_off)(void *opaque, const VhScheme *s, const char *why,
                       uint64_t ns);
    void (*goal_reached)(void *opaque, const VhScheme *s, uint64_t score);
    void *opaque;
} VhSchemesEnv;

/** vh_schemes_page() - bytes of a page of the host */
static inline uint64_t vh_schemes_page(const VhSchemesEnv *env)
{
    return env->page_size ? env->page_size : VH_PAGE_SIZE;
}

typedef struct VhSchemes VhSchemes;

/** vh_schemes_new() - an engine without schemes; @env is copied */
VhSchemes *vh_schemes_new(const VhSchemesEnv *env);

/** vh_schemes_free() - ends the actions and everything else */
void vh_schemes_free(VhSchemes *e);

/**
 * vh_schemes_set() - use these, already checked, from now on
 *
 * Deep copies. A scheme that has the name and action of one in use goes on with
 * its statistics, quota and charge; @env's indices are the new ones.
 */
void vh_schemes_set(VhSchemes *e, const VhScheme *v, size_t n);

/** vh_schemes_set_map() - see above; own reference; NULL ends all passes */
void vh_schemes_set_map(VhSchemes *e, VhMap *map);

/** vh_schemes_snapshot() - an aggregation is over */
void vh_schemes_snapshot(VhSchemes *e, const VhSnapshot *s);

/** vh_schemes_pause() - end all passes; the next snapshot begins new ones */
void vh_schemes_pause(VhSchemes *e);

/** vh_schemes_refresh() - what @env's blind() says may be another now */
void vh_schemes_refresh(VhSchemes *e);

/**
 * vh_schemes_step() - do one quantum of work if it is due
 *
 * Returns the clock time in ns at which it wants to be called again;
 * UINT64_MAX: not before the next snapshot.
 */
uint64_t vh_schemes_step(VhSchemes *e);

/** vh_schemes_status() - a copy for vh_schemes_status_free(); any thread */
VhSchemeStatus *vh_schemes_status(VhSchemes *e, size_t *n);

/** vh_schemes_status_free() - frees it */
void vh_schemes_status_free(VhSchemeStatus *v, size_t n);

#endif
