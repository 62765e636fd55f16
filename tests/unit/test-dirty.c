/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The primitives dirty-log and dirty-ring on a write log that a test writes. */
#include <glib.h>
#include <string.h>

#include "accel/registry.h"

#define PAGES 16384
#define MS 1000000ULL

/* A write log, and what was asked of it. */
typedef struct Log {
    uint64_t now_ns;
    bool on;
    bool busy; /* no answers */
    bool given_up; /* start is */
    uint64_t spent;
    const char *refuse;
    const char *lost;
    bool dirty[PAGES];
    int starts, stops, clears;
    VhHost host;
} Log;

static uint64_t now(void *opaque)
{
    return ((Log *)opaque)->now_ns;
}

static bool log_start(void *opaque, VhMap *map, char **why)
{
    Log *l = opaque;

    if (l->refuse || l->given_up) {
        *why = g_strdup(l->refuse);
        return false;
    }
    l->lost = NULL;
    l->starts++;
    l->on = true;
    return true;
}

static void log_stop(void *opaque)
{
    Log *l = opaque;

    g_assert_true(l->on);
    l->stops++;
    l->on = false;
}

static bool log_read(void *opaque, VhDirtyPage *pages, size_t n)
{
    Log *l = opaque;

    for (size_t i = 0; i < n && !l->busy; i++) {
        pages[i].dirty = l->dirty[pages[i].gpa / VH_PAGE_SIZE];
    }
    return !l->busy;
}

static bool log_clear(void *opaque, VhDirtyPage *pages, size_t n)
{
    Log *l = opaque;

    log_read(l, pages, n);
    for (size_t i = 0; i < n && !l->busy; i++) {
        l->dirty[pages[i].gpa / VH_PAGE_SIZE] = false;
        l->clears++;
    }
    return !l->busy;
}

static bool log_each(void *opaque, void (*fn)(void *arg, uint64_t gpa),
                     void *arg)
{
    Log *l = opaque;

    for (size_t i = 0; i < PAGES && !l->busy; i++) {
        if (l->dirty[i]) {
            l->dirty[i] = false;
            fn(arg, i * VH_PAGE_SIZE);
        }
    }
    return !l->busy;
}

static uint64_t log_spent(void *opaque)
{
    return ((Log *)opaque)->spent;
}

static const char *log_lost(void *opaque)
{
    return ((Log *)opaque)->lost;
}

static const char *log_refusal(void *opaque)
{
    return ((Log *)opaque)->refuse;
}

static const VhDirtyOps log_ops = {
    .start = log_start,
    .stop = log_stop,
    .read = log_read,
    .clear = log_clear,
    .each = log_each,
    .spent_ns = log_spent,
    .lost = log_lost,
};

static VhMap *new_map(void)
{
    VhMapSection *s = g_new0(VhMapSection, 1);

    s->size = PAGES * VH_PAGE_SIZE;
    s->page_size = VH_PAGE_SIZE;
    s->name = g_strdup("ram");
    return vh_map_new(s, 1);
}

static void init(Log *l, VhDirtyKind kind)
{
    *l = (Log){ .host = { .size = sizeof(VhHost),
                          .kvm = true,
                          .clock = { now, l },
                          .dirty_kind = kind,
                          .dirty_refusal = log_refusal,
                          .dirty = &log_ops,
                          .dirty_opaque = l } };
}

static void *open_on(Log *l, const VhPrimitiveOps *ops)
{
    char *why = NULL;
    VhMap *map = new_map();
    void *p = ops->open(&l->host, &why);

    g_assert_true(ops->set_map(p, map, &why));
    vh_map_unref(map);
    return p;
}

static VhCheck check(size_t page)
{
    return (VhCheck){ .gpa = page * VH_PAGE_SIZE };
}

static void assert_probe(Log *l, const VhPrimitiveOps *ops, const char *says)
{
    VhMap *map = new_map();
    g_autofree char *why = NULL;
    VhCaps caps;
    bool ok = ops->probe(map, &l->host, &caps, &why);

    g_assert_cmpint(ok, ==, says == NULL);
    if (says) {
        g_assert_nonnull(strstr(why, says));
    }
    g_assert_false(caps.sees & VH_SEES_READS);
    vh_map_unref(map);
}

static void test_probe(void)
{
    Log l;

    init(&l, VH_DIRTY_LOG);
    assert_probe(&l, &vh_primitive_dirty_log, NULL);
    assert_probe(&l, &vh_primitive_dirty_ring, "dirty-ring-size=65536");
    init(&l, VH_DIRTY_RING);
    assert_probe(&l, &vh_primitive_dirty_log, "use primitive dirty-ring");
    assert_probe(&l, &vh_primitive_dirty_ring, NULL);
    l.refuse = "not with vhost";
    assert_probe(&l, &vh_primitive_dirty_ring, "not with vhost");
    init(&l, VH_DIRTY_NONE);
    assert_probe(&l, &vh_primitive_dirty_log, "no log");
}

