/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * One thread, one mutex, one condition variable. The main thread writes
 * requests (map, attributes, mode, quit) under the mutex and signals; the
 * worker takes them all at the top of its loop, drops the mutex, and acts.
 * The mutex is never held across a system call that could block or across a
 * call into the monitor, so the main thread never waits for a tick.
 *
 * The monitor itself is created by the worker thread, because opening a
 * primitive measures costs. `monitor` is written once under the mutex and
 * stays valid until the thread was joined; its snapshot, stats and ranges may
 * be read from any thread. Without a primitive that can be opened there is no
 * monitor, or one that is `closed`; then the worker waits for other primitives.
 *
 * The update interval: a new map that only adds memory is taken when that long
 * has passed since the last one was. One that lacks memory is taken at once,
 * because somebody waits for the memory to be let go of.
 *
 * The actor (schemes) does its work in between, a few milliseconds at a time.
 * It has the map only while the monitor samples and nobody else needs guest
 * memory. The chore is the same of less importance: it looks only, and has the
 * map always.
 *
 * Lifetime of guest memory: a map handed over carries a reference that keeps
 * the RAM mapped. A replaced or dropped map is unreferenced only after the
 * monitor let go of it.
 */
#include "compat/qemu.h"
#include <sched.h>
#include "hw/worker.h"

struct VmheatWorker {
    QemuThread thread;
    QemuMutex lock;
    QemuCond wake;  /* main -> worker: look at the requests */
    QemuCond quiet; /* worker -> main: guest memory is let go of */
    /* requests, under lock */
    VhMonitorConfig cfg;
    bool new_attrs;
    bool new_primitives;
    VhMap *map;
    bool new_map;
    bool map_urgent; /* memory is gone, or reserved: the new map can't wait */
    VmheatWorkerMode mode;
    bool act;
    bool new_mode;
    GQueue posts; /* of Post */
    bool new_chore;
    bool quit;
    void (*done)(void *opaque);
    void *done_opaque;
    /* state, under lock */
    VhMonitor *monitor;
    bool closed; /* there is no open primitive */
    bool holds_map;
    bool acts; /* the actor has the map */
    uint64_t map_taken_ns;
    /* worker thread only */
    uint64_t acted_on; /* sequence of the snapshot the actor had last */
    const VhPrimitiveOps *primitive; /* in use */
    const VhPrimitiveOps *writes;
    bool failing;
    /* constant */
    VmheatActor actor;
    VmheatChore chore;
    VmheatBqlCaller *bql;
    void (*fault)(void *opaque, const VmheatFault *f);
    void *opaque;
};

typedef struct Post {
    void (*fn)(void *arg);
    void *arg;
} Post;

/* What the worker took over in one look at the requests. */
typedef struct Requests {
    VhAttrs attrs;
    VhLimits limits;
    VhSensor primitive;
    VhSensor writes;
    VhMap *map;
    bool new_attrs;
    bool new_primitives;
    bool new_map;
    VmheatWorkerMode mode;
    bool act;
    GQueue posts;
    bool quit;
} Requests;

static uint64_t thread_cpu_ns(void *opaque)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void report(VmheatWorker *w, const char *why)
{
    bool failing = why != NULL;

    if (failing || w->failing) {
        w->failing = failing;
        w->fault(w->opaque, &(VmheatFault){ w->primitive, why, false });
    }
}

/* Has a primitive something to complain about? */
static void look_for_faults(VmheatWorker *w)
{
    bool writes;
    g_autofree char *why = vh_monitor_broken(w->monitor, &writes);

    if (writes) {
        w->fault(w->opaque, &(VmheatFault){ w->writes, why, true });
    } else if (why) {
        report(w, why);
    }
}

/* Should the monitor have the map? Lock held. */
static bool wants_map(const VmheatWorker *w)
{
    return w->mode != VMHEAT_WORKER_RELEASE && w->map && !w->closed;
}

