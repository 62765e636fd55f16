/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What uffd-wp answers, on memory of every kind: writes fire, reads do not. */
#include <glib.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "accel/uffd.h"
#include "rig.h"

#define WRITTEN 16
#define READ 16
#define COLD 32
#define ALL (WRITTEN + READ + COLD)

typedef struct Toucher {
    Rig *rig;
    int rounds;
    int stop;
} Toucher;

typedef struct Setting {
    RigKind kind;
    bool with_vcpu;
} Setting;

/* The reason that there is no uffd-wp here, told to the test harness. */
static bool skipped(RigKind kind)
{
    const VhPrimitiveOps *ops = vh_primitive_find("uffd-wp");
    VhMapSection s = { .size = PAGE, .name = (char *)"ram" };
    VhMap map = { .refs = 1, .nr = 1, .sections = &s };
    g_autofree char *why = NULL;
    VhHost host = { 0 };
    VhCaps caps;
    uint8_t *mem;

    if (!ops->probe(&map, &host, &caps, &why)) {
        g_test_skip(why);
        return true;
    }
    mem = rig_memory(kind, 2 * MIB);
    if (!mem) {
        g_test_skip("no free hugetlb pages (vm.nr_hugepages)");
        return true;
    }
    munmap(mem, 2 * MIB);
    return false;
}

/* Every fourth page is written, every fourth is read. */
static size_t page_of(size_t i)
{
    return i < WRITTEN ? 4 * i
           : i < WRITTEN + READ
               ? 4 * (i - WRITTEN) + 1
               : 2 * (i - WRITTEN - READ) + 1 + (i & 1) + 4 * READ;
}