/* KVM's bits are of the host's pages, TCG's of 4 KiB. */
static void test_granule(void)
{
    static const struct {
        const VhPrimitiveOps *ops;
        VhDirtyKind kind;
        bool kvm;
        uint64_t granule;
    } v[] = {
        { &vh_primitive_dirty_log, VH_DIRTY_LOG, true, 64 << 10 },
        { &vh_primitive_dirty_log, VH_DIRTY_LOG, false, VH_PAGE_SIZE },
        { &vh_primitive_dirty_ring, VH_DIRTY_RING, true, 64 << 10 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(v); i++) {
        VhCheck c = check(1);
        VhCaps caps;
        char *why = NULL;
        VhMap *map = new_map();
        Log l;
        void *p;

        init(&l, v[i].kind);
        l.host.kvm = v[i].kvm;
        l.host.page_size = 64 << 10;
        g_assert_true(v[i].ops->probe(map, &l.host, &caps, &why));
        g_assert_cmpuint(caps.granule, ==, v[i].granule);
        p = open_on(&l, v[i].ops);
        v[i].ops->arm(p, &c, 1);
        g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
        g_assert_cmpuint(c.granule, ==, v[i].granule);
        v[i].ops->release(p);
        vh_map_unref(map);
    }
}

static void test_log(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_log;
    VhCheck c[3] = { check(1), check(2), check(PAGES) };
    VhPrimitiveStats st;
    Log l;
    void *p;

    init(&l, VH_DIRTY_LOG);
    l.dirty[1] = true;
    p = open_on(&l, ops);
    ops->arm(p, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_true(c[0].present);
    g_assert_false(c[1].present);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_SKIPPED);
    l.dirty[2] = true;
    ops->collect(p, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_FIRED);
    ops->stats(p, &st);
    g_assert_cmpuint(st.arms, ==, 1);
    g_assert_cmpuint(st.arms_free, ==, 1);
    g_assert_cmpuint(st.fires, ==, 1);
    ops->release(p);
    g_assert_false(l.on);
}

/* No answer is no access, and no silence either. */
static void test_log_busy(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_log;
    VhCheck a = check(1), b = check(2);
    Log l;
    void *p;

    init(&l, VH_DIRTY_LOG);
    p = open_on(&l, ops);
    ops->arm(p, &a, 1);
    l.busy = true;
    ops->collect(p, &a, 1);
    g_assert_cmpint(a.state, ==, VH_CHECK_LOST);
    ops->arm(p, &b, 1);
    g_assert_cmpint(b.state, ==, VH_CHECK_SKIPPED);
    ops->release(p);
}

static void test_log_broken(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_log;
    g_autofree char *why = NULL;
    Log l;
    void *p;

    init(&l, VH_DIRTY_LOG);
    p = open_on(&l, ops);
    g_assert_null(ops->broken(p));
    l.lost = "vhost came";
    why = ops->broken(p);
    g_assert_cmpstr(why, ==, "vhost came");
    ops->idle(p);
    g_assert_null(ops->broken(p));
    ops->release(p);
}

static void test_log_given_up(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_log;
    g_autofree char *why = NULL;
    VhMap *map = new_map();
    Log l;
    void *p;

    init(&l, VH_DIRTY_LOG);
    l.given_up = true;
    p = ops->open(&l.host, &why);
    g_assert_false(ops->set_map(p, map, &why));
    g_assert_nonnull(strstr(why, "meanwhile"));
    ops->release(p);
    vh_map_unref(map);
}

static bool goes_through_migration(uint64_t block_size, bool kvm)
{
    VhMap *map = new_map();
    g_autofree char *why = NULL;
    VhCaps caps;
    Log l;

    init(&l, VH_DIRTY_LOG);
    l.host.kvm = kvm;
    map->sections[0].block_size = block_size;
    g_assert_true(vh_primitive_dirty_log.probe(map, &l.host, &caps, &why));
    vh_map_unref(map);
    return caps.through_migration;
}

static void test_log_migration(void)
{
    g_assert_true(goes_through_migration(1ULL << 30, true));
    g_assert_false(goes_through_migration((1ULL << 30) + 4096, true));
    g_assert_false(goes_through_migration(1ULL << 30, false));
}

/* What another primitive spent before is not charged to this one. */
static void test_spent(const void *opaque)
{
    const VhPrimitiveOps *ops = opaque;
    VhPrimitiveStats st;
    Log l;
    void *p;

    init(&l, ops == &vh_primitive_dirty_log ? VH_DIRTY_LOG : VH_DIRTY_RING);
    l.spent = 5000;
    p = open_on(&l, ops);
    l.spent = 5007;
    ops->stats(p, &st);
    g_assert_cmpuint(st.host_ns, ==, 7);
    ops->release(p);
}

static void ring_tick(Log *l, void *p, double allowed, VhCheck *c, size_t n)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;

    for (size_t i = 0; i < n; i++) {
        c[i].state = VH_CHECK_NEW;
    }
    ops->allow(p, allowed);
    ops->arm(p, c, n);
    l->now_ns += 50 * MS;
}

