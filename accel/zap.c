/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * madvise(MADV_DONTNEED) on a shared file mapping drops the page table entry,
 * here and through the MMU notifier in KVM's page tables, and keeps the data in
 * the page cache. Done from another CPU it interrupts every vCPU that runs,
 * once for each call; done on a vCPU's own thread, which is outside the guest
 * meanwhile, most of that is gone. How much depends on the host, so both ways
 * are measured: the first batches alternate, later one batch in the other mode
 * every 30 seconds, and the cheaper one is used. The same is true of
 * write-protecting a page, so what is done to it is a parameter (VhZapOp).
 *
 * A batch for a vCPU is an object of its own with two owners. If the vCPU does
 * not come round in time (it is in a long exit, or the main thread holds it
 * up), the caller cancels it. A batch that is just running stops after the
 * page it is at: it holds a reference on the map, so that is still guest
 * memory, and unmapping a page late is harmless.
 *
 * A batch that is interrupted (its CPU is taken away, or the CPU it interrupts
 * does not run just now) can take a thousand times longer than others. That
 * says nothing about the next one, and believing it would use up the budget
 * for minutes. So the first samples count with their minimum, later ones with
 * at most OUTLIER times what was known.
 *
 * The lock is a pthread one, not glib's, because thread sanitizers understand
 * that one.
 *
 * The calling thread, when it unmaps itself, pauses after a burst: thousands
 * of interruptions in a row would stop the guest.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "accel/zap.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

#define BURST 32
#define BURST_PAUSE_US 200
#define WAIT_NS 50000000ULL
#define TIMEOUTS_MAX 3
#define REMEASURE_NS 30000000000ULL
#define FIRST_SAMPLES 3
/* A sample counts as at most so many times what was known. */
#define OUTLIER 4
#define GAIN 0.25
/*
 * Fixed cost of a batch: the time until the vCPU came round, which is about an
 * exit and an entry. It is longer when the vCPU was halted or had no CPU, and
 * that is not a cost to the guest. 60 us is what a kick takes nested.
 */
#define BATCH_NS_MAX 60000.0

typedef struct Batch {
    int refs;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    bool cancelled; /* atomic */
    VhMap *map;
    VhZapOp op;
    uint64_t posted_ns;
    uint64_t started_ns;
    uint64_t ended_ns;
    size_t n;
    VhZap zaps[];
} Batch;

static uint64_t mono_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

bool vh_zap(void *addr, size_t len)
{
    if (madvise(addr, len, MADV_DONTNEED) == 0) {
        return true;
    }
    /* mlocked: same effect, and the page is locked again when it comes back */
    return errno == EINVAL && madvise(addr, len, MADV_DONTNEED_LOCKED) == 0;
}

static bool run_zap(void *arg, void *addr, size_t len)
{
    return vh_zap(addr, len);
}

const VhZapOp vh_zap_op = { .run = run_zap };

void vh_zapper_init(VhZapper *z, const VhHost *host, VhZapOp op)
{
    *z = (VhZapper){ .host = host, .op = op, .typical = 1 };
}

static Batch *batch_new(VhMap *map, VhZapOp op, const VhZap *zaps, size_t n)
{
    Batch *b = g_malloc(sizeof(*b) + n * sizeof(*zaps));
    pthread_condattr_t attr;

    *b = (Batch){ .refs = 2, .map = vh_map_ref(map), .op = op, .n = n };
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&b->cond, &attr);
    pthread_condattr_destroy(&attr);
    for (size_t i = 0; i < n; i++) {
        b->zaps[i] = zaps[i];
    }
    if (op.ref) {
        op.ref(op.arg);
    }
    return b;
}

static void batch_unref(Batch *b)
{
    if (__atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        vh_map_unref(b->map);
        if (b->op.unref) {
            b->op.unref(b->op.arg);
        }
        pthread_mutex_destroy(&b->lock);
        pthread_cond_destroy(&b->cond);
        g_free(b);
    }
}

/* vCPU thread. */
static void batch_run(void *opaque)
{
    Batch *b = opaque;

    b->started_ns = mono_ns();
    for (size_t i = 0;
         i < b->n && !__atomic_load_n(&b->cancelled, __ATOMIC_RELAXED); i++) {
        b->zaps[i].ok = b->op.run(b->op.arg, b->zaps[i].addr, b->zaps[i].len);
    }
    b->ended_ns = mono_ns();
    pthread_mutex_lock(&b->lock);
    b->done = true;
    pthread_cond_signal(&b->cond);
    pthread_mutex_unlock(&b->lock);
    batch_unref(b);
}

