/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arithmetic of reports of times, profiles and schemes, the slow way too. */
#include <math.h>
#include <string.h>

#include "report/cells.h"
#include "report/classes.h"
#include "report/periods.h"
#include "report/scheme-history.h"

#define PAGE 4096ull
#define PAGES 300
#define MS 1000000ull

/* What each page was, added one by one. */
typedef struct Slow {
    double ns, rate, accessed_ns;
    bool touched;
} Slow;

/* A region that lasts for some snapshots. */
static void add_both(GRand *r, VhCells *c, Slow *slow, uint64_t grain)
{
    unsigned snapshots = g_rand_int_range(r, 1, 4);
    uint64_t start = g_rand_int_range(r, 0, PAGES * PAGE / grain - 1) * grain;
    uint64_t end = start + g_rand_int_range(r, 1, 100) * grain;
    VhCellHeat heat = { .rate = g_rand_int_range(r, 0, 4),
                        .ns = g_rand_int_range(r, 1, 1000),
                        .use = g_rand_int_range(r, 0, 9) < 8 ? VH_CELL_NEVER
                               : g_rand_boolean(r)           ? VH_CELL_BEFORE
                                                             : VH_CELL_NOW };

    end = MIN(end, PAGES * PAGE);
    for (unsigned i = 0; i < snapshots; i++) {
        if (g_rand_boolean(r)) {
            vh_cells_next(c);
        }
        vh_cells_add(c, start, end, &heat);
    }
    heat.ns *= snapshots;
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t from = MAX(i * PAGE, start), to = MIN((i + 1) * PAGE, end);
        double part = to > from ? (double)(to - from) / PAGE : 0;

        slow[i].ns += part * heat.ns;
        slow[i].rate += part * heat.rate * heat.ns;
        slow[i].accessed_ns += heat.use == VH_CELL_NOW ? part * heat.ns : 0;
        slow[i].touched |= part > 0 && heat.use != VH_CELL_NEVER;
    }
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * MAX(fabs(a), fabs(b)) + 1e-6;
}

/* Ranges are of neighbours, and have what their pages have. */
static void check_ranges(const GArray *ranges, const Slow *slow)
{
    uint64_t at = 0;

    for (guint i = 0; i < ranges->len; i++) {
        const VhHeatRange *r = &g_array_index(ranges, VhHeatRange, i);
        Slow sum = { 0 };

        for (; at < r->start; at += PAGE) {
            g_assert_true(near(slow[at / PAGE].ns, 0));
        }
        for (; at < r->end; at += PAGE) {
            sum.ns += slow[at / PAGE].ns;
            sum.rate += slow[at / PAGE].rate;
            sum.accessed_ns += slow[at / PAGE].accessed_ns;
        }
        g_assert_true(sum.ns > 0);
        g_assert_true(near(r->rate, sum.rate / sum.ns));
        g_assert_true(near(r->accessed, sum.accessed_ns / sum.ns));
    }
    for (; at < PAGES * PAGE; at += PAGE) {
        g_assert_true(near(slow[at / PAGE].ns, 0));
    }
}

static void test_cells(void)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(11);

    for (unsigned round = 0; round < 60; round++) {
        g_autoptr(VhCells) c = vh_cells_new(PAGES * PAGE);
        g_autoptr(GArray) fine = NULL;
        g_autoptr(GArray) coarse = NULL;
        Slow slow[PAGES] = { 0 };
        double never = 0, ns = 1e6;

        for (unsigned i = 0; i < round; i++) {
            add_both(r, c, slow, round % 2 ? PAGE : PAGE / 8);
        }
        vh_cells_finish(c, ns);
        for (unsigned i = 0; i < PAGES; i++) {
            never += slow[i].touched ? 0 : PAGE * slow[i].ns / ns;
        }
        g_assert_true(fabs(vh_cells_never(c, 0, UINT64_MAX) - never) < 1);
        fine = vh_cells_ranges(c, 1);
        coarse = vh_cells_ranges(c, 20 * PAGE);
        check_ranges(fine, slow);
        check_ranges(coarse, slow);
        g_assert_cmpuint(coarse->len, <=, fine->len);
    }
}

