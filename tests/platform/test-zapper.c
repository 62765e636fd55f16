/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which thread unmaps: the choice between worker and vCPU. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/zap.h"

#define PAGES 16
#define SECOND 1000000000ULL

typedef struct Fix {
    VhHost host;
    VhZapper z;
    VhMap *map;
    uint8_t *mem;
    uint64_t now_ns;
    bool absent;             /* there is no vCPU */
    bool dead;               /* it never answers */
    unsigned posted;         /* batches handed to it */
    void (*late_fn)(void *); /* of the last unanswered batch */
    void *late_arg[8];       /* all of them */
    unsigned late;
} Fix;

static uint64_t now_ns(void *opaque)
{
    return ((Fix *)opaque)->now_ns;
}

/* At once, in the same thread. */
static bool run_on_vcpu(void *opaque, void (*fn)(void *arg), void *arg)
{
    Fix *f = opaque;

    if (f->absent) {
        return false;
    }
    f->posted++;
    if (f->dead) {
        g_assert_cmpuint(f->late, <, G_N_ELEMENTS(f->late_arg));
        f->late_fn = fn;
        f->late_arg[f->late++] = arg;
    } else {
        fn(arg);
    }
    return true;
}

static void setup(Fix *f, const void *unused)
{
    f->host = (VhHost){ .run_on_vcpu = run_on_vcpu,
                        .clock = { now_ns, f },
                        .opaque = f };
    f->now_ns = 1000 * SECOND;
    f->map = vh_map_new(NULL, 0);
    f->mem = mmap(NULL, PAGES * VH_PAGE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(f->mem, 1, PAGES * VH_PAGE_SIZE);
    vh_zapper_init(&f->z, &f->host, vh_zap_op);
}

static void teardown(Fix *f, const void *unused)
{
    for (unsigned i = 0; i < f->late; i++) {
        f->late_fn(f->late_arg[i]);
    }
    g_assert_cmpint(f->map->refs, ==, 1);
    vh_map_unref(f->map);
    munmap(f->mem, PAGES * VH_PAGE_SIZE);
}

/* One batch; returns who was asked. *@answered may be NULL. */
static VhZapMode run(Fix *f, bool *answered)
{
    unsigned before = f->posted;
    VhZap zaps[PAGES];
    bool ok;

    for (size_t i = 0; i < PAGES; i++) {
        zaps[i] =
            (VhZap){ .addr = f->mem + i * VH_PAGE_SIZE, .len = VH_PAGE_SIZE };
    }
    ok = vh_zapper_run(&f->z, f->map, zaps, PAGES);
    for (size_t i = 0; ok && i < PAGES; i++) {
        g_assert_true(zaps[i].ok);
    }
    if (answered) {
        *answered = ok;
    } else {
        g_assert_true(ok);
    }
    return f->posted > before ? VH_ZAP_VCPU : VH_ZAP_WORKER;
}

/* As if measured: far enough apart that real measurements do not matter. */
static void pretend(Fix *f, double worker_ns, double vcpu_ns)
{
    f->z.cost[VH_ZAP_WORKER] = (VhZapCost){ worker_ns, 0, 100 };
    f->z.cost[VH_ZAP_VCPU] = (VhZapCost){ vcpu_ns, 0, 100 };
    f->z.measured_ns = f->now_ns;
}

static void test_measures_both(Fix *f, const void *unused)
{
    unsigned vcpu = 0;

    for (int i = 0; i < 6; i++) {
        vcpu += run(f, NULL) == VH_ZAP_VCPU;
    }
    g_assert_cmpuint(vcpu, ==, 3);
    g_assert_cmpuint(f->z.cost[VH_ZAP_WORKER].samples, ==, 3);
    g_assert_cmpuint(f->z.cost[VH_ZAP_VCPU].samples, ==, 3);
    g_assert_cmpfloat(f->z.cost[VH_ZAP_VCPU].each_ns, >, 0);
    g_assert_cmpfloat(f->z.cost[VH_ZAP_WORKER].each_ns, >, 0);
    g_assert_cmpuint(f->z.vcpu_ns, >, 0);
}

static void test_cheaper(Fix *f, const void *unused)
{
    pretend(f, 1e12, 1);
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
    g_assert_cmpint(f->z.mode, ==, VH_ZAP_VCPU);
    pretend(f, 1, 1e12);
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    g_assert_cmpint(f->z.mode, ==, VH_ZAP_WORKER);
}

/* The fixed part of a batch counts, and less the larger batches are. */
static void test_batch_cost(Fix *f, const void *unused)
{
    pretend(f, 1e6, 1);
    f->z.cost[VH_ZAP_VCPU].batch_ns = 1e8;
    f->z.typical = 1;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    pretend(f, 1e6, 1);
    f->z.cost[VH_ZAP_VCPU].batch_ns = 1e8;
    f->z.typical = 1000;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
}

static void test_remeasures(Fix *f, const void *unused)
{
    pretend(f, 1, 1e12);
    f->now_ns += 30 * SECOND - 1;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    f->now_ns += 1;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU); /* once */
    g_assert_cmpuint(f->z.cost[VH_ZAP_VCPU].samples, ==, 101);
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    f->now_ns += 30 * SECOND;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
}

