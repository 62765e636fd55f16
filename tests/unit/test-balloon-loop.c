/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The balloon's control loop, with a guest that is simulated. */
#include <glib.h>

#include "actions/balloon-loop.h"

#define MIB (1ULL << 20)
#define SECOND 1000000000ULL
#define PASS_NS (SECOND / 4)
#define AGE_PASSES 20 /* what was not accessed for so long is cold */
#define BUSY_PASSES 8 /* for so long what was accessed once seems busy */
#define CLEARED_PASSES 100
#define STATS_LATE_MAX 3

/*
 * A guest that uses @used bytes, of which @set are accessed in each pass, and
 * @kernel more that nobody sees. What it gives to the balloon it clears first,
 * if @clears: that is seen for AGE_PASSES, @late passes later.
 */
typedef struct Guest {
    VhBalloonLoop loop;
    VhBalloonArgs args;
    VhBalloonSight sight;
    uint64_t kernel, used, set;
    uint64_t speed; /* bytes that the balloon moves in a pass; 0: stuck */
    unsigned stats_passes; /* statistics come so often; 0: never */
    unsigned stats_late;   /* they are that many passes old */
    uint64_t spare[STATS_LATE_MAX + 1];
    bool clears, oom_deflates;
    double noise;
    GRand *rand;
    uint64_t now_ns;
    uint64_t cleared[CLEARED_PASSES];
    unsigned late;
    unsigned passes;
    /* what the monitor forgot: nothing is cold before this pass */
    unsigned blind_until;
    /* found out */
    uint64_t least, oom, up, down, swings;
    int direction;
} Guest;

static void guest_init(Guest *g, unsigned stats_passes)
{
    *g = (Guest){ .args = { .floor = 128 * MIB,
                            .headroom_permille = 200,
                            .step = 64 * MIB,
                            .hysteresis = 16 * MIB },
                  .sight = { .ram = 1024 * MIB,
                             .actual = 1024 * MIB,
                             .target = 1024 * MIB,
                             .driver = true },
                  .kernel = 40 * MIB,
                  .used = 200 * MIB,
                  .set = 200 * MIB,
                  .speed = 32 * MIB,
                  .stats_passes = stats_passes,
                  .noise = 0.02,
                  .rand = g_rand_new_with_seed(7),
                  .now_ns = 1000 * SECOND,
                  .least = UINT64_MAX };
    vh_balloon_loop_init(&g->loop);
}

static void guest_free(Guest *g)
{
    g_rand_free(g->rand);
}

/* The balloon moves towards the target, as far as there is memory. */
static void guest_moves(Guest *g)
{
    VhBalloonSight *s = &g->sight;
    uint64_t need = g->kernel + g->used;

    g->cleared[g->passes % CLEARED_PASSES] = 0;
    if (s->actual > s->target) {
        uint64_t spare = s->actual > need ? s->actual - need : 0;
        uint64_t much = MIN(MIN(s->actual - s->target, g->speed), spare);

        s->actual -= much;
        g->cleared[g->passes % CLEARED_PASSES] = g->clears ? much : 0;
    } else if (s->actual < s->target) {
        s->actual += MIN(s->target - s->actual, g->speed);
    }
    if (s->actual < need && g->oom_deflates) {
        s->actual = need;
    }
    g->oom += s->actual < need;
}

static void guest_tells(Guest *g)
{
    VhBalloonSight *s = &g->sight;
    uint64_t need = g->kernel + g->used;
    unsigned slots = G_N_ELEMENTS(g->spare);

    g->spare[g->passes % slots] = s->actual > need ? s->actual - need : 0;
    if (g->stats_passes && g->passes % g->stats_passes == 0) {
        s->stats_ns = g->now_ns;
        s->available = g->spare[(g->passes + slots - g->stats_late) % slots];
        s->free = s->available;
        s->major_faults += 3;
    }
}

static VhPass guest_pass(Guest *g)
{
    uint64_t set = g->set * (1 + (g_rand_double(g->rand) - 0.5) * g->noise);
    VhPass p = { .total = g->sight.ram, .accessed = set };

    for (unsigned i = 0; i < AGE_PASSES; i++) {
        unsigned pass = g->passes + CLEARED_PASSES - g->late - i;

        set += g->cleared[pass % CLEARED_PASSES];
        p.accessed += i < BUSY_PASSES ? g->cleared[pass % CLEARED_PASSES] : 0;
    }
    p.matched = g->passes < g->blind_until ? 0 : p.total - MIN(set, p.total);
    return p;
}