static void *toucher(void *opaque)
{
    Toucher *t = opaque;

    while (!__atomic_load_n(&t->stop, __ATOMIC_SEQ_CST)) {
        for (size_t i = 0; i < WRITTEN; i++) {
            rig_write(t->rig, page_of(i));
        }
        for (size_t i = WRITTEN; i < WRITTEN + READ; i++) {
            rig_touch(t->rig, page_of(i));
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
    VhCheck c[ALL];

    for (size_t i = 0; i < ALL; i++) {
        c[i] = rig_check(page_of(i));
    }
    r->ops->arm(r->trap, c, ALL);
    wait_for_round(t);
    r->ops->collect(r->trap, c, ALL);
    if (rig_stats(r).lost > lost) {
        g_assert_nonnull(r->host.run_on_vcpu);
        return;
    }
    for (size_t i = 0; i < ALL; i++) {
        g_assert_cmpint(c[i].state, ==,
                        i < WRITTEN ? VH_CHECK_FIRED : VH_CHECK_SILENT);
        g_assert_cmpuint(c[i].granule, ==, PAGE);
    }
}

static void test_hot_and_cold(gconstpointer data)
{
    const Setting *setting = data;
    Rig r;
    Toucher t = { .rig = &r };
    VhPrimitiveStats st;
    pthread_t thread;

    if (skipped(setting->kind)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", setting->kind, MIB, setting->with_vcpu);
    rig_set_map(&r);
    g_assert_cmpint(pthread_create(&thread, NULL, toucher, &t), ==, 0);
    for (int i = 0; i < 20; i++) {
        check_round(&r, &t);
    }
    __atomic_store_n(&t.stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    st = rig_stats(&r);
    g_assert_cmpuint(st.arms + st.arms_free + st.lost, ==, 20 * ALL);
    if (!st.lost) {
        g_assert_cmpuint(st.fires, ==, 20 * WRITTEN);
        g_assert_cmpuint(st.arms, ==, 19 * WRITTEN + ALL);
        g_assert_cmpuint(st.arms_free, ==, 19 * (READ + COLD));
    }
    g_test_message("arm %" G_GUINT64_FORMAT " ns, collect %" G_GUINT64_FORMAT
                   " ns, fire %" G_GUINT64_FORMAT " ns",
                   st.arm_ns, st.collect_ns, st.fire_ns);
    g_assert_cmpuint(st.fire_ns, >, 0);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

static void test_persistent(gconstpointer data)
{
    const Setting *setting = data;
    VhCheck c;
    Rig r;

    if (skipped(setting->kind)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", setting->kind, 2 * MIB, false);
    rig_set_map(&r);
    c = rig_arm(&r, 5);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_true(c.present);
    for (int i = 0; i < 10; i++) {
        rig_touch(&r, 5);
        g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
        c = rig_arm(&r, 5);
        g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
        g_assert_false(c.present);
    }
    rig_write(&r, 5);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_FIRED);
    c = rig_arm(&r, 5);
    g_assert_true(c.present);
    g_assert_cmpuint(rig_stats(&r).arms, ==, 2);
    g_assert_cmpuint(rig_stats(&r).arms_free, ==, 10);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/* The kernel writes: read() into guest memory, as vhost and block I/O do. */
static void test_kernel_writes(gconstpointer data)
{
    const Setting *setting = data;
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    uint8_t was;
    VhCheck c;
    Rig r;

    if (skipped(setting->kind)) {
        close(fd);
        return;
    }
    rig_open_as(&r, "uffd-wp", setting->kind, 2 * MIB, false);
    rig_set_map(&r);
    c = rig_arm(&r, 3);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    was = r.mem[3 * PAGE + 1];
    g_assert_cmpint(read(fd, r.mem + 3 * PAGE + 1, 1), ==, 1);
    g_assert_cmpuint(r.mem[3 * PAGE + 1], ==, 0);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_FIRED);
    r.mem[3 * PAGE + 1] = was;
    rig_assert_filled(r.mem, r.size);
    close(fd);
    rig_close(&r);
}

/* Never populated: free to arm; a read is no write, a write is. */
static void test_untouched(gconstpointer data)
{
    const Setting *setting = data;
    size_t step = setting->kind == RIG_HUGETLB ? 2 * MIB / PAGE : 1;
    VhCheck c[3];
    Rig r;

    if (skipped(setting->kind)) {
        return;
    }
    if (setting->kind == RIG_ANONYMOUS && rig_reads_take_memory()) {
        g_test_skip("here a read of anonymous memory populates it");
        return;
    }
    rig_open_as(&r, "uffd-wp", setting->kind, 6 * MIB, false);
    g_assert_cmpint(
        madvise(r.mem, r.size,
                r.map->sections[0].shared ? MADV_REMOVE : MADV_DONTNEED),
        ==, 0);
    rig_set_map(&r);
    for (size_t i = 0; i < 3; i++) {
        c[i] = rig_arm(&r, (1 + i) * step - 1);
        g_assert_cmpint(c[i].state, ==, VH_CHECK_ARMED);
        g_assert_false(c[i].present);
    }
    rig_touch(&r, step - 1);
    rig_write(&r, 2 * step - 1);
    for (int round = 0; round < 2; round++) {
        g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_SILENT);
        g_assert_cmpint(rig_collect(&r, c[2]), ==, VH_CHECK_SILENT);
        c[0] = rig_arm(&r, step - 1); /* read meanwhile: still free */
        g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
        g_assert_false(c[0].present);
    }
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_FIRED);
    rig_write(&r, step - 1);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_FIRED);
    c[1] = rig_arm(&r, 2 * step - 1);
    g_assert_true(c[1].present);
    rig_close(&r);
}

/* Only ARMED checks are answered, and pages outside are SKIPPED. */
static void test_states(void)
{
    VhCheck c[3] = { rig_check(0), rig_check(1 << 20), rig_check(1) };
    Rig r;

    if (skipped(RIG_SHARED)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_SHARED, MIB, false);
    r.ops->arm(r.trap, c, 3);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_SKIPPED); /* no map yet */
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

/* Written, then unmapped, as reclaim does: still an answer. Discarded: none. */
static void test_unmapped(void)
{
    VhCheck c[2];
    Rig r;

    if (skipped(RIG_SHARED)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_SHARED, MIB, false);
    rig_set_map(&r);
    c[0] = rig_arm(&r, 1);
    c[1] = rig_arm(&r, 2);
    rig_write(&r, 1);
    g_assert_cmpint(madvise(r.mem, MIB, MADV_DONTNEED), ==, 0);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_FIRED);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_SILENT);
    rig_touch(&r, 2);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_SILENT);
    rig_write(&r, 2);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_FIRED);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/* Huge pages below private memory: the answer is still true to 4 KiB. */
