/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the footprint is measured: only while somebody asks, soon the first
 * time, and within its share of a CPU.
 */
#include <glib.h>

#include "actions/footprint-plan.h"

#define MS 1000000ULL
#define S 1000000000ULL
#define SHARE 0.005

/* Does what is due until @end; a measurement costs @cost, in slices of 2 ms.
 * Returns how many were finished; @cpu adds up what they took. */
static unsigned run(VhFootprintPlan *p, uint64_t *now, uint64_t end,
                    uint64_t cost, uint64_t *cpu)
{
    uint64_t left = cost;
    unsigned finished = 0;

    while (*now < end) {
        uint64_t due = vh_footprint_plan_due(p, *now), slice;

        if (due > *now) {
            *now = MIN(due, end);
            continue;
        }
        slice = MIN(left, VH_FOOTPRINT_SLICE_NS);
        left -= slice;
        *now += slice;
        *cpu += slice;
        vh_footprint_plan_worked(p, *now, slice, SHARE, !left);
        if (!left) {
            left = cost;
            finished++;
        }
    }
    return finished;
}

static void test_nobody_asks(void)
{
    VhFootprintPlan p = { 0 };
    uint64_t now = 5 * S, cpu = 0;

    g_assert_cmpuint(vh_footprint_plan_due(&p, now), ==, UINT64_MAX);
    g_assert_cmpuint(run(&p, &now, 1000 * S, 2 * MS, &cpu), ==, 0);
    g_assert_cmpuint(cpu, ==, 0);
}

static void test_stops_after_a_minute(void)
{
    VhFootprintPlan p = { 0 };
    uint64_t now = 5 * S, cpu = 0;

    g_assert_true(vh_footprint_plan_ask(&p, now));
    g_assert_cmpuint(run(&p, &now, 65 * S - 1, 2 * MS, &cpu), ==, 12);
    g_assert_cmpuint(run(&p, &now, 1000 * S, 2 * MS, &cpu), ==, 0);
    g_assert_cmpuint(vh_footprint_plan_due(&p, now), ==, UINT64_MAX);
    /* asked again: at once */
    g_assert_true(vh_footprint_plan_ask(&p, now));
    g_assert_cmpuint(vh_footprint_plan_due(&p, now), ==, now);
}

static void test_asking_often_changes_nothing(void)
{
    VhFootprintPlan p = { 0 };
    uint64_t now = 0, cpu = 0;
    unsigned finished = 0;

    g_assert_true(vh_footprint_plan_ask(&p, now));
    for (int i = 0; i < 1000; i++) {
        finished += run(&p, &now, now + S / 10, 2 * MS, &cpu);
        g_assert_false(vh_footprint_plan_ask(&p, now));
    }
    g_assert_cmpuint(finished, >=, 19);
    g_assert_cmpuint(finished, <=, 21);
}

static void test_first_answer_is_soon(void)
{
    VhFootprintPlan p = { 0 };
    uint64_t now = 0, cpu = 0;

    /* 16 GiB at 3 ms each */
    vh_footprint_plan_ask(&p, now);
    g_assert_cmpuint(run(&p, &now, S / 4, 48 * MS, &cpu), ==, 1);
    /* and then it rests until that is paid for: 48 ms / 0.5 % */
    g_assert_cmpuint(run(&p, &now, 9 * S, 48 * MS, &cpu), ==, 0);
    g_assert_cmpuint(cpu, ==, 48 * MS);
    g_assert_cmpuint(run(&p, &now, 20 * S, 48 * MS, &cpu), ==, 1);
}

/* Whatever it costs, in the long run it is the share; never more than the burst
 * above it. */
static void test_keeps_to_its_share(void)
{
    static const uint64_t costs[] = { MS, 50 * MS, 300 * MS, 5 * S };

    for (size_t i = 0; i < G_N_ELEMENTS(costs); i++) {
        VhFootprintPlan p = { 0 };
        uint64_t now = 0, cpu = 0;

        for (int n = 0; n < 400; n++) {
            vh_footprint_plan_ask(&p, now);
            run(&p, &now, now + 10 * S, costs[i], &cpu);
            g_assert_cmpfloat(cpu, <=,
                              now * SHARE * 1.01 + VH_FOOTPRINT_BURST_NS +
                                  VH_FOOTPRINT_SLICE_NS);
        }
        if (costs[i] >= 50 * MS) { /* else every five seconds is less */
            g_assert_cmpfloat(cpu, >=, now * SHARE * 0.9);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/footprint-plan/nobody-asks", test_nobody_asks);
    g_test_add_func("/footprint-plan/stops-after-a-minute",
                    test_stops_after_a_minute);
    g_test_add_func("/footprint-plan/asking-often-changes-nothing",
                    test_asking_often_changes_nothing);
    g_test_add_func("/footprint-plan/first-answer-is-soon",
                    test_first_answer_is_soon);
    g_test_add_func("/footprint-plan/keeps-to-its-share",
                    test_keeps_to_its_share);
    return g_test_run();
}
