/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of a map that are cut where their memory differs. */
#include <string.h>

#include "carve.h"

#define MIB (1024 * 1024ULL)
#define PAGE VH_PAGE_SIZE

/* [1 MiB, 3 MiB) and [4 MiB, 6 MiB), of pages of this size. */
static GArray *two_sections(uint64_t page_size)
{
    GArray *a = g_array_new(false, false, sizeof(VhMapSection));

    for (int i = 0; i < 2; i++) {
        VhMapSection s = {
            .gpa = i ? 4 * MIB : MIB,
            .size = 2 * MIB,
            .hva = (uint8_t *)(uintptr_t)(i ? 64 * MIB : 32 * MIB),
            .page_size = page_size,
            .name = g_strdup_printf("ram%d", i),
            .region_offset = i ? 2 * MIB : 0,
            .label = g_new0(VhLabel, 1),
        };

        s.label->backend = g_strdup("mem");
        g_array_append_val(a, s);
    }
    return a;
}

static void free_sections(GArray *a)
{
    for (guint i = 0; i < a->len; i++) {
        vh_section_clear(&g_array_index(a, VhMapSection, i));
    }
    g_array_free(a, true);
}

static void mark(VhMapSection *s, void *opaque)
{
    s->flags |= VH_SECTION_RESERVED;
    s->label->reserved = ++*(int *)opaque;
}

static GArray *carve(uint64_t page_size, uint64_t start, uint64_t end)
{
    GArray *a = two_sections(page_size);
    int marks = 0;

    vh_carve(a, (VhRange){ start, end }, mark, &marks);
    return a;
}

/* "1048576+4096* ..." : start, size, marked or not */
static void assert_is(GArray *a, const char *expected)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < a->len; i++) {
        const VhMapSection *m = &g_array_index(a, VhMapSection, i);
        bool second = m->gpa >= 4 * MIB;
        uint64_t in = m->gpa - (second ? 4 * MIB : MIB);

        g_string_append_printf(
            s, "%s%" G_GINT64_MODIFIER "x+%" G_GINT64_MODIFIER "x%s",
            i ? " " : "", m->gpa, m->size,
            m->flags & VH_SECTION_RESERVED ? "*" : "");
        g_assert_cmpuint((uintptr_t)m->hva, ==,
                         (second ? 64 * MIB : 32 * MIB) + in);
        g_assert_cmpuint(m->region_offset, ==, (second ? 2 * MIB : 0) + in);
        g_assert_cmpstr(m->name, ==, second ? "ram1" : "ram0");
        g_assert_cmpstr(m->label->backend, ==, "mem");
    }
    g_assert_cmpstr(s->str, ==, expected);
    g_string_free(s, true);
    free_sections(a);
}

static void test_where(void)
{
    /* the middle, either end, all, across the hole */
    assert_is(carve(PAGE, 2 * MIB, 2 * MIB + PAGE),
              "100000+100000 200000+1000* 201000+ff000 400000+200000");
    assert_is(carve(PAGE, 0, MIB + PAGE),
              "100000+1000* 101000+1ff000 400000+200000");
    assert_is(carve(PAGE, 3 * MIB - PAGE, 4 * MIB),
              "100000+1ff000 2ff000+1000* 400000+200000");
    assert_is(carve(PAGE, 0, UINT64_MAX), "100000+200000* 400000+200000*");
    assert_is(carve(PAGE, 2 * MIB, 5 * MIB),
              "100000+100000 200000+100000* 400000+100000* 500000+100000");
}

static void test_nowhere(void)
{
    assert_is(carve(PAGE, 3 * MIB, 4 * MIB), "100000+200000 400000+200000");
    assert_is(carve(PAGE, 0, MIB), "100000+200000 400000+200000");
    assert_is(carve(PAGE, 6 * MIB, UINT64_MAX), "100000+200000 400000+200000");
    assert_is(carve(PAGE, 2 * MIB, 2 * MIB), "100000+200000 400000+200000");
    assert_is(carve(PAGE, 2 * MIB, MIB), "100000+200000 400000+200000");
}

/* A page that is touched belongs to it. */
static void test_pages(void)
{
    assert_is(carve(PAGE, 2 * MIB + 1, 2 * MIB + 2),
              "100000+100000 200000+1000* 201000+ff000 400000+200000");
    assert_is(carve(PAGE, 2 * MIB - 1, 2 * MIB + 1),
              "100000+ff000 1ff000+2000* 201000+ff000 400000+200000");
    /* huge ones begin where the host has them */
    assert_is(carve(2 * MIB, 2 * MIB, 2 * MIB + PAGE),
              "100000+200000* 400000+200000");
}

static void test_huge_offset(void)
{
    GArray *a = two_sections(MIB);
    VhMapSection *s = &g_array_index(a, VhMapSection, 0);
    int marks = 0;

    s->hva += MIB / 2; /* pages end at 1.5 and 2.5 MiB of the guest */
    vh_carve(a, (VhRange){ 2 * MIB, 2 * MIB + PAGE }, mark, &marks);
    g_assert_cmpuint(a->len, ==, 4);
    s = &g_array_index(a, VhMapSection, 1);
    g_assert_cmpuint(s->gpa, ==, MIB + MIB / 2);
    g_assert_cmpuint(s->size, ==, MIB);
    g_assert_true(s->flags & VH_SECTION_RESERVED);
    vh_carve(a, (VhRange){ MIB, MIB + PAGE }, mark, &marks);
    s = &g_array_index(a, VhMapSection, 0);
    g_assert_cmpuint(s->gpa, ==, MIB);
    g_assert_cmpuint(s->size, ==, MIB / 2);
    g_assert_true(s->flags & VH_SECTION_RESERVED);
    free_sections(a);
}

/* The later of two that overlap. */
static void test_twice(void)
{
    GArray *a = two_sections(PAGE);
    int marks = 0;

    vh_carve(a, (VhRange){ 2 * MIB, 2 * MIB + 2 * PAGE }, mark, &marks);
    vh_carve(a, (VhRange){ 2 * MIB + PAGE, 2 * MIB + 3 * PAGE }, mark, &marks);
    g_assert_cmpint(marks, ==, 3);
    g_assert_cmpint(g_array_index(a, VhMapSection, 1).label->reserved, ==, 1);
    g_assert_cmpint(g_array_index(a, VhMapSection, 2).label->reserved, ==, 2);
    assert_is(a, "100000+100000 200000+1000* 201000+1000* 202000+1000* "
                 "203000+fd000 400000+200000");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/carve/where", test_where);
    g_test_add_func("/carve/nowhere", test_nowhere);
    g_test_add_func("/carve/pages", test_pages);
    g_test_add_func("/carve/huge-offset", test_huge_offset);
    g_test_add_func("/carve/twice", test_twice);
    return g_test_run();
}
