/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a machine at a moment. A view never changes once it is made
 * and is shared by reference, so who reads one waits for nobody.
 */
#ifndef VMHEAT_EXPORTER_VIEW_H
#define VMHEAT_EXPORTER_VIEW_H

#include "host.h"
#include "model.h"
#include "scheme-model.h"
#include "sums.h"

/**
 * struct VhMemory - of query-vmheat-memory
 * @size: bytes of guest RAM; 0: not known
 * @resident: of them in RAM of the host; negative, as the next: not known
 * @swapped: of them in swap
 * @huge: of them backed by huge pages
 */
typedef struct VhMemory {
    uint64_t size;
    int64_t resident, swapped, huge;
} VhMemory;

/**
 * struct VhView - of a machine
 * @time: when it was asked, Unix seconds
 * @took: seconds it took to answer, or not to
 * @id: for URLs
 * @domain: its name; clean text
 * @uuid: NULL: none
 * @state: "running", "paused", "suspended", "failed" (query-vmheat),
 *         "unreachable", "absent" (no vmheat in there)
 * @reason: why, or NULL
 * @qemu_version: "" when it did not say
 * @info: NULL, as all that follows, unless QEMU answered
 * @snapshot: of packed regions; NULL: none was taken yet
 * @schemes: with their statistics
 * @memory: see there
 * @has_balloon: the next two are known
 * @balloon_actual: bytes the guest has
 * @balloon_target: that it shall have; 0: not known
 * @cost: part of a CPU that monitoring takes; negative: not known yet
 * @sums: of @snapshot
 */
typedef struct VhView {
    double time, took;
    char *id, *domain, *uuid;
    const char *state;
    char *reason;
    char *qemu_version;
    VhInfo *info;
    VhSnapshot *snapshot;
    VhSchemeList *schemes;
    VhMemory memory;
    bool has_balloon;
    uint64_t balloon_actual, balloon_target;
    double cost;
    VhSums sums;
} VhView;

/**
 * struct VhUse - memory of a machine, as it is told
 * @size: bytes of guest RAM
 * @has: of them in RAM of the host
 * @needs: of them accessed in the last minute
 * @ballooned: of them taken back by the balloon
 * @paged_out: of them in swap
 * @compressed: RAM that zram and zswap keep for these
 * @saved: RAM that the host has for others
 */
typedef struct VhUse {
    uint64_t size, has, needs;
    uint64_t ballooned, paged_out, compressed, saved;
} VhUse;

/** vh_view_new() - all zero, with a reference */
VhView *vh_view_new(void);

/** vh_view_ref() - one more reference; any thread */
VhView *vh_view_ref(VhView *view);

/** vh_view_unref() - drop one; any thread; NULL is fine */
void vh_view_unref(VhView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhView, vh_view_unref)

/**
 * vh_view_use() - how much memory a machine has, needs and saves
 * @view: of the machine
 * @host: it runs on
 * @use: set
 */
void vh_view_use(const VhView *view, const VhHost *host, VhUse *use);

#endif
