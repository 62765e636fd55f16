/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * White-box: the trap without PAGEMAP_SCAN and userfaultfd, its userfaultfd
 * registrations, and granules larger than a page.
 */
#include <glib.h>
#include <sys/mman.h>

#include "accel/uffd-share.h"
#include "accel/uffd.h"
#include "rig.h"

/* The one place that can count how often the trap unregisters. */
static int unregistered;

static void counting_drop(VhUffd *u, void *addr, size_t len, bool lift)
{
    unregistered++;
    vh_uffd_drop(u, addr, len, lift);
}

#define vh_uffd_drop counting_drop
#include "accel/trap.c"
#undef vh_uffd_drop

static Trap *inside(Rig *r)
{
    return r->trap;
}

static void without_uffd(Rig *r)
{
    g_clear_pointer(&inside(r)->uffd, vh_uffd_unref);
}

/* Somebody else, say postcopy, can have the memory now. */
static bool is_free(uint8_t *mem, size_t len)
{
    int fd = vh_uffd_open();
    bool ok = vh_uffd_register(fd, mem, len);

    if (ok) {
        vh_uffd_unregister(fd, mem, len);
    }
    close(fd);
    return ok;
}

/* Opens a rig; or false and a skip when there is no userfaultfd. */
static bool open_with_uffd(Rig *r, size_t size)
{
    int fd = vh_uffd_open();

    if (fd < 0) {
        g_test_skip("no userfaultfd here");
        return false;
    }
    close(fd);
    rig_open(r, size, false);
    return true;
}

static void test_fallback(void)
{
    VhCheck c[4] = { rig_check(1), rig_check(9), rig_check(17), rig_check(15) };
    Rig r;

    rig_open(&r, MIB, false);
    without_uffd(&r);
    inside(&r)->pagemap.scan = false;
    rig_set_map(&r);
    r.ops->arm(r.trap, c, 4);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SKIPPED); /* same 64 KiB */
    g_assert_cmpint(c[2].state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(c[3].state, ==, VH_CHECK_SKIPPED);
    g_assert_cmpuint(c[0].granule, ==, 64 << 10);
    rig_touch(&r, 17);
    r.ops->collect(r.trap, c, 4);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_FIRED);
    g_assert_cmpstr(rig_stats(&r).detail, ==,
                    "armed by the worker, 64 KiB granule, plain pagemap");
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/* Checks in blocks of their own: none may be skipped, however many. */
static void test_fallback_many(void)
{
    enum { N = 1000, BLOCKS = 16384, STRIDE = 4099 };
    size_t size = BLOCKS * FAULT_AROUND;
    uint8_t *mem = rig_memory(RIG_SHARED, size); /* sparse */
    VhMapSection s = rig_section(RIG_GPA, mem, size);
    g_autofree VhCheck *c = g_new0(VhCheck, N);
    VhMap *map = rig_map(&s, 1);
    char *why = NULL;
    Rig r;

    rig_open(&r, MIB, false);
    without_uffd(&r);
    g_assert_true(r.ops->set_map(r.trap, map, &why));
    for (size_t i = 0; i < N; i++) {
        c[i] = rig_check(i * i * STRIDE % BLOCKS * 16 + i % 16);
    }
    for (int round = 0; round < 2; round++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

        r.ops->arm(r.trap, c, N);
        for (size_t i = 0; i < N; i++) {
            bool first = g_hash_table_add(
                seen, GSIZE_TO_POINTER(c[i].gpa / FAULT_AROUND));

            g_assert_cmpint(c[i].state, ==,
                            first ? VH_CHECK_ARMED : VH_CHECK_SKIPPED);
        }
        g_assert_cmpuint(g_hash_table_size(seen), >, N / 4);
    }
    r.ops->idle(r.trap);
    vh_map_unref(map);
    rig_close(&r);
    munmap(mem, size);
}

/* Ends at @size now; the rest of the memory stays where it is. */
static VhMap *shorter(Rig *r, size_t size)
{
    VhMapSection s = rig_section(RIG_GPA, r->mem, size);

    return rig_map(&s, 1);
}

