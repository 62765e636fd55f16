/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The primitive damon, and what is said over its socket. */
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accel/damon-wire.h"
#include "accel/registry.h"
#include "vmheat/snapshot.h"

#define MIB (1ULL << 20)
#define HVA 0x700000000000ULL

/* A primitive, and the helper's end of its socket. */
typedef struct Rig {
    uint64_t now_ns;
    VhHost host;
    int fds[2]; /* QEMU's, the helper's */
    VhMap *map;
    void *p;
    VhDamonMessage m;
} Rig;

static const VhPrimitiveOps *const ops = &vh_primitive_damon;

static uint64_t now(void *opaque)
{
    return ((Rig *)opaque)->now_ns;
}

static bool granted(void *opaque, const char *what, int *fd)
{
    Rig *r = opaque;

    if (!g_str_equal(what, VH_GRANT_DAMON) || r->fds[0] < 0) {
        return false;
    }
    if (fd) {
        *fd = dup(r->fds[0]);
    }
    return true;
}

/* Two sections, in the other order in QEMU than in the guest. */
static VhMap *new_map(void)
{
    VhMapSection *s = g_new0(VhMapSection, 2);

    for (int i = 0; i < 2; i++) {
        s[i].gpa = i * 4096 * MIB;
        s[i].size = 16 * MIB;
        s[i].hva = (uint8_t *)(uintptr_t)(HVA + (i ? 0 : 64 * MIB));
        s[i].name = g_strdup("ram");
    }
    return vh_map_new(s, 2);
}

static void init(Rig *r)
{
    memset(r, 0, sizeof(*r));
    r->host = (VhHost){ .size = sizeof(VhHost),
                        .clock = { now, r },
                        .granted = granted,
                        .grant_opaque = r };
    r->now_ns = 1000000000;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, r->fds), ==, 0);
    r->map = new_map();
}

static VhDamonGot hear(Rig *r)
{
    g_autofree char *why = NULL;

    return vh_damon_receive(r->fds[1], &r->m, NULL, &why);
}

static void start(Rig *r)
{
    char *why = NULL;

    init(r);
    r->p = ops->open(&r->host, &why);
    g_assert_nonnull(r->p);
    g_assert_true(ops->set_map(r->p, r->map, &why));
    g_assert_cmpint(hear(r), ==, VH_DAMON_GOT);
    g_assert_cmpint(r->m.header.type, ==, VH_DAMON_WATCH);
}

static void stop(Rig *r)
{
    if (r->p) {
        ops->release(r->p);
    }
    vh_map_unref(r->map);
    for (int i = 0; i < 2; i++) {
        if (r->fds[i] >= 0) {
            close(r->fds[i]);
        }
    }
}

static void test_watch(void)
{
    VhAttrs attrs = { 1000, 200000, 1000000, 10, 100000 };
    Rig r;

    start(&r);
    g_assert_cmpuint(r.m.watch.nr, ==, 2);
    g_assert_cmpuint(r.m.watch.ranges[0].start, ==, HVA);
    g_assert_cmpuint(r.m.watch.ranges[0].end, ==, HVA + 16 * MIB);
    g_assert_cmpuint(r.m.watch.ranges[1].start, ==, HVA + 64 * MIB);
    ops->attrs(r.p, &attrs);
    g_assert_cmpint(hear(&r), ==, VH_DAMON_GOT);
    g_assert_cmpuint(r.m.watch.sampling_us, ==, VH_DAMON_SAMPLING_US_MIN);
    g_assert_cmpuint(r.m.watch.aggregation_us, ==, 200000);
    g_assert_cmpuint(r.m.watch.max_regions, ==, VH_DAMON_NR_REGIONS_MAX);
    ops->attrs(r.p, &attrs); /* nothing new */
    g_assert_cmpint(hear(&r), ==, VH_DAMON_NOTHING);
    ops->idle(r.p);
    g_assert_cmpint(hear(&r), ==, VH_DAMON_GOT);
    g_assert_cmpint(r.m.header.type, ==, VH_DAMON_STOP);
    stop(&r);
}

/* The answer to the WATCH in r->m, in parts of one region each. */
static void tell(Rig *r, uint64_t id, const VhDamonRegion *regions, uint32_t n)
{
    VhDamonMessage m = { .header = vh_damon_header(VH_DAMON_REGIONS) };

    m.regions.id = id;
    m.regions.snapshot = 1;
    m.regions.taken_ns = r->now_ns;
    m.regions.sampling_us = 5000;
    m.regions.aggregation_us = 100000;
    m.regions.max_nr_accesses = 20;
    m.regions.total = n;
    m.regions.nr = 1;
    for (uint32_t i = 0; i < n; i++) {
        m.regions.first = i;
        m.regions.regions[0] = regions[i];
        g_assert_cmpint(vh_damon_send(r->fds[1], &m, vh_damon_length(&m)), ==,
                        0);
    }
}

