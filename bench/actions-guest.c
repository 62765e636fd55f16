/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pageout costs a guest, without QEMU: the action itself on the memory of
 * a small KVM guest that touches a hot range as fast as it can. Beside it, in
 * the same round, one plain MADV_PAGEOUT of the same range.
 *
 * On a machine that others use too, a guest is slow mostly because it does not
 * get its CPU. That is no loss by what is measured here: touches are counted
 * per second in which its thread had a CPU or was blocked, not waiting in the
 * run queue (/proc/PID/task/TID/schedstat).
 *
 * One line of JSON for each backing; the medians of all rounds. The hot
 * range was in memory all the time, and is touched by the guest; the cold one
 * the guest has touched before each measurement, so KVM has it mapped.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "actions/advise.h"
#include "actions/resident.h"
#include "bench-memory.h"
#include "swap.h"
#include "touch-guest.h"

#define ROUNDS_MAX 99
#define SETTLE_US 300000
#define WINDOW_US 500000

typedef struct Bench {
    TouchGuest *guest;
    VhMap *map;
    const VhActionOps *ops;
    VhActionEnv env;
    void *state;
    uint8_t *mem;
    uint64_t size;
    uint64_t cold_at; /* the cold range */
    uint64_t cold;
    double busy;
} Bench;

typedef struct Point {
    uint64_t touches;
    double wall;
    double queued;
} Point;

/* Of one round. */
typedef struct Result {
    double loss, plain_loss;       /* percent */
    double busy_speed, plain_busy; /* GiB/s */
    double speed, plain_speed;
} Result;

static double guest_busy(void *opaque)
{
    return ((Bench *)opaque)->busy;
}

static Point point(const Bench *b)
{
    g_autofree char *path =
        g_strdup_printf("/proc/self/task/%d/schedstat", b->guest->tid);
    g_autofree char *text = NULL;
    unsigned long ran, queued = 0;
    Point p = { .touches = touch_guest_count(b->guest),
                .wall = bench_now_ns(NULL) * 1e-9 };

    if (g_file_get_contents(path, &text, NULL, NULL)) {
        sscanf(text, "%lu %lu", &ran, &queued);
    }
    p.queued = queued * 1e-9;
    return p;
}

static double rate(Point a, Point b)
{
    return (b.touches - a.touches) / (b.wall - a.wall - (b.queued - a.queued));
}

static void action(Bench *b)
{
    const VhMapSection *s = &b->map->sections[0];
    const VhActionArgs args = { 0 };
    uint64_t done = 0;

    while (done < b->cold) {
        VhApplied did = b->ops->apply(b->state, &args, s, b->cold_at + done,
                                      b->cold - done);

        done += did.size;
        if (did.wait_ns) {
            usleep(did.wait_ns / 1000);
        }
    }
}

static void plain(Bench *b)
{
    madvise(b->mem + b->cold_at, b->cold, MADV_PAGEOUT);
}

static uint64_t resident(const Bench *b)
{
    VhMapSection s = { .hva = b->mem + b->cold_at, .size = b->cold };
    VhMap map = { .nr = 1, .sections = &s };

    return vh_resident_size((VhMap *)&map);
}

/* The guest touches all of the cold range, and goes back to the hot one. */
static void warm_up(Bench *b)
{
    uint64_t enough = touch_guest_count(b->guest);

    touch_guest_range(b->guest, b->cold_at, b->cold_at + b->cold);
    usleep(SETTLE_US);
    enough = touch_guest_count(b->guest) + 2 * b->cold / PAGE;
    while (touch_guest_count(b->guest) < enough) {
        usleep(1000);
    }
    touch_guest_range(b->guest, TOUCH_FIRST_FREE, b->size / 4);
    usleep(SETTLE_US);
}

/* GiB/s; @loss: percent of the guest's work. */
static double busy(Bench *b, void (*act)(Bench *), double *loss)
{
    Point p[4];
    uint64_t full;

    warm_up(b);
    full = resident(b);
    p[0] = point(b);
    usleep(WINDOW_US);
    p[1] = point(b);
    act(b);
    p[2] = point(b);
    full -= resident(b);
    usleep(WINDOW_US);
    p[3] = point(b);
    *loss =
        (1 - rate(p[1], p[2]) / ((rate(p[0], p[1]) + rate(p[2], p[3])) / 2)) *
        100;
    return full / (p[2].wall - p[1].wall) / (1 << 30);
}

static double idle(Bench *b, void (*act)(Bench *))
{
    uint64_t full, start;
    double seconds;

    warm_up(b);
    touch_guest_pause(b->guest, true);
    b->busy = 0;
    full = resident(b);
    start = bench_now_ns(NULL);
    act(b);
    seconds = (bench_now_ns(NULL) - start) * 1e-9;
    full -= resident(b);
    b->busy = 1;
    touch_guest_pause(b->guest, false);
    return full / seconds / (1 << 30);
}