static void test_registration(void)
{
    VhMap *half, *same;
    char *why = NULL;
    VhCheck c;
    Rig r;

    if (!open_with_uffd(&r, 4 * MIB)) {
        return;
    }
    half = shorter(&r, 2 * MIB);
    same = shorter(&r, 4 * MIB);
    g_assert_true(is_free(r.mem, r.size));
    rig_set_map(&r);
    g_assert_false(is_free(r.mem, r.size));
    c = rig_arm(&r, 3);
    unregistered = 0;
    g_assert_true(r.ops->set_map(r.trap, same, &why));
    g_assert_cmpint(unregistered, ==, 0); /* nothing changed for the guest */
    g_assert_false(is_free(r.mem, r.size));
    g_assert_cmpint(rig_collect(&r, c), ==, VH_CHECK_SILENT);
    g_assert_true(r.ops->set_map(r.trap, half, &why));
    g_assert_cmpint(unregistered, ==, 1);
    g_assert_true(is_free(r.mem + 2 * MIB, 2 * MIB));
    g_assert_false(is_free(r.mem, 2 * MIB));
    r.ops->idle(r.trap);
    g_assert_true(is_free(r.mem, r.size));
    rig_set_map(&r);
    g_assert_false(is_free(r.mem, r.size));
    vh_map_unref(half);
    vh_map_unref(same);
    rig_close(&r);
}

/* Whatever is refused leaves no registration behind. */
static void test_refused_lets_go(void)
{
    char *why = NULL;
    VhMap *lie;
    Rig r;

    if (!open_with_uffd(&r, 4 * MIB)) {
        return;
    }
    rig_set_map(&r);
    lie = shorter(&r, 4 * MIB);
    lie->sections[0].file_backed = false;
    g_assert_false(r.ops->set_map(r.trap, lie, &why));
    g_assert_nonnull(why);
    g_assert_true(is_free(r.mem, r.size));
    g_assert_cmpint(r.map->refs, ==, 1);
    g_assert_cmpint(lie->refs, ==, 1);
    g_free(why);
    vh_map_unref(lie);
    rig_close(&r);
}

/* Postcopy has the memory: then it is watched at 64 KiB. */
static void test_taken_by_others(void)
{
    VhCheck c;
    int fd;
    Rig r;

    if (!open_with_uffd(&r, MIB)) {
        return;
    }
    fd = vh_uffd_open();
    g_assert_true(vh_uffd_register(fd, r.mem, r.size));
    rig_set_map(&r);
    c = rig_arm(&r, 3);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(c.granule, ==, FAULT_AROUND);
    g_assert_nonnull(strstr(rig_stats(&r).detail, "64 KiB granule"));
    unregistered = 0;
    r.ops->idle(r.trap);
    g_assert_cmpint(unregistered, ==, 0);
    close(fd);
    rig_close(&r);
}

/* Arms @page, touches @other of the same huge page. */
static void check_thp(Rig *r, size_t page, uint8_t *other)
{
    VhCheck c = rig_arm(r, page);

    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_true(c.present);
    g_assert_cmpuint(c.granule, ==, THP_SIZE);
    g_assert_cmpint(rig_collect(r, c), ==, VH_CHECK_SILENT);
    (void)*(volatile uint8_t *)other;
    g_assert_cmpint(rig_collect(r, c), ==, VH_CHECK_FIRED);
    g_test_message("a touched huge page is mapped by %s",
                   vh_pagemap_query(&inside(r)->pagemap, other) & VH_PAGE_HUGE
                       ? "a PMD"
                       : "PTEs");
}

static bool open_with_thp(Rig *r)
{
    rig_open(r, 4 * MIB, false);
    if (inside(r)->pagemap.scan && rig_collapse(r->mem, r->size)) {
        return true;
    }
    g_test_skip("no PAGEMAP_SCAN, or no huge pages for shmem");
    rig_close(r);
    return false;
}

static void test_thp(void)
{
    Rig r;

    if (!open_with_thp(&r)) {
        return;
    }
    rig_set_map(&r);
    check_thp(&r, 0, r.mem + 511 * PAGE);
    check_thp(&r, 1023, r.mem + 512 * PAGE);
    rig_assert_filled(r.mem, r.size);
    rig_close(&r);
}

