/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory uffd-wp takes, what it leaves behind (nothing), changing maps,
 * and vCPUs that answer late.
 */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "accel/uffd.h"
#include "rig.h"

#define GPA2 (RIG_GPA + 1024 * MIB)

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

/* Pages of @mem that are still protected, mapped or not. */
static size_t count_protected(const uint8_t *mem, size_t size)
{
    VhPagemap pm;
    char *why = NULL;
    size_t n = 0;

    g_assert_true(vh_pagemap_open(&pm, &why));
    for (size_t i = 0; i < size; i += PAGE) {
        n += (vh_pagemap_state(&pm, mem + i) & VH_PAGE_PROTECTED) != 0;
    }
    vh_pagemap_close(&pm);
    return n;
}

/* Somebody else, say postcopy, can have the memory now. */
static bool is_free(uint8_t *mem, size_t len)
{
    int fd = vh_uffd_open();
    bool ok = vh_uffd_register(fd, mem, len);

    close(fd);
    return ok;
}

/* Memory that takes the place of the rig's, so that the map can be left out. */
static VhMap *map_of(Rig *r, size_t size, const VhMapSection *more)
{
    VhMapSection s[2] = { r->map->sections[0] };

    s[0].size = size;
    if (more) {
        s[1] = *more;
    }
    return rig_map(s, more ? 2 : 1);
}

static void test_leaves_nothing(gconstpointer kind)
{
    VhCheck c[64];
    Rig r;

    if (skipped()) {
        return;
    }
    rig_open_as(&r, "uffd-wp", GPOINTER_TO_INT(kind), MIB, false);
    for (int round = 0; round < 2; round++) {
        rig_set_map(&r);
        g_assert_false(is_free(r.mem, r.size));
        for (size_t i = 0; i < 64; i++) {
            c[i] = rig_check(3 * i);
        }
        r.ops->arm(r.trap, c, 64);
        g_assert_cmpuint(count_protected(r.mem, r.size), ==, 64);
        r.ops->idle(r.trap);
        g_assert_cmpuint(count_protected(r.mem, r.size), ==, 0);
        g_assert_true(is_free(r.mem, r.size));
        g_assert_cmpint(r.map->refs, ==, 1);
        g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_LOST);
        g_assert_cmpint(rig_arm(&r, 0).state, ==, VH_CHECK_SKIPPED);
        g_assert_false(r.ops->covers(r.trap, &r.map->sections[0]));
    }
    rig_set_map(&r);
    r.ops->arm(r.trap, c, 64);
    vh_map_ref(r.map);
    r.ops->release(r.trap); /* without idle */
    g_assert_cmpuint(count_protected(r.mem, r.size), ==, 0);
    rig_assert_filled(r.mem, r.size);
    vh_map_unref(r.map);
    r.trap = r.ops->open(&r.host, NULL);
    rig_close(&r);
}

static void test_changing_maps(void)
{
    VhMap *half, *same;
    char *why = NULL;
    VhCheck c[2];
    Rig r;

    if (skipped()) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_ANONYMOUS, 4 * MIB, false);
    half = map_of(&r, 2 * MIB, NULL);
    same = map_of(&r, 4 * MIB, NULL);
    rig_set_map(&r);
    c[0] = rig_arm(&r, 3);
    c[1] = rig_arm(&r, 1000);
    g_assert_true(r.ops->set_map(r.trap, same, &why));
    g_assert_cmpuint(count_protected(r.mem, r.size), ==, 2);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_SILENT);
    g_assert_true(r.ops->set_map(r.trap, half, &why));
    g_assert_cmpuint(count_protected(r.mem, r.size), ==, 0);
    g_assert_true(is_free(r.mem + 2 * MIB, 2 * MIB));
    g_assert_false(is_free(r.mem, 2 * MIB));
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_LOST);
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_LOST);
    r.ops->idle(r.trap);
    vh_map_unref(half);
    vh_map_unref(same);
    rig_close(&r);
}

/* Postcopy has main memory: refused, and nothing is held. */
static void test_main_taken(void)
{
    uint8_t *dimm = rig_memory(RIG_SHARED, MIB);
    VhMapSection s = rig_section(GPA2, dimm, MIB);
    char *why = NULL;
    VhMap *map;
    int fd;
    Rig r;

    if (skipped()) {
        return;
    }
    fd = vh_uffd_open();
    rig_open_as(&r, "uffd-wp", RIG_SHARED, MIB, false);
    map = map_of(&r, MIB, &s);
    g_assert_true(vh_uffd_register(fd, r.mem + 4 * PAGE, PAGE));
    g_assert_false(r.ops->set_map(r.trap, map, &why));
    g_assert_cmpstr(why, ==,
                    "guest RAM 'ram' cannot be write-protected: another "
                    "userfaultfd has it (postcopy migration or background "
                    "snapshot)");
    g_free(why);
    g_assert_true(is_free(dimm, MIB));
    g_assert_cmpint(map->refs, ==, 1);
    g_assert_cmpint(rig_arm(&r, 0).state, ==, VH_CHECK_SKIPPED);
    close(fd);
    rig_set_map(&r); /* it is over */
    g_assert_cmpint(rig_arm(&r, 0).state, ==, VH_CHECK_ARMED);
    vh_map_unref(map);
    rig_close(&r);
    munmap(dimm, MIB);
}

