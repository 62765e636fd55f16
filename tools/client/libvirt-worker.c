/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Calls of libvirt block, without a time-out, for as long as the daemon does
 * not answer. So no caller of the client makes one: a worker, a thread for each
 * connection, does. The caller hands it jobs and waits for an eventfd, which is
 * written to when a job is done or a message is there. A caller that waits no
 * longer cancels its job: one that was not begun is dropped, one that runs goes
 * on, and nobody hears of its end.
 *
 * Events and the end of a connection come from libvirt's event loop, of which a
 * process has one. It runs in a thread of its own, started with the first
 * worker, and never ends. Its callbacks only leave messages.
 *
 * Thread, callbacks and caller each hold a reference to the worker; whoever
 * comes last frees it. A libvirt that never answers so costs a thread and some
 * memory, but no caller waits for it.
 */
#include "libvirt-jobs.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <libvirt/virterror.h>

/* how long an orderly end may take */
#define CLOSE_US (500 * 1000)
/* events that nobody fetches: the oldest are dropped */
#define MESSAGES_MAX 10000

struct VhLvWorker {
    int refs;
    int wake;
    GAsyncQueue *jobs;
    GMutex lock;
    GQueue messages;  /* under @lock, as are the states of jobs */
    unsigned running; /* jobs handed over and not done; under @lock */
};

void vh_lv_message_free(VhLvMessage *message)
{
    g_free(message->text);
    g_free(message->data);
    g_free(message);
}

gpointer vh_lv_job_new(size_t size,
                       bool (*run)(VhLvJob *job, VhLvConn *c, GError **error),
                       void (*clear)(VhLvJob *job))
{
    VhLvJob *job = g_malloc0(size);

    job->refs = 1;
    job->run = run;
    job->clear = clear;
    return job;
}

void vh_lv_job_unref(gpointer opaque)
{
    VhLvJob *job = opaque;

    if (job && g_atomic_int_dec_and_test(&job->refs)) {
        if (job->clear) {
            job->clear(job);
        }
        g_clear_error(&job->error);
        g_free(job);
    }
}

VhLvWorker *vh_lv_worker_ref(VhLvWorker *w)
{
    g_atomic_int_inc(&w->refs);
    return w;
}

void vh_lv_worker_unref(gpointer opaque)
{
    VhLvWorker *w = opaque;

    if (g_atomic_int_dec_and_test(&w->refs)) {
        g_queue_clear_full(&w->messages, (GDestroyNotify)vh_lv_message_free);
        g_async_queue_unref(w->jobs);
        g_mutex_clear(&w->lock);
        close(w->wake);
        g_free(w);
    }
}

