/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known scores, and runs that repeat: bench/accuracy. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "quantile.h"
#include "report.h"
#include "table.h"

#define MIB (1ULL << 20)
#define S 1000000000ULL

/* 8 MiB: [0, 2) at 50 a second, read only; [2, 3) at 2; the rest never. */
static Workload *make_truth(void)
{
    const Line lines[] = { { 0, 0, 2 * MIB, 50, 0 },
                           { 0, 2 * MIB, 3 * MIB, 2, 1 },
                           { 5 * S, 7 * MIB, 8 * MIB, 1, 0 },
                           { 6 * S, 2 * MIB, 3 * MIB, 10, 1 } };
    g_autofree char *why = NULL;

    return workload_new(8 * MIB, lines, G_N_ELEMENTS(lines), &why);
}

/* [0, 1) 10 of 10, [1, 4) 1 of 10, [4, 8) never; writes 5 of 10 in [4, 8) */
static VhSnapshot *make_snapshot(void)
{
    const VhSnapRegion regions[] = { { 0, MIB, 10, 0, 0 },
                                     { MIB, 4 * MIB, 1, 0, 0 },
                                     { 4 * MIB, 8 * MIB, 0, 0, 5 } };
    VhSnapshot *s = vh_snapshot_new(G_N_ELEMENTS(regions));

    memcpy(s->regions, regions, sizeof(regions));
    s->max_nr_accesses = 10;
    return s;
}

static Exam make_exam(const Workload *w, Rule rule)
{
    return (Exam){ .work = w,
                   .judge = judge_of("classic"),
                   .rule = rule,
                   .hot_hz = 5,
                   .interval_s = 0.01 };
}

static void assert_near(double got, double expected)
{
    g_assert_cmpfloat_with_epsilon(got, expected, 1e-9);
}

static void test_half(void)
{
    Workload *w = make_truth();
    VhSnapshot *s = make_snapshot();
    Exam e = make_exam(w, RULE_HALF);
    Score got = score(&e, s);

    g_assert_cmpuint(hot_bytes(&e), ==, 2 * MIB);
    assert_near(got.precision, 1); /* calls [0, 1) */
    assert_near(got.recall, 0.5);
    assert_near(got.f1, 2 / 3.0);
    assert_near(got.wss_error, 0.5);
    assert_near(got.f1_best, 2 / 3.0); /* 2 of 4 and 2 of 2: as good */
    e.writes = true;
    got = score(&e, s);
    assert_near(got.precision, 0); /* calls [4, 8), nothing is */
    assert_near(got.wss_error, 1);
    vh_snapshot_unref(s);
    workload_free(w);
}

/* 1 of 10 in 10 ms is 10.5 a second. */
static void test_rate(void)
{
    Workload *w = make_truth();
    VhSnapshot *s = make_snapshot();
    Exam e = make_exam(w, RULE_RATE);
    double slow = -log1p(-0.1) / 0.01, fast = -log1p(-0.95) / 0.01;
    Score got = score(&e, s);

    assert_near(got.precision, 0.5); /* calls [0, 4) */
    assert_near(got.recall, 1);
    assert_near(got.wss_error, 1);
    /* a third each of [0, 1), [1, 2) and the warm [2, 3): the middle one */
    g_assert_cmpfloat((slow - 2) / 2, <, (fast - 50) / 50);
    assert_near(got.rate_error, (slow - 2) / 2);
    vh_snapshot_unref(s);
    workload_free(w);
}

static void test_nothing(void)
{
    Workload *w = make_truth();
    VhSnapshot *s = vh_snapshot_new(0);
    Exam e = make_exam(w, RULE_RATE);
    Score got = score(&e, NULL);

    assert_near(got.precision, 0);
    assert_near(got.f1, 0);
    assert_near(score(&e, s).f1_best, 0);
    g_assert_true(isnan(got.rate_error));
    e.hot_hz = 1000; /* nothing is hot, and nothing is called so */
    got = score(&e, s);
    assert_near(got.f1, 1);
    assert_near(got.f1_best, 1);
    assert_near(got.wss_error, 0);
    vh_snapshot_unref(s);
    workload_free(w);
}