static Result one_round(Bench *b, bool swapped)
{
    Result r;

    /* Who comes first changes, so that drift does not favour one. */
    for (int i = 0; i < 2; i++) {
        if (swapped == (i == 0)) {
            r.plain_busy = busy(b, plain, &r.plain_loss);
            r.plain_speed = idle(b, plain);
        } else {
            r.busy_speed = busy(b, action, &r.loss);
            r.speed = idle(b, action);
        }
    }
    return r;
}

static bool begin(Bench *b, bool shared, const char **why)
{
    b->mem = bench_memory(b->size, shared);
    *why = "no memory";
    if (!b->mem) {
        return false;
    }
    bench_fill(b->mem, TOUCH_FIRST_FREE, b->size);
    b->busy = 1;
    b->env = (VhActionEnv){ .clock = { .now_ns = bench_now_ns },
                            .guest_busy = guest_busy,
                            .kvm = true,
                            .opaque = b };
    b->map = bench_map(b->mem, b->size, shared);
    b->ops = bench_action("pageout");
    b->state = b->ops->open(&b->env);
    b->ops->set_map(b->state, b->map);
    b->guest =
        touch_guest_start(b->mem, b->size, TOUCH_FIRST_FREE, b->size / 4, why);
    return b->guest != NULL;
}

static bool end(Bench *b)
{
    bool ok = !b->guest->failed;

    touch_guest_stop(b->guest);
    b->ops->set_map(b->state, NULL);
    b->ops->close(b->state);
    ok = ok && bench_intact(b->mem, TOUCH_FIRST_FREE, b->size);
    vh_map_unref(b->map);
    munmap(b->mem, b->size);
    return ok;
}

/* Of the doubles at @offset of each result. */
static double median(const Result *v, int n, size_t offset)
{
    double values[ROUNDS_MAX];

    for (int i = 0; i < n; i++) {
        values[i] = *(const double *)((const char *)&v[i] + offset);
    }
    return bench_median(values, n);
}

#define MEDIAN(v, n, member) median(v, n, offsetof(Result, member))

static double ratio(const Result *v, int n)
{
    Result r[ROUNDS_MAX];

    for (int i = 0; i < n; i++) {
        r[i].speed = v[i].speed / v[i].plain_speed;
    }
    return MEDIAN(r, n, speed);
}

static bool run(bool shared, uint64_t size, uint64_t cold, int rounds)
{
    Bench b = { .size = size, .cold_at = size / 2, .cold = cold };
    Result v[ROUNDS_MAX];
    const char *why;
    bool ok;

    if (!begin(&b, shared, &why)) {
        fprintf(stderr, "actions-guest: %s\n", why);
        exit(77);
    }
    for (int i = 0; i < rounds; i++) {
        v[i] = one_round(&b, i % 2);
    }
    ok = end(&b);
    printf("{\"action\": \"pageout\", \"backing\": \"%s\", "
           "\"guest\": \"touch\", \"gib_per_s\": %.3f, "
           "\"plain_gib_per_s\": %.3f, \"speed_ratio\": %.3f, "
           "\"guest_loss_pct\": %.2f, \"busy_gib_per_s\": %.4f, "
           "\"plain_loss_pct\": %.2f, \"plain_busy_gib_per_s\": %.3f, "
           "\"checksum_ok\": %s}\n",
           shared ? "shared" : "private", MEDIAN(v, rounds, speed),
           MEDIAN(v, rounds, plain_speed), ratio(v, rounds),
           MEDIAN(v, rounds, loss), MEDIAN(v, rounds, busy_speed),
           MEDIAN(v, rounds, plain_loss), MEDIAN(v, rounds, plain_busy),
           ok ? "true" : "false");
    fflush(stdout);
    return ok;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    uint64_t cold = (argc > 2 ? atoi(argv[2]) : 1024) * MIB;
    uint64_t cold_private = (argc > 3 ? atoi(argv[3]) : 32) * MIB;
    const char *why;
    bool ok = true;
    Swap swap;

    if (rounds < 1 || rounds > ROUNDS_MAX || cold < MIB || cold > 1024 * MIB ||
        cold_private > 1024 * MIB) {
        fprintf(stderr, "usage: actions-guest [ROUNDS [SHARED-MIB "
                        "[PRIVATE-MIB]]]\n");
        return 2;
    }
    if (!swap_start(&swap, 4096 * MIB, &why)) {
        fprintf(stderr, "actions-guest: %s\n", why);
        return 77;
    }
    ok = run(true, 2048 * MIB, cold, rounds);
    if (cold_private) {
        ok = run(false, 2048 * MIB, cold_private, rounds) && ok;
    }
    swap_stop(&swap);
    return !ok;
}