/* Ticks through the exposure that begins now; the log is off afterwards. */
static void take_picture(Log *l, void *p, VhCheck *c, size_t n, size_t written)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    int ticks = 0;

    do {
        ring_tick(l, p, 10, c, n);
        g_assert_true(l->on);
        l->dirty[written] = true;
        ops->collect(p, c, n);
    } while (l->on && ++ticks < 20);
    g_assert_false(l->on);
}

/* One picture answers until the next is allowed. */
static void test_ring(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[2] = { check(1), check(2) };
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    g_assert_false(l.on);
    take_picture(&l, p, c, 2, 1);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SILENT);

    ring_tick(&l, p, -1, c, 2);
    g_assert_false(l.on);
    ops->collect(p, c, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);

    take_picture(&l, p, c, 2, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_FIRED);
    ops->release(p);
    g_assert_cmpint(l.starts, ==, 2);
    g_assert_cmpint(l.stops, ==, 2);
}

/*
 * Faults leave the guest time for a sixteenth of its pages a tick, so even the
 * longest exposure shows but half of them: only overlaid pictures show all.
 */
static void test_ring_slow_guest(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[2] = { check(0), check(PAGES - 1) };
    Log l;
    void *p;
    size_t at = 0;
    int ticks = 0;

    init(&l, VH_DIRTY_RING);
    l.host.nested = true;
    p = open_on(&l, ops);
    do {
        ring_tick(&l, p, 10, c, 2);
        for (size_t i = 0; i < PAGES / 16; i++) {
            l.dirty[at++ % PAGES] = true;
        }
        ops->collect(p, c, 2);
    } while ((c[0].state != VH_CHECK_FIRED || c[1].state != VH_CHECK_FIRED) &&
             ++ticks < 40);
    g_assert_cmpint(ticks, <, 40);
    ops->release(p);
}

/* One exposure at @gain pages a tick, beginning with page *@at. */
static void expose_slowly(Log *l, void *p, VhCheck *c, size_t n, size_t *at,
                          size_t gain)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;

    do {
        ring_tick(l, p, 10, c, n);
        g_assert_true(l->on);
        for (size_t i = 0; i < gain; i++) {
            l->dirty[(*at)++ % PAGES] = true;
        }
        ops->collect(p, c, n);
    } while (l->on);
}

/*
 * While a new picture is put together out of several exposures the complete one
 * stands in for it; what it alone shows is forgotten when the new one is
 * complete.
 */
static void test_ring_stand_in(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[2] = { check(0), check(PAGES - 1) };
    size_t at = 0;
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    l.host.nested = true;
    p = open_on(&l, ops);
    for (int i = 0; i < 4; i++) { /* twice all pages */
        expose_slowly(&l, p, c, 2, &at, PAGES / 16);
    }
    for (int i = 0; i < 3; i++) { /* now only the first half */
        at = 0;
        expose_slowly(&l, p, c, 2, &at, PAGES / 16);
        g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
        g_assert_cmpint(c[1].state, ==, VH_CHECK_FIRED);
    }
    at = 0;
    expose_slowly(&l, p, c, 2, &at, PAGES / 16);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SILENT);
    ops->release(p);
}

/* Nothing is exposed: of two checks the first fired, the second is @second. */
static void assert_rests(Log *l, void *p, VhCheck *c, VhCheckState second)
{
    ring_tick(l, p, -1, c, 2);
    g_assert_false(l->on);
    vh_primitive_dirty_ring.collect(p, c, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[1].state, ==, second);
}

/* Paused within an exposure: logging ends, what it showed is kept. */
static void test_ring_rest(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[2] = { check(1), check(2) };
    VhPrimitiveStats st;
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    ops->rest(p); /* nothing to do */
    ring_tick(&l, p, 10, c, 2);
    g_assert_true(l.on);
    l.dirty[1] = true;
    ops->rest(p);
    g_assert_false(l.on);
    ops->stats(p, &st);
    g_assert_cmpuint(st.fires, ==, 1); /* it is paid for */
    assert_rests(&l, p, c, VH_CHECK_SILENT);
    ops->release(p);
}

