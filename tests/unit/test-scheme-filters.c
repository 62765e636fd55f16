/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters: who decides, and up to where. */
#include "filters.h"
#include "scheme-lab.h"

static VhMapSection section = { .gpa = 100 * MIB,
                                .size = 100 * MIB,
                                .page_size = VH_PAGE_SIZE,
                                .name = (char *)"pc.ram" };

#define MATCH(type_, ...)                            \
    {                                                \
        .type = type_, .matching = true, __VA_ARGS__ \
    }
#define REST(type_, ...)                              \
    {                                                 \
        .type = type_, .matching = false, __VA_ARGS__ \
    }

static bool allow(Lab *l, const VhFilter *f, size_t n, uint64_t at,
                  uint64_t *until)
{
    VhScheme s = { .filters = (VhFilter *)f, .nr_filters = n };
    VhSchemesEnv env = { .page = lab_page, .opaque = l };
    unsigned asked;

    return vh_filters_allow(&s, &env, &section, at, 200 * MIB, until, &asked);
}

/* Does @f match the section? */
static bool match(VhFilter f)
{
    Lab l = { 0 };
    uint64_t until = 0;
    bool yes;

    f.matching = true;
    f.allow = true;
    yes = allow(&l, &f, 1, 100 * MIB, &until);
    g_assert_cmpuint(until, ==, 200 * MIB);
    f.matching = false;
    g_assert_true(allow(&l, &f, 1, 100 * MIB, &until) == !yes);
    return yes;
}

static void test_section_types(void)
{
    VhFilter node = { .type = VH_FILTER_NODE, .node = 0 };
    VhFilter block = { .type = VH_FILTER_BLOCK, .id = (char *)"pc.ram" };
    VhFilter file = { .type = VH_FILTER_FILE_BACKED };
    VhFilter shared = { .type = VH_FILTER_SHARED };
    VhFilter hugetlb = { .type = VH_FILTER_HUGETLB };
    VhFilter pinned = { .type = VH_FILTER_PINNED };
    VhMapSection saved = section;

    g_assert_false(match(node)); /* no node is not node 0 */
    node.node = UINT32_MAX;      /* nor any other */
    g_assert_false(match(node));
    node.node = 0;
    section.node = 1;
    g_assert_true(match(node));
    node.node = 1;
    g_assert_false(match(node));
    g_assert_true(match(block));
    block.id = (char *)"pc";
    g_assert_false(match(block));
    g_assert_false(match(file));
    section.file_backed = true;
    g_assert_true(match(file));
    g_assert_false(match(shared));
    section.shared = true;
    g_assert_true(match(shared));
    g_assert_false(match(hugetlb));
    section.page_size = 64 << 10; /* the host's own */
    g_assert_false(match(hugetlb));
    section.flags = VH_SECTION_HUGETLB;
    g_assert_true(match(hugetlb));
    section.flags = VH_SECTION_UNPLUGS;
    g_assert_false(match(pinned));
    section.flags = VH_SECTION_PINNED;
    g_assert_true(match(pinned));
    section = saved;
}

static void test_labels(void)
{
    VhFilter backend = { .type = VH_FILTER_BACKEND, .id = (char *)"mem1" };
    VhFilter device = { .type = VH_FILTER_DEVICE, .id = (char *)"dimm0" };
    VhLabel label = { .backend = (char *)"mem1" };
    VhMapSection saved = section;

    g_assert_false(match(backend)); /* nothing is known */
    section.label = &label;
    g_assert_true(match(backend));
    g_assert_false(match(device)); /* main memory */
    label.device = (char *)"dimm1";
    g_assert_false(match(device));
    label.device = (char *)"dimm0";
    g_assert_true(match(device));
    label.backend = (char *)"mem10";
    g_assert_false(match(backend));
    section = saved;
}

