/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the trap answers: hot pages fire, cold ones are silent and stay so. */
#include <glib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accel/uffd.h"
#include "rig.h"

#define HOT 16
#define COLD 64

typedef struct Toucher {
    Rig *rig;
    int rounds;
    int stop;
} Toucher;

/* Reads the even pages of the first 2 * HOT and writes every second of them. */
static void *toucher(void *opaque)
{
    Toucher *t = opaque;

    while (!__atomic_load_n(&t->stop, __ATOMIC_SEQ_CST)) {
        for (size_t i = 0; i < HOT; i++) {
            volatile uint8_t *p = t->rig->mem + 2 * i * PAGE;

            if (i % 2) {
                *p = *p;
            } else {
                (void)*p;
            }
        }
        __atomic_fetch_add(&t->rounds, 1, __ATOMIC_SEQ_CST);
        g_thread_yield();
    }
    return NULL;
}

/* A round that began after this call is over. */
static void wait_for_round(Toucher *t)
{
    int now = __atomic_load_n(&t->rounds, __ATOMIC_SEQ_CST);

    while (__atomic_load_n(&t->rounds, __ATOMIC_SEQ_CST) < now + 2) {
        g_thread_yield();
    }
}

/* On a busy machine a vCPU may be late, and then all of a batch is LOST. */
static void check_round(Rig *r, Toucher *t)
{
    uint64_t lost = rig_stats(r).lost;
    VhCheck c[HOT + COLD];

    for (size_t i = 0; i < HOT; i++) {
        c[i] = rig_check(2 * i);
    }
    for (size_t i = 0; i < COLD; i++) {
        c[HOT + i] = rig_check(i < HOT ? 2 * i + 1 : 2 * HOT + i * 3);
    }
    r->ops->arm(r->trap, c, HOT + COLD);
    wait_for_round(t);
    r->ops->collect(r->trap, c, HOT + COLD);
    if (rig_stats(r).lost > lost) {
        g_assert_nonnull(r->host.run_on_vcpu);
        return;
    }
    for (size_t i = 0; i < HOT + COLD; i++) {
        g_assert_cmpint(c[i].state, ==,
                        i < HOT ? VH_CHECK_FIRED : VH_CHECK_SILENT);
        g_assert_cmpuint(c[i].granule, ==, PAGE);
    }
}

static bool have_uffd(void)
{
    int fd = vh_uffd_open();

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void test_hot_and_cold(const void *with_vcpu)
{
    Rig r;
    Toucher t = { .rig = &r };
    VhPrimitiveStats st;
    pthread_t thread;

    if (!have_uffd()) {
        g_test_skip("no userfaultfd here, so cold neighbours fire as well");
        return;
    }
    rig_open(&r, MIB, with_vcpu);
    rig_set_map(&r);
    g_assert_nonnull(strstr(rig_stats(&r).detail, "no fault-around"));
    g_assert_cmpint(pthread_create(&thread, NULL, toucher, &t), ==, 0);
    for (int i = 0; i < 20; i++) {
        check_round(&r, &t);
    }
    __atomic_store_n(&t.stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    st = rig_stats(&r);
    g_assert_cmpuint(st.arms + st.arms_free + st.lost, ==, 20 * (HOT + COLD));
    g_assert_cmpuint(st.fires + st.lost, >=, 20 * HOT);
    if (!st.lost) {
        g_assert_cmpuint(st.fires, ==, 20 * HOT);
        g_assert_cmpuint(st.arms_free, >=, 19 * COLD);
    }
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

static void test_persistent(void)
{
    VhCheck c;
    Rig r;

    rig_open(&r, MIB, false);
    rig_set_map(&r);
    c = rig_arm(&r, 5);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_true(c.present);
    for (int i = 0; i < 10; i++) {
        g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
        c = rig_arm(&r, 5);
        g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
        g_assert_false(c.present);
    }
    rig_touch(&r, 5);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_FIRED);
    c = rig_arm(&r, 5);
    g_assert_true(c.present);
    g_assert_cmpuint(rig_stats(&r).arms, ==, 2);
    g_assert_cmpuint(rig_stats(&r).arms_free, ==, 10);
    rig_close(&r);
}

/* Only ARMED checks are answered, and pages outside are SKIPPED. */
static void test_states(void)
{
    VhCheck c[3] = { rig_check(0), rig_check(1 << 20), rig_check(1) };
    Rig r;

    rig_open(&r, MIB, false);
    rig_set_map(&r);
    c[0].gpa = RIG_GPA - PAGE;
    r.ops->arm(r.trap, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SKIPPED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SKIPPED);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(c[1].cookie, ==, 1 << 20);
    r.ops->collect(r.trap, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SKIPPED);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_SILENT);
    r.ops->arm(r.trap, c, 0);
    r.ops->collect(r.trap, c, 0);
    rig_close(&r);
}

static void test_mlocked(void)
{
    VhCheck c;
    Rig r;

    rig_open(&r, MIB, false);
    /* Not mlock(): sanitizers turn that into nothing. */
    if (syscall(SYS_mlock, r.mem, 16 * PAGE)) {
        g_test_skip("mlock is not allowed here");
        rig_close(&r);
        return;
    }
    rig_set_map(&r);
    c = rig_arm(&r, 3);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
    rig_touch(&r, 3);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_FIRED);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/trap/hot-and-cold/worker", NULL, test_hot_and_cold);
    g_test_add_data_func("/trap/hot-and-cold/vcpu", "", test_hot_and_cold);
    g_test_add_func("/trap/persistent", test_persistent);
    g_test_add_func("/trap/states", test_states);
    g_test_add_func("/trap/mlocked", test_mlocked);
    return g_test_run();
}