/* A hot spot and a cold one; what is between is too small to be told. */
static void test_ranges(void)
{
    g_autoptr(VhCells) c = vh_cells_new(1ull << 30);
    VhCellHeat cold = { .ns = 10 },
               hot = { .rate = 100, .ns = 10, .use = VH_CELL_NOW },
               mild = { .rate = 10, .ns = 10 };
    g_autoptr(GArray) ranges = NULL;
    const VhHeatRange *at;

    vh_cells_add(c, 0, 100 << 20, &cold);
    vh_cells_add(c, 100 << 20, 110 << 20, &hot);
    vh_cells_add(c, 110 << 20, 111 << 20, &mild);
    vh_cells_add(c, 111 << 20, 200 << 20, &cold);
    vh_cells_add(c, 300 << 20, 301 << 20, &mild);
    vh_cells_finish(c, 10);
    ranges = vh_cells_ranges(c, 4 << 20);
    at = (const VhHeatRange *)ranges->data;
    g_assert_cmpuint(ranges->len, ==, 4);
    g_assert_cmpuint(at[1].start, ==, 100 << 20);
    g_assert_cmpuint(at[1].end, ==, 111 << 20);
    g_assert_true(near(at[1].rate, 1010 / 11.0));
    g_assert_true(near(at[1].accessed, 10 / 11.0));
    g_assert_cmpuint(at[2].end, ==, 200 << 20);
    g_assert_cmpfloat(at[2].rate, ==, 0);
    g_assert_cmpuint(at[3].end - at[3].start, ==, 1 << 20);
    g_assert_cmpuint(vh_cells_never(c, 100 << 20, 112 << 20), ==, 2 << 20);
}

/* Addresses that cannot be do no harm. */
static void test_beyond(void)
{
    g_autoptr(VhCells) c = vh_cells_new(0);
    VhCellHeat heat = { .rate = 1, .ns = 1 };
    g_autoptr(GArray) ranges = NULL;

    vh_cells_add(c, UINT64_MAX - 10, UINT64_MAX, &heat);
    vh_cells_add(c, 20, 10, &heat);
    vh_cells_finish(c, 10);
    ranges = vh_cells_ranges(c, 0);
    g_assert_cmpuint(ranges->len, ==, 0);
    g_assert_cmpuint(vh_cells_never(c, 0, UINT64_MAX), ==, 0);
}

static void fill(GRand *r, VhSnapshot *s, unsigned i)
{
    s->start_time = i * 100 * MS;
    s->end_time = s->start_time + g_rand_int_range(r, 1, 100) * MS;
    s->has_rates = true;
    for (s->nr = 0; s->nr < 20; s->nr++) {
        VhRegion *g = &s->regions[s->nr];

        g->start = s->nr * 50;
        g->end = g->start + g_rand_int_range(r, 1, 51);
        g->rate = pow(10, g_rand_int_range(r, -3, 4));
        g->idle_us = g_rand_int_range(r, 59000000, 61000000);
    }
}

/* Of what [@from, @to) had of @class, address by address. */
static uint64_t slow_bytes(const VhSnapshot *s, VhClass class, uint64_t from,
                           uint64_t to)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];
        VhClass mine = r->idle_us >= 60000000 ? VH_CLASS_IDLE
                       : r->rate >= 9.99      ? VH_CLASS_HOT
                       : r->rate >= 0.0999    ? VH_CLASS_WARM
                                              : VH_CLASS_COLD;

        for (uint64_t a = r->start; mine == class && a < r->end; a++) {
            sum += a >= from && a < to;
        }
    }
    return sum;
}

static void check_group(const VhGroup *g, const char *kind, const char *name,
                        VhSnapshot *s, unsigned nr, uint64_t from, uint64_t to)
{
    g_assert_cmpstr(g->kind, ==, kind);
    g_assert_cmpstr(g->name, ==, name);
    for (unsigned class = 0; class < VH_CLASSES; class ++) {
        const VhAmount *a = &g->amounts[class];
        uint64_t min = UINT64_MAX, max = 0;
        double sum = 0, ns = 0;

        for (unsigned i = 0; i < nr; i++) {
            uint64_t v = slow_bytes(&s[i], class, from, to);
            double took = s[i].end_time - s[i].start_time;

            min = MIN(min, v);
            max = MAX(max, v);
            sum += v * took;
            ns += took;
        }
        g_assert_cmpuint(a->min, ==, min);
        g_assert_cmpuint(a->max, ==, max);
        g_assert_true(near(a->mean, sum / ns));
    }
}

