/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passes: what is tried, in which order, and when it stops. */
#include "scheme-lab.h"

/* Sizes in MiB: idle, busy, idle */
static const VhSnapRegion three[] = {
    { 0, 100 * MIB, 0, 50, 0 },
    { 100 * MIB, 200 * MIB, 20, 50, 0 },
    { 200 * MIB, 300 * MIB, 0, 5, 0 },
};

static VhScheme idle(const VhActionOps *action)
{
    VhScheme s = any(action);

    s.pattern.nr_accesses.max = 0;
    return s;
}

static void test_applies(void)
{
    Lab *l = lab_new();
    VhScheme s = idle(&fake_cold);
    VhSchemeStatus *st;

    vh_schemes_set(l->e, &s, 1);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, UINT64_MAX);
    lab_snapshot(l, three, 3);
    g_assert_cmpuint(l->nr_calls, ==, 0); /* a snapshot does no work */
    g_assert_cmpuint(vh_schemes_step(l->e), ==, l->now);
    g_assert_cmpuint(l->nr_calls, ==, 1); /* a step does one quantum */
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], 0, 100 * MIB);
    assert_call(l->calls[1], 200 * MIB, 100 * MIB);
    g_assert_cmpuint(l->ends, ==, 1);
    g_assert_cmpuint(l->pass.total, ==, 300 * MIB);
    g_assert_cmpuint(l->pass.matched, ==, 200 * MIB);
    g_assert_cmpuint(l->pass.accessed, ==, 100 * MIB);
    g_assert_cmpuint(l->pass.snapshot_ns, ==, l->now);
    st = lab_status(l, 0);
    g_assert_cmpuint(st->effective_size, ==, UINT64_MAX);
    g_assert_cmpuint(st->charged_size, ==, 0);
    g_assert_cmpuint(st->nr_tried, ==, 2);
    g_assert_cmpuint(st->tried[1].start, ==, 200 * MIB);
    g_assert_cmpuint(st->tried[1].age, ==, 5);
    g_assert_false(st->tried_truncated);
    g_assert_cmpstr(st->detail, ==, "2 calls");
    g_assert_cmpstr(st->scheme.name, ==, "cold");
    vh_schemes_status_free(st, 1);
    lab_free(l);
}

static void test_stats(void)
{
    Lab *l = lab_new();
    VhScheme s = idle(&fake_cold);
    VhSchemeStats st;

    l->quantum = 40 * MIB;
    l->applied_half = true;
    l->cost_ns = 3 * MS;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    st = lab_stats(l, 0);
    g_assert_cmpuint(st.nr_tried, ==, 2);
    g_assert_cmpuint(st.sz_tried, ==, 200 * MIB);
    g_assert_cmpuint(st.nr_applied, ==, 2);
    g_assert_cmpuint(st.sz_applied, ==, 100 * MIB);
    g_assert_cmpuint(st.sz_filter_passed, ==, 200 * MIB);
    g_assert_cmpuint(st.nr_snapshots, ==, 1);
    g_assert_cmpuint(st.spent_ns, ==, 6 * 3 * MS);
    g_assert_cmpuint(l->nr_calls, ==, 6);
    g_assert_cmpuint(l->nr_told, ==, 6);
    assert_call(l->told[1], 40 * MIB, 40 * MIB);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpuint(lab_stats(l, 0).nr_tried, ==, 4);
    g_assert_cmpuint(lab_stats(l, 0).nr_snapshots, ==, 2);
    lab_free(l);
}

static void test_end_without_match(void)
{
    Lab *l = lab_new();
    VhScheme s = idle(&fake_flat);

    s.pattern.age.min = 1000;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpuint(l->ends, ==, 1);
    g_assert_cmpuint(l->pass.matched, ==, 0);
    g_assert_cmpuint(l->pass.total, ==, 300 * MIB);
    lab_snapshot(l, NULL, 0);
    lab_run_all(l);
    g_assert_cmpuint(l->ends, ==, 2);
    g_assert_cmpuint(l->nr_calls, ==, 0);
    lab_free(l);
}

static void test_age_reset(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { idle(&fake_flat), idle(&fake_stat) };

    l->quantum = 30 * MIB;
    vh_schemes_set(l->e, &v[1], 1);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 8);
    g_assert_cmpuint(l->nr_aged, ==, 0);
    v[0].apply_us = 1000000; /* the pass goes on */
    vh_schemes_set(l->e, &v[0], 1);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e);
    vh_schemes_step(l->e);
    g_assert_cmpuint(l->nr_aged, ==, 0); /* in long runs */
    lab_snapshot(l, three, 3);
    g_assert_cmpuint(l->nr_aged, ==, 1); /* before a snapshot is looked at */
    assert_call(l->aged[0], 0, 60 * MIB);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_aged, ==, 3);
    assert_call(l->aged[1], 60 * MIB, 40 * MIB);
    assert_call(l->aged[2], 200 * MIB, 100 * MIB);
    lab_free(l);
}

