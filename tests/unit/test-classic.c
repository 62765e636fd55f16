/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classic estimator against DAMON's rules; looks inside. */
#include "estimator-classic.c"

#define P(n) ((n)*VH_PAGE_SIZE)

/* 10 samples in an aggregation. */
static const VhAttrs ten = { 10000, 100000, 1000000, 4, 100 };

static const VhPlanBudget plenty = { 1000, 1000, 1000 };

static Classic *make(const VhAttrs *attrs, VhRange pages)
{
    VhRange r = { P(pages.start), P(pages.end) };
    VhRng rng;
    Classic *c;

    vh_rng_seed(&rng, 5);
    c = classic_create(attrs, &rng);
    classic_set_ranges(c, &r, 1);
    return c;
}

/* Replaces the regions: size in pages, last nr, age; 0 pages ends the list. */
static void put(Classic *c, const uint32_t (*list)[3])
{
    uint64_t at = 0;

    c->regions.nr = 0;
    for (size_t i = 0; list[i][0]; i++) {
        vh_regions_reserve(&c->regions, i + 1);
        c->regions.v[i] = (VhRegion){ .start = at,
                                      .end = at + P(list[i][0]),
                                      .last_nr_accesses = list[i][1],
                                      .age = list[i][2],
                                      .known = true };
        at = c->regions.v[i].end;
        c->regions.nr++;
    }
    c->generation++;
}

static void answers(Classic *c, size_t i, uint32_t fires, uint32_t answered)
{
    c->regions.v[i].fires = fires;
    c->regions.v[i].answered = answered;
}

static void assert_region(const VhSnapshot *s, size_t i, uint64_t start,
                          uint64_t end, uint32_t nr, uint32_t age)
{
    g_assert_cmpuint(i, <, s->nr_regions);
    g_assert_cmpuint(s->regions[i].start, ==, P(start));
    g_assert_cmpuint(s->regions[i].end, ==, P(end));
    g_assert_cmpuint(s->regions[i].nr_accesses, ==, nr);
    g_assert_cmpuint(s->regions[i].age, ==, age);
}

static void test_initial(void)
{
    Classic *c = make(&ten, (VhRange){ 10, 110 });

    g_assert_cmpuint(c->regions.nr, ==, 4);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpuint(vh_region_size(&c->regions.v[i]), ==, P(25));
    }
    classic_destroy(c);
    c = make(&ten, (VhRange){ 0, 2 }); /* fewer pages than min_regions */
    g_assert_cmpuint(c->regions.nr, ==, 2);
    classic_destroy(c);
}

static void test_plan_one_page_each(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 40 });
    bool seen[40] = { false };
    VhCheck out[4];

    for (int round = 0; round < 500; round++) {
        g_assert_cmpuint(classic_plan(c, &plenty, out), ==, 4);
        for (int i = 0; i < 4; i++) {
            g_assert_cmpint(out[i].state, ==, VH_CHECK_NEW);
            g_assert_cmpuint(out[i].gpa % VH_PAGE_SIZE, ==, 0);
            g_assert_cmpuint(out[i].gpa / P(10), ==, i);
            seen[out[i].gpa / VH_PAGE_SIZE] = true;
        }
    }
    for (int i = 0; i < 40; i++) {
        g_assert_true(seen[i]); /* first and last pages, too */
    }
    classic_destroy(c);
}

static void test_observe(void)
{
    static const struct {
        VhCheckState state;
        bool present;
        uint32_t answered, fires;
    } cases[] = {
        { VH_CHECK_FIRED, true, 1, 1 },   { VH_CHECK_SILENT, true, 1, 0 },
        { VH_CHECK_SILENT, false, 1, 0 }, { VH_CHECK_LOST, true, 0, 0 },
        { VH_CHECK_SKIPPED, true, 0, 0 }, { VH_CHECK_NEW, true, 0, 0 },
        { VH_CHECK_ARMED, true, 0, 0 },
    };

    for (size_t k = 0; k < G_N_ELEMENTS(cases); k++) {
        Classic *c = make(&ten, (VhRange){ 0, 40 });
        VhCheck out[4];

        classic_plan(c, &plenty, out);
        out[2].state = cases[k].state;
        out[2].present = cases[k].present;
        classic_observe(c, &out[2], 1);
        g_assert_cmpuint(c->regions.v[2].answered, ==, cases[k].answered);
        g_assert_cmpuint(c->regions.v[2].fires, ==, cases[k].fires);
        classic_destroy(c);
    }
}

