/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that is watched; theory of operation in vm.h. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ask.h"
#include "log.h"
#include "vm.h"

#define BACK_OFF_MIN_US 1000000
#define BACK_OFF_MAX_US 60000000
#define JOBS_MAX 16
/* Who looked is taken to look on for so long. */
#define LOOK_US 15000000

typedef struct Job {
    char *name;
    JsonObject *arguments;
    VhVmDone done;
    void *opaque;
} Job;

struct VhVm {
    VhVmConfig config;
    int wake; /* eventfd */
    VhPast *past;

    GMutex lock; /* of what follows */
    bool stop;
    GQueue jobs;
    VhView *view;
    gint64 looked_until, list_until;

    /* of its thread only */
    VhAsker asker;
    char *id, *domain; /* given by the hook */
    bool resting;
    gint64 due, asked, back_off;
    double phase; /* part of the next interval: not all ask at once */
};

static void free_vm(void *opaque)
{
    VhVm *vm = opaque;

    vh_view_unref(vm->view);
    vh_past_free(vm->past);
    vh_asker_clear(&vm->asker);
    g_free((char *)vm->config.address);
    g_free((char *)vm->config.name);
    g_free(vm->id);
    g_free(vm->domain);
    g_mutex_clear(&vm->lock);
    close(vm->wake);
}

VhVm *vh_vm_ref(VhVm *vm)
{
    return g_atomic_rc_box_acquire(vm);
}

void vh_vm_unref(VhVm *vm)
{
    if (vm) {
        g_atomic_rc_box_release_full(vm, free_vm);
    }
}

const char *vh_vm_address(const VhVm *vm)
{
    return vm->config.address;
}

static void wake(VhVm *vm)
{
    uint64_t one = 1;

    if (write(vm->wake, &one, sizeof(one)) < 0) {
        /* it is awake already */
    }
}

static bool is_stopped(VhVm *vm)
{
    bool stop;

    g_mutex_lock(&vm->lock);
    stop = vm->stop;
    g_mutex_unlock(&vm->lock);
    return stop;
}

VhView *vh_vm_view(VhVm *vm)
{
    VhView *view;

    g_mutex_lock(&vm->lock);
    view = vm->view ? vh_view_ref(vm->view) : NULL;
    g_mutex_unlock(&vm->lock);
    return view;
}

VhPast *vh_vm_past(VhVm *vm)
{
    return vm->past;
}

void vh_vm_stop(VhVm *vm)
{
    g_mutex_lock(&vm->lock);
    vm->stop = true;
    g_mutex_unlock(&vm->lock);
    wake(vm);
}

void vh_vm_look(VhVm *vm, bool list)
{
    gint64 now = g_get_monotonic_time();
    gint64 *until = list ? &vm->list_until : &vm->looked_until;
    bool news;

    g_mutex_lock(&vm->lock);
    news = *until < now;
    *until = now + LOOK_US;
    g_mutex_unlock(&vm->lock);
    if (news) {
        wake(vm);
    }
}

/* ---- jobs ---- */

static void free_job(Job *job)
{
    g_free(job->name);
    g_clear_pointer(&job->arguments, json_object_unref);
    g_free(job);
}

static void fail_job(Job *job, const char *why)
{
    g_autoptr(GError) e =
        g_error_new_literal(VH_CLIENT_ERROR, VH_CLIENT_ERROR_CONNECT, why);

    job->done(job->opaque, NULL, e);
    free_job(job);
}

void vh_vm_command(VhVm *vm, const char *name, JsonObject *arguments,
                   VhVmDone done, void *opaque)
{
    Job *job = g_new0(Job, 1);
    const char *refused;

    *job = (Job){ g_strdup(name), arguments, done, opaque };
    g_mutex_lock(&vm->lock);
    refused = vm->stop ? "the machine is not watched any more"
              : vm->jobs.length == JOBS_MAX
                  ? "too many commands wait for the machine already"
                  : NULL;
    if (!refused) {
        g_queue_push_tail(&vm->jobs, job);
    }
    g_mutex_unlock(&vm->lock);
    if (refused) {
        fail_job(job, refused);
    } else {
        wake(vm);
    }
}

