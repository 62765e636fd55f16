/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_CALL_H
#define VMHEAT_TOOLS_LIBVIRT_CALL_H

#include "libvirt-worker.h"

/**
 * struct VhLvCaller - who waits for jobs
 * @worker: that does them
 * @hooks: how to wait
 * @timeout_us: for messages only
 * @what: what is waited for, as "libvirt at 'URI'"
 * @take: sees each message that comes meanwhile; false: give up with its error
 * @opaque: handed to @take
 */
typedef struct VhLvCaller {
    VhLvWorker *worker;
    const VhTransportHooks *hooks;
    gint64 timeout_us;
    const char *what;
    bool (*take)(void *opaque, VhLvMessage *m, GError **error);
    void *opaque;
} VhLvCaller;

/**
 * vh_lv_call() - have a job done
 * @caller: who waits
 * @job: the job; after success its results are the caller's to read
 * @deadline: g_get_monotonic_time() at which to give up
 * @error: reason of failure
 */
bool vh_lv_call(const VhLvCaller *caller, gpointer job, gint64 deadline,
                GError **error);

/**
 * vh_lv_wait() - take messages until a job is done or a moment is reached
 * @caller: who waits
 * @job: the job; NULL: none
 * @deadline: that moment
 * @error: reason of failure
 *
 * Returns: false with VH_CLIENT_ERROR_TIMEOUT when that moment is reached.
 */
bool vh_lv_wait(const VhLvCaller *caller, VhLvJob *job, gint64 deadline,
                GError **error);

/**
 * vh_lv_run() - have a job done by a worker of its own, on a connection to @uri
 * @uri: NULL: libvirt's default
 * @domain: NULL: none
 * @job: the job; it finds connection and domain opened
 * @timeout_us: how long all may take
 * @error: reason of failure
 */
bool vh_lv_run(const char *uri, const char *domain, gpointer job,
               gint64 timeout_us, GError **error);

#endif