/* Returns whether the batch was finished in time; else it is cancelled. */
static bool batch_wait(Batch *b)
{
    uint64_t end = b->posted_ns + WAIT_NS;
    struct timespec ts = { .tv_sec = end / 1000000000ULL,
                           .tv_nsec = end % 1000000000ULL };
    bool done;

    pthread_mutex_lock(&b->lock);
    while (!b->done && !pthread_cond_timedwait(&b->cond, &b->lock, &ts)) {
    }
    done = b->done;
    pthread_mutex_unlock(&b->lock);
    if (!done) {
        __atomic_store_n(&b->cancelled, true, __ATOMIC_RELAXED);
    }
    return done;
}

static void learn(VhZapCost *c, double each_ns, double batch_ns)
{
    if (!c->samples) {
        c->each_ns = each_ns;
        c->batch_ns = batch_ns;
    } else if (c->samples < FIRST_SAMPLES) {
        c->each_ns = MIN(c->each_ns, each_ns);
        c->batch_ns = MIN(c->batch_ns, batch_ns);
    } else {
        each_ns = MIN(each_ns, c->each_ns * OUTLIER);
        c->each_ns += GAIN * (each_ns - c->each_ns);
        c->batch_ns += GAIN * (batch_ns - c->batch_ns);
    }
    c->samples++;
}

static bool run_here(VhZapper *z, VhZap *zaps, size_t n)
{
    uint64_t ns = 0;

    for (size_t i = 0; i < n; i += BURST) {
        uint64_t start = mono_ns();

        if (i) {
            g_usleep(BURST_PAUSE_US);
            start = mono_ns();
        }
        for (size_t k = i; k < MIN(n, i + BURST); k++) {
            zaps[k].ok = z->op.run(z->op.arg, zaps[k].addr, zaps[k].len);
        }
        ns += mono_ns() - start;
    }
    learn(&z->cost[VH_ZAP_WORKER], (double)ns / n, 0);
    return true;
}

static bool run_on_vcpu(VhZapper *z, VhMap *map, VhZap *zaps, size_t n)
{
    Batch *b = batch_new(map, z->op, zaps, n);
    bool done;

    b->posted_ns = mono_ns();
    if (!z->host->run_on_vcpu(z->host->opaque, batch_run, b)) {
        batch_unref(b);
        batch_unref(b);
        z->timeouts++;
        return run_here(z, zaps, n);
    }
    done = batch_wait(b);
    if (done) {
        VhZapCost *cost = &z->cost[VH_ZAP_VCPU];
        uint64_t ns = b->ended_ns - b->started_ns;
        double wake = b->started_ns - b->posted_ns;

        for (size_t i = 0; i < n; i++) {
            zaps[i].ok = b->zaps[i].ok;
        }
        z->timeouts = 0;
        learn(cost, (double)ns / n, MIN(wake, BATCH_NS_MAX));
        z->vcpu_ns += MIN(ns, n * cost->each_ns * OUTLIER);
    } else {
        z->timeouts++;
    }
    batch_unref(b);
    return done;
}

static double cost_of(const VhZapper *z, VhZapMode mode)
{
    return z->cost[mode].batch_ns + z->cost[mode].each_ns * z->typical;
}

static VhZapMode other(VhZapMode mode)
{
    return mode == VH_ZAP_VCPU ? VH_ZAP_WORKER : VH_ZAP_VCPU;
}

static VhZapMode choose(VhZapper *z)
{
    uint64_t now = vh_clock_now(&z->host->clock);

    if (!z->host->run_on_vcpu) {
        return VH_ZAP_WORKER;
    }
    for (int m = 0; m < VH_ZAP_MODES; m++) {
        if (z->cost[m].samples < FIRST_SAMPLES && z->timeouts < TIMEOUTS_MAX) {
            z->measured_ns = now;
            return z->cost[VH_ZAP_WORKER].samples <=
                           z->cost[VH_ZAP_VCPU].samples
                       ? VH_ZAP_WORKER
                       : VH_ZAP_VCPU;
        }
    }
    z->mode = z->timeouts < TIMEOUTS_MAX &&
                      cost_of(z, VH_ZAP_VCPU) < cost_of(z, VH_ZAP_WORKER)
                  ? VH_ZAP_VCPU
                  : VH_ZAP_WORKER;
    if (now - z->measured_ns >= REMEASURE_NS) {
        z->measured_ns = now;
        return other(z->mode);
    }
    return z->mode;
}

bool vh_zapper_run(VhZapper *z, VhMap *map, VhZap *zaps, size_t n)
{
    if (!n) {
        return true;
    }
    z->typical += GAIN * (n - z->typical);
    return choose(z) == VH_ZAP_VCPU ? run_on_vcpu(z, map, zaps, n)
                                    : run_here(z, zaps, n);
}