/* Counts how often the target turns from up to down and back. */
static void count_turns(Guest *g, uint64_t target)
{
    int direction = (target > g->sight.target) - (target < g->sight.target);

    g->up += direction > 0;
    g->down += direction < 0;
    if (direction) {
        g->swings += g->direction && direction != g->direction;
        g->direction = direction;
    }
}

static void one_pass(Guest *g)
{
    VhPass p;
    uint64_t target;

    g->now_ns += PASS_NS;
    g->passes++;
    guest_moves(g);
    guest_tells(g);
    p = guest_pass(g);
    target = vh_balloon_loop_step(&g->loop, &g->args, &p, &g->sight, g->now_ns);
    count_turns(g, target);
    g->sight.target = target;
    g->least = MIN(g->least, target);
}

static void seconds(Guest *g, unsigned n)
{
    for (unsigned i = 0; i < n * 4; i++) {
        one_pass(g);
    }
}

static void assert_near(uint64_t got, double expected)
{
    g_assert_cmpfloat_with_epsilon((double)got, expected, expected * 0.1);
}

/* The floor, the working set with headroom, or what keeps the reserve. */
static double should_have(const Guest *g)
{
    uint64_t uses = g->kernel + g->used;

    uses += g->stats_passes ? vh_balloon_reserve(uses, g->args.floor) : 0;
    return MAX(MAX(g->set * 1.2, (double)uses), (double)g->args.floor);
}

/* Both ways: down to a small set and, after it grew, up to that. */
static void check_settles(Guest *g)
{
    seconds(g, 120);
    assert_near(g->sight.target, should_have(g));
    assert_near(g->sight.actual, should_have(g));
    g_assert_cmpuint(g->swings, ==, 0);
    g->used = g->set = 300 * MIB;
    seconds(g, 120);
    assert_near(g->sight.actual, should_have(g));
    g->used = g->set = 120 * MIB;
    seconds(g, 120);
    assert_near(g->sight.actual, should_have(g));
    g_assert_cmpuint(g->swings, <=, 2);
    g_assert_cmpuint(g->least, >=, g->args.floor);
    g_assert_cmpuint(g->oom, ==, 0);
}

static void test_settles(void)
{
    Guest g;

    for (unsigned stats = 0; stats <= 4; stats += 4) {
        for (unsigned clears = 0; clears < 4; clears++) {
            guest_init(&g, stats);
            g.clears = clears;
            g.late = clears > 1 ? 20 * clears : 0;
            g.kernel = 20 * MIB;   /* within the headroom */
            g.oom_deflates = true; /* its set grows within a pass */
            check_settles(&g);
            guest_free(&g);
        }
    }
}

/* Its statistics are of before the balloon grew. */
static void test_late_statistics(void)
{
    Guest g;

    for (unsigned late = 1; late <= STATS_LATE_MAX; late++) {
        guest_init(&g, 4);
        g.speed = 24 * MIB;
        g.stats_late = late;
        g.used = g.set = 64 * MIB;
        seconds(&g, 120);
        assert_near(g.sight.actual, should_have(&g));
        g_assert_cmpuint(g.up, ==, 0);
        guest_free(&g);
    }
}

static void test_no_swings(void)
{
    Guest g;

    for (unsigned stats = 0; stats <= 4; stats += 4) {
        guest_init(&g, stats);
        g.noise = 0.1;
        g.clears = true;
        g.used = g.set = 600 * MIB;
        seconds(&g, 60);
        g.up = g.down = 0;
        seconds(&g, 3600);
        g_test_message("an hour: %u up, %u down", (unsigned)g.up,
                       (unsigned)g.down);
        g_assert_cmpuint(g.up + g.down, <=, 2);
        guest_free(&g);
    }
}

/* The monitor says 3 % too little and too much, a minute each. */
static void test_drifts(void)
{
    Guest g;

    guest_init(&g, 0);
    g.noise = 0;
    g.used = 600 * MIB;
    for (int minute = 0; minute < 60; minute++) {
        g.set = (minute % 2 ? 582 : 618) * MIB;
        g.up = minute < 4 ? 0 : g.up;
        g.down = minute < 4 ? 0 : g.down;
        seconds(&g, 60);
    }
    g_assert_cmpuint(g.up + g.down, ==, 0);
    assert_near(g.sight.target, 1.2 * 600 * MIB);
    guest_free(&g);
}