/* When the latest map is to be taken, 0 when it was; lock held. */
static uint64_t map_due_ns(const VmheatWorker *w)
{
    if (!wants_map(w) || !(w->new_map || !w->holds_map)) {
        return 0;
    }
    return w->map_urgent || !w->holds_map
               ? 1
               : w->map_taken_ns + w->cfg.attrs.update_us * 1000;
}

static bool map_is_due(const VmheatWorker *w)
{
    uint64_t due = map_due_ns(w);

    return due && due <= vh_clock_now(&w->cfg.host->clock);
}

/* Takes all posts; lock held. */
static GQueue take_posts(VmheatWorker *w)
{
    GQueue posts = w->posts;

    g_queue_init(&w->posts);
    return posts;
}

/* Takes the requests; called and returns with the lock held. */
static Requests take_requests(VmheatWorker *w)
{
    Requests r = {
        .attrs = w->cfg.attrs,
        .limits = w->cfg.limits,
        .primitive = w->cfg.primitive,
        .writes = w->cfg.writes,
        .map = vh_map_ref(w->map),
        .new_attrs = w->new_attrs,
        .new_primitives = w->new_primitives,
        .new_map = map_is_due(w),
        .mode = wants_map(w) ? w->mode : VMHEAT_WORKER_RELEASE,
        .act = w->act && wants_map(w) && w->mode == VMHEAT_WORKER_RUN,
        .posts = take_posts(w),
        .quit = w->quit,
    };

    w->new_attrs = false;
    w->new_primitives = false;
    w->new_mode = false;
    w->new_chore = false;
    if (r.new_map) {
        w->new_map = false;
        w->map_urgent = false;
        w->map_taken_ns = vh_clock_now(&w->cfg.host->clock);
    }
    /* while it is being taken one who wants memory back has to wait, too */
    w->holds_map |= r.new_map && !r.new_primitives;
    return r;
}

static void set_holds_map(VmheatWorker *w, bool holds)
{
    QEMU_LOCK_GUARD(&w->lock);
    w->holds_map = holds;
    if (!holds) {
        qemu_cond_broadcast(&w->quiet);
    }
}

/*
 * Gives the actor the map, or NULL. One that wants the memory back has to wait
 * from before the actor has it.
 */
static void set_actor_map(VmheatWorker *w, VhMap *map)
{
    bool acts;

    WITH_QEMU_LOCK_GUARD(&w->lock)
    {
        acts = w->acts;
        if (map && (w->quit || !w->act || w->mode != VMHEAT_WORKER_RUN)) {
            return; /* wanted back since the requests were taken */
        }
        w->acts |= map != NULL;
    }
    if (!acts && !map) {
        return;
    }
    w->actor.set_map(w->actor.opaque, map);
    if (!map) {
        QEMU_LOCK_GUARD(&w->lock);
        w->acts = false;
        qemu_cond_broadcast(&w->quiet);
    }
}

/* Must guest memory be let go of now? What failed meanwhile is no fault. */
static bool wanted_back(VmheatWorker *w)
{
    QEMU_LOCK_GUARD(&w->lock);
    return w->quit || w->mode == VMHEAT_WORKER_RELEASE;
}

static void take_map(VmheatWorker *w, const Requests *r)
{
    g_autofree char *why = NULL;

    set_actor_map(w, NULL);
    if (vh_monitor_set_map(w->monitor, r->map, &why)) {
        report(w, NULL);
    } else {
        vh_monitor_idle(w->monitor);
        if (!wanted_back(w)) {
            report(w, why);
        }
    }
}

static VhMonitor *new_monitor(VmheatWorker *w, const Requests *r, char **why)
{
    VhMonitorConfig cfg = { .attrs = r->attrs,
                            .limits = r->limits,
                            .estimator = w->cfg.estimator,
                            .primitive = r->primitive,
                            .writes = r->writes,
                            .host = w->cfg.host,
                            .cpu = { .now_ns = thread_cpu_ns },
                            .seed = w->cfg.seed };

    return vh_monitor_new(&cfg, why);
}