static void test_changes(void)
{
    Workload *w = make_truth();
    Exam e = make_exam(w, RULE_RATE);

    g_assert_true(hot_changed(&e)); /* the start */
    e.now_ns = 5 * S;
    g_assert_false(hot_changed(&e)); /* not hot enough */
    e.now_ns = 6 * S;
    g_assert_true(hot_changed(&e));
    workload_free(w);
}

static void test_quantile(void)
{
    double v[] = { INFINITY, 3, NAN, 1, 2 }, none[] = { NAN };

    assert_near(quantile(v, 5, 0), 1);
    assert_near(quantile(v, 4, 0.3), 2); /* four are left */
    g_assert_true(isinf(quantile(v, 4, 1)));
    g_assert_true(isnan(quantile(none, 1, 0.5)));
    g_assert_true(isnan(quantile(NULL, 0, 0.5)));
}

static char *run(const char *const *args, size_t n)
{
    char *argv[16] = { "accuracy" }, **v = argv;
    int argc = n + 1;
    g_autofree Result *r = NULL;
    char *why = NULL, *json;
    Options o;

    memcpy(argv + 1, args, n * sizeof(*args));
    g_assert_true(options_parse(&o, &argc, &v, &why));
    r = g_new0(Result, o.seeds);
    g_assert_true(run_seeds(&o, r, &why));
    json = report_json(&o, r, o.seeds);
    options_clear(&o);
    return json;
}

static void test_repeats(void)
{
    const char *args[] = { "--pattern=moving", "--estimator=classic",
                           "--size=1G",        "--seconds=12",
                           "--no-cpu",         "--writes",
                           "--seeds=2",        "--seed=7" };
    g_autofree char *one = run(args, G_N_ELEMENTS(args));
    g_autofree char *two = run(args, G_N_ELEMENTS(args));
    g_autofree char *other = NULL;

    g_assert_cmpstr(one, ==, two);
    g_assert_null(strstr(one, "cpu_ns_per_tick"));
    args[7] = "--seed=8";
    other = run(args, G_N_ELEMENTS(args));
    g_assert_cmpstr(one, !=, other);
}

static void assert_refused(const char *option, const char *says)
{
    char *argv[] = { "accuracy", (char *)option, NULL }, **v = argv;
    g_autofree char *why = NULL;
    int argc = 2;
    Options o;

    g_assert_false(options_parse(&o, &argc, &v, &why));
    g_assert_cmpstr(why, ==, says);
    options_clear(&o);
}

static void test_options(void)
{
    assert_refused("--size=5", "--size: '5' is not a multiple of 2M from 2M "
                               "to 64T (bytes, or with K, M, G, T)");
    assert_refused("--seeds=0", "--seeds: '0' is not a number from 1 to 10000");
    assert_refused("--granule=8K", "--granule: '8K' is not 4096 or 2M");
    assert_refused("--rule=best", "--rule: 'best' is not half or rate");
    assert_refused("--pattern=x",
                   "--pattern: 'x' is not one of those that --help lists");
    assert_refused("--plot=x.pdf",
                   "--plot: 'x.pdf' is not a name that ends in .svg or .png");
    assert_refused("--host=cloud", "--host: 'cloud' is not nested or bare");
    assert_refused("--host=", "--host: '' is not nested or bare");
    assert_refused("--fire-ns=-1",
                   "--fire-ns: '-1' is not a number from 0 to 1000000000");
    assert_refused("more", "'more' is not an option; see --help");
}

static Options parse_two(const char *one, const char *two)
{
    char *argv[] = { "accuracy", (char *)one, (char *)two, NULL }, **v = argv;
    g_autofree char *why = NULL;
    int argc = 3;
    Options o;

    g_assert_true(options_parse(&o, &argc, &v, &why));
    return o;
}

/* Named costs, and that a cost of its own wins wherever it is written. */
static void test_hosts(void)
{
    Options o = parse_two("--seeds=1", "--json");

    g_assert_cmpstr(o.host->name, ==, "nested");
    g_assert_true(o.host->nested);
    g_assert_cmpint(o.fire_ns, ==, 45000);
    options_clear(&o);
    o = parse_two("--fire-ns=0", "--host=bare");
    g_assert_false(o.host->nested);
    g_assert_cmpint(o.batch_ns, ==, 10000);
    g_assert_cmpint(o.arm_ns, ==, 1000);
    g_assert_cmpint(o.fire_ns, ==, 0);
    options_clear(&o);
}