/* Whatever filters say, and if there are none. */
static void test_reserved(void)
{
    VhFilter f = MATCH(VH_FILTER_BLOCK, .allow = true, .id = (char *)"pc.ram");
    VhScheme s = { .filters = &f, .nr_filters = 1 };
    VhSchemesEnv env = { 0 };
    VhMapSection saved = section;
    Lab l = { 0 };
    uint64_t until;

    section.flags = VH_SECTION_RESERVED;
    g_assert_false(allow(&l, NULL, 0, 100 * MIB, &until));
    g_assert_cmpuint(until, ==, 200 * MIB);
    g_assert_false(allow(&l, &f, 1, 100 * MIB, &until));
    g_assert_false(
        vh_filters_may_allow(&s, &env, &section, 100 * MIB, 200 * MIB, &until));
    g_assert_cmpuint(until, ==, 200 * MIB);
    section = saved;
}

static void test_default(void)
{
    VhFilter reject[] = { MATCH(VH_FILTER_SHARED, .allow = true),
                          MATCH(VH_FILTER_PINNED, .allow = false) };
    VhFilter accept[] = { MATCH(VH_FILTER_SHARED, .allow = false),
                          MATCH(VH_FILTER_PINNED, .allow = true) };
    Lab l = { 0 };
    uint64_t until;

    g_assert_true(allow(&l, NULL, 0, 100 * MIB, &until));
    g_assert_cmpuint(until, ==, 200 * MIB);
    g_assert_true(allow(&l, reject, 2, 100 * MIB, &until));
    g_assert_false(allow(&l, accept, 2, 100 * MIB, &until));
}

static void test_first_match(void)
{
    VhFilter f[] = { REST(VH_FILTER_SHARED, .allow = false), /* matches */
                     REST(VH_FILTER_PINNED, .allow = true) };
    VhFilter g[] = { f[1], f[0] };
    Lab l = { 0 };
    uint64_t until;

    g_assert_false(allow(&l, f, 2, 100 * MIB, &until));
    g_assert_true(allow(&l, g, 2, 100 * MIB, &until));
}

static void test_address_extents(void)
{
    VhFilter f[] = { MATCH(VH_FILTER_ADDRESS, .allow = true,
                           .start = 120 * MIB + 5, .end = 150 * MIB + 4095) };
    Lab l = { 0 };
    uint64_t until;

    g_assert_false(allow(&l, f, 1, 100 * MIB, &until));
    g_assert_cmpuint(until, ==, 120 * MIB); /* whole pages */
    g_assert_true(allow(&l, f, 1, 120 * MIB, &until));
    g_assert_cmpuint(until, ==, 150 * MIB);
    g_assert_false(allow(&l, f, 1, 150 * MIB, &until));
    g_assert_cmpuint(until, ==, 200 * MIB);
    /* less than a page is nothing */
    f[0].start = 120 * MIB + 1;
    f[0].end = 120 * MIB + 2;
    g_assert_false(allow(&l, f, 1, 100 * MIB, &until));
    g_assert_false(allow(&l, f, 1, 120 * MIB, &until));
    g_assert_cmpuint(until, ==, 200 * MIB);
}

/* Not young, and huge, of the middle: the nearest end of all rules. */
static void test_mixed_extents(void)
{
    VhFilter f[] = { MATCH(VH_FILTER_YOUNG, .allow = false),
                     REST(VH_FILTER_ADDRESS, .allow = false, .start = 120 * MIB,
                          .end = 180 * MIB),
                     MATCH(VH_FILTER_HUGEPAGE, .allow = true) };
    static const struct {
        uint64_t from, to;
        bool allow;
    } want[] = { { 100, 110, false }, { 110, 120, false }, { 120, 130, false },
                 { 130, 140, true },  { 140, 150, false }, { 150, 170, true },
                 { 170, 180, false }, { 180, 200, false } };
    Lab l = { .huge = { 130 * MIB, 170 * MIB } };
    uint64_t until;

    l.young = (VhRange){ 140 * MIB, 150 * MIB };
    for (size_t i = 2; i < G_N_ELEMENTS(want); i++) {
        g_assert_true(allow(&l, f, 3, want[i].from * MIB, &until) ==
                      want[i].allow);
        g_assert_cmpuint(until, ==, want[i].to * MIB);
    }
    l.young = (VhRange){ 0, 110 * MIB };
    for (size_t i = 0; i < 2; i++) {
        g_assert_true(allow(&l, f, 3, want[i].from * MIB, &until) ==
                      want[i].allow);
        g_assert_cmpuint(until, ==, want[i].to * MIB);
    }
}