/* Opens what @r asks for. Afterwards there is no map. */
static void take_primitives(VmheatWorker *w, const Requests *r)
{
    g_autofree char *why = NULL;
    VhMonitor *m = w->monitor;
    bool ok;

    set_actor_map(w, NULL);
    w->primitive = r->primitive.ops;
    w->writes = r->writes.ops;
    if (m) {
        ok = vh_monitor_set_primitives(m, &r->primitive, &r->writes, &why);
    } else {
        m = new_monitor(w, r, &why);
        ok = m != NULL;
    }
    WITH_QEMU_LOCK_GUARD(&w->lock)
    {
        w->monitor = m;
        w->closed = !ok;
    }
    set_holds_map(w, false);
    if (!ok) {
        report(w, why);
    } else if (wanted_back(w)) {
        report(w, NULL); /* no map is taken now, which would tell */
    }
}

/* Lets the actor work; returns when it wants to do so again. */
static uint64_t run_actor(VmheatWorker *w, const Requests *r)
{
    VhSnapshot *s = vh_monitor_snapshot(w->monitor);

    if (!w->acts) {
        set_actor_map(w, r->map);
        w->acted_on = s ? s->sequence : 0; /* it may be hours old */
    }
    if (!w->acts) {
        vh_snapshot_unref(s);
        return UINT64_MAX;
    }
    if (s && s->sequence != w->acted_on) {
        w->acted_on = s->sequence;
        w->actor.snapshot(w->actor.opaque, s);
    }
    vh_snapshot_unref(s);
    return w->actor.step(w->actor.opaque);
}

/* Acts on @r; returns when to be back, 0 to sleep until there is a request. */
static uint64_t act(VmheatWorker *w, const Requests *r)
{
    uint64_t deadline;

    if (r->new_attrs && w->monitor) {
        vh_monitor_set_attrs(w->monitor, &r->attrs, &r->limits);
    }
    if (r->new_primitives) {
        take_primitives(w, r);
        return 0; /* the next look at the requests says whether for a map */
    }
    if (w->closed) {
        return 0;
    }
    if (!r->act) {
        set_actor_map(w, NULL);
    }
    if (r->mode == VMHEAT_WORKER_RELEASE) {
        vh_monitor_idle(w->monitor);
        set_holds_map(w, false);
        return 0;
    }
    if (r->new_map) {
        take_map(w, r);
        look_for_faults(w);
    }
    if (r->mode == VMHEAT_WORKER_HOLD) {
        vh_monitor_pause(w->monitor);
        return 0;
    }
    if (w->failing) {
        set_actor_map(w, NULL);
        return 0;
    }
    deadline = vh_monitor_tick(w->monitor);
    look_for_faults(w);
    if (w->failing) {
        set_actor_map(w, NULL);
        return 0;
    }
    return r->act ? MIN(deadline, MAX(1, run_actor(w, r))) : deadline;
}

/* Sleeps until @deadline or a request; lock held. */
static void wait_until(VmheatWorker *w, uint64_t deadline)
{
    uint64_t now = vh_clock_now(&w->cfg.host->clock);
    uint64_t map_due = map_due_ns(w);

    if (w->quit || w->new_attrs || w->new_primitives || w->new_mode ||
        w->posts.length || w->new_chore || wants_map(w) != w->holds_map) {
        return;
    }
    if (map_due && (!deadline || map_due < deadline)) {
        deadline = map_due;
    }
    if (!deadline) {
        qemu_cond_wait(&w->wake, &w->lock);
    } else if (deadline > now) {
        qemu_cond_timedwait(&w->wake, &w->lock,
                            DIV_ROUND_UP(deadline - now, 1000000));
    }
}

/* Does a bit of the chore; returns when to be back, as act() does. */
static uint64_t do_chore(VmheatWorker *w, VhMap *map, const VhLimits *limits,
                         uint64_t deadline)
{
    const VhClock cpu = { .now_ns = thread_cpu_ns };
    uint64_t spent = 0;
    uint64_t due = w->chore.step(w->chore.opaque, map, limits, &cpu, &spent);

    if (spent && w->monitor && !w->closed) {
        vh_monitor_charge(w->monitor, spent);
    }
    return due == UINT64_MAX ? deadline : deadline ? MIN(deadline, due) : due;
}

