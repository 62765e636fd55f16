/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which memory the trap takes, which it leaves alone, and changing maps. */
#include <glib.h>
#include <sys/mman.h>

#include "rig.h"

#define GPA2 (RIG_GPA + 1024 * MIB)

static char *refusal(const VhMapSection *s, bool probe)
{
    const VhPrimitiveOps *ops = vh_primitive_find("trap");
    VhMap *map = rig_map(s, 1);
    VhCheck c = rig_check(0);
    VhHost host = { 0 };
    char *why = NULL;
    VhCaps caps;
    void *trap;

    if (probe) {
        g_assert_false(ops->probe(map, &host, &caps, &why));
    } else {
        trap = ops->open(&host, &why);
        g_assert_false(ops->set_map(trap, map, &why));
        ops->arm(trap, &c, 1);
        g_assert_cmpint(c.state, ==, VH_CHECK_SKIPPED);
        g_assert_false(ops->covers(trap, &map->sections[0]));
        ops->idle(trap);
        ops->release(trap);
    }
    g_assert_cmpint(map->refs, ==, 1);
    vh_map_unref(map);
    return why;
}

#define ADVICE(size)                                                           \
    ", and unmapping its pages would lose their contents; use shared memory: " \
    "-object memory-backend-memfd,id=mem0,size=" size "M,share=on "            \
    "-machine memory-backend=mem0, or in libvirt XML: "                        \
    "<memoryBacking><source type='memfd'/><access mode='shared'/>"             \
    "</memoryBacking>"

static void test_private(void)
{
    uint8_t *mem = rig_memory(RIG_PRIVATE, 4 * MIB);
    VhMapSection s = rig_section(RIG_GPA, mem, 4 * MIB);
    g_autofree char *probe = NULL;
    g_autofree char *set_map = NULL;
    g_autofree char *anonymous = NULL;

    rig_fill(mem, 4 * MIB);
    s.shared = false;
    s.block_size = 6 * MIB; /* its other 2 MiB are elsewhere */
    probe = refusal(&s, true);
    g_assert_cmpstr(probe, ==,
                    "guest RAM 'ram' (6 MiB) is private memory" ADVICE("6"));
    set_map = refusal(&s, false);
    g_assert_cmpstr(set_map, ==,
                    "guest RAM 'ram' (6 MiB) is not a shared file mapping in "
                    "this process" ADVICE("6"));
    s.shared = true;
    s.file_backed = false;
    anonymous = refusal(&s, true);
    g_assert_cmpstr(anonymous, ==,
                    "guest RAM 'ram' (6 MiB) is anonymous memory" ADVICE("6"));
    rig_assert_filled(mem, 4 * MIB);
    munmap(mem, 4 * MIB);
}

/* The flags say shared and file, the mapping is something else. */
static void test_lie(const void *kind)
{
    uint8_t *mem = rig_memory(GPOINTER_TO_INT(kind), 4 * MIB);
    VhMapSection s = rig_section(RIG_GPA, mem, 4 * MIB);
    g_autofree char *why = NULL;

    rig_fill(mem, 4 * MIB);
    why = refusal(&s, false);
    g_assert_cmpstr(why, ==,
                    "guest RAM 'ram' (4 MiB) is not a shared file mapping in "
                    "this process" ADVICE("4"));
    rig_assert_filled(mem, 4 * MIB);
    munmap(mem, 4 * MIB);
}

/* Shared but for one private page in the middle; and with a hole there. */
static void test_middle(const void *hole)
{
    uint8_t *mem = rig_memory(RIG_SHARED, 4 * MIB);
    VhMapSection s = rig_section(RIG_GPA, mem, 4 * MIB);
    g_autofree char *why = NULL;

    g_assert_true(mmap(mem + MIB, PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                       0) == mem + MIB);
    if (hole) {
        munmap(mem + MIB, PAGE);
    }
    why = refusal(&s, false);
    g_assert_nonnull(why);
    munmap(mem, 4 * MIB);
}

/*
 * The map says 2 MiB pages, but the mapping ends inside such a page. Unmapping
 * whole pages would reach beyond it.
 */
static void test_wrong_page_size(void)
{
    uint8_t *mem = rig_memory(RIG_SHARED, 5 * MIB);
    VhMapSection s = rig_section(RIG_GPA, mem, 5 * MIB);
    static const uint64_t sizes[] = { 2 * MIB, 0, 3 * PAGE, 512 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *why = NULL;

        s.page_size = sizes[i];
        why = refusal(&s, false);
        g_assert_nonnull(why);
    }
    munmap(mem, 5 * MIB);
}