/* Filters behind the one that decides are not asked. */
static void test_not_asked(void)
{
    VhFilter f[] = { REST(VH_FILTER_SHARED, .allow = true),
                     MATCH(VH_FILTER_YOUNG, .allow = false) };
    Lab l = { .young = { 100 * MIB, 110 * MIB } };
    uint64_t until;

    g_assert_true(allow(&l, f, 2, 100 * MIB, &until));
    g_assert_cmpuint(until, ==, 200 * MIB);
    g_assert_cmpuint(l.nr_pages, ==, 0);
}

static VhIs odd_page(void *opaque, VhFilterType type, const VhMapSection *s,
                     uint64_t offset, uint64_t end, uint64_t *until)
{
    *until = offset + *(uint64_t *)opaque;
    return VH_IS;
}

/* Whatever the surroundings say: whole pages, at least one, and an end. */
static void test_odd_answers(void)
{
    static const uint64_t said[] = { 0, 100, PAGE, 2 * PAGE + 1, 900 * MIB };
    static const uint64_t want[] = { PAGE, PAGE, PAGE, 2 * PAGE, 100 * MIB };
    VhFilter f = MATCH(VH_FILTER_PRESENT, .allow = true);
    VhScheme s = { .filters = &f, .nr_filters = 1 };

    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        VhSchemesEnv env = { .page = odd_page, .opaque = (void *)&said[i] };
        uint64_t until;
        unsigned asked;

        g_assert_true(vh_filters_allow(&s, &env, &section, 100 * MIB, 200 * MIB,
                                       &until, &asked));
        g_assert_cmphex(asked, ==, 1u << VH_FILTER_PRESENT);
        g_assert_cmpuint(until, ==, 100 * MIB + want[i]);
    }
}

static void test_nobody_knows_pages(void)
{
    VhFilter f = MATCH(VH_FILTER_YOUNG, .allow = false);
    VhScheme s = { .filters = &f, .nr_filters = 1 };
    VhSchemesEnv env = { 0 };
    uint64_t until;
    unsigned asked;

    g_assert_true(vh_filters_allow(&s, &env, &section, 100 * MIB, 200 * MIB,
                                   &until, &asked));
    g_assert_cmphex(asked, ==, 1u << VH_FILTER_YOUNG);
}

/* Whatever it is in truth, the verdict is not laxer than it would be then. */
static void test_unknown(void)
{
    Lab l = { .unknown = { 120 * MIB, 150 * MIB } };
    uint64_t until;

    for (unsigned bits = 0; bits < 32; bits++) {
        VhFilter f[] = { { .type = VH_FILTER_YOUNG,
                           .matching = bits & 1,
                           .allow = bits & 2 },
                         { .type = VH_FILTER_SHARED,
                           .matching = bits & 4,
                           .allow = bits & 8 } };
        size_t n = bits & 16 ? 2 : 1;
        bool verdict = allow(&l, f, n, 130 * MIB, &until), old, young;

        g_assert_cmpuint(until, ==, 150 * MIB);
        old = allow(&l, f, n, 100 * MIB, &until);
        g_assert_cmpuint(until, ==, 120 * MIB);
        l.young = (VhRange){ 100 * MIB, 120 * MIB };
        young = allow(&l, f, n, 100 * MIB, &until);
        l.young = (VhRange){ 0 };
        g_assert_true(verdict == (old && young));
    }
}

/* Only the clock tells how long looking takes. */
static VhIs slow_page(void *opaque, VhFilterType type, const VhMapSection *s,
                      uint64_t offset, uint64_t end, uint64_t *until)
{
    Lab *l = opaque;

    l->now += MS;
    l->nr_pages++;
    *until = offset + PAGE;
    return VH_IS;
}

