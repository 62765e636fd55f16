/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The caller's side of a worker: waiting, with a deadline. */
#include "libvirt-call.h"

#include <poll.h>

#include "libvirt-jobs.h"

static bool take_messages(const VhLvCaller *caller, GError **error)
{
    for (;;) {
        g_autoptr(VhLvMessage) m = vh_lv_worker_take(caller->worker);

        if (!m) {
            return true;
        }
        if (caller->take && !caller->take(caller->opaque, m, error)) {
            return false;
        }
    }
}

static bool timed_out(const VhLvCaller *caller, GError **error)
{
    g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_TIMEOUT,
                "no answer from %s within %g s", caller->what,
                caller->timeout_us / 1e6);
    return false;
}

bool vh_lv_wait(const VhLvCaller *caller, VhLvJob *job, gint64 deadline,
                GError **error)
{
    const VhTransportHooks *hooks = caller->hooks;
    int fd = vh_lv_worker_wait_fd(caller->worker);
    bool done;

    for (;;) {
        vh_lv_worker_clear_fd(caller->worker);
        /* first: what a job tells comes before its end */
        done = job && vh_lv_worker_is_done(caller->worker, job);
        if (!take_messages(caller, error)) {
            return false;
        }
        if (done) {
            return true;
        }
        /* also when events come so fast that there is never a wait */
        if (g_get_monotonic_time() >= deadline) {
            return timed_out(caller, error);
        }
        switch (hooks->wait(hooks->wait_opaque, fd, POLLIN, deadline)) {
        case VH_WAIT_READY:
            break;
        case VH_WAIT_TIMEOUT:
            return timed_out(caller, error);
        default:
            g_set_error(error, VH_CLIENT_ERROR, VH_CLIENT_ERROR_INTERRUPTED,
                        "interrupted");
            return false;
        }
    }
}

bool vh_lv_call(const VhLvCaller *caller, gpointer opaque, gint64 deadline,
                GError **error)
{
    VhLvJob *job = opaque;

    vh_lv_worker_start(caller->worker, job);
    if (!vh_lv_wait(caller, job, deadline, error)) {
        vh_lv_worker_cancel(caller->worker, job);
        return false;
    }
    if (!job->ok) {
        g_propagate_error(error, g_steal_pointer(&job->error));
    }
    return job->ok;
}

static VhWait poll_wait(void *opaque, int fd, short events, gint64 deadline)
{
    GPollFD pfd = { .fd = fd, .events = events };
    gint64 left = MAX(deadline - g_get_monotonic_time(), 0);

    g_poll(&pfd, 1, (left + 999) / 1000);
    return VH_WAIT_READY; /* vh_lv_wait() looks at the clock */
}

bool vh_lv_run(const char *uri, const char *domain, gpointer job,
               gint64 timeout_us, GError **error)
{
    VhTransportHooks hooks = { .wait = poll_wait };
    gint64 deadline = g_get_monotonic_time() + timeout_us;
    VhLvCaller caller = {
        .worker = vh_lv_worker_new(error),
        .hooks = &hooks,
        .timeout_us = timeout_us,
        .what = "libvirt",
    };
    VhLvOpenJob *open;
    bool ok;

    if (!caller.worker) {
        return false;
    }
    open = vh_lv_open_job(uri, domain, "", false);
    ok = vh_lv_call(&caller, open, deadline, error) &&
         vh_lv_call(&caller, job, deadline, error);
    vh_lv_job_unref(open);
    vh_lv_worker_close(caller.worker);
    return ok;
}