/* What an exposure was too short for is known from the picture before it. */
static void test_ring_rest_early(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[2] = { check(1), check(2) };
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    take_picture(&l, p, c, 2, 1);
    ring_tick(&l, p, 10, c, 2);
    g_assert_true(l.on);
    l.dirty[2] = true;
    ops->rest(p);
    assert_rests(&l, p, c, VH_CHECK_FIRED);
    ops->release(p);
}

/* Released while the log is on. */
static void test_ring_released(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[1] = { check(1) };
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    ring_tick(&l, p, 10, c, 1);
    g_assert_true(l.on);
    ops->release(p);
    g_assert_false(l.on);
}

static void test_ring_busy(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[1] = { check(1) };
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    do {
        ring_tick(&l, p, 10, c, 1);
        l.busy = true;
        ops->collect(p, c, 1);
        g_assert_cmpint(c[0].state, ==, VH_CHECK_LOST);
    } while (l.on);
    ops->release(p);
}

static void assert_broken(void *p, const char *says)
{
    g_autofree char *why = vh_primitive_dirty_ring.broken(p);

    g_assert_cmpstr(why, ==, says);
}

/* A vhost device came in an exposure; later it is gone. */
static void test_ring_broken(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[1] = { check(1) };
    VhMap *map = new_map();
    char *why = NULL;
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    take_picture(&l, p, c, 1, 1);
    assert_broken(p, NULL);
    ring_tick(&l, p, 10, c, 1);
    l.busy = true;
    l.lost = "vhost came";
    while (l.on) {
        ops->collect(p, c, 1);
        ring_tick(&l, p, -1, c, 1);
    }
    ops->collect(p, c, 1);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_LOST);
    assert_broken(p, "vhost came");

    ops->idle(p);
    l.busy = false;
    g_assert_true(ops->set_map(p, map, &why));
    assert_broken(p, NULL);
    take_picture(&l, p, c, 1, 1);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
    ops->release(p);
    vh_map_unref(map);
}

/* A vhost device came between two exposures: the old picture is no answer. */
static void test_ring_refused(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[1] = { check(1) };
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    take_picture(&l, p, c, 1, 1);
    l.refuse = "not with vhost";
    ring_tick(&l, p, 10, c, 1);
    assert_broken(p, "not with vhost");
    ring_tick(&l, p, 10, c, 1);
    ops->release(p);
}

/* QEMU had no time: no fault, and the next tick tries again. */
static void test_ring_given_up(void)
{
    const VhPrimitiveOps *ops = &vh_primitive_dirty_ring;
    VhCheck c[1] = { check(1) };
    Log l;
    void *p;

    init(&l, VH_DIRTY_RING);
    p = open_on(&l, ops);
    l.given_up = true;
    ring_tick(&l, p, 10, c, 1);
    assert_broken(p, NULL);
    l.given_up = false;
    take_picture(&l, p, c, 1, 1);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
    ops->release(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dirty/probe", test_probe);
    g_test_add_func("/dirty/granule", test_granule);
    g_test_add_func("/dirty/log", test_log);
    g_test_add_func("/dirty/log-busy", test_log_busy);
    g_test_add_func("/dirty/log-broken", test_log_broken);
    g_test_add_func("/dirty/log-given-up", test_log_given_up);
    g_test_add_func("/dirty/log-migration", test_log_migration);
    g_test_add_data_func("/dirty/log-spent", &vh_primitive_dirty_log,
                         test_spent);
    g_test_add_data_func("/dirty/ring-spent", &vh_primitive_dirty_ring,
                         test_spent);
    g_test_add_func("/dirty/ring", test_ring);
    g_test_add_func("/dirty/ring-slow-guest", test_ring_slow_guest);
    g_test_add_func("/dirty/ring-stand-in", test_ring_stand_in);
    g_test_add_func("/dirty/ring-rest", test_ring_rest);
    g_test_add_func("/dirty/ring-rest-early", test_ring_rest_early);
    g_test_add_func("/dirty/ring-released", test_ring_released);
    g_test_add_func("/dirty/ring-busy", test_ring_busy);
    g_test_add_func("/dirty/ring-broken", test_ring_broken);
    g_test_add_func("/dirty/ring-refused", test_ring_refused);
    g_test_add_func("/dirty/ring-given-up", test_ring_given_up);
    return g_test_run();
}