static void test_observe_unknown(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 40 });
    VhRange half = { 0, P(20) };
    VhCheck out[4], wild = { .gpa = P(5),
                             .state = VH_CHECK_FIRED,
                             .cookie = (uint64_t)c->generation << 32 | 77 };

    classic_plan(c, &plenty, out);
    out[0].state = VH_CHECK_FIRED;
    classic_observe(c, &wild, 1);
    out[1].state = VH_CHECK_FIRED;
    out[1].gpa = P(9); /* not where its region is */
    classic_observe(c, &out[1], 1);
    out[1].gpa = P(20);
    classic_observe(c, &out[1], 1);
    g_assert_cmpuint(c->regions.v[1].answered, ==, 0);
    classic_set_ranges(c, &half, 1); /* what was planned is stale now */
    classic_observe(c, out, 1);
    for (size_t i = 0; i < c->regions.nr; i++) {
        g_assert_cmpuint(c->regions.v[i].answered, ==, 0);
    }
    classic_destroy(c);
}

static void test_nr_is_scaled_to_answers(void)
{
    static const uint32_t cases[][3] = {
        { 0, 10, 0 }, { 10, 10, 10 }, { 7, 10, 7 }, { 1, 1, 10 }, { 1, 3, 3 },
        { 2, 3, 7 },  { 1, 4, 3 },    { 0, 1, 0 },  { 3, 4, 8 },
    };
    Classic *c = make(&ten, (VhRange){ 0, 40 });

    for (size_t k = 0; k < G_N_ELEMENTS(cases); k++) {
        answers(c, 0, cases[k][0], cases[k][1]);
        count_accesses(c);
        g_assert_cmpuint(c->regions.v[0].nr_accesses, ==, cases[k][2]);
    }
    classic_destroy(c);
}

static void test_age(void)
{
    static const uint32_t cases[][4] = {
        /* last nr, nr, threshold, age after 7 */
        { 5, 5, 1, 8 }, { 5, 6, 1, 8 }, { 5, 4, 1, 8 },
        { 5, 7, 1, 0 }, { 5, 3, 1, 0 }, { 0, 0, 1, 8 },
        { 0, 1, 1, 0 }, { 1, 0, 1, 0 }, { 1, 2, 0, 0 },
    };

    for (size_t k = 0; k < G_N_ELEMENTS(cases); k++) {
        VhRegion r = { .last_nr_accesses = cases[k][0],
                       .nr_accesses = cases[k][1],
                       .age = 7,
                       .answered = 1 };

        grow_age(&r, cases[k][2]);
        g_assert_cmpuint(r.age, ==, cases[k][3]);
    }
}

static void test_aggregate_merges_alike(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 100 });
    VhSnapshot *s;

    put(c, (const uint32_t[][3]){
               { 10, 0, 5 }, { 10, 0, 5 }, { 5, 10, 3 }, { 15, 9, 3 }, { 0 } });
    answers(c, 0, 0, 10);
    answers(c, 1, 0, 10);
    answers(c, 2, 10, 10);
    answers(c, 3, 9, 10);
    c->attrs.min_regions = 3;
    c->attrs.max_regions = 3; /* no split: look at the merge alone */
    s = classic_aggregate(c);
    /* 40 pages / 3: nothing above 13 pages may merge */
    g_assert_cmpuint(s->nr_regions, ==, 4);
    vh_snapshot_unref(s);
    c->attrs.min_regions = 2; /* below what users may set, but readable */
    answers(c, 0, 0, 10);
    answers(c, 1, 0, 10);
    answers(c, 2, 10, 10);
    answers(c, 3, 9, 10);
    s = classic_aggregate(c);
    g_assert_cmpuint(s->nr_regions, ==, 2);
    assert_region(s, 0, 0, 20, 0, 7);
    assert_region(s, 1, 20, 40, 9, 5); /* (10*5 + 9*15) / 20 */
    g_assert_cmpuint(s->max_nr_accesses, ==, 10);
    vh_snapshot_unref(s);
    classic_destroy(c);
}