static void test_floor(void)
{
    Guest g;

    guest_init(&g, 4);
    g.used = g.set = 10 * MIB;
    seconds(&g, 300);
    g_assert_cmpuint(g.least, ==, 128 * MIB);
    g_assert_cmpuint(g.sight.actual, ==, 128 * MIB);
    g.args.floor = 300 * MIB; /* the user wants more: at once */
    one_pass(&g);
    g_assert_cmpuint(g.sight.target, ==, 300 * MIB);
    g.args.floor = 4096 * MIB; /* more than there is */
    one_pass(&g);
    g_assert_cmpuint(g.sight.target, ==, g.sight.ram);
    guest_free(&g);
}

static void test_ceiling(void)
{
    Guest g;

    guest_init(&g, 4);
    g.used = g.set = 600 * MIB;
    g.args.ceiling = 512 * MIB;
    g.used = 300 * MIB;
    seconds(&g, 60);
    g_assert_cmpuint(g.sight.target, ==, 512 * MIB);
    guest_free(&g);
}

static void test_step(void)
{
    Guest g;

    guest_init(&g, 0);
    g.used = g.set = 50 * MIB;
    for (int i = 0; i < 400; i++) {
        uint64_t before = g.sight.target;

        one_pass(&g);
        g_assert_cmpuint(g.sight.target + 64 * MIB, >=, before);
        if (g.sight.target < before && g.sight.target > g.args.floor) {
            g_assert_cmpuint(before - g.sight.target, >=, 16 * MIB);
        }
    }
    g_assert_cmpuint(g.sight.target, ==, g.args.floor);
    guest_free(&g);
}

/* Four times the working set from one pass to the next. */
static void test_growth(void)
{
    Guest g;

    for (unsigned stats = 0; stats <= 4; stats += 4) {
        guest_init(&g, stats);
        g.clears = true;
        g.oom_deflates = true;
        seconds(&g, 120);
        g_assert_cmpuint(g.sight.target, <=, 290 * MIB);
        g.used = g.set = 800 * MIB;
        one_pass(&g);
        g_assert_cmpuint(g.sight.target, >=, 800 * MIB);
        seconds(&g, 300);
        assert_near(g.sight.target, 800 * 1.2 * MIB);
        guest_free(&g);
    }
}

/* Much seems to be in use for a while; a guest that tells is not given more. */
static void test_spike(void)
{
    Guest g;

    guest_init(&g, 4);
    g.kernel = 20 * MIB;
    seconds(&g, 120);
    g.up = 0;
    g.set = 600 * MIB;
    seconds(&g, 8);
    g.set = 200 * MIB;
    seconds(&g, 60);
    g_assert_cmpuint(g.up, ==, 0);
    g.set = 600 * MIB; /* but when it lasts */
    seconds(&g, 25);
    assert_near(g.sight.target, 600 * 1.2 * MIB);
    guest_free(&g);
}

/* What is small again is not believed before it was so for two windows. */
static void test_peak(void)
{
    Guest g;
    g_autofree char *text = NULL;

    guest_init(&g, 4);
    g.kernel = 20 * MIB;
    g.noise = 0;
    g.set = 600 * MIB;
    seconds(&g, 120);
    g_assert_cmpuint(g.loop.why, ==, VH_BALLOON_SETTLED);
    g.set = 200 * MIB;
    seconds(&g, 9);
    assert_near(g.sight.target, 600 * 1.2 * MIB);
    text = vh_balloon_loop_describe(&g.loop, g.now_ns);
    g_assert_true(g_str_has_suffix(
        text, "working set 200 MiB: the working set was 600 MiB lately"));
    seconds(&g, 120);
    assert_near(g.sight.target, should_have(&g));
    g_assert_cmpuint(g.loop.why, !=, VH_BALLOON_PEAK);
    guest_free(&g);
}

