/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * discard-free: have the guest give the host memory that is free in the guest.
 *
 * Theory of operation
 *
 * A guest whose balloon has free-page-reporting does so by itself, all the
 * time; then there is nothing to do here. Else it is squeezed (hw/squeeze.h):
 * the balloon takes what the guest says is free, but for a reserve, and at most
 * as much as the scheme was applied to in the pass, and lets go of it when it
 * has it. The pages are the guest's again, and the host gets them back when the
 * guest uses them.
 *
 * At most once a minute. How much host memory that saved is measured, and when
 * it was little (the same pages as last time), the next one has to wait twice
 * as long, up to MOST_NS.
 *
 * What was given back is counted as applied in the passes that follow, for when
 * the action is applied, it is not known yet.
 */
#include "hw/actions.h"
#include "hw/balloon.h"
#include "hw/squeeze.h"
#include "hw/vmheat.h"

/* After a refusal. */
#define REFUSED_NS (5 * NANOSECONDS_PER_SECOND)
#define LEAST_NS (60 * NANOSECONDS_PER_SECOND)
#define MOST_NS (16 * LEAST_NS)
/* saved less than a quarter of what was taken: it was hardly worth it */
#define WORTH 4

typedef struct Discard {
    VmheatActionHost *host;
    VhClock clock;
    uint64_t bytes;     /* applied to in this pass */
    uint64_t uncounted; /* given back, but not told as applied yet */
    VmheatSqueeze *squeeze;
    uint64_t rss; /* host memory before it */
    uint64_t next_ns;
    uint64_t wait_ns;
    uint64_t taken, saved; /* by the latest */
    unsigned squeezes;
    bool reporting;
    const char *why; /* nothing was done; NULL: it was */
} Discard;

/* Bytes of this process in host memory. */
static uint64_t resident(void)
{
    g_autofree char *text = NULL;
    uint64_t pages = 0;

    if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL)) {
        sscanf(text, "%*s %" SCNu64, &pages);
    }
    return pages * qemu_real_host_page_size();
}

static bool discard_probe(const VhActionEnv *env, const VhActionArgs *args,
                          char **why)
{
    return vmheat_balloon_probe(why);
}

static void *discard_open(const VhActionEnv *env)
{
    Discard *a = g_new0(Discard, 1);

    a->host = env->opaque;
    a->clock = env->clock;
    a->wait_ns = LEAST_NS;
    a->why = "the first pass is not over";
    return a;
}

static VhApplied discard_apply(void *opaque, const VhActionArgs *args,
                               const VhMapSection *s, uint64_t offset,
                               uint64_t size)
{
    Discard *a = opaque;
    uint64_t counted = MIN(size, a->uncounted);

    a->bytes += size;
    a->uncounted -= counted;
    return (VhApplied){ .size = size, .applied = counted };
}

/* For vmheat_bql_call(). */
static bool begin_step(void *arg)
{
    Discard *a = arg;
    VhBalloonSight s;
    VMHEAT_BQL_TIMER(vmheat_find());

    a->why = NULL;
    a->reporting = false;
    vmheat_balloon_look(&s, &a->reporting);
    if (!a->reporting) {
        a->squeeze = vmheat_squeeze_begin(a->bytes, &a->why);
    }
    return true;
}

static void begin(Discard *a, uint64_t now_ns)
{
    if (now_ns < a->next_ns) {
        return;
    }
    if (!vmheat_balloon_take(a->host, a)) {
        a->why = "another scheme moves the balloon just now";
        return;
    }
    a->rss = resident();
    vmheat_bql_call(a->host->bql, begin_step, a);
    if (!a->squeeze) {
        vmheat_balloon_give(a->host, a);
        a->next_ns = now_ns + REFUSED_NS;
    }
}

/* It is over, or nobody cares any more. */
static void drop(Discard *a)
{
    g_clear_pointer(&a->squeeze, vmheat_squeeze_unref);
    vmheat_balloon_give(a->host, a);
}

static void reckon(Discard *a, uint64_t now_ns)
{
    uint64_t rss = resident();

    a->taken = vmheat_squeeze_taken(a->squeeze);
    a->saved = a->rss > rss ? a->rss - rss : 0;
    a->uncounted += MIN(a->taken, a->saved);
    a->squeezes++;
    a->wait_ns =
        a->saved >= a->taken / WORTH ? LEAST_NS : MIN(2 * a->wait_ns, MOST_NS);
    a->next_ns = now_ns + a->wait_ns;
    drop(a);
}

static void discard_end(void *opaque, const VhActionArgs *args,
                        const VhPass *pass)
{
    Discard *a = opaque;
    uint64_t now_ns = vh_clock_now(&a->clock);

    if (!a->squeeze) {
        begin(a, now_ns);
    } else if (vmheat_squeeze_is_over(a->squeeze)) {
        reckon(a, now_ns);
    }
    a->bytes = 0;
}

/* For vmheat_bql_call(). */
static bool quiet_step(void *arg)
{
    vmheat_balloon_quiet();
    return true;
}

/* A squeeze that is under way ends by itself. */
static void discard_close(void *opaque)
{
    Discard *a = opaque;

    drop(a);
    if (!a->host->balloon_mover) {
        vmheat_bql_call(a->host->bql, quiet_step, NULL);
    }
    g_free(a);
}

static char *discard_detail(void *opaque)
{
    Discard *a = opaque;
    g_autofree char *last = NULL;

    if (a->reporting) {
        return g_strdup("the guest reports free pages by itself, nothing is"
                        " to be done");
    }
    if (a->squeezes) {
        last = g_strdup_printf("%u times done, last the guest gave %" PRIu64
                               " MiB and host memory shrank by %" PRIu64 " MiB",
                               a->squeezes, a->taken / MiB, a->saved / MiB);
    }
    return g_strdup_printf("%s%s%s", last ?: "", last && a->why ? "; " : "",
                           a->squeeze ? "taking free memory just now"
                           : a->why   ? a->why
                                      : "");
}

const VhActionOps vmheat_action_discard_free = {
    .name = "discard-free",
    .summary = "have the guest give back memory that is free in it",
    .needs = "a virtio-balloon device, and its driver in the guest; best with"
             " free-page-reporting=on",
    .prio = VH_PRIO_COLD,
    .keeps_age = true,
    .probe = discard_probe,
    .open = discard_open,
    .apply = discard_apply,
    .end = discard_end,
    .close = discard_close,
    .detail = discard_detail,
};
