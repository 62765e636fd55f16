/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker: the thread that runs a VhMonitor.
 *
 * Everything the monitor and its primitive do (system calls, waiting for a
 * vCPU) happens here and never under the BQL. The functions below are called
 * from QEMU's main thread; they hand over a request and return at once,
 * except where the text says that they wait.
 */
#ifndef VMHEAT_HW_WORKER_H
#define VMHEAT_HW_WORKER_H

#include "hw/bql-call.h"
#include "vmheat/monitor.h"

typedef struct VmheatWorker VmheatWorker;

/**
 * struct VmheatFault - something about a primitive that the user should know
 * @ops: the primitive
 * @why: it cannot start, refuses a map or stopped working; NULL: it recovered
 * @writes: it was the one for writes, and is in use no more
 */
typedef struct VmheatFault {
    const VhPrimitiveOps *ops;
    const char *why;
    bool writes;
} VmheatFault;

/**
 * struct VmheatActor - what acts on guest memory by what the monitor sees
 * @set_map: act on this map; NULL: let go of guest memory
 * @snapshot: an aggregation is over
 * @step: do a little work; when to be called again (ns), UINT64_MAX: not before
 *        the next snapshot
 * @end: the thread is about to end; guest memory was let go of
 * @opaque: for these
 *
 * Worker thread.
 */
typedef struct VmheatActor {
    void (*set_map)(void *opaque, VhMap *map);
    void (*snapshot)(void *opaque, const VhSnapshot *s);
    uint64_t (*step)(void *opaque);
    void (*end)(void *opaque);
    void *opaque;
} VmheatActor;

/**
 * struct VmheatChore - what the worker does besides, a little at a time
 * @step: do some of it, or let go of an older map; when to be called again
 *        (ns), UINT64_MAX: not before somebody wakes the worker. @map is guest
 *        memory just now, NULL when the thread is about to end. @cpu: CPU time
 *        of the thread. @spent_ns: out, what of it was used; counts as
 *        monitoring's.
 * @opaque: for it
 *
 * Worker thread, whatever the mode is: it may look at guest memory only.
 */
typedef struct VmheatChore {
    uint64_t (*step)(void *opaque, VhMap *map, const VhLimits *limits,
                     const VhClock *cpu, uint64_t *spent_ns);
    void *opaque;
} VmheatChore;

/**
 * vmheat_worker_new() - start the thread, in mode RELEASE
 * @cfg: copied; @cfg->cpu is filled in by the worker
 * @bql: closed while the main thread waits for the worker
 * @actor: copied
 * @chore: copied
 * @fault: called on the worker thread; what it is given is only valid during
 *         the call
 * @opaque: for @fault
 */
VmheatWorker *
vmheat_worker_new(const VhMonitorConfig *cfg, VmheatBqlCaller *bql,
                  const VmheatActor *actor, const VmheatChore *chore,
                  void (*fault)(void *opaque, const VmheatFault *f),
                  void *opaque);

/** vmheat_worker_set_primitives() - use these, or try the same again */
void vmheat_worker_set_primitives(VmheatWorker *w, const VhSensor *primitive,
                                  const VhSensor *writes);

/**
 * vmheat_worker_set_map() - watch @map (own reference taken) from now on
 */
void vmheat_worker_set_map(VmheatWorker *w, VhMap *map);

/** vmheat_worker_set_attrs() - both already checked */
void vmheat_worker_set_attrs(VmheatWorker *w, const VhAttrs *attrs,
                             const VhLimits *limits);

/**
 * enum VmheatWorkerMode - what the worker does with guest memory
 * @VMHEAT_WORKER_RUN: samples
 * @VMHEAT_WORKER_HOLD: does not sample, but keeps the primitive set up.
 *                      Letting go and coming back is not free: it makes the
 *                      host map all of the guest's memory anew.
 * @VMHEAT_WORKER_RELEASE: does not sample and has let go of guest memory
 */
typedef enum VmheatWorkerMode {
    VMHEAT_WORKER_RUN,
    VMHEAT_WORKER_HOLD,
    VMHEAT_WORKER_RELEASE,
} VmheatWorkerMode;

/**
 * vmheat_worker_set_mode() - switch the mode; a new worker is in RELEASE
 * @act: in mode RUN: may the actor act on guest memory?
 * @wait_ms: wait at most this long until what may not be held any more is let
 * go of; 0: don't
 */
void vmheat_worker_set_mode(VmheatWorker *w, VmheatWorkerMode mode, bool act,
                            int wait_ms);

/** vmheat_worker_reset_age() - vh_monitor_reset_age(); worker thread */
void vmheat_worker_reset_age(VmheatWorker *w, VhRange r);

/**
 * vmheat_worker_post() - have the worker call @fn(@arg)
 *
 * It does so after it has acted on what was requested before, in the order of
 * the posts, and for every post before its thread ends.
 */
void vmheat_worker_post(VmheatWorker *w, void (*fn)(void *arg), void *arg);

/** vmheat_worker_wake() - the chore has become due */
void vmheat_worker_wake(VmheatWorker *w);

/**
 * vmheat_worker_stop() - ask the thread to end
 * @done: called on the worker thread as its very last act, when guest memory
 *        is released; may be NULL
 * @opaque: for @done
 */
void vmheat_worker_stop(VmheatWorker *w, void (*done)(void *opaque),
                        void *opaque);

/** vmheat_worker_free() - stops if needed, waits for the thread, frees */
void vmheat_worker_free(VmheatWorker *w);

/** vmheat_worker_snapshot() - latest snapshot, new reference, or NULL */
VhSnapshot *vmheat_worker_snapshot(VmheatWorker *w);

/** vmheat_worker_stats() - counters; all zero until the thread has started */
void vmheat_worker_stats(VmheatWorker *w, VhMonitorStats *out);

/** vmheat_worker_ranges() - watched ranges, a copy for g_free() */
VhRange *vmheat_worker_ranges(VmheatWorker *w, size_t *n);

#endif