/* Somebody has a DIMM: main memory is watched all the same. */
static void test_dimm_taken(void)
{
    uint8_t *dimm = rig_memory(RIG_SHARED, MIB);
    VhMapSection s = rig_section(GPA2, dimm, MIB);
    VhCheck c[2] = { { .gpa = RIG_GPA + PAGE }, { .gpa = GPA2 + PAGE } };
    char *why = NULL;
    VhMap *map;
    int fd;
    Rig r;

    if (skipped()) {
        return;
    }
    fd = vh_uffd_open();
    rig_open_as(&r, "uffd-wp", RIG_SHARED, MIB, false);
    s.name = (char *)"dimm";
    map = map_of(&r, MIB, &s);
    g_assert_true(vh_uffd_register(fd, dimm, MIB));
    g_assert_true(r.ops->set_map(r.trap, map, &why));
    g_assert_true(r.ops->covers(r.trap, &map->sections[0]));
    g_assert_false(r.ops->covers(r.trap, &map->sections[1]));
    r.ops->arm(r.trap, c, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SKIPPED);
    g_assert_cmpuint(count_protected(dimm, MIB), ==, 0);
    close(fd);
    r.ops->idle(r.trap);
    vh_map_unref(map);
    rig_close(&r);
    munmap(dimm, MIB);
}

static void test_nonsense(void)
{
    static const uint64_t sizes[] = { 0, 512, 3 * PAGE };
    char *why = NULL;
    VhMap *map;
    Rig r;

    if (skipped()) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_SHARED, MIB, false);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        map = map_of(&r, MIB, NULL);
        map->sections[0].page_size = sizes[i];
        g_assert_false(r.ops->set_map(r.trap, map, &why));
        g_assert_cmpstr(why, ==,
                        "guest RAM 'ram' cannot be write-protected: Invalid "
                        "argument");
        g_clear_pointer(&why, g_free);
        vh_map_unref(map);
    }
    map = vh_map_new(NULL, 0);
    g_assert_false(r.ops->set_map(r.trap, map, &why));
    g_assert_cmpstr(why, ==, "the guest has no RAM");
    g_free(why);
    vh_map_unref(map);
    rig_close(&r);
}

/* Two sections that share the second of three hugetlb pages. */
static void test_hugetlb_edges(void)
{
    uint8_t *mem = rig_memory(RIG_HUGETLB, 6 * MIB);
    VhMapSection s[2];
    VhMap *both, *first;
    char *why = NULL;
    VhCheck c[3];
    Rig r;

    if (!mem || skipped()) {
        g_test_skip("no free hugetlb pages (vm.nr_hugepages)");
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_SHARED, MIB, false);
    rig_fill(mem, 6 * MIB);
    s[0] = rig_section(RIG_GPA, mem, 3 * MIB);
    s[1] = rig_section(RIG_GPA + 4 * MIB, mem + 3 * MIB, 3 * MIB);
    s[0].page_size = s[1].page_size = 2 * MIB;
    s[0].flags = s[1].flags = VH_SECTION_HUGETLB;
    both = rig_map(s, 2);
    first = rig_map(s, 1);
    g_assert_true(r.ops->set_map(r.trap, both, &why));
    c[0] = rig_check(1);
    c[1] = rig_check(600);
    c[2] = rig_check(1024 + 300);
    r.ops->arm(r.trap, c, 3);
    *(volatile uint8_t *)(mem + 2 * MIB) = mem[2 * MIB]; /* the shared one */
    r.ops->collect(r.trap, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_SILENT);
    g_assert_true(r.ops->set_map(r.trap, first, &why));
    g_assert_true(is_free(mem + 4 * MIB, 2 * MIB));
    g_assert_false(is_free(mem + 2 * MIB, 2 * MIB)); /* both had it */
    r.ops->idle(r.trap);
    g_assert_true(is_free(mem, 6 * MIB));
    rig_assert_filled(mem, 6 * MIB);
    vh_map_unref(both);
    vh_map_unref(first);
    rig_close(&r);
    munmap(mem, 6 * MIB);
}

