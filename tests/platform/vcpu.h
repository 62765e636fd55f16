/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that stands in for a vCPU: runs what VhHost.run_on_vcpu is given,
 * at once or, while held, when the test lets it.
 */
#ifndef VMHEAT_TESTS_VCPU_H
#define VMHEAT_TESTS_VCPU_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

/**
 * struct Vcpu - the thread and its queue
 * @lock: protects what follows; pthread's, because TSan understands that
 * @cond: something changed
 * @queue: of VcpuWork, not yet run
 * @held: nothing is run now
 * @stop: end when the queue is empty
 * @ran: how much was run
 */
typedef struct Vcpu {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    GQueue queue;
    bool held;
    bool stop;
    unsigned ran;
} Vcpu;

/** vcpu_start() - starts the thread */
void vcpu_start(Vcpu *v);

/** vcpu_stop() - runs what is left and ends the thread */
void vcpu_stop(Vcpu *v);

/** vcpu_hold() - from now on it is in a very long exit, or no more */
void vcpu_hold(Vcpu *v, bool held);

/** vcpu_drain() - returns when everything queued was run; not while held */
void vcpu_drain(Vcpu *v);

/** vcpu_queued() - how much waits */
unsigned vcpu_queued(Vcpu *v);

/** vcpu_run_on() - VhHost.run_on_vcpu; @opaque is the Vcpu */
bool vcpu_run_on(void *opaque, void (*fn)(void *arg), void *arg);

#endif