static void test_slow_looks(void)
{
    Lab l = { .now = SECOND };
    VhFilter f = MATCH(VH_FILTER_PRESENT, .allow = false);
    VhScheme s = any(&fake_flat);
    VhSnapRegion v = { 0, 100 * PAGE, 0, 0, 0 };
    VhSchemesEnv env = lab_env(&l);

    env.page = slow_page;
    s.filters = &f;
    s.nr_filters = 1;
    l.e = vh_schemes_new(&env);
    lab_map(&l, &(VhMapSection){ .size = MIB }, 1);
    vh_schemes_set(l.e, &s, 1);
    lab_snapshot(&l, &v, 1);
    /* after two it goes on later, a tenth of the time it may look */
    g_assert_cmpuint(vh_schemes_step(l.e), ==, SECOND + 20 * MS);
    g_assert_cmpuint(l.now, ==, SECOND + 2 * MS);
    g_assert_cmpuint(l.nr_pages, ==, 2);
    g_assert_cmpuint(vh_schemes_step(l.e), ==, SECOND + 20 * MS);
    g_assert_cmpuint(l.nr_pages, ==, 2);
    g_assert_cmpuint(lab_stats(&l, 0).sz_tried, ==, 2 * PAGE);
    vh_schemes_free(l.e);
    vh_map_unref(l.map);
}

/* Many small extents do not make a step long. */
static void test_step_is_short(void)
{
    Lab *l = lab_new();
    VhFilter f = { .type = VH_FILTER_YOUNG, .matching = true, .allow = true };
    VhScheme s = any(&fake_flat);
    VhSnapRegion v[1000];

    for (size_t i = 0; i < 1000; i++) {
        v[i] = (VhSnapRegion){ i * PAGE, (i + 1) * PAGE, 0, 0, 0 };
    }
    s.filters = &f;
    s.nr_filters = 1;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, v, 1000);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, l->now);
    g_assert_cmpuint(l->nr_pages, >, 0);
    g_assert_cmpuint(l->nr_pages, <=, 100);
    lab_run_all(l);
    g_assert_cmpuint(lab_stats(l, 0).nr_tried, ==, 1000);
    g_assert_cmpuint(lab_stats(l, 0).sz_filter_passed, ==, 0);
    g_assert_cmpuint(l->nr_aged, ==, 1000);
    lab_free(l);
}

static void set_one(Lab *l, VhScheme s, const VhFilter *f, size_t n)
{
    s.filters = (VhFilter *)f;
    s.nr_filters = n;
    vh_schemes_set(l->e, &s, 1);
}

/* What is made old is what was dealt with, no more, when youth was asked for.
 */
static void test_made_old(void)
{
    VhFilter f[] = { MATCH(VH_FILTER_HUGEPAGE, .allow = false),
                     MATCH(VH_FILTER_YOUNG, .allow = true) };
    VhSnapRegion v = { 0, 100 * MIB, 0, 0, 0 };
    Lab *l = lab_new();

    l->huge = (VhRange){ 0, 20 * MIB };
    l->young = (VhRange){ 30 * MIB, 40 * MIB };
    l->quantum = 6 * MIB;
    set_one(l, any(&fake_flat), f, 2);
    lab_snapshot(l, &v, 1);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    g_assert_cmpuint(l->nr_old, ==, 4);
    assert_call(l->old[0], 20 * MIB, 10 * MIB);
    assert_call(l->old[1], 30 * MIB, 6 * MIB); /* and asked again about ... */
    assert_call(l->old[2], 36 * MIB, 4 * MIB); /* ... what was left over */
    assert_call(l->old[3], 40 * MIB, 60 * MIB);
    lab_free(l);
}

