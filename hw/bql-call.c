/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The worker must not take the BQL: the main thread sometimes waits, with the
 * BQL held, for the worker to let go of guest memory or to end, and each would
 * wait for the other. So it asks: a request goes to the main thread as a bottom
 * half, and the worker sleeps until that has run. Before the main thread waits
 * for the worker it closes the caller, which wakes the worker with a no.
 * The bottom half belongs to the I/O handlers' context, which only the main loop
 * polls: that of block devices is polled by whoever waits for one, such as a
 * vCPU that resets it, and steps that let go of the BQL must not run there.
 *
 * A request is the main thread's: its bottom half frees it, having acted on it
 * or found that it was given up. As closing happens under the BQL, a request is
 * given up while its step runs only if the step itself lets go of the BQL. Such
 * a step must not touch its argument afterwards; the next one is not run then.
 */
#include "hw/bql-call.h"

typedef struct Request {
    VmheatBqlCaller *caller; /* NULL: given up */
    bool (*step)(void *arg); /* done? else it is called again */
    void *arg;
} Request;

struct VmheatBqlCaller {
    QemuMutex lock;
    QemuCond answered;
    Request *request; /* under way; lock */
    bool done;        /* the latest was acted on; lock */
    bool closed;      /* lock */
};

VmheatBqlCaller *vmheat_bql_caller_new(void)
{
    VmheatBqlCaller *c = g_new0(VmheatBqlCaller, 1);

    qemu_mutex_init(&c->lock);
    qemu_cond_init(&c->answered);
    return c;
}

void vmheat_bql_caller_free(VmheatBqlCaller *c)
{
    qemu_cond_destroy(&c->answered);
    qemu_mutex_destroy(&c->lock);
    g_free(c);
}

/* The waiting thread gets its answer; lock held. */
static void answer(VmheatBqlCaller *c, bool done)
{
    c->request = NULL;
    c->done = done;
    qemu_cond_signal(&c->answered);
}

/* Main thread. Requests are given up under the BQL, so @caller changes in a
 * step at most. */
static void serve_bh(void *opaque)
{
    Request *r = opaque;

    if (r->caller && !r->step(r->arg)) {
        aio_bh_schedule_oneshot(iohandler_get_aio_context(), serve_bh, r);
        return;
    }
    if (r->caller) {
        QEMU_LOCK_GUARD(&r->caller->lock);
        answer(r->caller, true);
    }
    g_free(r);
}

bool vmheat_bql_call(VmheatBqlCaller *c, bool (*step)(void *arg), void *arg)
{
    Request *r;

    QEMU_LOCK_GUARD(&c->lock);
    if (c->closed) {
        return false;
    }
    r = g_new(Request, 1);
    *r = (Request){ .caller = c, .step = step, .arg = arg };
    c->request = r;
    aio_bh_schedule_oneshot(iohandler_get_aio_context(), serve_bh, r);
    while (c->request) {
        qemu_cond_wait(&c->answered, &c->lock);
    }
    return c->done;
}

void vmheat_bql_caller_close(VmheatBqlCaller *c)
{
    QEMU_LOCK_GUARD(&c->lock);
    c->closed = true;
    if (c->request) {
        c->request->caller = NULL;
        answer(c, false);
    }
}

void vmheat_bql_caller_open(VmheatBqlCaller *c)
{
    QEMU_LOCK_GUARD(&c->lock);
    c->closed = false;
}
