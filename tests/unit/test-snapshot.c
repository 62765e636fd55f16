/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and memory maps: lifetime, lookups, sums. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "vmheat/map.h"
#include "vmheat/snapshot.h"

#define P(n) ((n)*VH_PAGE_SIZE)

static VhSnapshot *three_regions(void)
{
    VhSnapshot *s = vh_snapshot_new(3);

    s->attrs = (VhAttrs){ .sampling_us = 5000, .aggregation_us = 100000 };
    s->regions[0] = (VhSnapRegion){ P(0), P(4), 0, 7 };
    s->regions[1] = (VhSnapRegion){ P(4), P(6), 1, 9 };
    s->regions[2] = (VhSnapRegion){ P(8), P(16), 0, 2 };
    return s;
}

static void test_refs(void)
{
    VhSnapshot *s = vh_snapshot_new(0);

    g_assert_cmpint(s->refs, ==, 1);
    g_assert_true(vh_snapshot_ref(s) == s);
    g_assert_cmpint(s->refs, ==, 2);
    vh_snapshot_unref(s);
    g_assert_cmpint(s->refs, ==, 1);
    vh_snapshot_unref(s); /* ASan: freed once */
    g_assert_null(vh_snapshot_ref(NULL));
    vh_snapshot_unref(NULL);
}

static void test_zeroed(void)
{
    VhSnapshot *s = vh_snapshot_new(2);

    g_assert_cmpuint(s->nr_regions, ==, 2);
    g_assert_cmpuint(s->sequence, ==, 0);
    g_assert_cmpuint(s->regions[1].end, ==, 0);
    vh_snapshot_unref(s);
}

static void test_sums(void)
{
    VhSnapshot *s = three_regions();

    g_assert_cmpuint(vh_snapshot_total(s), ==, P(14));
    g_assert_cmpuint(vh_snapshot_wss(s), ==, P(2));
    g_assert_cmpuint(vh_snapshot_idle(s, 0), ==, P(12));
    g_assert_cmpuint(vh_snapshot_idle(s, 200000000), ==, P(12));
    g_assert_cmpuint(vh_snapshot_idle(s, 200000001), ==, P(4));
    g_assert_cmpuint(vh_snapshot_idle(s, 700000001), ==, 0);
    vh_snapshot_unref(s);
}

/* Where idle times are told, they count, whatever nr_accesses and age are. */
static void test_idle_told(void)
{
    VhSnapshot *s = three_regions();

    s->has_rates = true;
    s->regions[0].idle_ms = 3;
    s->regions[1].idle_ms = 60000;
    s->regions[2].idle_ms = UINT64_MAX;
    g_assert_cmpuint(vh_snapshot_idle(s, 0), ==, P(14));
    g_assert_cmpuint(vh_snapshot_idle(s, 3000000), ==, P(14));
    g_assert_cmpuint(vh_snapshot_idle(s, 3000001), ==, P(10));
    g_assert_cmpuint(vh_snapshot_idle(s, 60000000000), ==, P(10));
    g_assert_cmpuint(vh_snapshot_idle(s, 60000000001), ==, P(8));
    g_assert_cmpuint(vh_snapshot_idle(s, UINT64_MAX), ==, P(8));
    vh_snapshot_unref(s);
}

static void test_rate_no_number(void)
{
    g_assert_cmpfloat(vh_snapshot_rate(0), ==, 0);
    g_assert_cmpfloat(vh_snapshot_rate(-1), ==, 0);
    g_assert_cmpfloat(vh_snapshot_rate(NAN), ==, 0);
    g_assert_cmpfloat(vh_snapshot_rate(-INFINITY), ==, 0);
    g_assert_cmpfloat(vh_snapshot_rate(INFINITY), ==, 1048576);
    g_assert_cmpfloat(vh_snapshot_rate(1048575.0f), ==, 1048576);
    g_assert_cmpfloat(vh_snapshot_rate(1e-30f), ==, 0);
}

/* Three digits are right, order is kept, and 17 decimals tell it exactly. */
static void test_rate_rounded(void)
{
    double before = 0;

    for (float hz = 0.002f; hz < 1000; hz *= 1.0007f) {
        double told = vh_snapshot_rate(hz);
        g_autofree char *text = g_strdup_printf("%.17g", told);

        g_assert_cmpfloat(fabs(told - hz), <=, hz / 500);
        g_assert_cmpfloat(told, >=, before);
        g_assert_cmpuint(strlen(text), <=, hz < 0.01f ? 20 : hz < 1 ? 17 : 11);
        before = told;
    }
    g_assert_cmpfloat(vh_snapshot_rate(12.3f), ==, 12.3125);
    g_assert_cmpfloat(vh_snapshot_rate(777.7f), ==, 778);
}

/* Sections at pages [16,24), [4,8), [8,10): unsorted on purpose. */
static VhMap *three_sections(void)
{
    VhMapSection *v = g_new0(VhMapSection, 3);

    v[0] = (VhMapSection){ .gpa = P(16), .size = P(8), .name = g_strdup("c") };
    v[1] = (VhMapSection){ .gpa = P(4), .size = P(4), .name = g_strdup("a") };
    v[2] = (VhMapSection){ .gpa = P(8), .size = P(2), .name = g_strdup("b") };
    return vh_map_new(v, 3);
}

