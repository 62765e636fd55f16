/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcpu.h"

typedef struct VcpuWork {
    void (*fn)(void *arg);
    void *arg;
} VcpuWork;

static void *vcpu_main(void *opaque)
{
    Vcpu *v = opaque;

    pthread_mutex_lock(&v->lock);
    while (!v->stop || v->queue.length) {
        VcpuWork *w = v->held ? NULL : g_queue_peek_head(&v->queue);

        if (!w) {
            pthread_cond_wait(&v->cond, &v->lock);
            continue;
        }
        pthread_mutex_unlock(&v->lock);
        w->fn(w->arg);
        pthread_mutex_lock(&v->lock);
        g_free(g_queue_pop_head(&v->queue));
        v->ran++;
        pthread_cond_broadcast(&v->cond);
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

void vcpu_start(Vcpu *v)
{
    *v = (Vcpu){ .queue = G_QUEUE_INIT };
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->cond, NULL);
    g_assert_cmpint(pthread_create(&v->thread, NULL, vcpu_main, v), ==, 0);
}

void vcpu_stop(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    v->stop = true;
    v->held = false;
    pthread_cond_broadcast(&v->cond);
    pthread_mutex_unlock(&v->lock);
    pthread_join(v->thread, NULL);
    pthread_cond_destroy(&v->cond);
    pthread_mutex_destroy(&v->lock);
}

void vcpu_hold(Vcpu *v, bool held)
{
    pthread_mutex_lock(&v->lock);
    v->held = held;
    pthread_cond_broadcast(&v->cond);
    pthread_mutex_unlock(&v->lock);
}

void vcpu_drain(Vcpu *v)
{
    pthread_mutex_lock(&v->lock);
    while (v->queue.length) {
        pthread_cond_wait(&v->cond, &v->lock);
    }
    pthread_mutex_unlock(&v->lock);
}

unsigned vcpu_queued(Vcpu *v)
{
    unsigned n;

    pthread_mutex_lock(&v->lock);
    n = v->queue.length;
    pthread_mutex_unlock(&v->lock);
    return n;
}

bool vcpu_run_on(void *opaque, void (*fn)(void *arg), void *arg)
{
    Vcpu *v = opaque;
    VcpuWork *w = g_new(VcpuWork, 1);

    *w = (VcpuWork){ fn, arg };
    pthread_mutex_lock(&v->lock);
    g_queue_push_tail(&v->queue, w);
    pthread_cond_broadcast(&v->cond);
    pthread_mutex_unlock(&v->lock);
    return true;
}