/* While memory is being taken, and nobody tells what is available. */
static void test_growth_while_taking(void)
{
    Guest g;

    for (int clears = 0; clears < 2; clears++) {
        guest_init(&g, 0);
        g.args.step = 8 * MIB;
        g.args.hysteresis = 4 * MIB;
        g.clears = clears;
        g.kernel = 20 * MIB;
        g.oom_deflates = true;
        seconds(&g, 80);
        g_assert_cmpuint(g.sight.target, <=, 600 * MIB);
        g.used = g.set = 500 * MIB;
        seconds(&g, 25);
        assert_near(g.sight.target, 500 * 1.2 * MIB);
        guest_free(&g);
    }
}

/* It grows by 32 MiB a second, in a guest that would kill. */
static void test_slow_growth(void)
{
    Guest g;

    guest_init(&g, 4);
    g.kernel = 20 * MIB;
    seconds(&g, 120);
    for (int i = 0; i < 75; i++) {
        g.used = g.set += 8 * MIB;
        one_pass(&g);
    }
    g_assert_cmpuint(g.set, ==, 800 * MIB);
    g_assert_cmpuint(g.oom, ==, 0);
    seconds(&g, 300);
    g_assert_cmpuint(g.oom, ==, 0);
    assert_near(g.sight.actual, 800 * 1.2 * MIB);
    guest_free(&g);
}

/* 8 to 32 MiB more a second, which no pass shows. */
static void test_runs_short(void)
{
    Guest g;

    for (uint64_t speed = 2 * MIB; speed <= 8 * MIB; speed += MIB / 2) {
        guest_init(&g, 4);
        g.kernel = 60 * MIB;
        seconds(&g, 120);
        g_assert_cmpuint(g.loop.why, ==, VH_BALLOON_RESERVE);
        while (g.used + speed < 900 * MIB) {
            g.used += speed;
            one_pass(&g);
        }
        g_assert_cmpuint(g.oom, ==, 0);
        g_assert_cmpuint(g.loop.pressure, ==, VH_PRESSURE_AVAILABLE);
        guest_free(&g);
    }
}

/* The working set is twice as large every other five seconds. */
static void test_comes_and_goes(void)
{
    Guest g;

    for (unsigned stats = 0; stats <= 4; stats += 4) {
        guest_init(&g, stats);
        g.used = 400 * MIB;
        for (unsigned i = 0; i < 120; i++) {
            if (i == 60) {
                g.up = g.down = 0;
            }
            g.set = (i % 2 + 1) * 200 * MIB;
            seconds(&g, 5);
        }
        g_assert_cmpuint(g.up + g.down, ==, 0);
        assert_near(g.sight.target, 480 * MIB);
        guest_free(&g);
    }
}

/* What is used but not touched shows in the statistics only. */
static void test_reserve(void)
{
    Guest g;

    guest_init(&g, 4);
    g.set = 100 * MIB;
    g.used = 500 * MIB;
    seconds(&g, 120);
    g_assert_cmpuint(g.sight.actual - g.used - g.kernel, >=,
                     vh_balloon_reserve(g.sight.actual, g.args.floor) - MIB);
    g_assert_cmpuint(g.sight.actual, <=, 600 * MIB);
    g_assert_cmpuint(g.swings, ==, 0);
    g_assert_cmpuint(g.loop.why, ==, VH_BALLOON_RESERVE);
    guest_free(&g);
}

/* Seconds from now until memory is taken again. */
static unsigned held_for(Guest *g)
{
    uint64_t began = g->now_ns;

    while (g->loop.why != VH_BALLOON_TAKES) {
        g_assert_cmpuint(g->now_ns - began, <, 1000 * SECOND);
        one_pass(g);
    }
    return (g->now_ns - began) / SECOND;
}

static void squeeze_guest(Guest *g)
{
    uint64_t before = g->sight.target;

    g->used = g->sight.actual - g->kernel - 2 * MIB;
    for (int i = 0; i < 4; i++) {
        one_pass(g);
    }
    g_assert_cmpuint(g->sight.target, >, before);
    g_assert_cmpuint(g->loop.why, ==, VH_BALLOON_PRESSURE);
    g->used = 200 * MIB;
}

