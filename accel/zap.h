/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unmapping pages whose contents stay in the page cache, from whichever
 * thread does it cheapest.
 */
#ifndef VMHEAT_ACCEL_ZAP_H
#define VMHEAT_ACCEL_ZAP_H

#include "vmheat/primitive.h"

/**
 * struct VhZap - one range to unmap
 * @addr: start; must lie in a mapping proved to be MAP_SHARED
 * @len: bytes
 * @ok: out, it was unmapped
 */
typedef struct VhZap {
    void *addr;
    size_t len;
    bool ok;
} VhZap;

/** enum VhZapMode - who unmaps */
typedef enum VhZapMode {
    VH_ZAP_WORKER, /* the calling thread, in bursts */
    VH_ZAP_VCPU,   /* a vCPU's thread, in one batch */
    VH_ZAP_MODES,
} VhZapMode;

/**
 * struct VhZapCost - what one mode was measured to cost
 * @each_ns: one range, smoothed
 * @batch_ns: fixed part of a batch, smoothed
 * @samples: batches measured
 */
typedef struct VhZapCost {
    double each_ns;
    double batch_ns;
    unsigned samples;
} VhZapCost;

/**
 * struct VhZapper - chooses the mode and measures
 * @host: for run_on_vcpu and the clock
 * @mode: cheaper mode, as far as known
 * @cost: per mode
 * @typical: smoothed number of ranges in a batch
 * @measured_ns: when both modes were last measured
 * @timeouts: vCPU batches in a row that were not answered in time, or for
 *            which there was no vCPU
 * @vcpu_ns: time spent on vCPU threads so far
 */
typedef struct VhZapper {
    const VhHost *host;
    VhZapMode mode;
    VhZapCost cost[VH_ZAP_MODES];
    double typical;
    uint64_t measured_ns;
    unsigned timeouts;
    uint64_t vcpu_ns;
} VhZapper;

/** vh_zapper_init() - nothing is measured yet */
void vh_zapper_init(VhZapper *z, const VhHost *host);

/**
 * vh_zapper_run() - unmap all of @zaps
 * @map: keeps the memory mapped even if a vCPU comes back late
 *
 * Returns false when a vCPU did not answer in time: then some were perhaps
 * unmapped, one more may be at any later time, and @zaps says nothing.
 */
bool vh_zapper_run(VhZapper *z, VhMap *map, VhZap *zaps, size_t n);

/** vh_zap() - unmap one range in the calling thread */
bool vh_zap(void *addr, size_t len);

#endif
