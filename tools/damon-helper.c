/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * One loop waits for QEMU's messages, its end, a signal, and the time at which
 * to read regions. DAMON is ours only between WATCH and STOP, so that a
 * granted but unused helper is in nobody's way.
 *
 * QEMU has less rights than this process. It can say which of its own addresses
 * are watched, how often within limits, and nothing else; it cannot name a
 * process. What it says is checked (accel/damon-wire.c). Starting DAMON costs
 * time, so a QEMU that says WATCH again and again is not listened to
 * in between. It may not read either: what does not fit into the socket is
 * dropped, and the helper does not wait.
 *
 * Reading regions takes four small files a region. So that it takes no more of a
 * CPU than it may, it is done once an aggregation, or less often.
 *
 * The only long wait is for the kernel, in vh_damon_sysfs_read(); a signal waits
 * for that, which is why the aggregation interval has an upper limit.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "damon-helper.h"

#define START_PAUSE_US 200000
#define FOREVER G_MAXINT64

typedef struct Loop {
    const VhDamonHelper *h;
    VhDamonMessage in;
    VhDamonMessage out;
    bool watching;
    uint64_t id;
    uint64_t snapshot;
    gint64 listen_at; /* g_get_monotonic_time() before which QEMU waits */
    gint64 read_at;   /* at which to read regions */
    bool ended;       /* with @good and @why */
    bool good;
    char **why;
} Loop;

/* Takes @why. */
static void end(Loop *l, bool good, char *why)
{
    if (l->ended) {
        g_free(why);
        return;
    }
    l->ended = true;
    l->good = good;
    *l->why = why;
}

/* Takes @why, and tells QEMU too. */
static void give_up(Loop *l, char *why)
{
    size_t n = vh_damon_error(&l->out, why);

    vh_damon_send(l->h->socket, &l->out, n);
    end(l, false, why);
}

static void stop(Loop *l)
{
    l->watching = false;
    l->read_at = FOREVER;
    if (!vh_damon_sysfs_stop(l->h->sysfs)) {
        give_up(l, g_strdup("the kernel does not let go of DAMON; 'vmheat grant "
                            "--damon' cleans up when it is run again"));
    }
}

static void start(Loop *l)
{
    const VhDamonWatch *w = &l->in.watch;
    gint64 now = g_get_monotonic_time();
    char *why = NULL;

    stop(l);
    if (l->ended) {
        return;
    }
    if (!vh_damon_sysfs_start(l->h->sysfs, w, &why)) {
        give_up(l, why);
        return;
    }
    l->watching = true;
    l->id = w->id;
    l->snapshot = 0;
    l->listen_at = now + START_PAUSE_US;
    l->read_at = now + w->aggregation_us;
    /* what every part of every snapshot says */
    l->out.regions = (VhDamonRegions){
        .header = vh_damon_header(VH_DAMON_REGIONS),
        .id = w->id,
        .sampling_us = w->sampling_us,
        .aggregation_us = w->aggregation_us,
        .max_nr_accesses = MAX(w->aggregation_us / w->sampling_us, 1),
    };
}

static void hear(Loop *l)
{
    char *why = NULL;

    switch (vh_damon_receive(l->h->socket, &l->in, NULL, &why)) {
    case VH_DAMON_NOTHING:
        break;
    case VH_DAMON_CLOSED:
        end(l, true, g_strdup("QEMU has ended, or has given back what was "
                              "granted"));
        break;
    case VH_DAMON_BAD:
        give_up(l, why);
        break;
    case VH_DAMON_GOT:
        if (l->in.header.type == VH_DAMON_WATCH) {
            start(l);
        } else if (l->in.header.type == VH_DAMON_STOP) {
            stop(l);
        } else {
            give_up(l, g_strdup("QEMU said what only the helper may say"));
        }
    }
}

/* False when QEMU does not read: the rest makes no sense then. */
static bool send_part(Loop *l, const GArray *regions, uint32_t first)
{
    VhDamonRegions *m = &l->out.regions;

    m->first = first;
    m->nr = MIN(regions->len - first, VH_DAMON_PART_MAX);
    if (m->nr) {
        memcpy(m->regions, &g_array_index(regions, VhDamonRegion, first),
               m->nr * sizeof(m->regions[0]));
    }
    /* that QEMU has ended is seen when listening */
    return !vh_damon_send(l->h->socket, &l->out, vh_damon_length(&l->out));
}

static void send_snapshot(Loop *l, const GArray *regions)
{
    VhDamonRegions *m = &l->out.regions;
    struct timespec now;
    uint32_t first = 0;

    clock_gettime(CLOCK_MONOTONIC, &now);
    m->taken_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
    m->snapshot = ++l->snapshot;
    m->total = regions->len;
    while (send_part(l, regions, first) && first + m->nr < regions->len) {
        first += m->nr;
    }
}

static gint64 cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

static void read_regions(Loop *l)
{
    gint64 begun = g_get_monotonic_time(), cpu = cpu_us();
    char *why = NULL;
    g_autoptr(GArray) regions = vh_damon_sysfs_read(l->h->sysfs, &why);

    if (why) {
        give_up(l, why);
        return;
    }
    if (regions) {
        send_snapshot(l, regions);
    }
    cpu = (cpu_us() - cpu) * 100 / l->h->percent;
    l->read_at = begun + MAX((gint64)l->out.regions.aggregation_us, cpu);
}

static int timeout_ms(const Loop *l)
{
    gint64 now = g_get_monotonic_time();
    gint64 at = MIN(l->read_at, l->listen_at > now ? l->listen_at : FOREVER);

    return at == FOREVER ? -1 : CLAMP((at - now + 999) / 1000, 0, 60000);
}

static void turn(Loop *l)
{
    bool deaf = l->listen_at > g_get_monotonic_time();
    struct pollfd p[] = {
        { l->h->signals, POLLIN, 0 },
        { l->h->process, POLLIN, 0 },
        { deaf ? -1 : l->h->socket, POLLIN, 0 },
    };

    if (poll(p, G_N_ELEMENTS(p), timeout_ms(l)) < 0 && errno != EINTR) {
        give_up(l, g_strdup_printf("cannot wait: %s", g_strerror(errno)));
    }
    if (p[0].revents) {
        end(l, true, g_strdup("stopped by a signal"));
    } else if (p[1].revents) {
        end(l, true, g_strdup("QEMU has ended"));
    } else if (p[2].revents) {
        hear(l);
    }
    if (!l->ended && l->watching && g_get_monotonic_time() >= l->read_at) {
        read_regions(l);
    }
}

bool vh_damon_helper_run(const VhDamonHelper *h, char **why)
{
    g_autofree Loop *l = g_new0(Loop, 1);

    l->h = h;
    l->why = why;
    l->read_at = FOREVER;
    while (!l->ended) {
        turn(l);
    }
    stop(l);
    return l->good;
}