static void test_apply_interval(void)
{
    Lab *l = lab_new();
    VhScheme s = idle(&fake_flat);

    s.apply_us = 250000;
    vh_schemes_set(l->e, &s, 1);
    for (int i = 0; i < 10; i++) { /* at 0, 300, 600, 900 ms */
        lab_snapshot(l, three, 3);
        lab_run_all(l);
        l->now += 100 * MS;
        g_assert_cmpuint(l->ends, ==, i / 3 + 1);
    }
    lab_free(l);
}

static void test_max_snapshots(void)
{
    Lab *l = lab_new();
    VhScheme s = idle(&fake_flat);

    s.max_snapshots = 2;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    lab_snapshot(l, three, 3);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE); /* still at it */
    lab_run_all(l);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_FINISHED);
    assert_reason(l, 0, "max-snapshots 2 is reached");
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 4);
    g_assert_cmpuint(lab_stats(l, 0).nr_snapshots, ==, 2);
    s.max_snapshots = 3;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 6);
    lab_free(l);
}

static void test_sections(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);
    VhMapSection v[] = {
        { .gpa = 40 * MIB, .size = 20 * MIB },
        { .gpa = 60 * MIB, .size = 20 * MIB },
        { .gpa = 90 * MIB, .size = 30 * MIB, .flags = VH_SECTION_HUGETLB },
        { .gpa = 250 * MIB, .size = 10 * MIB },
        { .gpa = 900 * MIB, .size = 10 * MIB }
    };
    VhSchemeStats st;

    lab_map(l, v, G_N_ELEMENTS(v));
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 3);
    assert_call(l->calls[0], 40 * MIB, 20 * MIB);
    assert_call(l->calls[1], 60 * MIB, 20 * MIB);
    assert_call(l->calls[2], 250 * MIB, 10 * MIB);
    st = lab_stats(l, 0);
    /* huge pages do not suit: tried, no more */
    g_assert_cmpuint(st.sz_tried, ==, 80 * MIB);
    g_assert_cmpuint(st.nr_tried, ==, 3);
    g_assert_cmpuint(st.sz_applied, ==, 50 * MIB);
    g_assert_cmpuint(st.nr_applied, ==, 2);
    g_assert_cmpuint(l->nr_aged, ==, 2); /* two sections that touch */
    assert_call(l->aged[0], 40 * MIB, 40 * MIB);
    lab_free(l);
}

static void test_map_goes_away(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);
    VhMapSection half = { .size = 150 * MIB };

    l->quantum = 30 * MIB;
    s.apply_us = 3600000000;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e);
    lab_map(l, &half, 1); /* another map: the pass goes on, in it */
    vh_schemes_step(l->e);
    assert_call(l->calls[1], 30 * MIB, 30 * MIB);
    vh_schemes_set_map(l->e, NULL);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, UINT64_MAX);
    lab_snapshot(l, three, 3); /* nothing can be done without */
    g_assert_cmpuint(vh_schemes_step(l->e), ==, UINT64_MAX);
    g_assert_cmpuint(lab_stats(l, 0).nr_snapshots, ==, 1);
    g_assert_cmpuint(l->ends, ==, 0);
    lab_map(l, &half, 1);
    lab_snapshot(l, three, 3); /* goes on there, the interval aside */
    lab_run_all(l);
    assert_call(l->calls[2], 60 * MIB, 30 * MIB);
    assert_call(l->calls[l->nr_calls - 1], 130 * MIB, 20 * MIB);
    g_assert_cmpuint(l->ends, ==, 1);
    lab_free(l);
}

static void test_pause(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);

    l->quantum = 30 * MIB;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e);
    vh_schemes_pause(l->e);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, UINT64_MAX);
    assert_call(l->aged[0], 0, 30 * MIB);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e);
    assert_call(l->calls[1], 30 * MIB, 30 * MIB);
    lab_free(l);
}

/* The rest of a pass is dropped; the next one begins there, once. */
static void test_new_snapshot(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);

    l->quantum = 60 * MIB;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e); /* 0 .. 60 */
    vh_schemes_step(l->e); /* 60 .. 100 */
    vh_schemes_step(l->e); /* 100 .. 160 */
    lab_snapshot(l, three, 3);
    g_assert_cmpuint(l->ends, ==, 0);
    lab_run_all(l);
    assert_call(l->calls[3], 160 * MIB, 40 * MIB);
    assert_call(l->calls[4], 200 * MIB, 60 * MIB);
    assert_call(l->calls[5], 260 * MIB, 40 * MIB);
    g_assert_cmpuint(l->nr_calls, ==, 6);
    g_assert_cmpuint(l->ends, ==, 1);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e);
    assert_call(l->calls[6], 0, 60 * MIB);
    lab_free(l);
}

