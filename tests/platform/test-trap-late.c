/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs that answer late or never: the trap gives up, the memory stays mapped
 * as long as such a batch may still run, and nothing is unmapped behind it.
 */
#include <glib.h>

#include "accel/pagemap.h"
#include "rig.h"

/* Arms page after page until an answer is lost; which is the second. */
static size_t arm_until_lost(Rig *r)
{
    size_t page = 0;

    while (rig_arm(r, page).state == VH_CHECK_ARMED) {
        page++;
        g_assert_cmpuint(page, <, 8);
    }
    return page;
}

static bool is_mapped(Rig *r, size_t page)
{
    VhPagemap pm;
    char *why = NULL;
    bool yes;

    g_assert_true(vh_pagemap_open(&pm, &why));
    yes = vh_pagemap_present(&pm, r->mem + page * PAGE);
    vh_pagemap_close(&pm);
    return yes;
}

static void test_late(void)
{
    size_t page;
    Rig r;

    rig_open(&r, MIB, true);
    rig_set_map(&r);
    vcpu_hold(&r.vcpu, true);
    page = arm_until_lost(&r);
    g_assert_cmpuint(rig_stats(&r).lost, ==, 1);
    g_assert_cmpuint(vcpu_queued(&r.vcpu), ==, 1);
    vcpu_hold(&r.vcpu, false);
    vcpu_drain(&r.vcpu); /* cancelled: must do nothing any more */
    g_assert_true(is_mapped(&r, page));
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/* Every third answer comes late; those in time are right. */
static void test_now_and_then(void)
{
    unsigned lost = 0;
    Rig r;

    rig_open(&r, MIB, true);
    rig_set_map(&r);
    for (size_t i = 0; i < 60; i++) {
        VhCheck c;

        rig_touch(&r, i);
        vcpu_hold(&r.vcpu, i % 3 == 0);
        c = rig_arm(&r, i);
        lost += c.state == VH_CHECK_LOST;
        if (c.state == VH_CHECK_ARMED) {
            g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
            rig_touch(&r, i);
            g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_FIRED);
        }
        vcpu_hold(&r.vcpu, false);
        vcpu_drain(&r.vcpu);
    }
    g_assert_cmpuint(lost, ==, rig_stats(&r).lost);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/* After three lost batches it does without vCPUs. */
static void test_gives_up_on_vcpus(void)
{
    unsigned lost = 0;
    Rig r;

    rig_open(&r, MIB, true);
    rig_set_map(&r);
    vcpu_hold(&r.vcpu, true);
    for (size_t i = 0; i < 40; i++) {
        lost += rig_arm(&r, i).state == VH_CHECK_LOST;
    }
    g_assert_cmpuint(lost, ==, 3);
    g_assert_nonnull(g_strrstr(rig_stats(&r).detail, "armed by the worker"));
    rig_close(&r);
}

static void test_never(void)
{
    size_t page;
    Rig r;

    rig_open(&r, MIB, true);
    rig_set_map(&r);
    vcpu_hold(&r.vcpu, true);
    page = arm_until_lost(&r);
    r.ops->idle(r.trap);
    r.ops->release(r.trap);
    g_assert_cmpint(__atomic_load_n(&r.map->refs, __ATOMIC_SEQ_CST), ==, 2);
    vh_map_unref(r.map); /* unplugged; the batch is all that holds it */
    g_assert_cmpint(__atomic_load_n(&r.releases, __ATOMIC_SEQ_CST), ==, 0);
    rig_touch(&r, page); /* still mapped */
    rig_assert_filled(r.mem, r.size);
    vcpu_stop(&r.vcpu); /* runs it */
    g_assert_cmpint(__atomic_load_n(&r.releases, __ATOMIC_SEQ_CST), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trap/late/late", test_late);
    g_test_add_func("/trap/late/now-and-then", test_now_and_then);
    g_test_add_func("/trap/late/gives-up", test_gives_up_on_vcpus);
    g_test_add_func("/trap/late/never", test_never);
    return g_test_run();
}