static void assert_same_json(const char *const *a, const char *const *b,
                             const char *differs)
{
    g_autofree char *one = run(a, 5), *two = run(b, 5);

    *strstr(one, differs) = *strstr(two, differs) = '\0';
    g_assert_cmpstr(one, ==, two);
}

/* A host is its costs and how many traps a second are safe there. */
static void test_host_is_costs(void)
{
    const char *bare[] = { "--host=bare", "--traps=1000", "--estimator=classic",
                           "--pattern=block", "--no-cpu" };
    const char *safe[] = { "--host=bare", "--traps=0", "--estimator=classic",
                           "--pattern=block", "--no-cpu" };

    assert_same_json(bare, safe, ",\"traps\"");
}

typedef struct Seen {
    const char *pattern, *estimator;
    bool unlimited;
    double share;
} Seen;

static void see_row(const Options *o, const Result *r, int n, void *opaque)
{
    Seen s = { o->pattern, o->estimator, o->unlimited, r->checks_share };

    g_array_append_val((GArray *)opaque, s);
}

static GArray *table(const char *one, const char *two)
{
    GArray *rows = g_array_new(false, false, sizeof(Seen));
    Options o = parse_two(one, two);
    g_autofree char *why = NULL;

    o.size = 1ULL << 30;
    o.seconds = 3;
    g_assert_true(table_run(&o, see_row, rows, &why));
    for (size_t i = 0; i < rows->len; i++) { /* its text goes away with @o */
        Seen *s = &g_array_index(rows, Seen, i);

        s->pattern = g_intern_string(s->pattern);
    }
    options_clear(&o);
    return rows;
}

/* DAMON's row comes first, and is what the others are compared with. */
static void assert_rows(GArray *rows, size_t from, size_t n)
{
    const Seen *s = &g_array_index(rows, Seen, from);

    g_assert_cmpstr(s->estimator, ==, "classic");
    g_assert_true(s->unlimited);
    g_assert_cmpfloat(s->share, ==, 1);
    for (size_t i = 1; i < n; i++) {
        g_assert_cmpstr(s[i].pattern, ==, s->pattern);
        g_assert_false(s[i].unlimited);
        g_assert_cmpfloat(s[i].share, >, 0);
        g_assert_cmpfloat(s[i].share, <, 1);
    }
}

static void test_table(void)
{
    const size_t each = 3; /* DAMON, exposure, classic */
    GArray *rows = table("--seed=1", "--no-cpu");

    g_assert_cmpuint(rows->len % each, ==, 0);
    g_assert_cmpuint(rows->len, >, each);
    for (size_t i = 0; i < rows->len; i += each) {
        assert_rows(rows, i, each);
        g_assert_cmpstr(g_array_index(rows, Seen, i + 1).estimator, ==,
                        "exposure");
        g_assert_cmpstr(g_array_index(rows, Seen, i + 2).estimator, ==,
                        "classic");
    }
    g_array_unref(rows);
}

/* Only what was asked for, and never another DAMON. */
static void test_table_of_one(void)
{
    GArray *rows = table("--pattern=moving", "--estimator=exposure");

    g_assert_cmpuint(rows->len, ==, 2);
    assert_rows(rows, 0, 2);
    g_assert_cmpstr(g_array_index(rows, Seen, 1).pattern, ==, "moving");
    g_assert_cmpstr(g_array_index(rows, Seen, 1).estimator, ==, "exposure");
    g_array_unref(rows);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accuracy/score/half", test_half);
    g_test_add_func("/accuracy/score/rate", test_rate);
    g_test_add_func("/accuracy/score/nothing", test_nothing);
    g_test_add_func("/accuracy/score/changes", test_changes);
    g_test_add_func("/accuracy/score/quantile", test_quantile);
    g_test_add_func("/accuracy/run/repeats", test_repeats);
    g_test_add_func("/accuracy/run/options", test_options);
    g_test_add_func("/accuracy/run/hosts", test_hosts);
    g_test_add_func("/accuracy/run/host-traps", test_host_is_costs);
    g_test_add_func("/accuracy/run/table", test_table);
    g_test_add_func("/accuracy/run/table-of-one", test_table_of_one);
    return g_test_run();
}