/* What the quota does not allow for, and what fails, stays as it is. */
static void test_not_made_old(void)
{
    VhFilter f = MATCH(VH_FILTER_YOUNG, .allow = true);
    VhSnapRegion v = { 0, 100 * MIB, 0, 0, 0 };
    VhScheme s = any(&fake_flat);
    Lab *l = lab_new();

    l->young = (VhRange){ 0, 100 * MIB };
    s.quota.size = 5 * MIB;
    set_one(l, s, &f, 1);
    lab_snapshot(l, &v, 1);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_old, ==, 1);
    assert_call(l->old[0], 0, 5 * MIB);
    l->error = ENOMEM;
    l->now += 2 * SECOND;
    lab_snapshot(l, &v, 1);
    lab_run(l, SECOND);
    g_assert_cmpuint(l->back_offs, ==, 1);
    g_assert_cmpuint(l->nr_old, ==, 1);
    lab_free(l);
}

static void assert_detail(Lab *l, const char *want)
{
    VhSchemeStatus *st = lab_status(l, 0);

    g_assert_cmpstr(st->detail, ==, want);
    vh_schemes_status_free(st, 1);
}

static void test_blind(void)
{
    VhActionOps silent = fake_stat;
    VhFilter f = MATCH(VH_FILTER_YOUNG, .allow = false);
    Lab *l = lab_new();

    silent.detail = NULL;
    set_one(l, any(&fake_flat), &f, 1);
    assert_detail(l, "0 calls");
    l->blind = "nobody knows";
    assert_detail(l, "0 calls");
    vh_schemes_refresh(l->e);
    assert_detail(l, "nobody knows; 0 calls");
    set_one(l, any(&silent), &f, 1);
    assert_detail(l, "nobody knows");
    set_one(l, any(&silent), NULL, 0);
    assert_detail(l, NULL);
    lab_free(l);
}

/* A pass cut by filters; matched of the summary is what passes. */
static void test_pass(void)
{
    Lab *l = lab_new();
    VhFilter f = { .type = VH_FILTER_YOUNG, .matching = true, .allow = false };
    VhScheme s = any(&fake_flat);
    VhSnapRegion v = { 0, 100 * MIB, 0, 0, 0 };

    s.filters = &f;
    s.nr_filters = 1;
    l->young = (VhRange){ 30 * MIB, 40 * MIB };
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, &v, 1);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], 0, 30 * MIB);
    assert_call(l->calls[1], 40 * MIB, 60 * MIB);
    g_assert_cmpuint(lab_stats(l, 0).nr_tried, ==, 1);
    g_assert_cmpuint(lab_stats(l, 0).nr_applied, ==, 1);
    g_assert_cmpuint(lab_stats(l, 0).sz_tried, ==, 100 * MIB);
    g_assert_cmpuint(lab_stats(l, 0).sz_filter_passed, ==, 90 * MIB);
    g_assert_cmpuint(l->pass.matched, ==, 90 * MIB);
    /* what a page filter rejects was looked at, too */
    g_assert_cmpuint(l->nr_aged, ==, 1);
    assert_call(l->aged[0], 0, 100 * MIB);
    lab_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filters/section-types", test_section_types);
    g_test_add_func("/filters/labels", test_labels);
    g_test_add_func("/filters/reserved", test_reserved);
    g_test_add_func("/filters/default", test_default);
    g_test_add_func("/filters/first-match", test_first_match);
    g_test_add_func("/filters/address", test_address_extents);
    g_test_add_func("/filters/mixed", test_mixed_extents);
    g_test_add_func("/filters/not-asked", test_not_asked);
    g_test_add_func("/filters/odd-answers", test_odd_answers);
    g_test_add_func("/filters/nobody-knows", test_nobody_knows_pages);
    g_test_add_func("/filters/step-is-short", test_step_is_short);
    g_test_add_func("/filters/unknown", test_unknown);
    g_test_add_func("/filters/slow-looks", test_slow_looks);
    g_test_add_func("/filters/made-old", test_made_old);
    g_test_add_func("/filters/not-made-old", test_not_made_old);
    g_test_add_func("/filters/blind", test_blind);
    g_test_add_func("/filters/pass", test_pass);
    return g_test_run();
}