/* Nothing is behind the place: the pass begins at the bottom. */
static void test_resume_at_the_end(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);

    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    for (int i = 0; i < 3; i++) {
        vh_schemes_step(l->e);
    }
    lab_snapshot(l, three, 3); /* before the end was noticed */
    vh_schemes_step(l->e);
    assert_call(l->calls[3], 0, 100 * MIB);
    lab_free(l);
}

static void test_takes_turns(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { any(&fake_flat), any(&fake_hot), idle(&fake_cold) };

    l->quantum = 50 * MIB;
    vh_schemes_set(l->e, v, 3);
    lab_snapshot(l, three, 3);
    lab_run_all(l);
    for (int i = 0; i < 12; i++) {
        g_assert_cmpuint(l->calls[i].who, ==, i % 3);
    }
    g_assert_cmpuint(l->nr_calls, ==, 6 + 6 + 4);
    g_assert_cmpuint(l->ends, ==, 3);
    lab_free(l);
}

static void test_waits(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);
    uint64_t start = l->now;

    l->quantum = 100 * MIB;
    l->wait_ns = 7 * MS;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, start + 7 * MS);
    l->now += 7 * MS - 1;
    g_assert_cmpuint(vh_schemes_step(l->e), ==, start + 7 * MS);
    g_assert_cmpuint(l->nr_calls, ==, 1);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 3);
    g_assert_cmpuint(l->now, ==, start + 21 * MS);
    lab_free(l);
}

/* One that rests does not hold back the others. */
static void test_waits_alone(void)
{
    Lab *l = lab_new();
    VhScheme v[] = { idle(&fake_flat), idle(&fake_hot) };

    l->quantum = 100 * MIB;
    l->wait_ns = 50 * MS;
    vh_schemes_set(l->e, v, 2);
    lab_snapshot(l, three, 3);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, l->now); /* the other */
    l->wait_ns = 0;
    vh_schemes_step(l->e);
    vh_schemes_step(l->e);
    g_assert_cmpuint(l->calls[1].who, ==, 1);
    g_assert_cmpuint(l->calls[2].who, ==, 1);
    g_assert_cmpuint(vh_schemes_step(l->e), ==, l->now + 50 * MS);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 4);
    lab_free(l);
}

/* An action that does nothing is asked again, but not at once. */
static void test_does_nothing(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);

    l->quantum = 100; /* less than a page */
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    g_assert_cmpuint(vh_schemes_step(l->e), >, l->now);
    g_assert_cmpuint(lab_stats(l, 0).sz_tried, ==, 0);
    g_assert_cmpuint(lab_stats(l, 0).nr_tried, ==, 0);
    lab_run(l, 10 * MS);
    g_assert_cmpuint(l->nr_calls, >, 2);
    g_assert_cmpuint(l->nr_calls, <, 20);
    assert_call(l->calls[1], 0, 100);
    lab_free(l);
}

static void test_tried_truncated(void)
{
    g_autofree VhSnapRegion *v = g_new0(VhSnapRegion, VH_TRIED_MAX + 1);
    Lab *l = lab_new();
    VhScheme s = any(&fake_stat);
    VhSchemeStatus *st;

    for (size_t i = 0; i <= VH_TRIED_MAX; i++) {
        v[i] = (VhSnapRegion){ i * PAGE, (i + 1) * PAGE, 0, 0, 0 };
    }
    vh_schemes_set(l->e, &s, 1);
    for (int more = 0; more < 2; more++) {
        lab_snapshot(l, v, VH_TRIED_MAX + more);
        st = lab_status(l, 0);
        g_assert_cmpuint(st->nr_tried, ==, VH_TRIED_MAX);
        g_assert_cmpint(st->tried_truncated, ==, more);
        g_assert_cmpuint(st->tried[VH_TRIED_MAX - 1].end, ==,
                         VH_TRIED_MAX * PAGE);
        vh_schemes_status_free(st, 1);
    }
    lab_free(l);
}

