/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One userfaultfd for two: overlapping holds, and trap beside uffd-wp. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "accel/uffd-share.h"
#include "accel/uffd.h"
#include "rig.h"

/* Who else could have [@page, @page + 1) now; one letter for each page. */
static char *picture(uint8_t *mem, size_t pages)
{
    GString *s = g_string_new(NULL);
    int fd = vh_uffd_open();

    for (size_t i = 0; i < pages; i++) {
        bool ours = !vh_uffd_register(fd, mem + i * PAGE, PAGE);

        g_string_append_c(s, ours ? 'x' : '.');
        if (!ours) {
            vh_uffd_unregister(fd, mem + i * PAGE, PAGE);
        }
    }
    close(fd);
    return g_string_free(s, FALSE);
}

static void expect(uint8_t *mem, const char *want)
{
    g_autofree char *is = picture(mem, strlen(want));

    g_assert_cmpstr(is, ==, want);
}

static bool skipped(void)
{
    int fd = vh_uffd_open_async();

    if (fd < 0) {
        g_test_skip("no userfaultfd with WP_ASYNC here (Linux 6.7)");
        return true;
    }
    close(fd);
    return false;
}

static bool is_protected(const uint8_t *page)
{
    VhPagemap pm;
    char *why = NULL;
    bool yes;

    g_assert_true(vh_pagemap_open(&pm, &why));
    yes = vh_pagemap_state(&pm, page) & VH_PAGE_PROTECTED;
    vh_pagemap_close(&pm);
    return yes;
}

static void test_holds(void)
{
    uint8_t *m = rig_memory(RIG_SHARED, MIB);
    VhHost host = { 0 };
    VhUffd *u = vh_uffd_get(&host);

    if (skipped()) {
        return;
    }
    g_assert_cmpint(vh_uffd_error(u), ==, 0);
    g_assert_true(vh_uffd_hold(u, m, 8 * PAGE));
    expect(m, "xxxxxxxx..");
    g_assert_true(vh_uffd_hold(u, m + 2 * PAGE, 2 * PAGE));
    g_assert_true(vh_uffd_hold(u, m + 5 * PAGE, 4 * PAGE));
    expect(m, "xxxxxxxxx.");
    vh_uffd_drop(u, m, 7 * PAGE, false); /* nobody holds just that */
    expect(m, "xxxxxxxxx.");
    vh_uffd_drop(u, m, 8 * PAGE, false);
    expect(m, "..xx.xxxx.");
    g_assert_true(vh_uffd_hold(u, m + 5 * PAGE, 4 * PAGE)); /* twice */
    vh_uffd_drop(u, m + 5 * PAGE, 4 * PAGE, false);
    expect(m, "..xx.xxxx.");
    vh_uffd_drop(u, m + 5 * PAGE, 4 * PAGE, false);
    expect(m, "..xx......");
    vh_uffd_unref(u); /* closes it */
    expect(m, "..........");
    munmap(m, MIB);
}

/* What others still hold is unprotected too, if asked for. */
static void test_lift(void)
{
    uint8_t *m = rig_memory(RIG_ANONYMOUS, MIB);
    VhHost host = { 0 };
    VhUffd *u = vh_uffd_get(&host);

    if (skipped()) {
        return;
    }
    rig_fill(m, MIB);
    for (int lift = 0; lift < 2; lift++) {
        g_assert_true(vh_uffd_hold(u, m, 8 * PAGE));
        g_assert_true(vh_uffd_hold(u, m + 2 * PAGE, 2 * PAGE));
        g_assert_true(vh_uffd_set(u, m, 8 * PAGE, true));
        vh_uffd_drop(u, m, 8 * PAGE, lift);
        g_assert_false(is_protected(m + PAGE));
        g_assert_cmpint(is_protected(m + 3 * PAGE), ==, !lift);
        g_assert_false(is_protected(m + 7 * PAGE));
        expect(m, "..xx......");
        vh_uffd_drop(u, m + 2 * PAGE, 2 * PAGE, false);
        g_assert_false(is_protected(m + 3 * PAGE));
    }
    vh_uffd_unref(u);
    rig_assert_filled(m, MIB);
    munmap(m, MIB);
}

/* Two primitives on the memory of one rig. */
typedef struct Pair {
    Rig trap;
    Rig wp;
    VhUffd *uffd;
} Pair;

static void open_pair(Pair *p, bool with_vcpu)
{
    char *why = NULL;

    rig_open(&p->trap, MIB, with_vcpu);
    p->trap.ops->release(p->trap.trap);
    p->uffd = vh_uffd_new();
    p->trap.host.uffd = p->uffd;
    p->wp = p->trap;
    p->wp.ops = vh_primitive_find("uffd-wp");
    p->trap.trap = p->trap.ops->open(&p->trap.host, &why);
    p->wp.trap = p->wp.ops->open(&p->trap.host, &why);
    g_assert_cmpstr(why, ==, NULL);
    rig_set_map(&p->trap);
    rig_set_map(&p->wp);
    g_assert_nonnull(strstr(rig_stats(&p->trap).detail, "no fault-around"));
}

