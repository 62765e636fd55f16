/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_MODEL_H
#define VMHEAT_TOOLS_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <json-glib/json-glib.h>

/* The replies of QMP as structs; meaning of the members: qapi/vmheat.json. */

typedef struct VhRegion {
    uint64_t start, end;
    uint64_t nr_accesses, age;
    uint64_t nr_writes;               /* 0 without VhSnapshot::has_writes */
    double rate, rate_low, rate_high; /* 0 without has_rates */
    double write_rate;                /* 0 without has_write_rates */
    uint64_t idle_us; /* without has_rates: its age while nr_accesses is 0 */
} VhRegion;

typedef struct VhSnapshot {
    uint64_t sequence;
    uint64_t start_time, end_time;
    uint64_t sampling_interval, aggregation_interval;
    uint64_t max_nr_accesses;
    uint64_t working_set_size, total_size, nr_regions;
    bool truncated;
    bool has_writes, has_rates, has_write_rates;
    size_t nr;
    VhRegion *regions;
} VhSnapshot;

typedef struct VhPrimitiveInfo {
    const char *name, *summary, *reason, *blind_spots;
    bool available, chosen, chosen_for_writes;
    bool sees_reads, sees_writes, sees_dma, persistent;
    uint64_t granule;
} VhPrimitiveInfo;

typedef struct VhRangeInfo {
    uint64_t start, size, page_size;
    const char *block;
    const char *backend, *device, *reserved; /* may be NULL */
    bool shared, monitored, has_node;
    uint64_t node; /* NUMA node of the guest; 0 without has_node */
} VhRangeInfo;

typedef struct VhReservedInfo {
    uint64_t start, size;
    const char *kind, *name; /* name may be NULL */
} VhReservedInfo;

typedef struct VhAttrsInfo {
    uint64_t sampling_interval, aggregation_interval, update_interval;
    uint64_t min_regions, max_regions;
    uint64_t traps_per_second, overhead_budget;
} VhAttrsInfo;

typedef struct VhStatsInfo {
    uint64_t samples, aggregations, checks, skipped;
    uint64_t arms, arms_free, traps, lost;
    uint64_t arm_cost, collect_cost, trap_cost;
    uint64_t worker_time, vcpu_time, main_time, bql_hold_max;
    uint64_t effective_sampling_interval;
    bool throttled;
    const char *detail, *write_detail;
} VhStatsInfo;

/* @json holds the strings. */
typedef struct VhInfo {
    JsonNode *json;
    const char *id, *version, *state, *reason;
    const char *accelerator, *estimator, *primitive, *choice;
    const char *write_primitive, *write_reason; /* may be NULL */
    uint64_t total_size, working_set_size, snapshot;
    VhAttrsInfo attrs;
    VhStatsInfo stats;
    const char *target_backend, *target_device; /* may be NULL */
    int64_t target_node;                        /* -1: any */
    size_t nr_primitives, nr_ranges, nr_reserved;
    VhPrimitiveInfo *primitives;
    VhRangeInfo *ranges;
    VhReservedInfo *reserved;
} VhInfo;

/**
 * vh_snapshot_parse() - read a reply of query-vmheat-regions
 * @node: the reply, with regions as a list, as columns or packed
 * @error: names what is missing or wrong
 *
 * Returns: a snapshot; free with vh_snapshot_free(). NULL on error.
 */
VhSnapshot *vh_snapshot_parse(JsonNode *node, GError **error);

/**
 * vh_snapshot_free() - free a snapshot; NULL is fine
 * @snap: the snapshot
 */
void vh_snapshot_free(VhSnapshot *snap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhSnapshot, vh_snapshot_free)

/**
 * vh_snapshot_age_us() - age of a region as a time
 * @snap: the snapshot
 * @region: a region of it
 *
 * A throttled monitor aggregates more slowly than it is asked to, so the
 * snapshot's own duration counts when that is longer.
 *
 * Returns: microseconds.
 */
uint64_t vh_snapshot_age_us(const VhSnapshot *snap, const VhRegion *region);

/**
 * vh_info_parse() - read a reply of query-vmheat
 * @node: the reply
 * @error: names what is missing or wrong
 *
 * Returns: information; free with vh_info_free(). NULL on error.
 */
VhInfo *vh_info_parse(JsonNode *node, GError **error);

/**
 * vh_info_free() - free it; NULL is fine
 * @info: the information
 */
void vh_info_free(VhInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhInfo, vh_info_free)

#endif