static void assert_region(const VhSnapRegion *r, uint64_t start, uint64_t end,
                          uint32_t nr, uint32_t age)
{
    g_assert_cmpuint(r->start, ==, start);
    g_assert_cmpuint(r->end, ==, end);
    g_assert_cmpuint(r->nr_accesses, ==, nr);
    g_assert_cmpuint(r->age, ==, age);
}

static void test_regions(void)
{
    /* before, across the end of, and after what is at HVA */
    static const VhDamonRegion told[] = {
        { HVA - 4 * MIB, HVA + 4 * MIB, 20, 7 },
        { HVA + 4 * MIB, HVA + 32 * MIB, 0, 9 },
        { HVA + 60 * MIB, HVA + 80 * MIB, 3, 1 },
    };
    VhSnapshot *s;
    Rig r;

    start(&r);
    g_assert_null(ops->regions(r.p));
    tell(&r, r.m.watch.id, told, 3);
    s = ops->regions(r.p);
    g_assert_nonnull(s);
    g_assert_cmpuint(s->nr_regions, ==, 3);
    assert_region(&s->regions[0], 0, 16 * MIB, 3, 1);
    assert_region(&s->regions[1], 4096 * MIB, 4100 * MIB, 20, 7);
    assert_region(&s->regions[2], 4100 * MIB, 4112 * MIB, 0, 9);
    g_assert_cmpuint(s->max_nr_accesses, ==, 20);
    vh_snapshot_unref(s);
    g_assert_null(ops->regions(r.p));
    stop(&r);
}

/* Of another WATCH, too old, or with a part missing: of no use. */
static void test_useless_regions(void)
{
    static const VhDamonRegion told[] = { { HVA, HVA + MIB, 1, 1 },
                                          { HVA + MIB, HVA + 2 * MIB, 2, 2 } };
    uint64_t id;
    Rig r;

    start(&r);
    id = r.m.watch.id;
    tell(&r, id + 1, told, 2);
    g_assert_null(ops->regions(r.p));
    tell(&r, id, told, 2);
    r.now_ns += 60000000000;
    g_assert_null(ops->regions(r.p));
    tell(&r, id, told, 2);
    g_assert_cmpint(recv(r.fds[0], &r.m, sizeof(r.m), 0), >, 0); /* the first */
    g_assert_null(ops->regions(r.p));
    g_assert_null(ops->broken(r.p));
    stop(&r);
}

static void assert_broken(Rig *r, const char *says)
{
    g_autofree char *why = NULL;

    g_assert_null(ops->regions(r->p));
    why = ops->broken(r->p);
    g_assert_nonnull(why);
    if (!strstr(why, says)) {
        g_error("'%s' does not say '%s'", why, says);
    }
}

static void test_helper_ends(void)
{
    g_autofree char *why = NULL;
    VhCaps caps;
    Rig r;

    start(&r);
    g_assert_true(ops->probe(r.map, &r.host, &caps, &why));
    close(r.fds[1]);
    r.fds[1] = -1;
    assert_broken(&r, "has ended");
    g_assert_false(ops->probe(r.map, &r.host, &caps, &why));
    g_assert_nonnull(strstr(why, "run 'vmheat grant --damon"));
    stop(&r);
}

static void test_helper_complains(void)
{
    size_t n;
    Rig r;

    start(&r);
    n = vh_damon_error(&r.m, "DAMON is somebody else's");
    g_assert_cmpint(vh_damon_send(r.fds[1], &r.m, n), ==, 0);
    assert_broken(&r, "DAMON is somebody else's");
    stop(&r);
}

/* It complains and ends while nothing is watched. */
static void test_last_words(void)
{
    g_autofree char *why = NULL;
    size_t n;
    Rig r;

    start(&r);
    ops->idle(r.p);
    n = vh_damon_error(&r.m, "DAMON is somebody else's");
    g_assert_cmpint(vh_damon_send(r.fds[1], &r.m, n), ==, 0);
    close(r.fds[1]);
    r.fds[1] = -1;
    ops->set_map(r.p, r.map, &why);
    assert_broken(&r, "DAMON is somebody else's");
    stop(&r);
}

static void test_helper_talks_nonsense(void)
{
    Rig r;

    start(&r);
    g_assert_cmpint(send(r.fds[1], "hello", 5, 0), ==, 5);
    assert_broken(&r, "unusable");
    stop(&r);
}

