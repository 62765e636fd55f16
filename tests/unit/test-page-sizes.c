/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts with pages of 16 and 64 KiB: where entries of pagemap are, and what the
 * kernel's answers about a page of the host mean for our pages in it. On a
 * made-up pagemap, as this host has one page size.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "actions/advise.h"
#include "actions/resident.h"

#define KB 1024UL
#define PRESENT (1ULL << 63)
#define SWAPPED (1ULL << 62)
#define BASE 0x100000UL
#define PAGES 16 /* of the host, from BASE on */

static const size_t sizes[] = { 4 * KB, 16 * KB, 64 * KB };

/* A file as the kernel's: @e are the entries from BASE on. */
static VhPagemap made_up(size_t page_size, const uint64_t *e)
{
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("vmheat-XXXXXX", &name, NULL);
    VhPagemap pm;

    g_assert_cmpint(fd, >=, 0);
    g_unlink(name);
    g_assert_cmpint(pwrite(fd, e, PAGES * sizeof(*e), BASE / page_size * 8), ==,
                    PAGES * sizeof(*e));
    pm = vh_pagemap_wrap(fd);
    g_assert_false(pm.scan);
    g_assert_cmpuint(pm.page_size, ==, sysconf(_SC_PAGESIZE));
    pm.page_size = page_size;
    return pm;
}

static void *at(size_t offset)
{
    return (void *)(BASE + offset);
}

static void test_offset(void)
{
    g_assert_cmpint(vh_pagemap_offset(4 * KB, at(0x8000)), ==, 0x108 * 8);
    g_assert_cmpint(vh_pagemap_offset(16 * KB, at(0x8000)), ==, 0x42 * 8);
    g_assert_cmpint(vh_pagemap_offset(16 * KB, at(0xb000)), ==, 0x42 * 8);
    g_assert_cmpint(vh_pagemap_offset(64 * KB, at(0x8000)), ==, 0x10 * 8);
}

/* Host page 3 is mapped, 5 is swapped; nothing else. */
static void check_pagemap(size_t size)
{
    const uint64_t e[PAGES] = { [3] = PRESENT, [5] = SWAPPED };
    VhPagemap pm = made_up(size, e);
    VhPageCount c;

    for (size_t a = 0; a < PAGES * size; a += 4 * KB) {
        bool there = a / size == 3, swapped = a / size == 5;

        g_assert_true(vh_pagemap_present(&pm, at(a)) == there);
        g_assert_cmpuint(vh_pagemap_query(&pm, at(a)), ==,
                         there ? VH_PAGE_PRESENT : 0);
        g_assert_cmpuint(vh_pagemap_state(&pm, at(a)), ==,
                         there     ? VH_PAGE_PRESENT
                         : swapped ? VH_PAGE_SWAPPED
                                   : 0);
    }
    c = vh_pagemap_count(&pm, at(0), PAGES * size);
    g_assert_cmpuint(c.present, ==, size);
    g_assert_cmpuint(c.swapped, ==, size);
    g_assert_true(vh_pagemap_any_present(&pm, at(0), 4 * size));
    g_assert_false(vh_pagemap_any_present(&pm, at(0), 3 * size));
    g_assert_false(vh_pagemap_any_present(&pm, at(4 * size), 12 * size));
    vh_pagemap_close(&pm);
}

/* Ranges that begin and end within a page of the host. */
static void check_parts(size_t size)
{
    const uint64_t e[PAGES] = { [3] = PRESENT, [4] = SWAPPED };
    VhPagemap pm = made_up(size, e);
    VhPageCount c = vh_pagemap_count(&pm, at(4 * size - 8 * KB), 12 * KB);

    g_assert_cmpuint(c.present, ==, 8 * KB);
    g_assert_cmpuint(c.swapped, ==, 4 * KB);
    c = vh_pagemap_count(&pm, at(3 * size + 4 * KB), 8 * KB);
    g_assert_cmpuint(c.present, ==, 8 * KB);
    g_assert_true(vh_pagemap_any_present(&pm, at(4 * size - 4 * KB), 8 * KB));
    g_assert_true(
        vh_pagemap_any_present(&pm, at(2 * size + 12 * KB), size - 8 * KB));
    g_assert_false(vh_pagemap_any_present(&pm, at(2 * size + 4 * KB), 8 * KB));
    vh_pagemap_close(&pm);
}

static void test_pagemap(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_pagemap(sizes[i]);
    }
    check_parts(16 * KB);
    check_parts(64 * KB);
}

/* The second page of the host is in memory, asked from @lead on. */
static void check_spread(size_t size, size_t lead)
{
    const unsigned char vec[VH_RESIDENT_PAGES] = { [1] = 1 };
    unsigned pages = 3 * size / (4 * KB), n;
    uint64_t bits[VH_RESIDENT_WORDS];

    memset(bits, 0xff, sizeof(bits));
    n = vh_resident_spread(vec, size, lead, pages, bits);
    g_assert_cmpuint(n, ==, size / (4 * KB));
    for (unsigned i = 0; i < VH_RESIDENT_PAGES; i++) {
        bool there = i < pages && (lead + i * 4 * KB) / size == 1;

        g_assert_true(vh_resident_bit(bits, i) == there);
    }
}

static void test_resident(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (size_t lead = 0; lead < sizes[i]; lead += 4 * KB) {
            check_spread(sizes[i], lead);
        }
    }
}

/* Actions that make or split huge pages know those of 2 MiB. */
static void test_huge_pages(void)
{
    char *why = NULL;

    g_assert_true(vh_advise_huge_fits("2097152", &why));
    g_assert_true(vh_advise_huge_fits(NULL, &why));
    g_assert_true(vh_advise_huge_fits("", &why));
    g_assert_null(why);
    g_assert_false(vh_advise_huge_fits("33554432", &why));
    g_assert_cmpstr(why, ==,
                    "huge pages of this host are of 32768 KiB; this action "
                    "knows those of 2 MiB only");
    g_free(why);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/page-sizes/offset", test_offset);
    g_test_add_func("/page-sizes/pagemap", test_pagemap);
    g_test_add_func("/page-sizes/resident", test_resident);
    g_test_add_func("/page-sizes/huge-pages", test_huge_pages);
    return g_test_run();
}