static void wake(VhLvWorker *w)
{
    uint64_t one = 1;

    while (write(w->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

void vh_lv_worker_tell(VhLvWorker *w, VhLvNews what, const char *text,
                       const char *data)
{
    VhLvMessage *m = g_new0(VhLvMessage, 1);

    m->what = what;
    m->text = g_strdup(text);
    m->data = g_strdup(data);
    g_mutex_lock(&w->lock);
    if (w->messages.length >= MESSAGES_MAX && what == VH_LV_EVENT) {
        vh_lv_message_free(g_queue_pop_head(&w->messages));
    }
    g_queue_push_tail(&w->messages, m);
    g_mutex_unlock(&w->lock);
    wake(w);
}

VhLvMessage *vh_lv_worker_take(VhLvWorker *w)
{
    VhLvMessage *m;

    g_mutex_lock(&w->lock);
    m = g_queue_pop_head(&w->messages);
    g_mutex_unlock(&w->lock);
    return m;
}

int vh_lv_worker_wait_fd(VhLvWorker *w)
{
    return w->wake;
}

void vh_lv_worker_clear_fd(VhLvWorker *w)
{
    uint64_t count;

    while (read(w->wake, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
}

static void run_job(VhLvJob *job, VhLvConn *c)
{
    VhLvWorker *w = c->worker;
    GError *error = NULL;
    bool wanted, ok = false;

    g_mutex_lock(&w->lock);
    wanted = !job->cancelled;
    g_mutex_unlock(&w->lock);
    if (wanted) {
        ok = job->run(job, c, &error);
    }
    g_mutex_lock(&w->lock);
    job->ok = ok;
    job->error = error;
    job->done = true;
    w->running--;
    g_mutex_unlock(&w->lock);
    wake(w);
}

/* The job of vh_lv_worker_close() is the last one. */
static bool run_close(VhLvJob *job, VhLvConn *c, GError **error)
{
    vh_lv_disconnect(c);
    return true;
}

static gpointer worker_thread(gpointer opaque)
{
    VhLvConn c = { .worker = opaque,
                   .monitor_callback = -1,
                   .life_callback = -1 };
    bool last = false;

    while (!last) {
        VhLvJob *job = g_async_queue_pop(c.worker->jobs);

        last = job->run == run_close;
        run_job(job, &c);
        vh_lv_job_unref(job);
    }
    vh_lv_worker_unref(c.worker);
    return NULL;
}

static gpointer event_thread(gpointer opaque)
{
    for (;;) {
        if (virEventRunDefaultImpl() < 0) {
            g_usleep(100000); /* it failed at once, and would again */
        }
    }
    return NULL;
}

/* An error is returned, and told by who asked, not printed by libvirt. */
static void be_quiet(void *opaque, virErrorPtr e)
{
}

/* Signals are the caller's, who may look for them in a descriptor. */
static bool start_thread(const char *name, GThreadFunc func, gpointer opaque)
{
    GThread *thread;
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    thread = g_thread_try_new(name, func, opaque, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (thread) {
        g_thread_unref(thread);
    }
    return thread != NULL;
}

static gpointer start_libvirt(gpointer opaque)
{
    virSetErrorFunc(NULL, be_quiet);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0) {
        return NULL;
    }
    return GINT_TO_POINTER(start_thread("libvirt-events", event_thread, NULL));
}

VhLvWorker *vh_lv_worker_new(GError **error)
{
    static GOnce once = G_ONCE_INIT;
    VhLvWorker *w;

    if (!g_once(&once, start_libvirt, NULL)) {
        g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                    "cannot start libvirt's event loop");
        return NULL;
    }
    w = g_new0(VhLvWorker, 1);
    w->refs = 2; /* the caller's, the thread's */
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->jobs = g_async_queue_new_full(vh_lv_job_unref);
    g_mutex_init(&w->lock);
    g_queue_init(&w->messages);
    if (w->wake >= 0 && start_thread("libvirt-calls", worker_thread, w)) {
        return w;
    }
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT,
                "cannot start a thread for libvirt: %s", g_strerror(errno));
    vh_lv_worker_unref(w);
    vh_lv_worker_unref(w);
    return NULL;
}

void vh_lv_worker_start(VhLvWorker *w, VhLvJob *job)
{
    g_mutex_lock(&w->lock);
    w->running++;
    g_mutex_unlock(&w->lock);
    g_atomic_int_inc(&job->refs);
    g_async_queue_push(w->jobs, job);
}

bool vh_lv_worker_is_done(VhLvWorker *w, VhLvJob *job)
{
    bool done;

    g_mutex_lock(&w->lock);
    done = job->done;
    g_mutex_unlock(&w->lock);
    return done;
}

void vh_lv_worker_cancel(VhLvWorker *w, VhLvJob *job)
{
    g_mutex_lock(&w->lock);
    job->cancelled = true;
    g_mutex_unlock(&w->lock);
}

void vh_lv_worker_close(VhLvWorker *w)
{
    gint64 until = g_get_monotonic_time() + CLOSE_US;
    VhLvJob *job;
    bool stuck;

    if (!w) {
        return;
    }
    job = vh_lv_job_new(sizeof(*job), run_close, NULL);
    g_mutex_lock(&w->lock);
    stuck = w->running > 0;
    g_mutex_unlock(&w->lock);
    vh_lv_worker_start(w, job);
    while (!stuck && !vh_lv_worker_is_done(w, job)) {
        gint64 left = until - g_get_monotonic_time();
        GPollFD pfd = { .fd = w->wake, .events = G_IO_IN };

        stuck = left <= 0;
        if (!stuck && g_poll(&pfd, 1, (left + 999) / 1000) > 0) {
            vh_lv_worker_clear_fd(w);
        }
    }
    vh_lv_job_unref(job);
    vh_lv_worker_unref(w);
}