static void test_watermarks_stop_a_pass(void)
{
    Lab *l = lab_new();
    VhScheme s = any(&fake_flat);

    s.watermarks =
        (VhWatermarks){ true, VH_METRIC_MEM_FREE, 1000, 500, 400, 200 };
    l->known[VH_METRIC_MEM_FREE] = true;
    l->metric[VH_METRIC_MEM_FREE] = 300;
    l->quantum = 30 * MIB;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, three, 3);
    vh_schemes_step(l->e);
    l->metric[VH_METRIC_MEM_FREE] = 600;
    l->now += MS;
    g_assert_cmpuint(vh_schemes_step(l->e), ==, UINT64_MAX);
    lab_snapshot(l, three, 3);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_INACTIVE);
    assert_reason(l, 0, "mem-free is 600, above the high watermark 500");
    g_assert_cmpuint(lab_stats(l, 0).nr_snapshots, ==, 1);
    l->metric[VH_METRIC_MEM_FREE] = 300;
    l->now += MS;
    lab_snapshot(l, three, 3);
    g_assert_cmpint(lab_state(l, 0), ==, VH_SCHEME_ACTIVE);
    assert_reason(l, 0, NULL);
    vh_schemes_step(l->e);
    assert_call(l->calls[1], 30 * MIB, 30 * MIB);
    lab_free(l);
}

/*
 * On a host with larger pages an action is given whole ones, as they lie in
 * QEMU's address space; one that two regions share is passed over.
 */
static void test_host_pages(const void *page)
{
    uint64_t size = GPOINTER_TO_SIZE(page), lead = 3 * PAGE;
    Lab *l = lab_new_on(size);
    VhScheme s = idle(&fake_flat);
    VhSnapRegion v[] = {
        { 0, 100 * size, 0, 5, 0 },
        { 100 * size, 100 * size + PAGE, 20, 5, 0 },
        { 100 * size + PAGE, 200 * size, 0, 5, 0 },
        { 200 * size, 200 * size + PAGE, 0, 6, 0 }, /* less than one */
    };
    VhMapSection section = { .size = 1024 * MIB,
                             .hva = (uint8_t *)(uintptr_t)(size - lead) };

    lab_map(l, &section, 1);
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, v, G_N_ELEMENTS(v));
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], lead, 99 * size);
    assert_call(l->calls[1], 100 * size + lead, 99 * size);
    g_assert_cmpuint(lab_stats(l, 0).sz_tried, ==, 200 * size);
    g_assert_cmpuint(lab_stats(l, 0).sz_applied, ==, 198 * size);
    g_assert_cmpuint(l->ends, ==, 1);
    lab_free(l);
}

/* What a filter leaves out stays out, though it ends within a page. */
static void test_host_pages_and_filters(const void *page)
{
    uint64_t size = GPOINTER_TO_SIZE(page);
    Lab *l = lab_new_on(size);
    VhFilter f = { .type = VH_FILTER_ADDRESS,
                   .matching = true,
                   .start = 10 * size + PAGE,
                   .end = 20 * size + PAGE };
    VhScheme s = idle(&fake_flat);
    VhSnapRegion v = { 0, 30 * size, 0, 5, 0 };

    s.filters = &f;
    s.nr_filters = 1;
    vh_schemes_set(l->e, &s, 1);
    lab_snapshot(l, &v, 1);
    lab_run_all(l);
    g_assert_cmpuint(l->nr_calls, ==, 2);
    assert_call(l->calls[0], 0, 10 * size);
    assert_call(l->calls[1], 21 * size, 9 * size);
    lab_free(l);
}

static void add_page_sizes(const char *name, GTestDataFunc fn)
{
    static const unsigned kib[] = { 16, 64 };

    for (size_t i = 0; i < G_N_ELEMENTS(kib); i++) {
        g_autofree char *path = g_strdup_printf("%s/%u-kib", name, kib[i]);

        g_test_add_data_func(path, GSIZE_TO_POINTER(kib[i] * 1024), fn);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pass/applies", test_applies);
    g_test_add_func("/pass/stats", test_stats);
    g_test_add_func("/pass/end-without-match", test_end_without_match);
    g_test_add_func("/pass/age-reset", test_age_reset);
    g_test_add_func("/pass/apply-interval", test_apply_interval);
    g_test_add_func("/pass/max-snapshots", test_max_snapshots);
    g_test_add_func("/pass/sections", test_sections);
    g_test_add_func("/pass/map-goes-away", test_map_goes_away);
    g_test_add_func("/pass/pause", test_pause);
    g_test_add_func("/pass/new-snapshot", test_new_snapshot);
    g_test_add_func("/pass/resume-at-the-end", test_resume_at_the_end);
    g_test_add_func("/pass/takes-turns", test_takes_turns);
    g_test_add_func("/pass/waits", test_waits);
    g_test_add_func("/pass/waits-alone", test_waits_alone);
    g_test_add_func("/pass/does-nothing", test_does_nothing);
    g_test_add_func("/pass/tried-truncated", test_tried_truncated);
    g_test_add_func("/pass/watermarks", test_watermarks_stop_a_pass);
    add_page_sizes("/pass/host-pages", test_host_pages);
    add_page_sizes("/pass/host-pages-and-filters", test_host_pages_and_filters);
    return g_test_run();
}
