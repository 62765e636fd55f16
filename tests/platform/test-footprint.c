/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory of this process takes of the host, of each kind of memory, by
 * every way there is to find out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/uffd.h"
#include "actions/footprint.c"
#include "rig.h"
#include "swap.h"

#define SIZE (8 * MIB)
#define PAGES (SIZE / PAGE)

/* Memory under test; @fd is of its file. */
typedef struct Mem {
    uint8_t *p;
    int fd;
    VhMap *map;
} Mem;

/* Which ways the scan may use; all kernels must come to the same result. */
typedef struct Ways {
    const char *name;
    bool pagemap_scan;
    bool cachestat;
} Ways;

static const Ways all_ways[] = {
    { "new", true, true },
    { "seek", true, false },
    { "old", false, false },
};

static uint64_t now_ns(void *opaque)
{
    return g_get_monotonic_time() * 1000;
}

static const VhClock clock_of_test = { .now_ns = now_ns };

static int file_of_test(const VhMapSection *s, uint64_t *offset)
{
    const Mem *m = s->region;

    *offset = s->region_offset;
    return m->fd;
}

/* Two sections, with a page between them that is in neither. */
static void take(Mem *m, uint8_t *p, int fd, bool shared)
{
    VhMapSection s[2];

    g_assert_true(p != MAP_FAILED && p != NULL);
    s[0] = rig_section(RIG_GPA, p, 3 * PAGE);
    s[1] = rig_section(RIG_GPA + 4 * PAGE, p + 4 * PAGE, SIZE - 4 * PAGE);
    for (int i = 0; i < 2; i++) {
        s[i].shared = shared;
        s[i].file_backed = fd >= 0;
        s[i].region = m;
        s[i].region_offset = s[i].hva - p;
    }
    *m = (Mem){ .p = p, .fd = fd, .map = rig_map(s, 2) };
    madvise(p, SIZE, MADV_NOHUGEPAGE);
}

