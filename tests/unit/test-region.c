/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Region arithmetic on regions of a few pages: "[4,16) [24,32)". */
#include <glib.h>
#include <string.h>

#include "region.h"

#define P(n) ((n)*VH_PAGE_SIZE)

/* "[4,16):3@7 ": pages, nr_accesses, age */
static char *show(const VhRegions *rs)
{
    GString *s = g_string_new(NULL);

    for (size_t i = 0; i < rs->nr; i++) {
        const VhRegion *r = &rs->v[i];

        g_string_append_printf(s, "%s[%d,%d)", i ? " " : "",
                               (int)(r->start / VH_PAGE_SIZE),
                               (int)(r->end / VH_PAGE_SIZE));
        if (r->nr_accesses || r->age) {
            g_string_append_printf(s, ":%u@%u", r->nr_accesses, r->age);
        }
    }
    return g_string_free(s, FALSE);
}

static void assert_regions(const VhRegions *rs, const char *expected)
{
    g_autofree char *got = show(rs);

    g_assert_cmpstr(got, ==, expected);
}

static void add(VhRegions *rs, uint64_t start, uint64_t end, uint32_t nr,
                uint32_t age)
{
    vh_regions_reserve(rs, rs->nr + 1);
    rs->v[rs->nr++] = (VhRegion){ .start = P(start),
                                  .end = P(end),
                                  .nr_accesses = nr,
                                  .age = age,
                                  .answered = 1 };
}

static void set_ranges(VhRegions *rs, const VhRange *pages, size_t n,
                       uint64_t pieces)
{
    g_autofree VhRange *r = g_new0(VhRange, n + 1);

    for (size_t i = 0; i < n; i++) {
        r[i] = (VhRange){ P(pages[i].start), P(pages[i].end) };
    }
    vh_regions_set_ranges(rs, r, n, pieces);
}

static void test_split(void)
{
    VhRegions rs = { 0 };

    add(&rs, 4, 16, 3, 7);
    add(&rs, 24, 32, 0, 1);
    vh_regions_split(&rs, 0, P(2));
    assert_regions(&rs, "[4,6):3@7 [6,16):3@7 [24,32):0@1");
    vh_regions_split(&rs, 2, P(7));
    assert_regions(&rs, "[4,6):3@7 [6,16):3@7 [24,31):0@1 [31,32):0@1");
    g_assert_cmpuint(vh_regions_total(&rs), ==, P(20));
    vh_regions_clear(&rs);
}

static void check_split_random(unsigned pieces)
{
    uint64_t lowest = 100, highest = 0;
    VhRng rng;

    vh_rng_seed(&rng, 7);
    for (int i = 0; i < 1000; i++) {
        VhRegions rs = { 0 };

        add(&rs, 0, 100, 5, 6);
        add(&rs, 100, 102, 1, 1); /* two pages: stays whole, as in DAMON */
        add(&rs, 110, 150, 2, 2);
        rs.v[2].answered = 0; /* no answer: stays whole */
        vh_regions_split_random(&rs, pieces, &rng);
        g_assert_cmpuint(rs.nr, ==, pieces + 2);
        g_assert_cmpuint(rs.v[0].start, ==, 0);
        for (unsigned k = 0; k < pieces; k++) {
            g_assert_cmpuint(rs.v[k].end, ==, rs.v[k + 1].start);
            g_assert_cmpuint(rs.v[k].end % VH_PAGE_SIZE, ==, 0);
            g_assert_cmpuint(rs.v[k].nr_accesses, ==, 5);
            g_assert_cmpuint(rs.v[k].age, ==, 6);
        }
        lowest = MIN(lowest, rs.v[pieces - 2].end / VH_PAGE_SIZE);
        highest = MAX(highest, rs.v[pieces - 2].end / VH_PAGE_SIZE);
        g_assert_cmpuint(vh_regions_total(&rs), ==, P(142));
        vh_regions_clear(&rs);
    }
    g_assert_cmpuint(highest, ==, 90);
    g_assert_cmpuint(lowest, ==, 10);
}

static void test_split_random(void)
{
    check_split_random(2);
    check_split_random(3);
}

static void test_split_never_empty(void)
{
    VhRng rng;

    vh_rng_seed(&rng, 3);
    for (int i = 0; i < 1000; i++) {
        VhRegions rs = { 0 };

        add(&rs, 0, 1 + i % 6, 0, 0);
        vh_regions_split_random(&rs, 3, &rng);
        for (size_t k = 0; k < rs.nr; k++) {
            g_assert_cmpuint(vh_region_size(&rs.v[k]), >=, P(1));
        }
        g_assert_cmpuint(vh_regions_total(&rs), ==, P(1 + i % 6));
        vh_regions_clear(&rs);
    }
}

static void test_merge_weights(void)
{
    VhRegions rs = { 0 };

    add(&rs, 0, 1, 10, 8);
    add(&rs, 1, 4, 8, 4);
    vh_regions_merge(&rs, 1, P(100));
    assert_regions(&rs, "[0,1):10@8 [1,4):8@4");
    vh_regions_merge(&rs, 2, P(100));
    /* (10*1 + 8*3) / 4 = 8, (8*1 + 4*3) / 4 = 5: whole numbers, as DAMON */
    assert_regions(&rs, "[0,4):8@5");
    vh_regions_clear(&rs);
}