static void test_hold(void)
{
    Guest g;
    unsigned first, second, third, later;

    guest_init(&g, 4);
    g.set = 100 * MIB;
    seconds(&g, 120);
    squeeze_guest(&g);
    first = held_for(&g);
    seconds(&g, 10);
    squeeze_guest(&g);
    second = held_for(&g);
    seconds(&g, 10);
    squeeze_guest(&g);
    third = held_for(&g);
    seconds(&g, 2000); /* long forgotten */
    squeeze_guest(&g);
    later = held_for(&g);
    g_test_message("held for %u, %u, %u, later %u s", first, second, third,
                   later);
    g_assert_cmpuint(first, >=, 8);
    g_assert_cmpuint(first, <=, 12);
    g_assert_cmpuint(second, >=, 18);
    g_assert_cmpuint(third, >=, 38);
    g_assert_cmpuint(later, <=, 12);
    guest_free(&g);
}

/* It never becomes longer than five minutes. */
static void test_hold_ends(void)
{
    Guest g;
    unsigned last = 0;

    guest_init(&g, 4);
    g.set = 100 * MIB;
    seconds(&g, 60);
    for (int i = 0; i < 10; i++) {
        squeeze_guest(&g);
        last = held_for(&g);
    }
    g_assert_cmpuint(last, >=, 290);
    g_assert_cmpuint(last, <=, 302);
    guest_free(&g);
}

/* Faults and swapping, one sign at a time. */
static void check_counter(uint64_t *counter, Guest *g, uint64_t much,
                          VhPressure sign)
{
    uint64_t before;

    seconds(g, 120);
    before = g->sight.target;
    g_assert_cmpuint(g->loop.pressure, ==, VH_PRESSURE_NONE);
    *counter += much;
    for (int i = 0; i < 4; i++) {
        one_pass(g);
    }
    g_assert_cmpuint(g->loop.pressure, ==, sign);
    g_assert_cmpuint(g->sight.target, >, before);
}

static void test_signs(void)
{
    Guest g;

    guest_init(&g, 4);
    check_counter(&g.sight.major_faults, &g, 1000, VH_PRESSURE_FAULTS);
    guest_free(&g);
    guest_init(&g, 4);
    check_counter(&g.sight.swap_in, &g, 4 * MIB, VH_PRESSURE_SWAP);
    guest_free(&g);
    guest_init(&g, 0);
    check_counter(&g.sight.actual, &g, 40 * MIB, VH_PRESSURE_TOOK_BACK);
    guest_free(&g);
}

/* A guest whose counters it does not tell. */
static void test_unknown_counters(void)
{
    Guest g;

    guest_init(&g, 4);
    seconds(&g, 60);
    g.stats_passes = 0;
    g.sight.available = g.sight.swap_in = g.sight.major_faults =
        VH_BALLOON_UNKNOWN;
    for (int i = 0; i < 200; i++) {
        g.sight.stats_ns = g.now_ns;
        one_pass(&g);
    }
    g_assert_cmpuint(g.loop.pressure, ==, VH_PRESSURE_NONE);
    assert_near(g.sight.target, 1.2 * 200 * MIB);
    guest_free(&g);
}

static void test_stale(void)
{
    Guest g;
    uint64_t before;

    guest_init(&g, 4);
    seconds(&g, 8);
    before = g.sight.target;
    g_assert_cmpuint(before, >, 500 * MIB);
    g.stats_passes = 0;
    g.sight.stats_ns = 0;
    seconds(&g, 120);
    g_assert_cmpuint(g.sight.target, ==, before);
    g_assert_cmpuint(g.loop.why, ==, VH_BALLOON_STALE);
    guest_free(&g);
}

static void test_stuck(void)
{
    Guest g;
    g_autofree char *text = NULL;

    guest_init(&g, 0);
    g.speed = 0;
    seconds(&g, 17); /* 5 to look, 10 to wait */
    g_assert_cmpuint(g.loop.why, ==, VH_BALLOON_STUCK);
    g_assert_cmpuint(g.sight.target, ==, g.sight.ram);
    text = vh_balloon_loop_describe(&g.loop, g.now_ns);
    g_assert_nonnull(strstr(text, "did not follow"));
    g_assert_cmpuint(g.down, ==, 1);
    seconds(&g, 3600); /* asks again, ever less often: every 310 s */
    g_assert_cmpuint(g.down, <=, 18);
    g.speed = 32 * MIB; /* a driver is loaded */
    seconds(&g, 400);
    assert_near(g.sight.actual, 1.2 * 200 * MIB);
    guest_free(&g);
}