static void call_posts(GQueue *posts)
{
    Post *post;

    while ((post = g_queue_pop_head(posts))) {
        post->fn(post->arg);
        g_free(post);
    }
}

static void run(VmheatWorker *w)
{
    bool quit = false;

    while (!quit) {
        Requests r;
        uint64_t deadline;

        WITH_QEMU_LOCK_GUARD(&w->lock)
        {
            r = take_requests(w);
        }
        quit = r.quit;
        deadline = quit ? 0 : act(w, &r);
        deadline = do_chore(w, quit ? NULL : r.map, &r.limits, deadline);
        vh_map_unref(r.map);
        call_posts(&r.posts);
        if (!quit) {
            QEMU_LOCK_GUARD(&w->lock);
            wait_until(w, deadline);
        }
    }
}

/*
 * A woken SCHED_BATCH thread does not preempt (sched(7)): neither a vCPU nor
 * the main thread, which wakes us with the BQL held. Best effort: a sandbox may
 * forbid it, and other policies are the user's choice.
 */
static void be_modest(void)
{
    struct sched_param none = { 0 };

    if (sched_getscheduler(0) == SCHED_OTHER) {
        sched_setscheduler(0, SCHED_BATCH, &none);
    }
}

static void *worker_thread(void *opaque)
{
    VmheatWorker *w = opaque;
    void (*done)(void *opaque);

    rcu_register_thread();
    be_modest();
    run(w);
    set_actor_map(w, NULL);
    if (w->monitor) {
        vh_monitor_idle(w->monitor);
    }
    set_holds_map(w, false);
    w->actor.end(w->actor.opaque);
    rcu_unregister_thread();
    WITH_QEMU_LOCK_GUARD(&w->lock)
    {
        done = w->done;
        opaque = w->done_opaque;
    }
    if (done) {
        done(opaque);
    }
    return NULL;
}

VmheatWorker *
vmheat_worker_new(const VhMonitorConfig *cfg, VmheatBqlCaller *bql,
                  const VmheatActor *actor, const VmheatChore *chore,
                  void (*fault)(void *opaque, const VmheatFault *f),
                  void *opaque)
{
    VmheatWorker *w = g_new0(VmheatWorker, 1);

    w->cfg = *cfg;
    w->new_primitives = true;
    w->closed = true; /* until they are opened */
    w->bql = bql;
    w->actor = *actor;
    w->chore = *chore;
    w->mode = VMHEAT_WORKER_RELEASE;
    g_queue_init(&w->posts);
    w->fault = fault;
    w->opaque = opaque;
    qemu_mutex_init(&w->lock);
    qemu_cond_init(&w->wake);
    qemu_cond_init(&w->quiet);
    qemu_thread_create(&w->thread, "vmheat", worker_thread, w,
                       QEMU_THREAD_JOINABLE);
    return w;
}

void vmheat_worker_set_map(VmheatWorker *w, VhMap *map)
{
    VhMap *old;

    WITH_QEMU_LOCK_GUARD(&w->lock)
    {
        old = w->map;
        w->map = vh_map_ref(map);
        w->new_map = true;
        w->map_urgent |= old && (!vh_map_contains(map, old) ||
                                 !vh_map_same_reserved(map, old));
        qemu_cond_signal(&w->wake);
    }
    vh_map_unref(old);
}

void vmheat_worker_set_attrs(VmheatWorker *w, const VhAttrs *attrs,
                             const VhLimits *limits)
{
    QEMU_LOCK_GUARD(&w->lock);
    w->cfg.attrs = *attrs;
    w->cfg.limits = *limits;
    w->new_attrs = true;
    qemu_cond_signal(&w->wake);
}

void vmheat_worker_set_primitives(VmheatWorker *w, const VhSensor *primitive,
                                  const VhSensor *writes)
{
    QEMU_LOCK_GUARD(&w->lock);
    w->cfg.primitive = *primitive;
    w->cfg.writes = *writes;
    w->new_primitives = true;
    qemu_cond_signal(&w->wake);
}