/* At 2 MiB. */
static uint8_t *map_aligned(int flags, int fd)
{
    uint8_t *room = mmap(NULL, SIZE + 2 * MIB, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *at = room + 2 * MIB - (uintptr_t)room % (2 * MIB);

    return mmap(at, SIZE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

static void open_memfd(Mem *m)
{
    int fd = memfd_create("vmheat-footprint", MFD_CLOEXEC);

    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    take(m, map_aligned(MAP_SHARED, fd), fd, true);
}

static void open_anonymous(Mem *m)
{
    take(m, map_aligned(MAP_PRIVATE | MAP_ANONYMOUS, -1), -1, false);
}

static void close_mem(Mem *m)
{
    vh_map_unref(m->map);
    munmap(m->p, SIZE);
    if (m->fd >= 0) {
        close(m->fd);
    }
}

static VhFootprintScan *new_scan(const Ways *w)
{
    VhFootprintScan *f = vh_footprint_scan_new(file_of_test);

    g_assert_true(f->open);
    f->pagemap.scan &= w->pagemap_scan;
    f->cachestat &= w->cachestat;
    return f;
}

static VhFootprint footprint(const Mem *m, const Ways *w)
{
    VhFootprintScan *f = new_scan(w);
    VhFootprint out;

    g_assert_true(
        vh_footprint_scan(f, m->map, &clock_of_test, UINT32_MAX, &out));
    g_assert_null(vh_footprint_scan_map(f));
    g_assert_cmpuint(out.size, ==, SIZE - PAGE);
    vh_footprint_scan_free(f);
    return out;
}

static void assert_takes(const Mem *m, const Ways *w, uint64_t resident,
                         uint64_t swapped)
{
    VhFootprint out = footprint(m, w);

    g_assert_cmpuint(out.resident / PAGE, ==, resident / PAGE);
    g_assert_true(out.knows_swapped);
    g_assert_cmpuint(out.swapped / PAGE, ==, swapped / PAGE);
}

static void touch(const Mem *m, size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        m->p[i * PAGE] = i % 255 + 1;
    }
}

static void test_memfd(gconstpointer w)
{
    Mem m;

    open_memfd(&m);
    assert_takes(&m, w, 0, 0);
    touch(&m, 0, 6);
    touch(&m, 700, 300);
    touch(&m, PAGES - 1, 1);
    assert_takes(&m, w, 306 * PAGE, 0); /* one of 307 is in no section */
    g_assert_cmpuint(footprint(&m, w).huge, ==, 0);
    /* what is unmapped is still there, what is punched out is not */
    madvise(m.p, SIZE, MADV_DONTNEED);
    assert_takes(&m, w, 306 * PAGE, 0);
    g_assert_cmpint(fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              700 * PAGE, 100 * PAGE),
                    ==, 0);
    assert_takes(&m, w, 206 * PAGE, 0);
    close_mem(&m);
}

static void test_anonymous(gconstpointer w)
{
    const Ways *ways = w;
    volatile uint8_t seen;
    Mem m;

    open_anonymous(&m);
    assert_takes(&m, w, 0, 0);
    touch(&m, 2, 300);
    assert_takes(&m, w, 299 * PAGE, 0);
    madvise(m.p + 100 * PAGE, 10 * PAGE, MADV_DONTNEED);
    assert_takes(&m, w, 289 * PAGE, 0);
    /* else the page of zeroes cannot be told, or is not there */
    if (ways->pagemap_scan && !rig_reads_take_memory()) {
        for (size_t i = 1000; i < 1100; i++) {
            seen = m.p[i * PAGE];
        }
        (void)seen;
        assert_takes(&m, w, 289 * PAGE, 0);
    }
    close_mem(&m);
}

static void test_disk_file(gconstpointer w)
{
    char name[] = "/var/tmp/vmheat-footprint-XXXXXX";
    int fd = mkstemp(name);
    Mem m;

    g_assert_cmpint(fd, >=, 0);
    unlink(name);
    if (kind_of_file(fd) != KIND_FILE) {
        g_test_skip("/var/tmp is not on a disk");
        close(fd);
        return;
    }
    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    take(&m, map_aligned(MAP_SHARED, fd), fd, true);
    madvise(m.p, SIZE, MADV_RANDOM); /* no page is read ahead */
    touch(&m, 600, 50);
    assert_takes(&m, w, 50 * PAGE, 0);
    close_mem(&m);
}

static void test_shared_without_file(void)
{
    VhFootprint out;
    Mem m;

    take(&m, map_aligned(MAP_SHARED | MAP_ANONYMOUS, -1), -1, true);
    touch(&m, 10, 20);
    out = footprint(&m, &all_ways[0]);
    g_assert_cmpuint(out.resident, ==, 20 * PAGE);
    g_assert_false(out.knows_swapped);
    close_mem(&m);
}

static void test_huge(gconstpointer w)
{
    const Ways *ways = w;
    void (*const open_as[])(Mem *) = { open_memfd, open_anonymous };

    for (int i = 0; i < 2; i++) {
        VhFootprint out;
        Mem m;

        open_as[i](&m);
        touch(&m, 0, PAGES);
        g_assert_cmpuint(footprint(&m, w).huge, ==, 0);
        /* not all of it: khugepaged would do the rest */
        madvise(m.p + 2 * MIB, 4 * MIB, MADV_HUGEPAGE);
        if (!rig_collapse(m.p + 2 * MIB, 4 * MIB)) {
            g_test_skip("no huge pages can be made");
            close_mem(&m);
            return;
        }
        out = footprint(&m, w);
        g_assert_cmpuint(out.resident, ==, SIZE - PAGE);
        g_assert_cmpint(out.knows_huge, ==, ways->pagemap_scan);
        g_assert_cmpuint(out.huge, ==, ways->pagemap_scan ? 4 * MIB : 0);
        close_mem(&m);
    }
}

static void test_hugetlb(void)
{
    int fd = memfd_create("vmheat-footprint", MFD_CLOEXEC | MFD_HUGETLB);
    uint8_t *p = MAP_FAILED;
    VhFootprint out;
    Mem m;

    if (fd >= 0 && ftruncate(fd, SIZE) == 0) {
        p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (p == MAP_FAILED) {
        g_test_skip("no hugetlb pages are reserved");
        return;
    }
    take(&m, p, fd, true);
    p[2 * MIB] = p[6 * MIB] = 1;
    madvise(p, SIZE, MADV_DONTNEED); /* does not let go of them */
    out = footprint(&m, &all_ways[2]);
    g_assert_cmpuint(out.resident, ==, 4 * MIB);
    g_assert_true(out.knows_huge);
    g_assert_cmpuint(out.huge, ==, 4 * MIB);
    g_assert_cmpuint(out.swapped, ==, 0);
    close_mem(&m);
}

/* The kernel may keep pages it was asked to page out; all must be somewhere. */
static void test_swapped(gconstpointer w)
{
    void (*const open_as[])(Mem *) = { open_memfd, open_anonymous };
    const char *why;
    Swap swap;

    if (!swap_start(&swap, 64 * MIB, &why)) {
        g_test_skip(why);
        return;
    }
    for (int i = 0; i < 2; i++) {
        VhFootprint out;
        Mem m;

        open_as[i](&m);
        touch(&m, 512, 400); /* and holes around */
        madvise(m.p + 512 * PAGE, 300 * PAGE, MADV_PAGEOUT);
        for (int n = 0; n < 100 && footprint(&m, w).swapped < 300 * PAGE; n++) {
            madvise(m.p + 512 * PAGE, 300 * PAGE, MADV_PAGEOUT);
            g_usleep(10000);
        }
        out = footprint(&m, w);
        g_assert_cmpuint(out.resident + out.swapped, ==, 400 * PAGE);
        g_assert_cmpuint(out.swapped, ==, 300 * PAGE);
        for (int n = 0; n < 100; n++) {
            g_assert_cmpuint(m.p[(512 + n) * PAGE], ==, (512 + n) % 255 + 1);
        }
        out = footprint(&m, w);
        g_assert_cmpuint(out.resident + out.swapped, ==, 400 * PAGE);
        g_assert_cmpuint(out.swapped, <=, 200 * PAGE);
        close_mem(&m);
    }
    swap_stop(&swap);
}

/* The marks of a userfaultfd where there is no page are not in swap. */
static void test_marks(gconstpointer w)
{
    const Ways *ways = w;
    int fd = vh_uffd_open_async();
    VhFootprintScan *f;
    Mem m;

    open_anonymous(&m);
    touch(&m, 1500, 3);
    if (fd < 0 || !vh_uffd_register(fd, m.p, SIZE) ||
        !vh_uffd_protect(fd, m.p, SIZE, true)) {
        g_test_skip("no userfaultfd that protects what is not there");
    } else {
        f = new_scan(ways);
        g_assert_cmpuint(vh_pagemap_count(&f->pagemap, m.p, SIZE).swapped, >,
                         0);
        vh_footprint_scan_free(f);
        assert_takes(&m, w, 3 * PAGE, 0);
    }
    close(fd);
    close_mem(&m);
}

static void test_slices(void)
{
    VhFootprintScan *f = new_scan(&all_ways[0]);
    VhFootprint out;
    unsigned n = 1;
    Mem m, other;

    open_anonymous(&m);
    open_anonymous(&other);
    touch(&m, 0, PAGES);
    touch(&other, 4, 1);
    while (!vh_footprint_scan(f, m.map, &clock_of_test, 0, &out)) {
        g_assert_true(vh_footprint_scan_map(f) == m.map);
        n++;
    }
    g_assert_cmpuint(n, ==, 5); /* two sections, one in pieces of 2 MiB */
    g_assert_cmpuint(out.resident, ==, SIZE - PAGE);
    /* another map in the middle: all anew */
    g_assert_false(vh_footprint_scan(f, m.map, &clock_of_test, 0, &out));
    while (!vh_footprint_scan(f, other.map, &clock_of_test, 0, &out)) {
    }
    g_assert_cmpuint(out.resident, ==, PAGE);
    vh_footprint_scan_free(f);
    close_mem(&m);
    close_mem(&other);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(gconstpointer);
    } tests[] = {
        { "memfd", test_memfd },         { "anonymous", test_anonymous },
        { "disk-file", test_disk_file }, { "huge", test_huge },
        { "swapped", test_swapped },     { "marks", test_marks },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(all_ways); j++) {
            g_autofree char *path = g_strdup_printf(
                "/footprint/%s/%s", tests[i].name, all_ways[j].name);

            g_test_add_data_func(path, &all_ways[j], tests[i].fn);
        }
    }
    g_test_add_func("/footprint/shared-without-file", test_shared_without_file);
    g_test_add_func("/footprint/hugetlb", test_hugetlb);
    g_test_add_func("/footprint/slices", test_slices);
    return g_test_run();
}