static void test_classes(void)
{
    static const char state[] =
        "{\"vmheat\": {\"ranges\": ["
        "{\"start\": 0, \"size\": 333, \"block\": \"low\", \"node\": 0},"
        "{\"start\": 300, \"size\": 10, \"block\": \"overlaps\"},"
        "{\"start\": \"x\"}, 7, {\"start\": -1, \"size\": 1},"
        "{\"start\": 333, \"size\": 300, \"block\": \"high\", \"node\": 1},"
        "{\"start\": 700, \"size\": 100, \"block\": \"low\"}]}}";
    g_autoptr(GRand) r = g_rand_new_with_seed(12);
    VhRegion regions[30][20];
    VhSnapshot s[30] = { 0 };
    VhClasses c;
    const VhGroup *g;

    vh_classes_init(&c);
    vh_classes_state(&c, state);
    vh_classes_state(&c, "{\"vmheat\": 3}");
    vh_classes_state(&c, "nonsense");
    vh_classes_state(&c, NULL);
    for (unsigned i = 0; i < 30; i++) {
        s[i].regions = memset(regions[i], 0, sizeof(regions[i]));
        fill(r, &s[i], i);
        vh_classes_add(&c, &s[i]);
    }
    g = (const VhGroup *)c.groups->data;
    check_group(&g[0], "all", "", s, 30, 0, UINT64_MAX);
    check_group(&g[2], "node", "0", s, 30, 0, 333);
    check_group(&g[4], "block", "high", s, 30, 333, 633);
    check_group(&g[5], "node", "1", s, 30, 333, 633);
    g_assert_cmpstr(g[1].name, ==, "low");
    g_assert_cmpuint(g[3].ns, ==, 0); /* what overlaps is left out */
    vh_classes_clear(&c);
}

/* Each snapshot by itself: what period is it in? */
static void test_periods(void)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(13);

    for (unsigned round = 0; round < 50; round++) {
        uint64_t bytes[200], matched = 0;
        unsigned runs = 0;
        VhPeriods p;

        vh_periods_init(&p, 5);
        for (unsigned i = 0; i < 200; i++) {
            bytes[i] = g_rand_int_range(r, 0, 7 + round);
            vh_periods_add(&p, 1000 + i * 10, 1010 + i * 10, bytes[i]);
        }
        for (unsigned i = 0; i < 200; i++) {
            const VhPeriod *q;
            uint64_t min = bytes[i], max = 0, sum = 0, nr = 0;

            if (bytes[i] < 5 || (i && bytes[i - 1] >= 5)) {
                continue;
            }
            q = &g_array_index(p.list, VhPeriod, runs++);
            for (unsigned j = i; j < 200 && bytes[j] >= 5; j++, nr++) {
                min = MIN(min, bytes[j]);
                max = MAX(max, bytes[j]);
                sum += bytes[j];
            }
            matched += nr * 10;
            g_assert_cmpuint(q->begin, ==, 1000 + i * 10);
            g_assert_cmpuint(q->end, ==, 1000 + (i + nr) * 10);
            g_assert_cmpuint(q->nr, ==, nr);
            g_assert_cmpuint(q->min, ==, min);
            g_assert_cmpuint(q->max, ==, max);
            g_assert_true(near(q->mean, (double)sum / nr));
        }
        g_assert_cmpuint(p.list->len, ==, runs);
        g_assert_cmpuint(p.matched, ==, matched);
        g_assert_cmpuint(p.seen, ==, 2000);
        vh_periods_clear(&p);
    }
}

/* No snapshots for long, or time that goes back, ends a period. */
static void test_gaps(void)
{
    /* start of each, of 10 ns; and how many periods there are by then */
    static const unsigned steps[][2] = { { 1000, 1 }, { 1050, 1 }, { 1100, 1 },
                                         { 1590, 1 }, { 1640, 1 }, { 2200, 2 },
                                         { 2250, 2 }, { 100, 3 },  { 150, 3 } };
    VhPeriods p;

    vh_periods_init(&p, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        vh_periods_add(&p, steps[i][0], steps[i][0] + 10, 1);
        g_assert_cmpuint(p.list->len, ==, steps[i][1]);
    }
    vh_periods_clear(&p);
}

