/* SPDX-License-Identifier: GPL-2.0-or-later */
/* White-box: idle page tracking on a kernel that is made up. */
#include "fake-idle.h"

#include "accel/idle-page.c"

typedef struct Fix {
    VhHost host;
    VhMap *map;
    IdlePage *p;
} Fix;

static VhMap *map_of(uint64_t page_size, uint64_t page_size2)
{
    static const unsigned flags[] = { 0, VH_SECTION_HUGETLB };
    VhMapSection *s = g_new0(VhMapSection, 2);

    for (int i = 0; i < 2; i++) {
        s[i] =
            (VhMapSection){ .gpa = GPA + i * 16 * PAGES * VH_PAGE_SIZE,
                            .size = PAGES / 2 * VH_PAGE_SIZE,
                            .hva = (uint8_t *)BASE +
                                   i * (PAGES / 2 * VH_PAGE_SIZE),
                            .page_size = i ? page_size2 : page_size,
                            .flags = flags[(i ? page_size2 : page_size) >> 21],
                            .name = g_strdup(i ? "dimm" : "ram") };
    }
    return vh_map_new(s, 2);
}

static bool granted(void *opaque, const char *what, int *fd)
{
    g_assert_null(fd);
    return strstr(opaque, what);
}

#define BOTH ((void *)(VH_GRANT_PAGEMAP " " VH_GRANT_PAGE_IDLE))

static void setup(Fix *f, const void *unused)
{
    char *why = NULL;

    memset(&kernel, 0, sizeof(kernel));
    for (int i = 0; i < PAGES; i++) {
        kernel.pfn[i] = 1000 + i;
    }
    f->host = (VhHost){ .granted = granted, .grant_opaque = BOTH };
    f->map = map_of(VH_PAGE_SIZE, VH_PAGE_SIZE);
    f->p = vh_primitive_idle_page.open(&f->host, &why);
    g_assert_true(idle_set_map(f->p, f->map, &why));
    g_assert_null(why);
}

static void teardown(Fix *f, const void *unused)
{
    idle_release(f->p);
    g_assert_cmpint(f->map->refs, ==, 1);
    vh_map_unref(f->map);
}

static VhCheck check_of(unsigned page)
{
    return (VhCheck){ .gpa = GPA + page * VH_PAGE_SIZE, .cookie = page };
}

static VhCheck arm_one(Fix *f, unsigned page)
{
    VhCheck c = check_of(page);

    idle_arm(f->p, &c, 1);
    return c;
}

static VhCheckState collect_one(Fix *f, VhCheck c)
{
    idle_collect(f->p, &c, 1);
    return c.state;
}

static VhPrimitiveStats stats_of(Fix *f)
{
    VhPrimitiveStats st;

    idle_stats(f->p, &st);
    return st;
}

/* One system call a word, only our bits, and others' marks stay. */
static void test_words(Fix *f, const void *unused)
{
    static const uint16_t pfns[] = { 127, 64, 128, 65, 66 };
    VhCheck c[5];

    for (int i = 0; i < 5; i++) {
        kernel.pfn[i] = pfns[i];
        c[i] = check_of(i);
    }
    kernel.frames[70].idle = true;
    idle_arm(f->p, c, 4); /* not the last: nobody asked */
    g_assert_cmpuint(kernel.writes, ==, 2);
    g_assert_cmpint(kernel.at[0], ==, 8);
    g_assert_cmphex(kernel.words[0], ==, 0x8000000000000003ULL);
    g_assert_cmpint(kernel.at[1], ==, 16);
    g_assert_cmphex(kernel.words[1], ==, 1);
    g_assert_cmpuint(kernel.reads, ==, 2);
    g_assert_cmpuint(kernel.lookups, ==, 4);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(c[i].state, ==, VH_CHECK_ARMED);
        g_assert_true(c[i].present);
        g_assert_cmpuint(c[i].granule, ==, VH_PAGE_SIZE);
        g_assert_cmpuint(c[i].cookie, ==, i);
    }
    kernel.frames[127].accesses = 1;
    kernel.frames[128].accesses = 1;
    idle_collect(f->p, c, 4);
    g_assert_cmpuint(kernel.reads, ==, 4);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_SILENT);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_FIRED);
    g_assert_cmpint(c[3].state, ==, VH_CHECK_SILENT);
    g_assert_true(kernel.frames[70].idle);
    g_assert_false(kernel.frames[66].idle);
    g_assert_cmpuint(stats_of(f).arms, ==, 4);
    g_assert_cmpuint(stats_of(f).fires, ==, 2);
}