static void test_thp(gconstpointer data)
{
    const Setting *setting = data;
    VhCheck c[2];
    Rig r;

    if (skipped(setting->kind)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", setting->kind, 4 * MIB, false);
    if (!rig_collapse(r.mem, r.size)) {
        g_test_skip("no transparent huge pages of this kind");
        rig_close(&r);
        return;
    }
    rig_set_map(&r);
    c[0] = rig_arm(&r, 7);
    c[1] = rig_arm(&r, 600);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_true(c[0].present);
    g_assert_cmpuint(c[0].granule, ==, PAGE);
    for (size_t i = 0; i < 1024; i++) {
        if (i != 7 && i != 600) {
            rig_write(&r, i);
        }
    }
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_SILENT);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_SILENT);
    rig_write(&r, 7);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_FIRED);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_SILENT);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/* Arming what was never touched leaves the kernel free to give a huge page. */
static void test_thp_untouched(void)
{
    VhPagemap pm;
    char *why = NULL;
    VhCheck c;
    Rig r;

    if (skipped(RIG_ANONYMOUS)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_ANONYMOUS, 4 * MIB, false);
    g_assert_true(vh_pagemap_open(&pm, &why));
    madvise(r.mem, r.size, MADV_HUGEPAGE);
    g_assert_cmpint(madvise(r.mem, r.size, MADV_DONTNEED), ==, 0);
    r.mem[0] = 1;
    if (!(vh_pagemap_query(&pm, r.mem) & VH_PAGE_HUGE)) {
        g_test_skip("no transparent huge page was given");
    } else {
        rig_set_map(&r);
        c = rig_arm(&r, 700);
        g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
        g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
        r.mem[700 * PAGE] = 1;
        g_assert_true(vh_pagemap_query(&pm, r.mem + 700 * PAGE) & VH_PAGE_HUGE);
        g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_FIRED);
    }
    vh_pagemap_close(&pm);
    rig_close(&r);
}

static void test_hugetlb(void)
{
    VhCheck c[2];
    Rig r;

    if (skipped(RIG_HUGETLB)) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_HUGETLB, 4 * MIB, false);
    rig_set_map(&r);
    c[0] = rig_arm(&r, 300);
    c[1] = rig_arm(&r, 800);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(c[0].granule, ==, 2 * MIB);
    rig_touch(&r, 300);
    rig_write(&r, 1000);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_SILENT);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_FIRED);
    rig_write(&r, 0);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_FIRED);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

static const struct {
    const char *name;
    Setting setting;
} kinds[] = {
    { "shared", { RIG_SHARED, false } },
    { "private-file", { RIG_PRIVATE, false } },
    { "anonymous", { RIG_ANONYMOUS, false } },
    { "hugetlb", { RIG_HUGETLB, false } },
    { "shared-vcpu", { RIG_SHARED, true } },
    { "anonymous-vcpu", { RIG_ANONYMOUS, true } },
};

static void add(const char *test, size_t kind, GTestDataFunc fn)
{
    g_autofree char *path =
        g_strdup_printf("/uffd-wp/%s/%s", test, kinds[kind].name);

    g_test_add_data_func(path, &kinds[kind].setting, fn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].setting.kind != RIG_HUGETLB) {
            add("hot-and-cold", i, test_hot_and_cold);
        }
        if (!kinds[i].setting.with_vcpu) {
            add("persistent", i, test_persistent);
            add("kernel-writes", i, test_kernel_writes);
            add("untouched", i, test_untouched);
        }
    }
    add("thp", 0, test_thp);
    add("thp", 2, test_thp);
    g_test_add_func("/uffd-wp/thp/untouched", test_thp_untouched);
    g_test_add_func("/uffd-wp/states", test_states);
    g_test_add_func("/uffd-wp/unmapped", test_unmapped);
    g_test_add_func("/uffd-wp/hugetlb", test_hugetlb);
    return g_test_run();
}
