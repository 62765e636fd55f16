/* SPDX-License-Identifier: GPL-2.0-or-later */
/* White-box: which pages are young, on a kernel that is made up. */
#include "fake-idle.h"
#include "actions/young.c"

#define PAGE VH_PAGE_SIZE

typedef struct Fix {
    VhHost host;
    bool granted;
    VhMapSection s;
    VhYoung *y;
} Fix;

static bool granted(void *opaque, const char *what, int *fd)
{
    g_assert_null(fd);
    return *(bool *)opaque;
}

static void setup(Fix *f, const void *unused)
{
    memset(&kernel, 0, sizeof(kernel));
    for (int i = 0; i < PAGES; i++) {
        kernel.pfn[i] = 1024 + i;
    }
    f->granted = true;
    f->host = (VhHost){ .granted = granted, .grant_opaque = &f->granted };
    f->s = (VhMapSection){ .gpa = GPA,
                           .size = PAGES * PAGE,
                           .hva = (uint8_t *)BASE,
                           .page_size = PAGE };
    f->y = vh_young_new(&f->host);
    vh_young_use(f->y, true);
}

static void teardown(Fix *f, const void *unused)
{
    vh_young_free(f->y);
}

/* Asks about pages [@from, @to), expects @want of those below @until. */
#define expect(f, from, to, want, until_)                                  \
    do {                                                                   \
        uint64_t u_;                                                       \
                                                                           \
        g_assert_cmpint(                                                   \
            vh_young_is((f)->y, &(f)->s, (from)*PAGE, (to)*PAGE, &u_), ==, \
            want);                                                         \
        g_assert_cmpuint(u_ / PAGE, ==, until_);                           \
    } while (0)

static void make_old(Fix *f, unsigned from, unsigned to)
{
    vh_young_make_old(f->y, &f->s, from * PAGE, to * PAGE);
}

static unsigned nr_idle(void)
{
    unsigned n = 0;

    for (int i = 0; i < FRAMES; i++) {
        n += kernel.frames[i].idle;
    }
    return n;
}

/* One system call a word, and looking changes nothing. */
static void test_look(Fix *f, const void *unused)
{
    for (int i = 0; i < 3; i++) {
        expect(f, 0, 100, VH_IS, 100);
    }
    g_assert_cmpuint(kernel.lookups, ==, 3);
    g_assert_cmpuint(kernel.reads, ==, 6);
    g_assert_cmpuint(kernel.writes, ==, 0);
    make_old(f, 0, 100);
    g_assert_cmpuint(kernel.writes, ==, 2);
    g_assert_cmpuint(nr_idle(), ==, 100);
    g_assert_true(kernel.frames[1024].idle && kernel.frames[1123].idle);
    expect(f, 0, 100, VH_IS_NOT, 100);
    make_old(f, 0, 100); /* is old */
    g_assert_cmpuint(kernel.writes, ==, 2);
}

/* Answers end where pages are not alike, and no look is long. */
static void test_extents(Fix *f, const void *unused)
{
    for (int i = 0; i < PAGES; i++) {
        kernel.frames[1024 + i].idle = i < 20 || i == 30;
    }
    kernel.frames[1024 + 10].accesses = 1;
    expect(f, 0, 5, VH_IS_NOT, 5);
    expect(f, 0, PAGES, VH_IS_NOT, 10);
    g_assert_cmpuint(kernel.reads, ==, 2); /* none beyond the first word */
    expect(f, 10, PAGES, VH_IS, 11);
    expect(f, 11, PAGES, VH_IS_NOT, 20);
    expect(f, 20, PAGES, VH_IS, 30);
    expect(f, 30, 31, VH_IS_NOT, 31);
    expect(f, 31, PAGES, VH_IS, 31 + PAGES_MAX);
    expect(f, 500, PAGES, VH_IS, 512); /* a huge page may begin there */
    expect(f, 512, PAGES, VH_IS, 512 + PAGES_MAX);
}

