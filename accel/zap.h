/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unmapping pages whose contents stay in the page cache, or disturbing their
 * mapping in another way, from whichever thread does it cheapest.
 */
#ifndef VMHEAT_ACCEL_ZAP_H
#define VMHEAT_ACCEL_ZAP_H

#include "vmheat/primitive.h"

/**
 * struct VhZap - one range to unmap
 * @addr: start; must lie in a mapping that survives what is done to it
 * @len: bytes
 * @ok: out, it was done
 */
typedef struct VhZap {
    void *addr;
    size_t len;
    bool ok;
} VhZap;

/**
 * struct VhZapOp - what is done to a range
 * @run: do it in the calling thread, which may be a vCPU's; was it done?
 * @arg: for @run
 * @ref: @arg has one more user; NULL when it lives for ever
 * @unref: the opposite; any thread
 *
 * A vCPU that is late runs it when the zapper and its owner may be gone: all
 * that @run needs hangs on @arg.
 */
typedef struct VhZapOp {
    bool (*run)(void *arg, void *addr, size_t len);
    void *arg;
    void (*ref)(void *arg);
    void (*unref)(void *arg);
} VhZapOp;

/** vh_zap_op - vh_zap() as an operation */
extern const VhZapOp vh_zap_op;

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
 * @op: what it does; its @arg lives at least as long as the zapper
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
    VhZapOp op;
    VhZapMode mode;
    VhZapCost cost[VH_ZAP_MODES];
    double typical;
    uint64_t measured_ns;
    unsigned timeouts;
    uint64_t vcpu_ns;
} VhZapper;

/** vh_zapper_init() - nothing is measured yet */
void vh_zapper_init(VhZapper *z, const VhHost *host, VhZapOp op);

/**
 * vh_zapper_run() - do it to all of @zaps
 * @map: keeps the memory mapped even if a vCPU comes back late
 *
 * Returns false when a vCPU did not answer in time: then it was perhaps done to
 * some, may be done to one more at any later time, and @zaps says nothing.
 */
bool vh_zapper_run(VhZapper *z, VhMap *map, VhZap *zaps, size_t n);

/** vh_zap() - unmap one range in the calling thread */
bool vh_zap(void *addr, size_t len);

#endif
