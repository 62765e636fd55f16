/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Reading /proc/self/smaps would tell all of this, but the kernel walks a
 * mapping in one go: 13 to 31 ms for a GiB of 4 KiB pages here. So
 * memory is looked at in pieces of 2 MiB, as many as there is time for. A piece
 * takes 10 microseconds (4 to 5 ms for a GiB), one of which every other page is
 * absent 35 (17 ms), one that was never touched nothing. By what, depends:
 *
 *   private          PAGEMAP_SCAN: present, in swap, mapped by a PMD. Also a
 *                    page that only has a userfaultfd's mark looks as if in
 *                    swap, so the sum is held against VmSwap of this process.
 *   shmem, memfd     what is in memory need not be mapped, and what was swapped
 *                    out is not seen in page tables: mincore(2) tells the
 *                    former. Of a page that is not in memory the file knows
 *                    whether it is in swap: cachestat(2), or before Linux 6.5
 *                    SEEK_DATA, which also skips holes. The file is QEMU's
 *                    descriptor; nobody uses its position.
 *   hugetlbfs        pages cannot be swapped, but can be unmapped; the file
 *                    knows how many it has.
 *   other files      mincore(2). They are not swapped but written back.
 *   shared without   mincore(2). Whether they are in swap cannot be told.
 *   a file
 *
 * Pages may come and go during a scan: the sum is of no single moment. Without
 * PAGEMAP_SCAN (before Linux 6.7) huge pages cannot be told, and the page of
 * zeroes in private memory that was only read counts as resident. mincore(2)
 * says "in memory" of all pages of a file that is neither ours nor writable.
 */
#include <errno.h>
#include <glib.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "actions/footprint.h"
#include "actions/resident.h"

#define PIECE (VH_RESIDENT_PAGES * VH_PAGE_SIZE)

/* From asm-generic/unistd.h and linux/mman.h of 6.5; the same on all CPUs */
#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif

typedef struct CacheRange {
    uint64_t offset;
    uint64_t length;
} CacheRange;

typedef struct CacheStat {
    uint64_t cache;
    uint64_t dirty;
    uint64_t writeback;
    uint64_t evicted;
    uint64_t recently_evicted;
} CacheStat;

typedef enum Kind {
    KIND_PRIVATE,
    KIND_SHMEM,
    KIND_HUGETLB,
    KIND_FILE,
    KIND_NO_FILE,
} Kind;

struct VhFootprintScan {
    VhFootprintFile file;
    VhPagemap pagemap;
    bool open;
    bool cachestat;
    VhMap *map;     /* NULL: begin anew */
    size_t section; /* where the scan is */
    uint64_t offset;
    Kind kind; /* of the section */
    int fd;
    uint64_t start;      /* of the section in the file */
    const char *hugetlb; /* name of the block that was looked at last */
    uint64_t allocated;  /* what it has for its other sections */
    uint64_t swap_marks; /* of private memory */
    VhFootprint sum;
};

VhFootprintScan *vh_footprint_scan_new(VhFootprintFile file)
{
    VhFootprintScan *f = g_new0(VhFootprintScan, 1);
    g_autofree char *why = NULL;

    f->file = file;
    f->open = vh_pagemap_open(&f->pagemap, &why);
    f->cachestat = true;
    return f;
}

void vh_footprint_scan_free(VhFootprintScan *f)
{
    if (f) {
        vh_footprint_scan_drop(f);
        if (f->open) {
            vh_pagemap_close(&f->pagemap);
        }
        g_free(f);
    }
}

void vh_footprint_scan_drop(VhFootprintScan *f)
{
    vh_map_unref(f->map);
    f->map = NULL;
}

const VhMap *vh_footprint_scan_map(const VhFootprintScan *f)
{
    return f->map;
}

static Kind kind_of_file(int fd)
{
    struct statfs fs;

    if (fd < 0 || fstatfs(fd, &fs) < 0) {
        return KIND_NO_FILE;
    }
    return fs.f_type == TMPFS_MAGIC       ? KIND_SHMEM
           : fs.f_type == HUGETLBFS_MAGIC ? KIND_HUGETLB
                                          : KIND_FILE;
}

static void begin_section(VhFootprintScan *f, const VhMapSection *s)
{
    f->start = 0;
    f->fd = s->shared && f->file ? f->file(s, &f->start) : -1;
    f->kind = s->shared ? kind_of_file(f->fd) : KIND_PRIVATE;
    f->sum.size += s->size;
    if (f->kind == KIND_NO_FILE) {
        f->sum.knows_swapped = false;
    }
    if (f->kind != KIND_HUGETLB && !(f->open && f->pagemap.scan)) {
        f->sum.knows_huge = false;
    }
}

static void look_at_private(VhFootprintScan *f, const uint8_t *addr,
                            uint64_t len)
{
    VhPageCount c = { 0 };

    if (f->open) {
        c = vh_pagemap_count(&f->pagemap, addr, len);
    } else {
        f->sum.knows_swapped = false;
    }
    f->sum.resident += c.present;
    f->sum.huge += c.huge;
    f->swap_marks += c.swapped;
}

/* Bytes of the file without a page, in memory or in swap, from @offset on. */
static uint64_t hole_at(const VhFootprintScan *f, uint64_t offset, uint64_t max)
{
    uint64_t from = f->start + offset;
    off_t data = lseek(f->fd, from, SEEK_DATA);

    if (data < 0) {
        return errno == ENXIO ? max : 0;
    }
    return MIN((uint64_t)data - from, max);
}

