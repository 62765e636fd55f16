/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * balloon: have the guest keep its working set and some headroom, and give the
 * rest to the host.
 *
 * Theory of operation
 *
 * The scheme's pattern describes memory that is not needed. Which memory the
 * guest gives is for the guest to say, so applying counts at most. At the end
 * of a pass the main thread looks at the balloon, has the loop
 * (actions/balloon-loop.h) decide and sets the new target, all in one short
 * step; the loop's state is handed over with the request and back.
 *
 * The balloon stays as it is while the memory map is let go of (migration,
 * incoming or outgoing) and when QEMU ends: the destination of a migration
 * goes on with it. When the scheme is removed, or the vmheat device, the guest
 * is given all of its memory back, unless a migration is under way.
 */
#include "hw/actions.h"
#include "hw/balloon.h"
#include "hw/vmheat.h"

typedef struct Balloon {
    VmheatActionHost *host;
    VhClock clock;
    VhBalloonLoop loop;
    bool was_seen;  /* there was a balloon at the end of the latest pass */
    bool was_other; /* another action moved it then */
    bool moved;     /* by us */
} Balloon;

/* What the main thread is to do at the end of a pass. */
typedef struct Turn {
    Balloon *a;
    const VhBalloonArgs *args;
    const VhPass *pass;
    uint64_t now_ns;
} Turn;

static bool balloon_probe(const VhActionEnv *env, const VhActionArgs *args,
                          char **why)
{
    VhBalloonSight s;

    if (!vmheat_balloon_probe(why)) {
        return false;
    }
    /* who only asks has no step; a scheme may be set before the guest boots */
    if (!args->balloon.step && vmheat_balloon_look(&s, NULL) && !s.driver) {
        *why = g_strdup("the guest has no driver for the balloon, or has not"
                        " booted: load virtio_balloon in it");
        return false;
    }
    return true;
}

static void *balloon_open(const VhActionEnv *env)
{
    Balloon *a = g_new0(Balloon, 1);

    a->host = env->opaque;
    a->clock = env->clock;
    vh_balloon_loop_init(&a->loop);
    return a;
}

/* Counting is all there is to do. */
static VhApplied balloon_apply(void *a, const VhActionArgs *args,
                               const VhMapSection *s, uint64_t offset,
                               uint64_t size)
{
    return (VhApplied){ .size = size, .applied = size };
}

/* For vmheat_bql_call(). */
static bool turn_step(void *arg)
{
    Turn *t = arg;
    VhBalloonSight s;
    VMHEAT_BQL_TIMER(vmheat_find());

    t->a->was_seen = vmheat_balloon_look(&s, NULL);
    if (t->a->was_seen) {
        uint64_t target =
            vh_balloon_loop_step(&t->a->loop, t->args, t->pass, &s, t->now_ns);

        if (target != s.target) {
            vmheat_balloon_set(target);
            t->a->moved = true;
        }
    }
    return true;
}

static void balloon_end(void *opaque, const VhActionArgs *args,
                        const VhPass *pass)
{
    Balloon *a = opaque;
    Turn t = { a, &args->balloon, pass, vh_clock_now(&a->clock) };

    a->was_other = !vmheat_balloon_take(a->host, a);
    if (!a->was_other) {
        vmheat_bql_call(a->host->bql, turn_step, &t);
    }
}

/* For vmheat_bql_call(). */
static bool give_back_step(void *arg)
{
    Balloon *a = arg;
    VhBalloonSight s;

    if (a->moved && !vh_migration_under_way() && vmheat_balloon_look(&s, NULL)) {
        vmheat_balloon_set(s.ram);
    }
    vmheat_balloon_quiet();
    return true;
}

static void balloon_close(void *opaque)
{
    Balloon *a = opaque;

    if (a->host->balloon_mover == a) {
        vmheat_bql_call(a->host->bql, give_back_step, a);
        vmheat_balloon_give(a->host, a);
    }
    g_free(a);
}

static char *balloon_detail(void *opaque)
{
    Balloon *a = opaque;

    if (a->was_other) {
        return g_strdup("another scheme moves the balloon just now");
    }
    if (!a->was_seen) {
        return g_strdup(a->loop.seen.ram ? "the balloon device is gone"
                                         : "the first pass is not over");
    }
    return vh_balloon_loop_describe(&a->loop, vh_clock_now(&a->clock));
}

const VhActionOps vmheat_action_balloon = {
    .name = "balloon",
    .summary = "have the guest give back what it does not need",
    .needs = "a virtio-balloon device, and its driver in the guest",
    .prio = VH_PRIO_COLD,
    .keeps_age = true,
    .probe = balloon_probe,
    .open = balloon_open,
    .apply = balloon_apply,
    .end = balloon_end,
    .close = balloon_close,
    .detail = balloon_detail,
};