static void test_persistent(Fix *f, const void *unused)
{
    VhCheck c = arm_one(f, 5);

    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_SILENT);
        c = arm_one(f, 5);
        g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
        g_assert_false(c.present);
    }
    g_assert_cmpuint(kernel.writes, ==, 1);
    g_assert_cmpuint(stats_of(f).arms, ==, 1);
    g_assert_cmpuint(stats_of(f).arms_free, ==, 3);
    kernel.frames[1005].accesses = 1;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_FIRED);
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST); /* disarmed */
    c = arm_one(f, 5);
    g_assert_true(c.present);
    g_assert_cmpuint(kernel.writes, ==, 2);
}

/* Touched between collect and arm: it has to be marked again. */
static void test_touched_between(Fix *f, const void *unused)
{
    VhCheck c = arm_one(f, 5);

    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_SILENT);
    kernel.frames[1005].accesses = 1;
    c = arm_one(f, 5);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_true(c.present);
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_SILENT);
}

/* Compaction: same page, other frame, whatever its flag says. */
static void test_moved(Fix *f, const void *other_is_idle)
{
    VhCheck c = arm_one(f, 5);

    kernel.pfn[5] = 4000;
    kernel.frames[4000].idle = other_is_idle;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST);
    c = arm_one(f, 5);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_SILENT);
    g_assert_cmpuint(stats_of(f).lost, ==, 1);
    kernel.pfn[5] = 4001; /* moved between collect and arm */
    c = arm_one(f, 5);
    g_assert_true(c.present);
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_SILENT);
}

static void test_not_present(Fix *f, const void *unused)
{
    VhCheck c;

    kernel.pfn[5] = 0;
    c = arm_one(f, 5);
    g_assert_cmpint(c.state, ==, VH_CHECK_ARMED);
    g_assert_false(c.present);
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_SILENT);
    kernel.pfn[5] = 77;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_FIRED); /* it came */
    c = arm_one(f, 5);
    g_assert_true(c.present);
    kernel.pfn[5] = 0;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST); /* it went */
    g_assert_cmpuint(stats_of(f).arms_free, ==, 1);
    g_assert_cmpuint(kernel.frames[0].idle, ==, 0);
}

static void test_huge(Fix *f, const void *unused)
{
    VhCheck c[2] = { check_of(100), check_of(700) };

    for (int i = 0; i < 512; i++) {
        kernel.pfn[i] = 1024 + i;
        kernel.frames[1025 + i].off_lru = true; /* tails */
        kernel.huge[i] = true;
    }
    idle_arm(f->p, c, 2);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(c[0].granule, ==, 2 << 20);
    g_assert_cmpuint(c[1].granule, ==, VH_PAGE_SIZE);
    g_assert_true(kernel.frames[1024].idle);
    g_assert_cmpint(collect_one(f, c[0]), ==, VH_CHECK_SILENT);
    kernel.frames[1024].accesses = 1;
    g_assert_cmpint(collect_one(f, c[0]), ==, VH_CHECK_FIRED);
    c[0] = arm_one(f, 100);
    kernel.huge[100] = false; /* its mapping is split: the flag tells less */
    g_assert_cmpint(collect_one(f, c[0]), ==, VH_CHECK_LOST);
    c[0] = arm_one(f, 100); /* and its own cannot be set */
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SKIPPED);
    c[0] = arm_one(f, 0);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_ARMED);
}

/* Small when armed, the first of a huge page when collected. */
static void test_collapsed(Fix *f, const void *unused)
{
    VhCheck c;

    kernel.pfn[0] = 1024;
    c = arm_one(f, 0);
    kernel.huge[0] = true;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST);
}

static void test_off_lru(Fix *f, const void *unused)
{
    VhCheck c[3] = { check_of(1), check_of(2), check_of(3) };

    kernel.frames[1001].off_lru = true;
    kernel.frames[1003].accesses = 1; /* the guest is quick, once */
    idle_arm(f->p, c, 3);
    g_assert_cmpint(c[0].state, ==, VH_CHECK_SKIPPED);
    g_assert_cmpint(c[1].state, ==, VH_CHECK_ARMED);
    g_assert_cmpint(c[2].state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(kernel.writes, ==, 2);
    g_assert_cmphex(kernel.words[1], ==, 1ULL << 1001 % 64 | 1ULL << 1003 % 64);
    g_assert_cmpint(collect_one(f, c[0]), ==, VH_CHECK_SKIPPED);
    g_assert_cmpuint(stats_of(f).lost, ==, 0);
    g_assert_cmpuint(stats_of(f).arms, ==, 2);
    kernel.frames[1001].off_lru = false;
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_ARMED);
}