/* The helper does not listen: room for nothing more. */
static void fill(Rig *r)
{
    VhDamonMessage m = { .header = vh_damon_header(VH_DAMON_STOP) };
    int n = 0;

    while (!vh_damon_send(r->fds[0], &m, vh_damon_length(&m))) {
        n++;
    }
    g_assert_cmpint(n, >, 0);
}

/* What comes after all the STOPs. */
static VhDamonGot hear_last(Rig *r)
{
    VhDamonGot got;

    do {
        got = hear(r);
    } while (got == VH_DAMON_GOT && r->m.header.type == VH_DAMON_STOP);
    return got;
}

/* A WATCH that does not fit is sent later, and only the latest. */
static void test_deaf_helper(void)
{
    VhAttrs first = { 10000, 200000, 1000000, 10, 100 };
    VhAttrs second = { 20000, 200000, 1000000, 10, 100 };
    Rig r;

    start(&r);
    fill(&r);
    ops->attrs(r.p, &first);
    ops->attrs(r.p, &second);
    g_assert_null(ops->regions(r.p));
    g_assert_cmpint(hear_last(&r), ==, VH_DAMON_NOTHING);
    g_assert_null(ops->regions(r.p));
    g_assert_cmpint(hear(&r), ==, VH_DAMON_GOT);
    g_assert_cmpint(r.m.header.type, ==, VH_DAMON_WATCH);
    g_assert_cmpuint(r.m.watch.sampling_us, ==, 20000);
    g_assert_null(ops->broken(r.p));
    g_assert_cmpint(hear(&r), ==, VH_DAMON_NOTHING);
    stop(&r);
}

/* A STOP that does not fit: hanging up stops DAMON as well. */
static void test_idle_deaf_helper(void)
{
    g_autofree char *why = NULL;
    Rig r;

    start(&r);
    fill(&r);
    ops->idle(r.p);
    g_assert_cmpint(hear_last(&r), ==, VH_DAMON_CLOSED);
    g_assert_false(ops->set_map(r.p, r.map, &why));
    g_assert_nonnull(strstr(why, "has ended"));
    stop(&r);
}

/* What is watched already is not begun anew: DAMON would forget its regions. */
static void test_same_map(void)
{
    g_autofree char *why = NULL;
    VhMap *same = new_map();
    uint64_t id;
    Rig r;

    start(&r);
    id = r.m.watch.id;
    g_assert_true(ops->set_map(r.p, same, &why));
    g_assert_cmpint(hear(&r), ==, VH_DAMON_NOTHING);
    ops->idle(r.p);
    g_assert_true(ops->set_map(r.p, same, &why));
    g_assert_cmpint(hear(&r), ==, VH_DAMON_GOT);
    g_assert_cmpint(r.m.header.type, ==, VH_DAMON_STOP);
    g_assert_cmpint(hear(&r), ==, VH_DAMON_GOT);
    g_assert_cmpint(r.m.header.type, ==, VH_DAMON_WATCH);
    g_assert_cmpuint(r.m.watch.id, !=, id);
    vh_map_unref(same);
    stop(&r);
}

static void test_not_granted(void)
{
    g_autofree char *why = NULL;
    VhCaps caps;
    Rig r;

    init(&r);
    close(r.fds[0]);
    r.fds[0] = -1;
    g_assert_false(ops->probe(r.map, &r.host, &caps, &why));
    g_assert_nonnull(strstr(why, "vmheat grant --damon"));
    stop(&r);
}

static void test_wrong_descriptor(void)
{
    g_autofree char *why = NULL;
    Rig r;

    init(&r);
    close(r.fds[0]);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, r.fds), ==, 0);
    g_assert_null(ops->open(&r.host, &why));
    g_assert_nonnull(strstr(why, "is not the socket"));
    stop(&r);
}

/* A valid message of each kind. */
static size_t example(VhDamonMessage *m, int kind)
{
    static const VhAttrs attrs = { 5000, 100000, 1000000, 10, 1000 };

    memset(m, 0, sizeof(*m));
    m->header = vh_damon_header(kind);
    switch (kind) {
    case VH_DAMON_WATCH:
        m->watch.sampling_us = attrs.sampling_us;
        m->watch.aggregation_us = attrs.aggregation_us;
        m->watch.update_us = attrs.update_us;
        m->watch.min_regions = attrs.min_regions;
        m->watch.max_regions = attrs.max_regions;
        m->watch.nr = 2;
        m->watch.ranges[0] = (VhRange){ HVA, HVA + MIB };
        m->watch.ranges[1] = (VhRange){ HVA + MIB, HVA + 2 * MIB };
        break;
    case VH_DAMON_REGIONS:
        m->regions.sampling_us = 5000;
        m->regions.aggregation_us = 100000;
        m->regions.max_nr_accesses = 20;
        m->regions.total = m->regions.nr = 2;
        m->regions.regions[0] = (VhDamonRegion){ HVA, HVA + MIB, 20, 1 };
        m->regions.regions[1] =
            (VhDamonRegion){ HVA + MIB, HVA + 2 * MIB, 0, 1 };
        break;
    case VH_DAMON_ERROR:
        return vh_damon_error(m, "no");
    }
    return vh_damon_length(m);
}