static void test_empty(void)
{
    VhMap *map = vh_map_new(NULL, 0);
    VhCaps caps;
    char *why = NULL;
    Rig r;

    rig_open(&r, MIB, false);
    rig_set_map(&r);
    g_assert_false(r.ops->probe(map, &r.host, &caps, &why));
    g_assert_cmpstr(why, ==, "the guest has no RAM");
    g_clear_pointer(&why, g_free);
    g_assert_false(r.ops->set_map(r.trap, map, &why));
    g_assert_cmpstr(why, ==, "the guest has no RAM");
    g_free(why);
    g_assert_cmpint(r.map->refs, ==, 1);
    vh_map_unref(map);
    rig_close(&r);
}

/* Replaces the rig's map by one with the main section and @more. */
static void add_section(Rig *r, VhMapSection more)
{
    VhMapSection s[2] = { rig_section(RIG_GPA, r->mem, r->size), more };
    VhMap *map = rig_map(s, 2);

    map->release = r->map->release;
    map->opaque = r;
    r->map->release = NULL;
    vh_map_unref(r->map);
    r->map = map;
}

/* Such as a ROM beside main memory. */
static void test_small_unqualified(const void *lies)
{
    uint8_t *rom = rig_memory(RIG_PRIVATE, 256 * PAGE);
    VhMapSection s = rig_section(GPA2, rom, 256 * PAGE);
    VhCheck c[2] = { { .gpa = RIG_GPA + PAGE }, { .gpa = GPA2 + PAGE } };
    Rig r;

    rig_open(&r, 4 * MIB, false);
    rig_fill(rom, 256 * PAGE);
    s.shared = s.file_backed = lies;
    add_section(&r, s);
    rig_set_map(&r);
    g_assert_true(r.ops->covers(r.trap, &r.map->sections[0]));
    g_assert_false(r.ops->covers(r.trap, &r.map->sections[1]));
    r.ops->arm(r.trap, c, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SKIPPED);
    r.ops->collect(r.trap, c, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SKIPPED);
    rig_assert_filled(rom, 256 * PAGE);
    rig_close(&r);
    munmap(rom, 256 * PAGE);
}

/* Checks that were armed under a map that is no more. */
static void test_old_checks(void)
{
    uint8_t *dimm = rig_memory(RIG_SHARED, MIB);
    VhMapSection s = rig_section(GPA2, dimm, MIB);
    VhCheck c[2] = { { .gpa = RIG_GPA }, { .gpa = GPA2 } };
    VhMap *only;
    char *why = NULL;
    Rig r;

    rig_open(&r, 4 * MIB, false);
    add_section(&r, s);
    rig_set_map(&r);
    r.ops->arm(r.trap, c, 2);
    s = rig_section(RIG_GPA, r.mem, 4 * MIB);
    only = rig_map(&s, 1);
    g_assert_true(r.ops->set_map(r.trap, only, &why));
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_SILENT); /* unchanged */
    g_assert_cmpint(rig_collect(&r, c[1]), ==, VH_CHECK_LOST);   /* unplugged */
    rig_set_map(&r);
    g_assert_cmpint(rig_collect(&r, c[0]), ==, VH_CHECK_SILENT);
    g_assert_cmpint(rig_collect(&r, c[1]), ==,
                    VH_CHECK_LOST); /* plugged anew */
    g_assert_cmpuint(rig_stats(&r).lost, ==, 2);
    vh_map_unref(only);
    rig_close(&r);
    munmap(dimm, MIB);
}

static void test_idle(void)
{
    VhCheck c, again;
    Rig r;

    rig_open(&r, MIB, false);
    c = rig_arm(&r, 1); /* before any map */
    g_assert_cmpint(c.state, ==, VH_CHECK_SKIPPED);
    rig_set_map(&r);
    c = rig_arm(&r, 1);
    r.ops->idle(r.trap);
    g_assert_cmpint(r.map->refs, ==, 1);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_LOST);
    again = rig_arm(&r, 1);
    g_assert_cmpint(again.state, ==, VH_CHECK_SKIPPED);
    g_assert_false(r.ops->covers(r.trap, &r.map->sections[0]));
    g_assert_nonnull(rig_stats(&r).detail);
    r.ops->idle(r.trap);
    rig_set_map(&r);
    c = rig_arm(&r, 1);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trap/maps/private", test_private);
    g_test_add_data_func("/trap/maps/lie/private", GINT_TO_POINTER(RIG_PRIVATE),
                         test_lie);
    g_test_add_data_func("/trap/maps/lie/anonymous",
                         GINT_TO_POINTER(RIG_ANONYMOUS), test_lie);
    g_test_add_data_func("/trap/maps/private-middle", NULL, test_middle);
    g_test_add_data_func("/trap/maps/hole", "", test_middle);
    g_test_add_func("/trap/maps/wrong-page-size", test_wrong_page_size);
    g_test_add_func("/trap/maps/empty", test_empty);
    g_test_add_data_func("/trap/maps/small-unqualified", NULL,
                         test_small_unqualified);
    g_test_add_data_func("/trap/maps/small-lie", "", test_small_unqualified);
    g_test_add_func("/trap/maps/old-checks", test_old_checks);
    g_test_add_func("/trap/maps/idle", test_idle);
    return g_test_run();
}