static void test_no_driver(void)
{
    Guest g;
    g_autofree char *text = NULL;

    guest_init(&g, 0);
    g.noise = 0;
    g.sight.driver = false;
    seconds(&g, 60);
    g_assert_cmpuint(g.down + g.up, ==, 0);
    text = vh_balloon_loop_describe(&g.loop, g.now_ns);
    g_assert_cmpstr(text, ==,
                    "target 1024 MiB, the guest has 1024 of 1024 MiB, working"
                    " set 200 MiB, no statistics of the guest: the guest has no"
                    " driver for the balloon");
    guest_free(&g);
}

/* For ten seconds nothing is old enough to be cold. */
static void test_monitor_began_anew(void)
{
    Guest g;
    uint64_t before;

    for (unsigned stats = 0; stats <= 4; stats += 4) {
        guest_init(&g, stats);
        seconds(&g, 120);
        before = g.sight.target;
        g.blind_until = g.passes + 40;
        g.up = g.down = 0;
        seconds(&g, 60);
        g_assert_cmpuint(g.up + g.down, ==, 0);
        g_assert_cmpuint(g.sight.target, ==, before);
        g.blind_until = g.passes + 40; /* but when it really grows: */
        seconds(&g, 2);
        g.used = g.set = 600 * MIB;
        g.oom_deflates = true;
        one_pass(&g);
        g_assert_cmpuint(g.sight.target, >=, 600 * MIB);
        guest_free(&g);
    }
}

/* The loop begins with a balloon that is inflated, and a young monitor. */
static void test_begins_inflated(void)
{
    Guest g;

    guest_init(&g, 4);
    g.sight.target = g.sight.actual = 256 * MIB;
    g.blind_until = 40;
    seconds(&g, 60);
    g_assert_cmpuint(g.up, ==, 0);
    assert_near(g.sight.target, should_have(&g));
    guest_free(&g);
}

static void test_wide_numbers(void)
{
    VhBalloonLoop l;
    VhBalloonArgs a = { .floor = UINT64_MAX / 2,
                        .step = UINT64_MAX,
                        .headroom_permille = 10000 };
    VhBalloonSight s = { .ram = 1ULL << 50,
                         .actual = 1ULL << 50,
                         .target = 1ULL << 50,
                         .driver = true };
    VhPass p = { .total = 1ULL << 50, .accessed = 1ULL << 50 };

    vh_balloon_loop_init(&l);
    for (unsigned i = 0; i < 100; i++) {
        s.stats_ns = (i + 1) * SECOND; /* nothing available */
        g_assert_cmpuint(vh_balloon_loop_step(&l, &a, &p, &s, (i + 1) * SECOND),
                         ==, s.ram);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/balloon/settles", test_settles);
    g_test_add_func("/balloon/late-statistics", test_late_statistics);
    g_test_add_func("/balloon/no-swings", test_no_swings);
    g_test_add_func("/balloon/drifts", test_drifts);
    g_test_add_func("/balloon/floor", test_floor);
    g_test_add_func("/balloon/ceiling", test_ceiling);
    g_test_add_func("/balloon/step", test_step);
    g_test_add_func("/balloon/growth", test_growth);
    g_test_add_func("/balloon/growth-while-taking", test_growth_while_taking);
    g_test_add_func("/balloon/spike", test_spike);
    g_test_add_func("/balloon/peak", test_peak);
    g_test_add_func("/balloon/slow-growth", test_slow_growth);
    g_test_add_func("/balloon/runs-short", test_runs_short);
    g_test_add_func("/balloon/comes-and-goes", test_comes_and_goes);
    g_test_add_func("/balloon/reserve", test_reserve);
    g_test_add_func("/balloon/hold", test_hold);
    g_test_add_func("/balloon/hold-ends", test_hold_ends);
    g_test_add_func("/balloon/signs", test_signs);
    g_test_add_func("/balloon/unknown-counters", test_unknown_counters);
    g_test_add_func("/balloon/stale", test_stale);
    g_test_add_func("/balloon/stuck", test_stuck);
    g_test_add_func("/balloon/no-driver", test_no_driver);
    g_test_add_func("/balloon/began-anew", test_monitor_began_anew);
    g_test_add_func("/balloon/begins-inflated", test_begins_inflated);
    g_test_add_func("/balloon/wide-numbers", test_wide_numbers);
    return g_test_run();
}