/*
 * The section begins and ends inside a huge page. Registering would split the
 * mapping there, and no PMD can span that; so this is without.
 */
static void test_thp_ends(void)
{
    VhMapSection s;
    VhMap *map;
    char *why = NULL;
    Rig r;

    if (!open_with_thp(&r)) {
        return;
    }
    without_uffd(&r);
    s = rig_section(RIG_GPA, r.mem + MIB, 2 * MIB);
    map = rig_map(&s, 1);
    g_assert_true(r.ops->set_map(r.trap, map, &why));
    check_thp(&r, 0, r.mem);
    check_thp(&r, 511, r.mem + 1023 * PAGE);
    rig_assert_filled(r.mem, r.size);
    r.ops->idle(r.trap);
    vh_map_unref(map);
    rig_close(&r);
}

/* Touches @other after arming @page of its huge page; returns the answer. */
static VhCheckState touch_other(Rig *r, size_t page, uint8_t *other)
{
    VhCheck c = rig_arm(r, page);

    g_assert_cmpuint(c.granule, ==, THP_SIZE);
    /* Splits the mapping: the huge page comes back in small pieces. */
    g_assert_cmpint(
        madvise(page ? r->mem + 1023 * PAGE : r->mem, PAGE, MADV_NOHUGEPAGE),
        ==, 0);
    *(volatile uint8_t *)other = *other;
    return rig_collect(r, c);
}

/*
 * A huge page that comes back in pieces: any of them counts, if it belongs to
 * the section, which here begins and ends inside a huge page.
 */
static void test_thp_pieces(const void *inside_section)
{
    int at = GPOINTER_TO_INT(inside_section);
    VhCheckState want = at ? VH_CHECK_FIRED : VH_CHECK_SILENT;
    VhMapSection s;
    VhMap *map;
    char *why = NULL;
    Rig r;

    if (!open_with_thp(&r)) {
        return;
    }
    without_uffd(&r);
    s = rig_section(RIG_GPA, r.mem + MIB, 2 * MIB);
    map = rig_map(&s, 1);
    g_assert_true(r.ops->set_map(r.trap, map, &why));
    g_assert_cmpint(touch_other(&r, 0, r.mem + (at ? 400 : 100) * PAGE), ==,
                    want);
    g_assert_cmpint(touch_other(&r, 511, r.mem + (at ? 600 : 900) * PAGE), ==,
                    want);
    rig_assert_filled(r.mem, r.size);
    r.ops->idle(r.trap);
    vh_map_unref(map);
    rig_close(&r);
}

/* Two sections that share the second of three hugetlb pages. */
static void test_hugetlb(void)
{
    uint8_t *mem = rig_memory(RIG_HUGETLB, 6 * MIB);
    VhMapSection s[2];
    VhMap *map;
    char *why = NULL;
    VhCheck c[3];
    Rig r;

    if (!mem) {
        g_test_skip("no free hugetlb pages (vm.nr_hugepages)");
        return;
    }
    rig_open(&r, MIB, false);
    rig_fill(mem, 6 * MIB);
    s[0] = rig_section(RIG_GPA, mem, 3 * MIB);
    s[1] = rig_section(RIG_GPA + 4 * MIB, mem + 3 * MIB, 3 * MIB);
    s[0].page_size = s[1].page_size = 2 * MIB;
    s[0].flags = s[1].flags = VH_SECTION_HUGETLB;
    map = rig_map(s, 2);
    g_assert_true(r.ops->set_map(r.trap, map, &why));
    c[0] = rig_check(1);
    c[1] = rig_check(600);
    c[2] = rig_check(1024 + 300);
    r.ops->arm(r.trap, c, 3);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(c[i].state, ==, VH_CHECK_ARMED);
        g_assert_cmpuint(c[i].granule, ==, 2 * MIB);
    }
    (void)*(volatile uint8_t *)(mem + 2 * MIB); /* the shared one */
    r.ops->collect(r.trap, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_SILENT);
    rig_assert_filled(mem, 6 * MIB);
    r.ops->idle(r.trap);
    vh_map_unref(map);
    rig_close(&r);
    munmap(mem, 6 * MIB);
}