static bool is_valid(const VhDamonMessage *m, size_t n)
{
    g_autofree char *why = NULL;
    bool ok = vh_damon_check(m, n, &why);

    g_assert_true(ok == (why == NULL));
    return ok;
}

static void test_valid(void)
{
    VhDamonMessage m;

    for (int kind = VH_DAMON_WATCH; kind <= VH_DAMON_ERROR; kind++) {
        size_t n = example(&m, kind);

        g_assert_true(is_valid(&m, n));
        /* an ERROR is as long as it is */
        g_assert_true(is_valid(&m, n - 1) == (kind == VH_DAMON_ERROR));
        m.header.version++;
        g_assert_false(is_valid(&m, n));
    }
}

static void test_invalid(void)
{
    VhDamonMessage m;
    size_t n = example(&m, VH_DAMON_WATCH);

#define BAD(member, value)                   \
    do {                                     \
        VhDamonMessage bad = m;              \
        bad.member = (value);                \
        g_assert_false(is_valid(&bad, n));   \
    } while (0)
    BAD(watch.nr, 0);
    BAD(watch.nr, 3);
    BAD(watch.nr, UINT32_MAX);
    BAD(watch.sampling_us, 1);
    BAD(watch.aggregation_us, 1000);
    BAD(watch.aggregation_us, UINT64_MAX);
    BAD(watch.min_regions, 2);
    BAD(watch.max_regions, 5);
    BAD(watch.max_regions, UINT32_MAX);
    BAD(watch.ranges[0].end, HVA);
    BAD(watch.ranges[1].start, HVA);
    BAD(watch.ranges[1].start, HVA + MIB + 1);
    BAD(watch.ranges[1].end, UINT64_MAX & ~4095ULL);
    n = example(&m, VH_DAMON_REGIONS);
    BAD(regions.total, 1);
    BAD(regions.total, UINT32_MAX);
    BAD(regions.first, 1);
    BAD(regions.first, UINT32_MAX);
    BAD(regions.max_nr_accesses, 0);
    BAD(regions.max_nr_accesses, 19);
    BAD(regions.sampling_us, 0);
    BAD(regions.regions[1].start, HVA);
#undef BAD
}

/* Whatever comes: it is refused, or it is as long as it says. */
static void test_noise(void)
{
    g_autofree VhDamonMessage *m = g_new(VhDamonMessage, 1);
    uint8_t *bytes = (uint8_t *)m;

    for (int i = 0; i < 20000; i++) {
        size_t n = example(m, 1 + i % 4);

        for (int k = 0; k <= i % 5; k++) {
            bytes[g_test_rand_int_range(0, n)] = g_test_rand_int();
        }
        if (g_test_rand_int_range(0, 3) == 0) {
            n = g_test_rand_int_range(0, n + 64);
        }
        if (is_valid(m, n) && m->header.type != VH_DAMON_ERROR) {
            g_assert_cmpuint(vh_damon_length(m), ==, n);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/damon/watch", test_watch);
    g_test_add_func("/damon/regions", test_regions);
    g_test_add_func("/damon/useless-regions", test_useless_regions);
    g_test_add_func("/damon/helper-ends", test_helper_ends);
    g_test_add_func("/damon/helper-complains", test_helper_complains);
    g_test_add_func("/damon/last-words", test_last_words);
    g_test_add_func("/damon/helper-talks-nonsense", test_helper_talks_nonsense);
    g_test_add_func("/damon/deaf-helper", test_deaf_helper);
    g_test_add_func("/damon/idle-deaf-helper", test_idle_deaf_helper);
    g_test_add_func("/damon/same-map", test_same_map);
    g_test_add_func("/damon/not-granted", test_not_granted);
    g_test_add_func("/damon/wrong-descriptor", test_wrong_descriptor);
    g_test_add_func("/damon/wire/valid", test_valid);
    g_test_add_func("/damon/wire/invalid", test_invalid);
    g_test_add_func("/damon/wire/noise", test_noise);
    return g_test_run();
}