/* Each check gets its own answer, in whatever order they come. */
static void test_many(Fix *f, const void *unused)
{
    enum { N = 500 };
    VhCheck c[N];

    for (unsigned i = 0; i < N; i++) {
        unsigned page = i * 331 % 1024;

        c[i] = check_of(page);
        kernel.pfn[page] = page * 7919 % 8000 + 1;
    }
    for (int round = 0; round < 4; round++) {
        idle_arm(f->p, c, N);
        for (unsigned i = 0; i < N; i++) {
            unsigned page = c[i].cookie;

            g_assert_cmpint(c[i].state, ==, VH_CHECK_ARMED);
            kernel.frames[kernel.pfn[page]].accesses = (page + round) % 3 == 0;
        }
        idle_collect(f->p, c, N);
        for (unsigned i = 0; i < N; i++) {
            g_assert_cmpint(c[i].state, ==,
                            (c[i].cookie + round) % 3 ? VH_CHECK_SILENT
                                                      : VH_CHECK_FIRED);
        }
    }
    g_assert_cmpuint(stats_of(f).lost, ==, 0);
}

static void expect_broken(Fix *f, const char *want)
{
    g_autofree char *is = idle_broken(f->p);

    g_assert_cmpstr(is, ==, want);
}

static void test_read_fails(Fix *f, const void *unused)
{
    VhCheck c = arm_one(f, 1);

    expect_broken(f, NULL);
    kernel.fail_fd = BITMAP;
    kernel.error = EIO;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST);
    expect_broken(f, "reading the idle page bitmap failed: Input/output error");
    g_assert_cmpint(arm_one(f, 2).state, ==, VH_CHECK_SKIPPED);
}

static void test_write_fails(Fix *f, const void *unused)
{
    kernel.fail_fd = -BITMAP;
    kernel.error = EBADF;
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_SKIPPED);
    expect_broken(f, "writing the idle page bitmap failed: Bad file "
                     "descriptor");
}

static void test_pagemap_fails(Fix *f, const void *unused)
{
    VhCheck c = arm_one(f, 1);
    VhCheck absent;

    kernel.pfn[2] = 0;
    absent = arm_one(f, 2);
    kernel.fail_fd = PAGEMAP;
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST);
    g_assert_cmpint(collect_one(f, absent), ==, VH_CHECK_LOST);
    g_assert_cmpint(arm_one(f, 3).state, ==, VH_CHECK_SKIPPED);
    expect_broken(f, "reading pagemap failed: No data available");
}

/* The privilege was only lent: page frame numbers are shown no more. */
static void test_no_pfn(Fix *f, const void *unused)
{
    kernel.pfn[1] = NO_PFN;
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_SKIPPED);
    expect_broken(f, "looking for page frame numbers in pagemap failed: "
                     "Operation not permitted");
}

/* Memory that the kernel does not track, such as a device's. */
static void test_beyond(Fix *f, const void *unused)
{
    kernel.fail_fd = -BITMAP;
    kernel.error = ENXIO;
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_SKIPPED);
    kernel.fail_fd = BITMAP;
    kernel.error = 0;
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_SKIPPED);
    expect_broken(f, NULL);
}

static void test_maps(Fix *f, const void *unused)
{
    VhMap *mixed = map_of(VH_PAGE_SIZE, 2 << 20);
    VhMap *huge = map_of(2 << 20, VH_PAGE_SIZE);
    VhMap *empty = vh_map_new(NULL, 0);
    VhMap *large = map_of(64 << 10, 64 << 10);
    VhCheck c = arm_one(f, 1), dimm = { .gpa = mixed->sections[1].gpa };
    char *why = NULL;

    g_assert_true(idle_set_map(f->p, mixed, &why));
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST); /* another map */
    g_assert_true(idle_covers(f->p, &mixed->sections[0]));
    g_assert_false(idle_covers(f->p, &mixed->sections[1]));
    idle_arm(f->p, &dimm, 1);
    g_assert_cmpint(dimm.state, ==, VH_CHECK_SKIPPED);
    g_assert_false(idle_set_map(f->p, huge, &why));
    g_assert_cmpstr(why, ==,
                    "guest RAM 'ram' is in hugetlb pages, which the kernel's "
                    "idle page tracking leaves out");
    g_clear_pointer(&why, g_free);
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_SKIPPED);
    g_assert_false(idle_set_map(f->p, large, &why));
    g_assert_cmpstr(why, ==,
                    "guest RAM 'ram' is in pages of 64 KiB; idle page tracking "
                    "is used on hosts with pages of 4 KiB only");
    g_clear_pointer(&why, g_free);
    vh_map_unref(large);
    g_assert_false(idle_set_map(f->p, empty, &why));
    g_assert_cmpstr(why, ==, "the guest has no RAM");
    g_free(why);
    why = NULL;
    g_assert_true(idle_set_map(f->p, f->map, &why));
    c = arm_one(f, 1);
    idle_idle(f->p);
    g_assert_cmpint(f->map->refs, ==, 1);
    g_assert_cmpint(collect_one(f, c), ==, VH_CHECK_LOST);
    g_assert_false(idle_covers(f->p, &f->map->sections[0]));
    vh_map_unref(mixed);
    vh_map_unref(huge);
    vh_map_unref(empty);
}