/* A batch that was interrupted for long must not make arming look dear. */
static void test_outlier(Fix *f, const void *unused)
{
    pretend(f, 1, 1e12); /* a real zap takes thousands of times longer */
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    g_assert_cmpfloat(f->z.cost[VH_ZAP_WORKER].each_ns, <=, 1.75);
    pretend(f, 1e12, 1);
    f->z.vcpu_ns = 0;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
    g_assert_cmpfloat(f->z.cost[VH_ZAP_VCPU].each_ns, <=, 1.75);
    g_assert_cmpuint(f->z.vcpu_ns, <, 1000);
}

/* What was dear becomes cheap: found out after some looks. */
static void test_changes_mind(Fix *f, const void *unused)
{
    int looks = 0;

    pretend(f, 1e6, 1e9);
    while (f->z.mode == VH_ZAP_WORKER) {
        f->z.cost[VH_ZAP_WORKER].each_ns = 1e6;
        f->now_ns += 30 * SECOND;
        run(f, NULL);
        g_assert_cmpint(++looks, <, 100);
    }
    g_assert_cmpint(looks, >, 1);
}

static void test_timeouts(Fix *f, const void *unused)
{
    bool answered;

    pretend(f, 1e12, 1);
    f->dead = true;
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(run(f, &answered), ==, VH_ZAP_VCPU);
        g_assert_false(answered);
    }
    f->z.cost[VH_ZAP_WORKER].each_ns = 1e12;
    g_assert_cmpint(run(f, &answered), ==, VH_ZAP_WORKER);
    g_assert_true(answered);
    f->dead = false; /* it came back: one look shows */
    f->now_ns += 30 * SECOND;
    f->z.cost[VH_ZAP_WORKER].each_ns = 1e12;
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
}

/* Nothing is lost when there is no vCPU: the worker does it. */
static void test_absent(Fix *f, const void *unused)
{
    pretend(f, 1e12, 1);
    f->absent = true;
    for (int i = 0; i < 10; i++) {
        g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    }
    g_assert_cmpint(f->z.mode, ==, VH_ZAP_WORKER);
    g_assert_cmpuint(f->z.cost[VH_ZAP_WORKER].samples, ==, 110);
}

static void test_no_vcpus(Fix *f, const void *unused)
{
    f->host.run_on_vcpu = NULL;
    for (int i = 0; i < 10; i++) {
        g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    }
}

static void test_nothing(Fix *f, const void *unused)
{
    g_assert_true(vh_zapper_run(&f->z, f->map, NULL, 0));
    g_assert_cmpuint(f->z.cost[VH_ZAP_WORKER].samples, ==, 0);
    g_assert_cmpuint(f->posted, ==, 0);
}

/* An operation of our own, which counts. */
typedef struct Counter {
    unsigned runs;
    unsigned refs;
} Counter;

static bool counter_run(void *arg, void *addr, size_t len)
{
    ((Counter *)arg)->runs++;
    return true;
}

static void counter_ref(void *arg)
{
    ((Counter *)arg)->refs++;
}

static void counter_unref(void *arg)
{
    ((Counter *)arg)->refs--;
}

/* Either way it is run once a range, and held while a vCPU may run it. */
static void test_operation(Fix *f, const void *unused)
{
    Counter counter = { 0 };
    bool answered;

    vh_zapper_init(
        &f->z, &f->host,
        (VhZapOp){ counter_run, &counter, counter_ref, counter_unref });
    pretend(f, 1, 1e12);
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_WORKER);
    g_assert_cmpuint(counter.runs, ==, PAGES);
    pretend(f, 1e12, 1);
    g_assert_cmpint(run(f, NULL), ==, VH_ZAP_VCPU);
    g_assert_cmpuint(counter.runs, ==, 2 * PAGES);
    g_assert_cmpuint(counter.refs, ==, 0);
    f->dead = true;
    run(f, &answered);
    g_assert_false(answered);
    g_assert_cmpuint(counter.refs, ==, 1);
    f->late_fn(f->late_arg[--f->late]);
    g_assert_cmpuint(counter.refs, ==, 0);
    g_assert_cmpuint(counter.runs, ==, 2 * PAGES); /* it was cancelled */
}

static void test_failure(Fix *f, const void *unused)
{
    VhZap z = { .addr = f->mem + 1, .len = VH_PAGE_SIZE, .ok = true };

    g_assert_true(vh_zapper_run(&f->z, f->map, &z, 1));
    g_assert_false(z.ok);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fix *f, const void *unused);
    } tests[] = {
        { "/zapper/measures-both", test_measures_both },
        { "/zapper/cheaper", test_cheaper },
        { "/zapper/batch-cost", test_batch_cost },
        { "/zapper/remeasures", test_remeasures },
        { "/zapper/outlier", test_outlier },
        { "/zapper/changes-mind", test_changes_mind },
        { "/zapper/timeouts", test_timeouts },
        { "/zapper/absent", test_absent },
        { "/zapper/no-vcpus", test_no_vcpus },
        { "/zapper/nothing", test_nothing },
        { "/zapper/failure", test_failure },
        { "/zapper/operation", test_operation },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].path, Fix, NULL, setup, tests[i].test, teardown);
    }
    return g_test_run();
}