/* One aggregation of two regions that only writes tell apart. */
static void assert_writes_keep_apart(Classic *c, bool look, size_t regions)
{
    VhPlanBudget budget = plenty;
    VhCheck out[8];
    VhSnapshot *s;

    budget.write = look;
    classic_plan(c, &budget, out);
    for (size_t i = 0; i < c->regions.nr; i++) {
        answers(c, i, 10, 10);
    }
    s = classic_aggregate(c);
    g_assert_cmpuint(s->nr_regions, ==, regions);
    vh_snapshot_unref(s);
}

/* Once nobody looks for writes, what was known of them merges regions again. */
static void test_writes_given_up(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 100 });

    put(c, (const uint32_t[][3]){ { 10, 10, 5 }, { 10, 10, 5 }, { 0 } });
    c->attrs.min_regions = 1;
    c->attrs.max_regions = 2; /* no split */
    c->regions.v[0].write_answered = 10;
    c->regions.v[0].write_fires = 10;
    c->regions.v[1].write_answered = 10;
    assert_writes_keep_apart(c, true, 2);
    assert_writes_keep_apart(c, true, 2);
    assert_writes_keep_apart(c, false, 1);
    classic_destroy(c);
}

static void test_threshold_is_a_tenth(void)
{
    VhAttrs attrs = { 5000, 100000, 1000000, 2, 4 }; /* 20 samples */
    Classic *c = make(&attrs, (VhRange){ 0, 100 });
    VhSnapshot *s;

    put(c, (const uint32_t[][3]){ { 10, 20, 0 },
                                  { 10, 20, 6 },
                                  { 10, 17, 6 },
                                  { 10, 15, 6 },
                                  { 0 } });
    answers(c, 0, 20, 20);
    answers(c, 1, 18, 20); /* differs by 2: alike */
    answers(c, 2, 15, 20); /* differs by 4 from the merged 19 */
    answers(c, 3, 12, 20); /* differs by 3 */
    s = classic_aggregate(c);
    g_assert_cmpuint(s->nr_regions, ==, 3);
    assert_region(s, 0, 0, 20, 19, 4);  /* ages 1 and 7 */
    assert_region(s, 1, 20, 30, 15, 7); /* from 17: no change */
    assert_region(s, 2, 30, 40, 12, 0); /* from 15: changed */
    vh_snapshot_unref(s);
    classic_destroy(c);
}

static void test_max_regions_enforced(void)
{
    VhAttrs attrs = { 10000, 100000, 1000000, 3, 10 };
    Classic *c = make(&attrs, (VhRange){ 0, 300 });
    VhSnapshot *s;

    /* 30 regions, each as different from its neighbours as can be */
    c->regions.nr = 0;
    vh_regions_reserve(&c->regions, 30);
    for (uint64_t i = 0; i < 30; i++) {
        c->regions.v[i] =
            (VhRegion){ .start = P(10 * i), .end = P(10 * (i + 1)) };
        c->regions.nr++;
        answers(c, i, i % 2 ? 10 : 0, 10);
    }
    s = classic_aggregate(c);
    g_assert_cmpuint(s->nr_regions, <=, 10);
    g_assert_cmpuint(s->nr_regions, >=, 3);
    g_assert_cmpuint(vh_snapshot_total(s), ==, P(300));
    vh_snapshot_unref(s);
    classic_destroy(c);
}