/* By asking for each page that is not in memory. */
static uint64_t swapped_by_seeking(const VhFootprintScan *f, uint64_t offset,
                                   unsigned pages, const uint64_t *bits)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < pages; i++) {
        uint64_t left = (uint64_t)(pages - i) * VH_PAGE_SIZE, hole;

        if (vh_resident_bit(bits, i)) {
            continue;
        }
        hole = hole_at(f, offset + i * VH_PAGE_SIZE, left) / VH_PAGE_SIZE;
        if (hole) {
            i += hole - 1;
        } else {
            found += VH_PAGE_SIZE;
        }
    }
    return found;
}

static bool cachestat_evicted(VhFootprintScan *f, uint64_t offset,
                              unsigned pages, uint64_t *evicted)
{
    CacheRange range = { f->start + offset, pages * VH_PAGE_SIZE };
    CacheStat st = { 0 };

    f->cachestat =
        f->cachestat && syscall(__NR_cachestat, f->fd, &range, &st, 0) == 0;
    *evicted = st.evicted * VH_PAGE_SIZE;
    return f->cachestat;
}

static uint64_t swapped_of(VhFootprintScan *f, uint64_t offset, unsigned pages,
                           unsigned resident, const uint64_t *bits)
{
    uint64_t evicted;

    /* what is on its way to swap or back is in both */
    return cachestat_evicted(f, offset, pages, &evicted)
               ? MIN(evicted, (uint64_t)(pages - resident) * VH_PAGE_SIZE)
               : swapped_by_seeking(f, offset, pages, bits);
}

static void look_at_shared(VhFootprintScan *f, const uint8_t *addr,
                           uint64_t len)
{
    uint64_t bits[VH_RESIDENT_WORDS];
    unsigned pages = len / VH_PAGE_SIZE;
    unsigned n = vh_resident(addr, pages, bits);

    f->sum.resident += n * VH_PAGE_SIZE;
    if (n < pages && f->kind == KIND_SHMEM) {
        f->sum.swapped += swapped_of(f, f->offset, pages, n, bits);
    }
    if (n && f->open) {
        f->sum.huge += vh_pagemap_huge(&f->pagemap, addr, len);
    }
}

/* All of a section at once; blocks can have several, which lie side by side. */
static void look_at_hugetlb(VhFootprintScan *f, const VhMapSection *s)
{
    struct stat st;
    uint64_t has;

    if (!f->hugetlb || !g_str_equal(f->hugetlb, s->name)) {
        f->allocated = fstat(f->fd, &st) == 0 ? st.st_blocks * 512ULL : 0;
        f->hugetlb = s->name;
    }
    has = MIN(s->size, f->allocated);
    f->allocated -= has;
    f->sum.resident += has;
    f->sum.huge += has;
}

/* The next piece of @s, which has more. */
static void look(VhFootprintScan *f, const VhMapSection *s)
{
    const uint8_t *addr = s->hva + f->offset;
    uint64_t len = MIN(s->size - f->offset, PIECE - (uintptr_t)addr % PIECE);
    uint64_t hole;

    switch (f->kind) {
    case KIND_HUGETLB:
        len = s->size;
        look_at_hugetlb(f, s);
        break;
    case KIND_PRIVATE:
        look_at_private(f, addr, len);
        break;
    case KIND_SHMEM:
        hole = hole_at(f, f->offset, s->size - f->offset);
        if (hole >= len) {
            len = hole / VH_PAGE_SIZE * VH_PAGE_SIZE;
            break;
        }
        look_at_shared(f, addr, len);
        break;
    default:
        look_at_shared(f, addr, len);
    }
    f->offset += len;
}

/* Private memory of this process that is in swap. */
static uint64_t process_swap(void)
{
    g_autofree char *text = NULL;
    const char *line;
    uint64_t kib = 0;

    if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL)) {
        return 0;
    }
    line = strstr(text, "\nVmSwap:");
    if (line) {
        sscanf(line, " VmSwap: %" G_GUINT64_FORMAT, &kib);
    }
    return kib * 1024;
}

static void begin(VhFootprintScan *f, VhMap *map)
{
    vh_footprint_scan_drop(f);
    f->map = vh_map_ref(map);
    f->section = f->offset = f->swap_marks = 0;
    f->hugetlb = NULL;
    f->sum = (VhFootprint){ .knows_swapped = true, .knows_huge = true };
}

static void finish(VhFootprintScan *f, VhFootprint *out)
{
    if (f->swap_marks) {
        f->sum.swapped += MIN(f->swap_marks, process_swap());
    }
    *out = f->sum;
    vh_footprint_scan_drop(f);
}

bool vh_footprint_scan(VhFootprintScan *f, VhMap *map, const VhClock *clock,
                       uint64_t max_ns, VhFootprint *out)
{
    uint64_t end = vh_clock_now(clock) + max_ns;

    if (f->map != map) {
        begin(f, map);
    }
    while (f->section < map->nr) {
        const VhMapSection *s = &map->sections[f->section];

        if (!f->offset) {
            begin_section(f, s);
        }
        look(f, s);
        if (f->offset >= s->size) {
            f->section++;
            f->offset = 0;
        }
        if (f->section < map->nr && vh_clock_now(clock) >= end) {
            return false;
        }
    }
    finish(f, out);
    return true;
}