static void test_map_find(void)
{
    VhMap *m = three_sections();

    g_assert_cmpstr(m->sections[0].name, ==, "a");
    g_assert_cmpstr(m->sections[2].name, ==, "c");
    g_assert_null(vh_map_find(m, 0));
    g_assert_null(vh_map_find(m, P(4) - 1));
    g_assert_cmpstr(vh_map_find(m, P(4))->name, ==, "a");
    g_assert_cmpstr(vh_map_find(m, P(8) - 1)->name, ==, "a");
    g_assert_cmpstr(vh_map_find(m, P(8))->name, ==, "b");
    g_assert_null(vh_map_find(m, P(10)));
    g_assert_cmpstr(vh_map_find(m, P(24) - 1)->name, ==, "c");
    g_assert_null(vh_map_find(m, P(24)));
    g_assert_null(vh_map_find(m, UINT64_MAX));
    g_assert_cmpuint(vh_map_total(m), ==, P(14));
    vh_map_unref(m);
}

static void count_release(VhMap *m)
{
    g_assert_nonnull(m->sections); /* still there for the owner */
    ++*(int *)m->opaque;
}

static void test_map_release(void)
{
    VhMap *m = three_sections();
    int released = 0;

    m->release = count_release;
    m->opaque = &released;
    g_assert_true(vh_map_ref(m) == m);
    vh_map_unref(m);
    g_assert_cmpint(released, ==, 0);
    vh_map_unref(m);
    g_assert_cmpint(released, ==, 1);
    vh_map_unref(NULL);
}

static void test_map_empty(void)
{
    VhMap *m = vh_map_new(NULL, 0);

    g_assert_null(vh_map_find(m, 0));
    g_assert_cmpuint(vh_map_total(m), ==, 0);
    vh_map_unref(m);
}

/* One section [from, to) in pages, mapped at page @at of a make-believe HVA. */
static VhMapSection section(uint64_t from, uint64_t to, uint64_t at)
{
    return (VhMapSection){ .gpa = P(from),
                           .size = P(to - from),
                           .hva = (uint8_t *)(uintptr_t)P(at) };
}

static VhMap *map_of(const VhMapSection *v, size_t nr)
{
    return vh_map_new(g_memdup2(v, nr * sizeof(*v)), nr);
}

static void test_map_contains(void)
{
    const VhMapSection whole[] = { section(4, 12, 104), section(20, 24, 220) };
    const VhMapSection split[] = { section(4, 6, 104), section(6, 12, 106),
                                   section(20, 24, 220) };
    const VhMapSection hole[] = { section(4, 6, 104), section(7, 12, 107),
                                  section(20, 24, 220) };
    const VhMapSection moved[] = { section(4, 12, 105), section(20, 24, 220) };
    const VhMapSection less[] = { section(4, 12, 104) };
    VhMap *a = map_of(whole, 2), *b = map_of(split, 3), *c = map_of(hole, 3);
    VhMap *d = map_of(moved, 2), *e = map_of(less, 1);

    g_assert_true(vh_map_contains(a, a));
    g_assert_true(vh_map_contains(b, a));
    g_assert_true(vh_map_contains(a, b));
    g_assert_true(vh_map_contains(a, e));
    g_assert_false(vh_map_contains(e, a));
    g_assert_false(vh_map_contains(c, a));
    g_assert_true(vh_map_contains(a, c));
    g_assert_false(vh_map_contains(d, a));
    vh_map_unref(a);
    vh_map_unref(b);
    vh_map_unref(c);
    vh_map_unref(d);
    vh_map_unref(e);
}

static void test_map_same_reserved(void)
{
    VhMapSection plain[] = { section(4, 12, 104) };
    VhMapSection kept[] = { section(4, 6, 104), section(6, 12, 106) };
    VhMapSection less[] = { section(4, 7, 104), section(7, 12, 107) };
    VhMapSection all[] = { section(4, 12, 104) };
    VhMap *m[4];

    kept[1].flags = less[1].flags = all[0].flags = VH_SECTION_RESERVED;
    m[0] = map_of(plain, 1);
    m[1] = map_of(kept, 2);
    m[2] = map_of(less, 2);
    m[3] = map_of(all, 1);
    for (int i = 0; i < 16; i++) {
        g_assert_true(vh_map_same_reserved(m[i / 4], m[i % 4]) ==
                      (i / 4 == i % 4));
    }
    vh_map_unref(m[0]);
    m[0] = map_of(&kept[0], 1); /* what is not reserved does not count */
    vh_map_unref(m[3]);
    m[3] = map_of(plain, 1);
    g_assert_true(vh_map_same_reserved(m[0], m[3]));
    for (int i = 0; i < 4; i++) {
        vh_map_unref(m[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snapshot/refs", test_refs);
    g_test_add_func("/snapshot/zeroed", test_zeroed);
    g_test_add_func("/snapshot/sums", test_sums);
    g_test_add_func("/snapshot/idle-told", test_idle_told);
    g_test_add_func("/snapshot/rate-no-number", test_rate_no_number);
    g_test_add_func("/snapshot/rate-rounded", test_rate_rounded);
    g_test_add_func("/map/find", test_map_find);
    g_test_add_func("/map/release", test_map_release);
    g_test_add_func("/map/empty", test_map_empty);
    g_test_add_func("/map/contains", test_map_contains);
    g_test_add_func("/map/same-reserved", test_map_same_reserved);
    return g_test_run();
}