static void test_split_in_two_then_three(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 400 });
    VhSnapshot *s;

    put(c, (const uint32_t[][3]){ { 100, 0, 0 },
                                  { 100, 9, 0 },
                                  { 100, 0, 0 },
                                  { 100, 9, 0 },
                                  { 0 } });
    for (size_t i = 0; i < 4; i++) {
        answers(c, i, i % 2 ? 10 : 0, 10);
    }
    s = classic_aggregate(c);
    g_assert_cmpuint(s->nr_regions, ==, 4); /* before the split */
    g_assert_cmpuint(c->regions.nr, ==, 8);
    vh_snapshot_unref(s);
    /* the parts turn out alike: 4 again, so the next split is in three */
    for (size_t i = 0; i < 8; i++) {
        answers(c, i, i / 2 % 2 ? 10 : 0, 10);
    }
    s = classic_aggregate(c);
    g_assert_cmpuint(s->nr_regions, ==, 4);
    g_assert_cmpuint(c->regions.nr, ==, 12);
    vh_snapshot_unref(s);
    classic_destroy(c);
}

static void test_no_split_above_half(void)
{
    VhAttrs attrs = { 10000, 100000, 1000000, 4, 7 };
    Classic *c = make(&attrs, (VhRange){ 0, 400 });

    for (size_t i = 0; i < 4; i++) {
        answers(c, i, i % 2 ? 10 : 0, 10);
    }
    vh_snapshot_unref(classic_aggregate(c));
    g_assert_cmpuint(c->regions.nr, ==, 4);
    classic_destroy(c);
}

static void test_unsampled(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 400 });
    VhSnapshot *s;

    put(c, (const uint32_t[][3]){ { 100, 0, 5 },
                                  { 100, 8, 4 },
                                  { 100, 0, 9 },
                                  { 100, 3, 0 },
                                  { 0 } });
    answers(c, 0, 10, 10);
    answers(c, 2, 0, 10);
    answers(c, 3, 3, 10);
    s = classic_aggregate(c);
    assert_region(s, 1, 100, 200, 8, 4); /* kept, not aged */
    vh_snapshot_unref(s);
    g_assert_cmpuint(c->regions.nr, ==, 7); /* 2 + 1 + 2 + 2 */
    g_assert_cmpuint(vh_region_size(&c->regions.v[2]), ==, P(100));
    g_assert_cmpuint(c->regions.v[2].starved, ==, 1);
    g_assert_cmpuint(c->regions.v[2].last_nr_accesses, ==, 8);
    g_assert_cmpuint(c->regions.v[0].starved, ==, 0);
    classic_destroy(c);
}

static void test_unsampled_may_merge(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 400 });
    VhSnapshot *s;

    put(c, (const uint32_t[][3]){
               { 50, 10, 4 }, { 50, 10, 4 }, { 300, 0, 0 }, { 0 } });
    answers(c, 0, 10, 10);
    answers(c, 2, 0, 10);
    s = classic_aggregate(c);
    assert_region(s, 0, 0, 100, 10, 4); /* (5*50 + 4*50) / 100 */
    vh_snapshot_unref(s);
    classic_destroy(c);
}

static void test_set_attrs_rescales(void)
{
    /* 10 samples of 10 ms -> 20 samples of 10 ms */
    VhAttrs slower = { 10000, 200000, 1000000, 4, 100 };
    Classic *c = make(&ten, (VhRange){ 0, 400 });

    put(c, (const uint32_t[][3]){ { 200, 5, 8 }, { 200, 10, 3 }, { 0 } });
    answers(c, 0, 2, 4);
    classic_set_attrs(c, &slower);
    g_assert_cmpuint(c->regions.v[0].last_nr_accesses, ==, 10);
    g_assert_cmpuint(c->regions.v[0].age, ==, 4);
    g_assert_cmpuint(c->regions.v[1].last_nr_accesses, ==, 20);
    g_assert_cmpuint(c->regions.v[1].age, ==, 1);
    /* answers so far are a ratio: still good */
    count_accesses(c);
    g_assert_cmpuint(c->regions.v[0].nr_accesses, ==, 10);
    classic_set_attrs(c, &ten);
    g_assert_cmpuint(c->regions.v[0].last_nr_accesses, ==, 5);
    g_assert_cmpuint(c->regions.v[0].age, ==, 8);
    g_assert_cmpuint(c->regions.v[1].age, ==, 2);
    classic_destroy(c);
}