static void test_merge_size_limit(void)
{
    VhRegions rs = { 0 };

    for (int i = 0; i < 8; i++) {
        add(&rs, i * 2, i * 2 + 2, 1, 1);
    }
    vh_regions_merge(&rs, 0, P(5));
    assert_regions(&rs, "[0,4):1@1 [4,8):1@1 [8,12):1@1 [12,16):1@1");
    vh_regions_merge(&rs, 0, P(16));
    assert_regions(&rs, "[0,16):1@1");
    vh_regions_clear(&rs);
}

static void test_merge_never_over_gap(void)
{
    VhRegions rs = { 0 };

    add(&rs, 0, 4, 1, 1);
    add(&rs, 5, 8, 1, 1);
    vh_regions_merge(&rs, 1000, P(1000));
    assert_regions(&rs, "[0,4):1@1 [5,8):1@1");
    vh_regions_clear(&rs);
    vh_regions_merge(&rs, 1000, P(1000)); /* nothing at all */
    g_assert_cmpuint(rs.nr, ==, 0);
}

static void test_merge_huge(void)
{
    VhRegions rs = { 0 };

    add(&rs, 0, 1ULL << 35, 10000, UINT32_MAX);
    add(&rs, 1ULL << 35, 1ULL << 36, 10000, UINT32_MAX);
    vh_regions_merge(&rs, 0, UINT64_MAX);
    g_assert_cmpuint(rs.nr, ==, 1);
    g_assert_cmpuint(rs.v[0].nr_accesses, ==, 10000);
    g_assert_cmpuint(rs.v[0].age, ==, UINT32_MAX);
    vh_regions_clear(&rs);
}

static void test_ranges_initial(void)
{
    VhRegions rs = { 0 };

    set_ranges(&rs, (VhRange[]){ { 0, 10 }, { 20, 24 } }, 2, 4);
    assert_regions(&rs, "[0,3) [3,6) [6,10) [20,22) [22,24)");
    set_ranges(&rs, NULL, 0, 1);
    assert_regions(&rs, "");
    set_ranges(&rs, (VhRange[]){ { 0, 16 } }, 1, 10);
    g_assert_cmpuint(rs.nr, ==, 10); /* neither 8 nor 16 */
    set_ranges(&rs, NULL, 0, 1);
    set_ranges(&rs, (VhRange[]){ { 7, 9 } }, 1, 10);
    assert_regions(&rs, "[7,8) [8,9)");
    vh_regions_clear(&rs);
}

static void test_ranges_unplug_and_hole(void)
{
    VhRegions rs = { 0 };

    add(&rs, 4, 16, 3, 7);
    add(&rs, 24, 32, 5, 9);
    /* a hole inside the first, the end of the second gone */
    set_ranges(&rs, (VhRange[]){ { 4, 8 }, { 12, 16 }, { 24, 28 } }, 3, 1);
    assert_regions(&rs, "[4,8):3@7 [12,16):3@7 [24,28):5@9");
    set_ranges(&rs, (VhRange[]){ { 12, 16 } }, 1, 1);
    assert_regions(&rs, "[12,16):3@7");
    vh_regions_clear(&rs);
}

static void test_ranges_hotplug(void)
{
    VhRegions rs = { 0 };

    add(&rs, 4, 8, 3, 7);
    add(&rs, 8, 12, 4, 8);
    /* grows on both sides and elsewhere; new memory has no history */
    set_ranges(&rs, (VhRange[]){ { 2, 14 }, { 100, 110 } }, 2, 4);
    assert_regions(&rs, "[2,4) [4,8):3@7 [8,12):4@8 [12,14) [100,105) "
                        "[105,110)");
    g_assert_false(rs.v[0].known);
    /* the hole between two ranges is filled when they become one */
    set_ranges(&rs, (VhRange[]){ { 2, 20 } }, 1, 1);
    assert_regions(&rs, "[2,4) [4,8):3@7 [8,12):4@8 [12,14) [14,20)");
    vh_regions_clear(&rs);
}

static void test_find(void)
{
    static const size_t want[] = { 0, 0, 0, 1, 1, 2, 2, 2, 2, 3 };
    VhRegions rs = { 0 };

    g_assert_cmpuint(vh_regions_find(&rs, 0), ==, 0);
    add(&rs, 1, 3, 0, 0);
    add(&rs, 3, 5, 0, 0);
    add(&rs, 7, 9, 0, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
        g_assert_cmpuint(vh_regions_find(&rs, i * VH_PAGE_SIZE), ==, want[i]);
    }
    vh_regions_clear(&rs);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/region/find", test_find);
    g_test_add_func("/region/split", test_split);
    g_test_add_func("/region/split-random", test_split_random);
    g_test_add_func("/region/split-never-empty", test_split_never_empty);
    g_test_add_func("/region/merge/weights", test_merge_weights);
    g_test_add_func("/region/merge/size-limit", test_merge_size_limit);
    g_test_add_func("/region/merge/gap", test_merge_never_over_gap);
    g_test_add_func("/region/merge/huge", test_merge_huge);
    g_test_add_func("/region/ranges/initial", test_ranges_initial);
    g_test_add_func("/region/ranges/unplug", test_ranges_unplug_and_hole);
    g_test_add_func("/region/ranges/hotplug", test_ranges_hotplug);
    return g_test_run();
}