static Job *next_job(VhVm *vm)
{
    Job *job;

    g_mutex_lock(&vm->lock);
    job = g_queue_pop_head(&vm->jobs);
    g_mutex_unlock(&vm->lock);
    return job;
}

static void do_job(VhVm *vm, Job *job)
{
    g_autoptr(GError) e = NULL;
    g_autoptr(JsonNode) reply = NULL;

    if (!vm->asker.client) {
        fail_job(job, "the machine does not answer now");
        return;
    }
    reply = vh_client_command(vm->asker.client, job->name,
                              g_steal_pointer(&job->arguments), &e);
    job->done(job->opaque, reply, e);
    free_job(job);
    vm->due = 0;
}

static void do_jobs(VhVm *vm)
{
    Job *job;

    while ((job = next_job(vm))) {
        do_job(vm, job);
    }
}

/* ---- waiting ---- */

static gint64 interval(VhVm *vm)
{
    gint64 now = g_get_monotonic_time();
    const VhPace *p = &vm->config.pace;
    gint64 us;

    g_mutex_lock(&vm->lock);
    us = vm->looked_until > now ? p->fast
         : vm->list_until > now ? p->list
                                : p->slow;
    g_mutex_unlock(&vm->lock);
    return us;
}

/* A VhWaitFunc. A command goes on when there are jobs, rest does not. */
static VhWait wait_for(void *opaque, int fd, short events, gint64 deadline)
{
    VhVm *vm = opaque;
    struct pollfd fds[] = { { fd, events, 0 }, { vm->wake, POLLIN, 0 } };
    uint64_t count;

    for (;;) {
        gint64 left = MAX(deadline - g_get_monotonic_time(), 0);
        int n = poll(fds, 2, (left + 999) / 1000);

        if (n > 0 && fds[1].revents &&
            read(vm->wake, &count, sizeof(count)) > 0 &&
            (vm->resting || is_stopped(vm))) {
            return VH_WAIT_INTERRUPTED;
        }
        if (n > 0 && fds[0].revents) {
            return VH_WAIT_READY;
        }
        if (n == 0 && !left) {
            return VH_WAIT_TIMEOUT;
        }
    }
}

/* Until it is time to ask, or there is something else to do. */
static void rest(VhVm *vm, GError **error)
{
    vm->resting = true;
    if (vm->asker.client) {
        vh_client_rest(vm->asker.client, vm->due, error);
    } else {
        wait_for(vm, -1, 0, vm->due);
    }
    vm->resting = false;
}

static void take_event(void *opaque, const char *name, JsonObject *data)
{
    VhVm *vm = opaque;
    const VhVmHooks *h = vm->config.hooks;

    if (g_str_has_prefix(name, "VMHEAT_")) {
        vm->due = 0;
    }
    h->event(h->opaque, vm, name, data);
}

/* ---- asking ---- */

static bool attach(VhVm *vm, GError **error)
{
    const VhVmConfig *c = &vm->config;
    VhClient *client;

    if (vm->asker.client) {
        return true;
    }
    client = c->libvirt ? vh_client_open_libvirt(c->uri, c->address,
                                                 c->timeout_us, error)
                        : vh_client_open(c->address, c->timeout_us, error);
    if (!client) {
        return false;
    }
    vh_client_set_wait(client, wait_for, vm);
    vh_client_set_event(client, take_event, vm);
    vh_asker_connected(&vm->asker, client);
    return true;
}