static uint64_t mapped(const uint8_t *at, size_t len)
{
    VhPagemap pm;
    char *why = NULL;
    uint64_t present;

    g_assert_true(vh_pagemap_open(&pm, &why));
    present = vh_pagemap_count(&pm, at, len).present;
    vh_pagemap_close(&pm);
    return present;
}

/* Zaps @page: the whole granule that it is in goes, and nothing else. */
static void check_granule(Rig *r, size_t size, size_t lead, size_t page)
{
    size_t from = (lead + page * PAGE) / size * size;
    VhCheck c;

    rig_fill(r->mem, r->size);
    c = rig_arm(r, page);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(c.granule, ==, size);
    g_assert_cmpuint(mapped(r->mem + from, size), ==, 0);
    g_assert_cmpuint(mapped(r->mem, r->size), ==, r->size - size);
    g_assert_cmpint(rig_collect(r, c), ==, VH_CHECK_SILENT);
    c = rig_arm(r, page);
    *(volatile uint8_t *)(r->mem + from) = r->mem[from];
    g_assert_cmpint(rig_collect(r, c), ==, VH_CHECK_FIRED);
    rig_assert_filled(r->mem, r->size);
}

/*
 * A host with pages of 16 or 64 KiB, as far as the map says: the section begins
 * within such a page, and its memory is 4 KiB pages here.
 */
static void test_large_base_pages(const void *page_size)
{
    size_t size = GPOINTER_TO_SIZE(page_size), lead = size / 2;
    VhMapSection s;
    VhMap *map;
    char *why = NULL;
    Rig r;

    rig_open(&r, MIB, false);
    s = rig_section(RIG_GPA, r.mem + lead, r.size - lead);
    s.page_size = size;
    map = rig_map(&s, 1);
    g_assert_true(r.ops->set_map(r.trap, map, &why));
    for (size_t page = 0; page < 3 * size / PAGE; page++) {
        check_granule(&r, size, lead, page);
    }
    check_granule(&r, size, lead, (r.size - lead) / PAGE - 1);
    r.ops->idle(r.trap);
    vh_map_unref(map);
    rig_close(&r);
}

/* The monitor interns the text: it may only take few different values. */
static void test_detail(void)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Rig r;

    rig_open(&r, MIB, true);
    rig_set_map(&r);
    for (int i = 0; i < 200; i++) {
        rig_touch(&r, i);
        rig_collect(&r, rig_arm(&r, i));
        g_hash_table_add(seen, g_strdup(rig_stats(&r).detail));
        g_assert_cmpuint(strlen(rig_stats(&r).detail), <,
                         sizeof(inside(&r)->detail) - 1);
    }
    g_assert_cmpuint(g_hash_table_size(seen), <=, 2);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trap/inside/fallback", test_fallback);
    g_test_add_func("/trap/inside/fallback-many", test_fallback_many);
    g_test_add_func("/trap/inside/registration", test_registration);
    g_test_add_func("/trap/inside/refused-lets-go", test_refused_lets_go);
    g_test_add_func("/trap/inside/taken-by-others", test_taken_by_others);
    g_test_add_func("/trap/inside/thp", test_thp);
    g_test_add_func("/trap/inside/thp-ends", test_thp_ends);
    g_test_add_data_func("/trap/inside/thp-pieces/inside", GINT_TO_POINTER(1),
                         test_thp_pieces);
    g_test_add_data_func("/trap/inside/thp-pieces/outside", NULL,
                         test_thp_pieces);
    g_test_add_func("/trap/inside/hugetlb", test_hugetlb);
    g_test_add_data_func("/trap/inside/large-base-pages/16",
                         GSIZE_TO_POINTER(16 << 10), test_large_base_pages);
    g_test_add_data_func("/trap/inside/large-base-pages/64",
                         GSIZE_TO_POINTER(64 << 10), test_large_base_pages);
    g_test_add_func("/trap/inside/detail", test_detail);
    return g_test_run();
}
