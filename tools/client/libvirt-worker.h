/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_LIBVIRT_WORKER_H
#define VMHEAT_TOOLS_LIBVIRT_WORKER_H

#include <libvirt/libvirt.h>

#include "transport.h"

typedef struct VhLvWorker VhLvWorker;
typedef struct VhLvJob VhLvJob;

/* What the thread of a worker has open; only jobs see it. */
typedef struct VhLvConn {
    VhLvWorker *worker;
    virConnectPtr conn;
    virDomainPtr domain;
    int monitor_callback, life_callback; /* -1: none */
} VhLvConn;

/**
 * struct VhLvJob - something to be done with libvirt
 * @run: does it, in the worker's thread, for as long as it takes
 * @clear: frees what a job of this kind has besides this
 *
 * First member of every job.
 */
struct VhLvJob {
    bool (*run)(VhLvJob *job, VhLvConn *c, GError **error);
    void (*clear)(VhLvJob *job);
    /* the worker's: */
    int refs;
    bool cancelled, done, ok;
    GError *error;
};

/* What a worker tells without being asked. */
typedef enum VhLvNews {
    VH_LV_EVENT, /* of the QEMU monitor */
    VH_LV_ENDED, /* the domain */
    VH_LV_LOST,  /* the connection to libvirt */
} VhLvNews;

typedef struct VhLvMessage {
    VhLvNews what;
    char *text; /* name of the event; how the domain ended */
    char *data; /* JSON text, or NULL */
} VhLvMessage;

/**
 * vh_lv_message_free() - free a message
 * @message: the message
 */
void vh_lv_message_free(VhLvMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhLvMessage, vh_lv_message_free)

/**
 * vh_lv_job_new() - a job of a kind
 * @size: of the struct that begins with VhLvJob
 * @run: see there
 * @clear: see there
 *
 * Returns: zeroed but for these.
 */
gpointer vh_lv_job_new(size_t size,
                       bool (*run)(VhLvJob *job, VhLvConn *c, GError **error),
                       void (*clear)(VhLvJob *job));

/**
 * vh_lv_job_unref() - done with a job
 * @job: a struct that begins with VhLvJob
 */
void vh_lv_job_unref(gpointer job);

/**
 * vh_lv_worker_new() - start a thread that talks to libvirt
 * @error: reason of failure
 */
VhLvWorker *vh_lv_worker_new(GError **error);

/**
 * vh_lv_worker_close() - have it disconnect and end
 * @worker: the worker; NULL is fine
 *
 * Waits a moment for that, but not for a libvirt that does not answer: then the
 * thread is left alone, and ends when libvirt answers or the connection breaks.
 */
void vh_lv_worker_close(VhLvWorker *worker);

/**
 * vh_lv_worker_wait_fd() - readable when a job is done or there are messages
 * @worker: the worker
 */
int vh_lv_worker_wait_fd(VhLvWorker *worker);

/**
 * vh_lv_worker_clear_fd() - before looking at jobs and messages
 * @worker: the worker
 */
void vh_lv_worker_clear_fd(VhLvWorker *worker);

/**
 * vh_lv_worker_start() - hand over a job
 * @worker: the worker
 * @job: the job; the caller keeps its reference
 */
void vh_lv_worker_start(VhLvWorker *worker, VhLvJob *job);

/**
 * vh_lv_worker_is_done() - was a job done?
 * @worker: the worker
 * @job: the job
 */
bool vh_lv_worker_is_done(VhLvWorker *worker, VhLvJob *job);

/**
 * vh_lv_worker_cancel() - a job is not wanted any more
 * @worker: the worker
 * @job: the job; not begun, it never will be
 */
void vh_lv_worker_cancel(VhLvWorker *worker, VhLvJob *job);

/**
 * vh_lv_worker_take() - the next message
 * @worker: the worker
 *
 * Returns: free it; NULL when there is none.
 */
VhLvMessage *vh_lv_worker_take(VhLvWorker *worker);

/**
 * vh_lv_worker_tell() - leave a message; for callbacks and jobs
 * @worker: the worker
 * @what: what it is
 * @text: see VhLvMessage; copied
 * @data: see VhLvMessage; copied
 */
void vh_lv_worker_tell(VhLvWorker *worker, VhLvNews what, const char *text,
                       const char *data);

/**
 * vh_lv_worker_ref() - for a callback that may come late
 * @worker: the worker
 */
VhLvWorker *vh_lv_worker_ref(VhLvWorker *worker);

/**
 * vh_lv_worker_unref() - the opposite; a virFreeCallback
 * @worker: the worker
 */
void vh_lv_worker_unref(gpointer worker);

#endif