static void publish(VhVm *vm, VhView *view)
{
    const VhVmHooks *h = vm->config.hooks;
    VhView *old;

    h->named(h->opaque, vm, vm->asker.domain, vm->asker.uuid, &vm->id,
             &vm->domain);
    view->took = (g_get_monotonic_time() - vm->asked) / 1e6;
    view->id = g_strdup(vm->id);
    view->domain = g_strdup(vm->domain);
    view->uuid = g_strdup(vm->asker.uuid);
    g_mutex_lock(&vm->lock);
    old = vm->view;
    vm->view = vh_view_ref(view);
    g_mutex_unlock(&vm->lock);
    if (!old || old->state != view->state) {
        vh_log("machine '%s' is %s%s%s", view->domain, view->state,
               view->reason ? ": " : "", view->reason ? view->reason : "");
    }
    vh_view_unref(old);
    h->view(h->opaque, vm, view);
}

static void fail(VhVm *vm, const GError *error)
{
    g_autoptr(VhView) view = vh_view_new();

    vh_asker_lose(&vm->asker);
    view->time = g_get_real_time() / 1e6;
    view->state = "unreachable";
    view->reason = vh_clean_text(error->message, 0);
    view->qemu_version = g_strdup("");
    view->cost = -1;
    vm->back_off = CLAMP(vm->back_off * 2, BACK_OFF_MIN_US, BACK_OFF_MAX_US);
    vm->due = g_get_monotonic_time() + vm->back_off;
    publish(vm, view);
}

static void ask(VhVm *vm)
{
    g_autoptr(VhView) view = vh_view_new();
    g_autoptr(GError) e = NULL;

    vm->asked = g_get_monotonic_time();
    if (attach(vm, &e) && vh_ask(&vm->asker, view, &e)) {
        vm->back_off = 0;
        vm->due = vm->asked + interval(vm) * vm->phase;
        vm->phase = 1;
        publish(vm, view);
    } else if (!g_error_matches(e, VH_CLIENT_ERROR,
                                VH_CLIENT_ERROR_INTERRUPTED)) {
        fail(vm, e);
    }
}

/* When somebody begins to look, the next time to ask is sooner. */
static void hurry(VhVm *vm)
{
    if (!vm->back_off) {
        vm->due = MIN(vm->due, vm->asked + interval(vm));
    }
}

static void step(VhVm *vm)
{
    g_autoptr(GError) e = NULL;

    do_jobs(vm);
    if (g_get_monotonic_time() >= vm->due) {
        ask(vm);
        return;
    }
    rest(vm, &e);
    if (e &&
        !g_error_matches(e, VH_CLIENT_ERROR, VH_CLIENT_ERROR_INTERRUPTED)) {
        fail(vm, e);
    }
    hurry(vm);
}

static gpointer run(gpointer opaque)
{
    VhVm *vm = opaque;
    const VhVmHooks *h = vm->config.hooks;
    Job *job;

    while (!is_stopped(vm)) {
        step(vm);
    }
    while ((job = next_job(vm))) {
        fail_job(job, "the machine is not watched any more");
    }
    vh_asker_lose(&vm->asker);
    h->ended(h->opaque, vm);
    vh_vm_unref(vm);
    return NULL;
}

VhVm *vh_vm_new(const VhVmConfig *config)
{
    VhVm *vm = g_atomic_rc_box_new0(VhVm);

    vm->config = *config;
    vm->config.address = g_strdup(config->address);
    vm->config.name = g_strdup(config->name);
    vm->asker.domain = vh_clean_text(config->name, 255);
    if (config->libvirt && g_uuid_string_is_valid(config->address)) {
        vm->asker.uuid = g_strdup(config->address);
    }
    vm->past = vh_past_new(&config->history, config->records);
    vm->phase = 0.1 + g_str_hash(config->address) % 1000 / 1111.0;
    vm->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_mutex_init(&vm->lock);
    g_queue_init(&vm->jobs);
    g_thread_unref(g_thread_new("vm", run, vh_vm_ref(vm)));
    return vm;
}