/* Only what was dealt with is marked; the rest is as it was. */
static void test_partly(Fix *f, const void *unused)
{
    expect(f, 0, 50, VH_IS, 50);
    make_old(f, 0, 20);
    g_assert_cmpuint(nr_idle(), ==, 20);
    make_old(f, 0, 50); /* nothing was asked since */
    make_old(f, 20, 50);
    g_assert_cmpuint(nr_idle(), ==, 20);
    expect(f, 20, 50, VH_IS, 50);
    make_old(f, 30, 50); /* not what was asked about */
    g_assert_cmpuint(nr_idle(), ==, 20);
    expect(f, 20, 50, VH_IS, 50);
    make_old(f, 20, 90);
    g_assert_cmpuint(nr_idle(), ==, 50);
}

static void test_absent(Fix *f, const void *unused)
{
    kernel.pfn[1] = kernel.pfn[2] = 0;
    expect(f, 0, 10, VH_IS, 1);
    expect(f, 1, 10, VH_IS_NOT, 3);
    g_assert_cmpuint(kernel.reads, ==, 2); /* one for page 3 */
    make_old(f, 1, 3);
    g_assert_cmpuint(kernel.writes, ==, 0);
    kernel.frames[1024 + 3].idle = true;
    expect(f, 1, 10, VH_IS_NOT, 4);
    g_assert_false(kernel.frames[0].idle);
}

/* The action took pages away or moved them: their frames are others' now. */
static void test_gone(Fix *f, const void *unused)
{
    expect(f, 0, 4, VH_IS, 4);
    kernel.pfn[0] = 0;
    kernel.pfn[1] = 5000;
    make_old(f, 0, 4);
    g_assert_cmpuint(nr_idle(), ==, 2);
    g_assert_true(kernel.frames[1026].idle && kernel.frames[1027].idle);
}

/* Frames in any order: each page has its own answer. */
static void test_scattered(Fix *f, const void *unused)
{
    for (unsigned i = 0; i < 128; i++) {
        kernel.pfn[i] = i * 7919 % 8000 + 1;
    }
    expect(f, 0, 128, VH_IS, 128);
    make_old(f, 0, 128);
    g_assert_cmpuint(nr_idle(), ==, 128);
    kernel.frames[kernel.pfn[77]].accesses = 1;
    expect(f, 0, 128, VH_IS_NOT, 77);
    expect(f, 77, 128, VH_IS, 78);
    expect(f, 78, 128, VH_IS_NOT, 128);
}

static void make_huge(unsigned page)
{
    for (int i = 0; i < 512; i++) {
        kernel.frames[kernel.pfn[page] + i].off_lru = i > 0; /* tails */
        kernel.huge[page + i] = true;
    }
}

/* Its first page frame counts, and it is marked when all of it was dealt with.
 */
static void test_huge(Fix *f, const void *unused)
{
    make_huge(512);
    expect(f, 512, PAGES, VH_IS, 1024);
    make_old(f, 512, 700);
    g_assert_cmpuint(nr_idle(), ==, 0);
    expect(f, 700, 900, VH_IS, 900); /* a region ends there */
    make_old(f, 700, 900);
    g_assert_cmpuint(nr_idle(), ==, 0);
    expect(f, 900, PAGES, VH_IS, 1024);
    make_old(f, 900, 1024);
    g_assert_cmpuint(nr_idle(), ==, 1);
    g_assert_true(kernel.frames[1536].idle);
    expect(f, 512, 600, VH_IS_NOT, 600);
    kernel.frames[1536].accesses = 1;
    expect(f, 1000, PAGES, VH_IS, 1024);
    kernel.huge[1000] = false; /* split: its own flag cannot be set */
    expect(f, 1000, 1001, VH_IS, 1001);
    make_old(f, 1000, 1001);
    expect(f, 1000, 1001, VH_IS, 1001);
}

static void test_huge_gone(Fix *f, const void *unused)
{
    make_huge(512);
    expect(f, 512, 1024, VH_IS, 1024);
    kernel.pfn[512] = 4096; /* moved */
    make_old(f, 512, 1024);
    g_assert_cmpuint(nr_idle(), ==, 0);
}

/* What cannot be marked stays young. */
static void test_off_lru(Fix *f, const void *unused)
{
    kernel.frames[1025].off_lru = true;
    expect(f, 0, 3, VH_IS, 3);
    make_old(f, 0, 3);
    expect(f, 0, 3, VH_IS_NOT, 1);
    expect(f, 1, 3, VH_IS, 2);
}

static void expect_trouble(Fix *f, const char *want)
{
    g_autofree char *is = vh_young_trouble(f->y);

    g_assert_cmpstr(is, ==, want);
}