static char *schemes(const char *state, unsigned bytes)
{
    return g_strdup_printf(
        "{\"schemes\": [{\"scheme\": {\"name\": \"a\", \"action\": \"stat\"},"
        "\"state\": \"%s\", \"charged\": 0, \"stats\": {\"nr-tried\": 0,"
        "\"sz-tried\": %u, \"nr-applied\": 0, \"sz-applied\": 0,"
        "\"sz-filter-passed\": 0, \"qt-exceeds\": 0, \"nr-snapshots\": 0,"
        "\"errors\": 0, \"back-offs\": 0, \"refaulted\": 0, \"time\": 0}}]}",
        state, bytes);
}

static void feed(VhSchemeHistory *h, uint64_t ns, const char *state,
                 unsigned bytes)
{
    g_autofree char *json = schemes(state, bytes);

    g_assert_true(vh_scheme_history_schemes(h, ns, json));
}

static void test_history(void)
{
    VhSchemeHistory h;
    const VhSchemePast *p;
    const VhHappening *e;

    vh_scheme_history_init(&h, 100, 200);
    feed(&h, 10, "active", 1);
    feed(&h, 90, "active", 20);
    feed(&h, 110, "inactive", 50);
    feed(&h, 120, "back-off", 60);
    feed(&h, 130, "active", 7); /* began anew */
    feed(&h, 140, "active", 9);
    feed(&h, 300, "active", 1000);
    g_assert_false(vh_scheme_history_schemes(&h, 150, "{\"schemes\": [{}]}"));
    g_assert_false(vh_scheme_history_schemes(&h, 150, NULL));
    g_assert_false(vh_scheme_history_event(&h, 150, "{\"event\": 3}"));
    g_assert_true(vh_scheme_history_event(&h, 99, "{\"event\": \"x\"}"));
    g_assert_true(vh_scheme_history_event(
        &h, 150, "{\"event\": \"x\", \"data\": {\"reason\": \"y\"}}"));
    g_assert_cmpuint(h.pasts->len, ==, 1);
    p = &g_array_index(h.pasts, VhSchemePast, 0);
    g_assert_cmpuint(p->first_ns, ==, 90);
    g_assert_cmpuint(p->last_ns, ==, 140);
    g_assert_cmpuint(p->first.sz_tried, ==, 20);
    g_assert_cmpuint(p->last.sz_tried, ==, 9);
    g_assert_cmpuint(p->did.sz_tried, ==, 40 + 9);
    g_assert_cmpuint(h.happenings->len, ==, 3);
    e = (const VhHappening *)h.happenings->data;
    g_assert_cmpstr(e[0].text, ==, "inactive");
    g_assert_cmpstr(e[1].text, ==, "counters began anew");
    g_assert_cmpstr(e[2].text, ==, "x: y");
    g_assert_cmpuint(e[2].ns, ==, 150);
    vh_scheme_history_clear(&h);
}

/* JSON of a record that would use up the stack is not looked at. */
static void test_deep(void)
{
    enum { DEEP = 3000000 };
    g_autofree char *text = g_malloc(2 * DEEP + 1);
    VhSchemeHistory h;
    VhClasses c;

    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    text[2 * DEEP] = 0;
    vh_classes_init(&c);
    vh_classes_state(&c, text);
    g_assert_cmpuint(c.places->len, ==, 0);
    vh_classes_clear(&c);
    vh_scheme_history_init(&h, 0, UINT64_MAX);
    g_assert_false(vh_scheme_history_schemes(&h, 1, text));
    g_assert_false(vh_scheme_history_event(&h, 1, text));
    vh_scheme_history_clear(&h);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/profile/cells", test_cells);
    g_test_add_func("/profile/ranges", test_ranges);
    g_test_add_func("/profile/beyond", test_beyond);
    g_test_add_func("/profile/classes", test_classes);
    g_test_add_func("/profile/periods", test_periods);
    g_test_add_func("/profile/gaps", test_gaps);
    g_test_add_func("/profile/history", test_history);
    g_test_add_func("/profile/deep", test_deep);
    return g_test_run();
}