static void test_set_attrs_limits_only(void)
{
    VhAttrs more = ten;
    Classic *c = make(&ten, (VhRange){ 0, 400 });

    put(c, (const uint32_t[][3]){ { 400, 5, 8 }, { 0 } });
    more.max_regions = 5000;
    classic_set_attrs(c, &more);
    g_assert_cmpuint(c->regions.v[0].last_nr_accesses, ==, 5);
    g_assert_cmpuint(c->regions.v[0].age, ==, 8);
    g_assert_cmpuint(c->chooser.room, >=, 5000);
    classic_destroy(c);
}

static void test_set_ranges_keeps_history(void)
{
    VhRange both[] = { { 0, P(200) }, { P(300), P(500) } };
    VhRange holed[] = { { 0, P(60) }, { P(80), P(200) } };
    Classic *c = make(&ten, (VhRange){ 0, 200 });

    put(c, (const uint32_t[][3]){ { 100, 5, 8 }, { 100, 0, 3 }, { 0 } });
    classic_set_ranges(c, both, 2); /* hotplug: 200 pages as two new regions */
    g_assert_cmpuint(c->regions.nr, ==, 4);
    g_assert_cmpuint(c->regions.v[0].age, ==, 8);
    g_assert_cmpuint(c->regions.v[2].start, ==, P(300));
    g_assert_false(c->regions.v[2].known);
    classic_set_ranges(c, holed, 2); /* unplug, and a hole */
    g_assert_cmpuint(c->regions.nr, ==, 3);
    g_assert_cmpuint(c->regions.v[0].end, ==, P(60));
    g_assert_cmpuint(c->regions.v[1].start, ==, P(80));
    g_assert_cmpuint(c->regions.v[1].last_nr_accesses, ==, 5);
    classic_set_ranges(c, NULL, 0); /* everything gone */
    g_assert_cmpuint(classic_plan(c, &plenty, NULL), ==, 0);
    classic_destroy(c);
}

static void assert_covers(const VhSnapshot *s, const VhRange *ranges, size_t n)
{
    size_t i = 0;

    for (size_t k = 0; k < n; k++) {
        uint64_t at = ranges[k].start;

        while (i < s->nr_regions && s->regions[i].end <= ranges[k].end) {
            g_assert_cmpuint(s->regions[i].start, ==, at);
            g_assert_cmpuint(s->regions[i].end, >, at);
            at = s->regions[i++].end;
        }
        g_assert_cmpuint(at, ==, ranges[k].end);
    }
    g_assert_cmpuint(i, ==, s->nr_regions);
}

static VhRange random_range(VhRng *rng, uint64_t pages)
{
    uint64_t a = vh_rng_below(rng, pages), b = vh_rng_below(rng, pages);

    return (VhRange){ P(MIN(a, b)), P(MAX(a, b)) };
}

/* Start, end and age of each region, in pages. */
static void assert_ages(const Classic *c, const char *want)
{
    g_autoptr(GString) have = g_string_new(NULL);

    for (size_t i = 0; i < c->regions.nr; i++) {
        const VhRegion *r = &c->regions.v[i];

        g_string_append_printf(have, "%s[%d,%d)@%u", i ? " " : "",
                               (int)(r->start / P(1)), (int)(r->end / P(1)),
                               r->age);
    }
    g_assert_cmpstr(have->str, ==, want);
}