static void test_hugetlb(Fix *f, const void *unused)
{
    f->s.page_size = 2 << 20;
    f->s.flags = VH_SECTION_HUGETLB;
    expect(f, 0, 600, VH_IS_UNKNOWN, 600);
    make_old(f, 0, 600);
    g_assert_cmpuint(kernel.lookups + kernel.reads + kernel.writes, ==, 0);
    expect_trouble(f, NULL);
}

static void test_revoked(Fix *f, const void *unused)
{
    expect(f, 0, 600, VH_IS, PAGES_MAX);
    expect_trouble(f, NULL);
    f->granted = false;
    vh_young_use(f->y, true);
    expect_trouble(f, "page-idle-bitmap was not granted");
    make_old(f, 0, 600);
    expect(f, 0, 600, VH_IS_UNKNOWN, 600);
    make_old(f, 0, 600);
    g_assert_cmpuint(kernel.writes, ==, 0);
    f->granted = true;
    vh_young_use(f->y, true);
    expect_trouble(f, NULL);
    expect(f, 0, 600, VH_IS, PAGES_MAX);
    vh_young_use(f->y, false);
    expect_trouble(f, NULL); /* nobody wants to know */
    expect(f, 0, 600, VH_IS_UNKNOWN, 600);
}

/* @fd fails: nothing is known from then on, until it is granted anew. */
static void expect_failure(Fix *f, const char *trouble)
{
    expect(f, 0, 600, VH_IS_UNKNOWN, 600);
    expect_trouble(f, trouble);
    kernel.fail_fd = 0;
    expect(f, 0, 600, VH_IS_UNKNOWN, 600);
    vh_young_use(f->y, true);
    expect_trouble(f, NULL);
    expect(f, 0, 600, VH_IS, PAGES_MAX);
}

static void test_fails(Fix *f, const void *unused)
{
    kernel.fail_fd = BITMAP;
    kernel.error = EIO;
    expect_failure(f, "reading the idle page bitmap failed: "
                      "Input/output error");
    kernel.fail_fd = PAGEMAP;
    expect_failure(f, "reading pagemap failed: Input/output error");
    kernel.fail_fd = PAGEMAP;
    make_old(f, 0, PAGES_MAX);
    g_assert_cmpuint(kernel.writes, ==, 0);
    expect_failure(f, "reading pagemap failed: Input/output error");
    kernel.fail_fd = -BITMAP;
    make_old(f, 0, PAGES_MAX);
    expect_failure(f, "writing the idle page bitmap failed: "
                      "Input/output error");
    kernel.pfn[5] = NO_PFN;
    expect(f, 0, 600, VH_IS_UNKNOWN, 600);
    expect_trouble(f, "looking for page frame numbers in pagemap failed: "
                      "Operation not permitted");
}

static void test_probe(Fix *f, const void *unused)
{
    VhMapSection v[2] = { { .page_size = 2 << 20, .flags = VH_SECTION_HUGETLB },
                          { .page_size = PAGE } };
    VhMap map = { .sections = v, .nr = 2 };
    char *why = NULL;

    g_assert_true(vh_young_probe(&f->host, &map, &why));
    map.nr = 1;
    g_assert_false(vh_young_probe(&f->host, &map, &why));
    g_assert_cmpstr(why, ==,
                    "all guest RAM is in hugetlb pages, which the kernel's "
                    "idle page tracking leaves out");
    g_clear_pointer(&why, g_free);
    f->granted = false;
    g_assert_false(vh_young_probe(&f->host, &map, &why));
    g_assert_cmpstr(why, ==, VH_PAGE_IDLE_NEEDS);
    g_free(why);
}

#define ADD(name, test) \
    g_test_add("/young/" name, Fix, NULL, setup, test, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("look", test_look);
    ADD("extents", test_extents);
    ADD("partly", test_partly);
    ADD("absent", test_absent);
    ADD("gone", test_gone);
    ADD("scattered", test_scattered);
    ADD("huge", test_huge);
    ADD("huge-gone", test_huge_gone);
    ADD("off-lru", test_off_lru);
    ADD("hugetlb", test_hugetlb);
    ADD("revoked", test_revoked);
    ADD("fails", test_fails);
    ADD("probe", test_probe);
    return g_test_run();
}