/* Checks that nobody ever collects do not add up for ever. */
static void test_forgets(Fix *f, const void *unused)
{
    for (unsigned i = 0; i < REMEMBERED_MAX + 10; i++) {
        g_hash_table_insert(f->p->armed, GSIZE_TO_POINTER(i + 1), NULL);
    }
    g_assert_cmpint(arm_one(f, 1).state, ==, VH_CHECK_ARMED);
    g_assert_cmpuint(g_hash_table_size(f->p->armed), ==, 1);
}

static void test_probe(Fix *f, const void *unused)
{
    static const char *const refused[] = { NULL, "", VH_GRANT_PAGEMAP,
                                           VH_GRANT_PAGE_IDLE };
    VhMap *huge = map_of(2 << 20, VH_PAGE_SIZE);
    char *why = NULL;
    VhCaps caps;

    f->host.granted = NULL; /* no grant would help */
    g_assert_false(idle_probe(huge, &f->host, &caps, &why));
    g_assert_nonnull(strstr(why, "hugetlb"));
    g_assert_false(caps.waits_for_grant);
    g_clear_pointer(&why, g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        f->host.granted = refused[i] ? granted : NULL;
        f->host.grant_opaque = (void *)refused[i];
        g_assert_false(idle_probe(f->map, &f->host, &caps, &why));
        g_assert_cmpstr(why, ==,
                        "needs the idle page bitmap: run 'vmheat grant' as "
                        "root (kernel with CONFIG_IDLE_PAGE_TRACKING)");
        g_assert_true(caps.waits_for_grant);
        g_clear_pointer(&why, g_free);
        g_assert_null(idle_open(&f->host, &why));
        g_assert_nonnull(strstr(why, "run 'vmheat grant' as root"));
        g_clear_pointer(&why, g_free);
    }
    f->host.grant_opaque = BOTH;
    g_assert_true(idle_probe(f->map, &f->host, &caps, &why));
    g_assert_null(why);
    g_assert_false(caps.waits_for_grant);
    g_assert_cmpuint(caps.sees, ==,
                     VH_SEES_READS | VH_SEES_WRITES | VH_SEES_DMA);
    g_assert_true(caps.persistent);
    g_assert_false(caps.through_migration);
    g_assert_false(idle_probe(huge, &f->host, &caps, &why));
    g_assert_nonnull(strstr(why, "hugetlb"));
    g_free(why);
    vh_map_unref(huge);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fix *f, const void *data);
        const void *data;
    } tests[] = {
        { "/idle-page/words", test_words, NULL },
        { "/idle-page/persistent", test_persistent, NULL },
        { "/idle-page/touched-between", test_touched_between, NULL },
        { "/idle-page/moved/accessed", test_moved, NULL },
        { "/idle-page/moved/idle", test_moved, "" },
        { "/idle-page/not-present", test_not_present, NULL },
        { "/idle-page/huge", test_huge, NULL },
        { "/idle-page/collapsed", test_collapsed, NULL },
        { "/idle-page/off-lru", test_off_lru, NULL },
        { "/idle-page/many", test_many, NULL },
        { "/idle-page/read-fails", test_read_fails, NULL },
        { "/idle-page/write-fails", test_write_fails, NULL },
        { "/idle-page/pagemap-fails", test_pagemap_fails, NULL },
        { "/idle-page/no-pfn", test_no_pfn, NULL },
        { "/idle-page/beyond", test_beyond, NULL },
        { "/idle-page/maps", test_maps, NULL },
        { "/idle-page/forgets", test_forgets, NULL },
        { "/idle-page/probe", test_probe, NULL },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_test_add(tests[i].path, Fix, tests[i].data, setup, tests[i].test,
                   teardown);
    }
    return g_test_run();
}