static void test_reset_age(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 30 });

    put(c, (const uint32_t[][3]){
               { 10, 0, 5 }, { 10, 7, 6 }, { 10, 0, 7 }, { 0 } });
    classic_reset_age(c, (VhRange){ P(10), P(20) }); /* just one */
    assert_ages(c, "[0,10)@5 [10,20)@0 [20,30)@7");
    classic_reset_age(c, (VhRange){ P(5), P(22) }); /* both edges */
    assert_ages(c, "[0,5)@5 [5,10)@0 [10,20)@0 [20,22)@0 [22,30)@7");
    g_assert_cmpuint(c->regions.v[3].last_nr_accesses, ==, 0);
    g_assert_true(c->regions.v[1].known);
    classic_reset_age(c, (VhRange){ P(24), P(26) }); /* inside one */
    assert_ages(c, "[0,5)@5 [5,10)@0 [10,20)@0 [20,22)@0 [22,24)@7 [24,26)@0 "
                   "[26,30)@7");
    classic_reset_age(c, (VhRange){ P(30), P(40) }); /* outside */
    classic_reset_age(c, (VhRange){ P(3), P(3) });   /* nothing */
    g_assert_cmpuint(c->regions.nr, ==, 7);
    classic_reset_age(c, (VhRange){ 0, UINT64_MAX });
    for (size_t i = 0; i < c->regions.nr; i++) {
        g_assert_cmpuint(c->regions.v[i].age, ==, 0);
    }
    g_assert_cmpuint(c->regions.nr, ==, 7);
    classic_destroy(c);
}

/* There is no room for another region: more than half decides. */
static void test_reset_age_full(void)
{
    VhAttrs few = { 10000, 100000, 1000000, 3, 3 };
    Classic *c = make(&few, (VhRange){ 0, 30 });

    put(c, (const uint32_t[][3]){
               { 10, 0, 5 }, { 10, 7, 6 }, { 10, 0, 7 }, { 0 } });
    classic_reset_age(c, (VhRange){ P(5), P(26) });
    assert_ages(c, "[0,10)@5 [10,20)@0 [20,30)@0");
    c->regions.v[1].age = c->regions.v[2].age = 9;
    classic_reset_age(c, (VhRange){ P(4), P(25) });
    assert_ages(c, "[0,10)@0 [10,20)@0 [20,30)@9");
    /* room for one: the left edge gets it */
    c->attrs.max_regions = 4;
    c->regions.v[0].age = 9;
    classic_reset_age(c, (VhRange){ P(4), P(25) });
    assert_ages(c, "[0,4)@9 [4,10)@0 [10,20)@0 [20,30)@9");
    classic_destroy(c);
}

/* Answers to checks under way go to the region that now holds the page. */
static void test_reset_age_midway(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 40 });
    VhCheck out[100];
    VhSnapshot *s;

    g_assert_cmpuint(classic_plan(c, &plenty, out), ==, 4);
    for (int i = 0; i < 4; i++) {
        out[i].state = VH_CHECK_FIRED;
    }
    out[0].gpa = P(1);
    out[1].gpa = P(13);
    classic_reset_age(c, (VhRange){ P(5), P(12) });
    g_assert_cmpuint(c->regions.nr, ==, 6);
    classic_observe(c, out, 4);
    g_assert_cmpuint(c->regions.v[0].fires, ==, 1);
    g_assert_cmpuint(c->regions.v[1].answered, ==, 0);
    g_assert_cmpuint(c->regions.v[2].answered, ==, 0); /* [10, 12) */
    g_assert_cmpuint(c->regions.v[3].fires, ==, 1);
    g_assert_cmpuint(c->regions.v[4].fires, ==, 1);
    g_assert_cmpuint(c->regions.v[5].fires, ==, 1);
    /* all regions are planned for, and tile the memory */
    g_assert_cmpuint(classic_plan(c, &plenty, out), ==, 6);
    s = classic_aggregate(c);
    assert_covers(s, &(VhRange){ 0, P(40) }, 1);
    vh_snapshot_unref(s);
    out[0].state = VH_CHECK_FIRED; /* of before: not good any more */
    classic_observe(c, out, 1);
    g_assert_cmpuint(classic_plan(c, &plenty, out), ==, c->regions.nr);
    out[0].state = VH_CHECK_FIRED;
    out[0].gpa = P(39); /* nobody split regions: not where its region is */
    classic_observe(c, out, 1);
    for (size_t i = 0; i < c->regions.nr; i++) {
        g_assert_cmpuint(c->regions.v[i].answered, ==, 0);
    }
    classic_destroy(c);
}