static void close_pair(Pair *p)
{
    rig_assert_filled(p->trap.mem, p->trap.size);
    p->wp.ops->release(p->wp.trap);
    rig_close(&p->trap);
    vh_uffd_unref(p->uffd);
}

/* Whatever the order of arming, each tells the truth. */
static void test_together(gconstpointer wp_first)
{
    VhCheck t[4], w[4];
    Pair p;

    if (skipped()) {
        return;
    }
    open_pair(&p, false);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 4; i++) {
            t[i] = wp_first ? (w[i] = rig_arm(&p.wp, i), rig_arm(&p.trap, i))
                            : rig_arm(&p.trap, i);
            if (!wp_first) {
                w[i] = rig_arm(&p.wp, i);
            }
            g_assert_cmpint(t[i].state, ==, VH_CHECK_ARMED);
            g_assert_cmpint(w[i].state, ==, VH_CHECK_ARMED);
            g_assert_cmpuint(t[i].granule, ==, PAGE);
        }
        rig_touch(&p.trap, 1);
        rig_write(&p.trap, 2);
        rig_touch(&p.trap, 3);
        rig_write(&p.trap, 3);
        for (size_t i = 0; i < 4; i++) {
            g_assert_cmpint(rig_collect(&p.trap, t[i]), ==,
                            i ? VH_CHECK_FIRED : VH_CHECK_SILENT);
            g_assert_cmpint(rig_collect(&p.wp, w[i]), ==,
                            i > 1 ? VH_CHECK_FIRED : VH_CHECK_SILENT);
        }
    }
    close_pair(&p);
}

/* One leaves: the other goes on as if nothing had been. */
static void test_one_leaves(gconstpointer wp_leaves)
{
    VhCheck c;
    Pair p;
    Rig *gone = wp_leaves ? &p.wp : &p.trap;
    Rig *stays = wp_leaves ? &p.trap : &p.wp;

    if (skipped()) {
        return;
    }
    open_pair(&p, false);
    rig_arm(gone, 7);
    rig_arm(&p.wp, 9);
    c = rig_arm(stays, 3);
    gone->ops->idle(gone->trap);
    g_assert_cmpint(is_protected(stays->mem + 9 * PAGE), ==, !wp_leaves);
    g_assert_cmpint(rig_collect(stays, c), ==, VH_CHECK_SILENT);
    rig_write(stays, 3);
    g_assert_cmpint(rig_collect(stays, c), ==, VH_CHECK_FIRED);
    expect(stays->mem, "xxxx");
    stays->ops->idle(stays->trap);
    expect(stays->mem, "....");
    rig_set_map(gone);
    rig_set_map(stays);
    expect(stays->mem, "xxxx");
    close_pair(&p);
}

/* Fault-around stays off also where pages are protected. */
static void test_neighbours(void)
{
    VhCheck t[32], w;
    Pair p;

    if (skipped()) {
        return;
    }
    open_pair(&p, true);
    for (size_t i = 0; i < 32; i++) {
        do {
            t[i] = rig_arm(&p.trap, i);
        } while (t[i].state == VH_CHECK_LOST);
    }
    w = rig_arm(&p.wp, 9);
    g_assert_cmpint(w.state, ==, VH_CHECK_ARMED);
    g_assert_false(w.present); /* trap unmapped it: a marker is enough */
    rig_touch(&p.trap, 8);
    for (size_t i = 0; i < 32; i++) {
        g_assert_cmpint(rig_collect(&p.trap, t[i]), ==,
                        i == 8 ? VH_CHECK_FIRED : VH_CHECK_SILENT);
    }
    g_assert_cmpint(rig_collect(&p.wp, w), ==, VH_CHECK_SILENT);
    close_pair(&p);
}

/* Without a shared one the second has to do without. */
static void test_apart(void)
{
    char *why = NULL;
    void *wp;
    Rig r;

    if (skipped()) {
        return;
    }
    rig_open(&r, MIB, false);
    rig_set_map(&r);
    wp = vh_primitive_find("uffd-wp")->open(&r.host, &why);
    g_assert_false(vh_primitive_find("uffd-wp")->set_map(wp, r.map, &why));
    g_assert_nonnull(strstr(why, "another userfaultfd"));
    g_free(why);
    vh_primitive_find("uffd-wp")->release(wp);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uffd-share/holds", test_holds);
    g_test_add_func("/uffd-share/lift", test_lift);
    g_test_add_data_func("/uffd-share/together/trap-first", NULL,
                         test_together);
    g_test_add_data_func("/uffd-share/together/wp-first", "", test_together);
    g_test_add_data_func("/uffd-share/wp-leaves", "", test_one_leaves);
    g_test_add_data_func("/uffd-share/trap-leaves", NULL, test_one_leaves);
    g_test_add_func("/uffd-share/neighbours", test_neighbours);
    g_test_add_func("/uffd-share/apart", test_apart);
    return g_test_run();
}