/* How many pagemaps this process has open. */
static unsigned open_pagemaps(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    const char *name;
    unsigned n = 0;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%s", name);
        g_autofree char *path = g_file_read_link(link, NULL);

        n += path && g_str_has_suffix(path, "/pagemap");
    }
    g_dir_close(dir);
    return n;
}

/* A vCPU that comes round when all is over must not protect anything. */
static void test_late(void)
{
    size_t page = 0;
    Rig r;

    if (skipped()) {
        return;
    }
    rig_open_as(&r, "uffd-wp", RIG_ANONYMOUS, MIB, true);
    rig_set_map(&r);
    vcpu_hold(&r.vcpu, true);
    while (rig_arm(&r, page).state == VH_CHECK_ARMED) {
        g_assert_cmpuint(++page, <, 8);
    }
    g_assert_cmpuint(rig_stats(&r).lost, ==, 1);
    r.ops->release(r.trap);
    /* It may be just at a page, so what it works with is still there. */
    g_assert_cmpuint(open_pagemaps(), ==, 1);
    vcpu_hold(&r.vcpu, false);
    vcpu_drain(&r.vcpu);
    g_assert_cmpuint(open_pagemaps(), ==, 0);
    g_assert_cmpuint(count_protected(r.mem, r.size), ==, 0);
    rig_assert_filled(r.mem, r.size);
    r.trap = r.ops->open(&r.host, NULL);
    rig_close(&r);
}

/* As above, but it is just at a page when everybody else has let go. */
static void test_late_page(void)
{
    VhPagemap pm;
    char *why = NULL;
    uint8_t *mem;
    int fd;

    if (skipped()) {
        return;
    }
    mem = rig_memory(RIG_SHARED, MIB);
    rig_fill(mem, MIB);
    g_assert_true(vh_pagemap_open(&pm, &why));
    g_assert_false(vh_pagemap_protect(&pm, mem, PAGE)); /* nobody has it */
    fd = vh_uffd_open();
    g_assert_true(vh_uffd_register(fd, mem, MIB));
    g_assert_false(vh_pagemap_protect(&pm, mem, PAGE)); /* a snapshot has it */
    g_assert_cmpuint(count_protected(mem, MIB), ==, 0);
    close(fd);
    fd = vh_uffd_open_async();
    g_assert_true(vh_uffd_register(fd, mem, MIB));
    g_assert_true(vh_pagemap_protect(&pm, mem, PAGE));
    g_assert_cmpuint(count_protected(mem, MIB), ==, 1);
    close(fd);
    g_assert_cmpuint(count_protected(mem, MIB), ==, 0);
    vh_pagemap_close(&pm);
    munmap(mem, MIB);
}

static void test_probe(void)
{
    const VhPrimitiveOps *ops = vh_primitive_find("uffd-wp");
    VhMap *map = vh_map_new(NULL, 0);
    VhHost host = { .kvm = true, .nested = true, .fault_ns = 1000 };
    char *why = NULL;
    VhCaps caps;

    if (skipped()) {
        return;
    }
    g_assert_false(ops->probe(map, &host, &caps, &why));
    g_assert_cmpstr(why, ==, "the guest has no RAM");
    g_clear_pointer(&why, g_free);
    map->nr = 1;
    g_assert_true(ops->probe(map, &host, &caps, &why));
    g_assert_null(why);
    g_assert_cmpuint(caps.sees, ==, VH_SEES_WRITES | VH_SEES_DMA);
    g_assert_true(caps.persistent);
    g_assert_false(caps.through_migration);
    g_assert_cmpuint(caps.cost_ns, >, 1000);
    map->nr = 0;
    vh_map_unref(map);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/uffd-wp/leaves-nothing/shared",
                         GINT_TO_POINTER(RIG_SHARED), test_leaves_nothing);
    g_test_add_data_func("/uffd-wp/leaves-nothing/anonymous",
                         GINT_TO_POINTER(RIG_ANONYMOUS), test_leaves_nothing);
    g_test_add_data_func("/uffd-wp/leaves-nothing/private-file",
                         GINT_TO_POINTER(RIG_PRIVATE), test_leaves_nothing);
    g_test_add_func("/uffd-wp/changing-maps", test_changing_maps);
    g_test_add_func("/uffd-wp/main-taken", test_main_taken);
    g_test_add_func("/uffd-wp/dimm-taken", test_dimm_taken);
    g_test_add_func("/uffd-wp/nonsense", test_nonsense);
    g_test_add_func("/uffd-wp/hugetlb-edges", test_hugetlb_edges);
    g_test_add_func("/uffd-wp/late", test_late);
    g_test_add_func("/uffd-wp/late-page", test_late_page);
    g_test_add_func("/uffd-wp/probe", test_probe);
    return g_test_run();
}