/* Parts keep what was observed so far. */
static void test_reset_age_keeps_history(void)
{
    Classic *c = make(&ten, (VhRange){ 0, 40 });

    answers(c, 1, 3, 7);
    c->regions.v[1].last_nr_accesses = 4;
    classic_reset_age(c, (VhRange){ P(15), P(20) });
    for (int i = 1; i < 3; i++) {
        g_assert_cmpuint(c->regions.v[i].fires, ==, 3);
        g_assert_cmpuint(c->regions.v[i].answered, ==, 7);
        g_assert_cmpuint(c->regions.v[i].last_nr_accesses, ==, 4);
    }
    classic_destroy(c);
}

/* Random life: whatever happens, regions tile exactly the ranges. */
static void test_gaps_never_crossed(void)
{
    VhRange shapes[3][2] = { { { 0, P(100) }, { P(101), P(300) } },
                             { { P(5), P(60) }, { P(61), P(400) } },
                             { { P(59), P(62) }, { P(64), P(65) } } };
    VhAttrs attrs = { 10000, 100000, 1000000, 3, 50 };
    Classic *c = make(&attrs, (VhRange){ 0, 10 });
    VhCheck out[1000];
    VhRng rng;

    vh_rng_seed(&rng, 9);
    for (int round = 0; round < 300; round++) {
        VhRange *shape = shapes[vh_rng_below(&rng, 3)];
        VhSnapshot *s;

        classic_set_ranges(c, shape, 2);
        for (int k = 0; k < 5; k++) {
            VhPlanBudget b = { 1000, vh_rng_below(&rng, 60),
                               vh_rng_below(&rng, 20) };
            size_t n = classic_plan(c, &b, out);

            for (size_t i = 0; i < n; i++) {
                out[i].state = VH_CHECK_SILENT + vh_rng_below(&rng, 4);
            }
            classic_reset_age(c, random_range(&rng, 400));
            classic_observe(c, out, n);
        }
        s = classic_aggregate(c);
        assert_covers(s, shape, 2);
        g_assert_cmpuint(s->nr_regions, <=, 50);
        vh_snapshot_unref(s);
    }
    classic_destroy(c);
}

static void test_registry(void)
{
    g_assert_true(vh_estimators()[0] == &vh_estimator_exposure);
    g_assert_true(vh_estimator_find("classic") == &vh_estimator_classic);
    g_assert_null(vh_estimator_find("Classic"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classic/initial", test_initial);
    g_test_add_func("/classic/plan", test_plan_one_page_each);
    g_test_add_func("/classic/observe", test_observe);
    g_test_add_func("/classic/observe-unknown", test_observe_unknown);
    g_test_add_func("/classic/scaled", test_nr_is_scaled_to_answers);
    g_test_add_func("/classic/age", test_age);
    g_test_add_func("/classic/merge", test_aggregate_merges_alike);
    g_test_add_func("/classic/writes-given-up", test_writes_given_up);
    g_test_add_func("/classic/threshold", test_threshold_is_a_tenth);
    g_test_add_func("/classic/max-regions", test_max_regions_enforced);
    g_test_add_func("/classic/split", test_split_in_two_then_three);
    g_test_add_func("/classic/no-split", test_no_split_above_half);
    g_test_add_func("/classic/unsampled", test_unsampled);
    g_test_add_func("/classic/unsampled-merge", test_unsampled_may_merge);
    g_test_add_func("/classic/set-attrs", test_set_attrs_rescales);
    g_test_add_func("/classic/set-attrs-limits", test_set_attrs_limits_only);
    g_test_add_func("/classic/set-ranges", test_set_ranges_keeps_history);
    g_test_add_func("/classic/reset-age", test_reset_age);
    g_test_add_func("/classic/reset-age-full", test_reset_age_full);
    g_test_add_func("/classic/reset-age-midway", test_reset_age_midway);
    g_test_add_func("/classic/reset-age-history", test_reset_age_keeps_history);
    g_test_add_func("/classic/gaps", test_gaps_never_crossed);
    g_test_add_func("/classic/registry", test_registry);
    return g_test_run();
}