/* Does the worker hold what it may not? Lock held. */
static bool holds_too_much(const VmheatWorker *w)
{
    return (w->holds_map && w->mode == VMHEAT_WORKER_RELEASE) ||
           (w->acts && !(w->act && w->mode == VMHEAT_WORKER_RUN));
}

/* Until the worker has let go of guest memory. */
static void wait_quiet(VmheatWorker *w, int64_t end_us)
{
    QEMU_LOCK_GUARD(&w->lock);
    while (holds_too_much(w)) {
        int64_t left = end_us - g_get_monotonic_time();

        if (left <= 0) {
            break;
        }
        qemu_cond_timedwait(&w->quiet, &w->lock, DIV_ROUND_UP(left, 1000));
    }
}

void vmheat_worker_set_mode(VmheatWorker *w, VmheatWorkerMode mode, bool act,
                            int wait_ms)
{
    int64_t end_us = g_get_monotonic_time() + wait_ms * 1000LL;

    WITH_QEMU_LOCK_GUARD(&w->lock)
    {
        w->new_mode |= mode != w->mode || act != w->act;
        w->mode = mode;
        w->act = act;
        qemu_cond_signal(&w->wake);
    }
    if (wait_ms) {
        vmheat_bql_caller_close(w->bql); /* it sees the mode when it returns */
        wait_quiet(w, end_us);
        vmheat_bql_caller_open(w->bql);
    }
}

void vmheat_worker_post(VmheatWorker *w, void (*fn)(void *arg), void *arg)
{
    Post *post = g_new(Post, 1);

    *post = (Post){ .fn = fn, .arg = arg };
    QEMU_LOCK_GUARD(&w->lock);
    g_queue_push_tail(&w->posts, post);
    qemu_cond_signal(&w->wake);
}

void vmheat_worker_wake(VmheatWorker *w)
{
    QEMU_LOCK_GUARD(&w->lock);
    w->new_chore = true;
    qemu_cond_signal(&w->wake);
}

void vmheat_worker_stop(VmheatWorker *w, void (*done)(void *opaque),
                        void *opaque)
{
    QEMU_LOCK_GUARD(&w->lock);
    w->quit = true;
    w->done = done;
    w->done_opaque = opaque;
    qemu_cond_signal(&w->wake);
}

void vmheat_worker_free(VmheatWorker *w)
{
    WITH_QEMU_LOCK_GUARD(&w->lock)
    {
        w->quit = true;
        qemu_cond_signal(&w->wake);
    }
    vmheat_bql_caller_close(w->bql);
    qemu_thread_join(&w->thread);
    call_posts(&w->posts); /* those that came too late for it */
    if (w->monitor) {
        vh_monitor_free(w->monitor);
    }
    vh_map_unref(w->map);
    qemu_cond_destroy(&w->quiet);
    qemu_cond_destroy(&w->wake);
    qemu_mutex_destroy(&w->lock);
    g_free(w);
}

void vmheat_worker_reset_age(VmheatWorker *w, VhRange r)
{
    if (w->monitor) {
        vh_monitor_reset_age(w->monitor, r);
    }
}

/* The monitor, once there is one; it lives as long as the worker. */
static VhMonitor *get_monitor(VmheatWorker *w)
{
    QEMU_LOCK_GUARD(&w->lock);
    return w->monitor;
}

VhSnapshot *vmheat_worker_snapshot(VmheatWorker *w)
{
    VhMonitor *m = get_monitor(w);

    return m ? vh_monitor_snapshot(m) : NULL;
}

void vmheat_worker_stats(VmheatWorker *w, VhMonitorStats *out)
{
    VhMonitor *m = get_monitor(w);

    memset(out, 0, sizeof(*out));
    if (m) {
        vh_monitor_stats(m, out);
    }
}

VhRange *vmheat_worker_ranges(VmheatWorker *w, size_t *n)
{
    VhMonitor *m = get_monitor(w);

    *n = 0;
    return m ? vh_monitor_ranges(m, n) : NULL;
}
