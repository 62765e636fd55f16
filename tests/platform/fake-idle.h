/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Idle page tracking of a kernel that is made up. Its page frames, their flags
 * and the page table of "guest memory" are arrays; pread() and pwrite() of what
 * is included after this end here. No memory is touched, so addresses are made
 * up as well.
 */
#ifndef TESTS_FAKE_IDLE_H
#define TESTS_FAKE_IDLE_H

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "accel/pagemap.h"
#include "vmheat/primitive.h"

#define GPA 0x40000000ULL
#define BASE 0x7f0000000000ULL
#define PAGES 2048
#define FRAMES 8192
#define BITMAP 1001
#define PAGEMAP 1002
#define NO_PFN 0xffff

/* What the kernel knows of a page frame. */
typedef struct Frame {
    bool idle;
    bool off_lru;      /* cannot be marked */
    unsigned accesses; /* as many of the next readings find it accessed */
} Frame;

typedef struct Kernel {
    Frame frames[FRAMES];
    uint16_t pfn[PAGES]; /* 0: not present */
    bool huge[PAGES];
    uint64_t words[16]; /* the last that were written */
    off_t at[16];
    unsigned writes;
    unsigned reads;
    unsigned lookups;
    int fail_fd; /* this one fails with ... */
    int error;   /* ... or, 0, with nothing */
} Kernel;

static Kernel kernel;

static uint64_t entry_of(uint16_t pfn)
{
    return !pfn            ? 0
           : pfn == NO_PFN ? 1ULL << 63
                           : 1ULL << 63 | 1ULL << 61 | pfn;
}

static ssize_t read_pagemap(uint64_t *e, size_t n, off_t at)
{
    uint64_t page = at / sizeof(*e) - BASE / VH_PAGE_SIZE;

    g_assert_cmpuint(page + n, <=, PAGES);
    kernel.lookups++;
    for (size_t i = 0; i < n; i++) {
        e[i] = entry_of(kernel.pfn[page + i]);
    }
    return n * sizeof(*e);
}

static ssize_t fake_pread(int fd, void *buf, size_t len, off_t at)
{
    uint64_t word = 0;

    g_assert_cmpuint(len % sizeof(word), ==, 0);
    g_assert_cmpint(at % sizeof(word), ==, 0);
    if (fd == kernel.fail_fd) {
        errno = kernel.error;
        return kernel.error ? -1 : 0;
    }
    if (fd == PAGEMAP) {
        return read_pagemap(buf, len / sizeof(word), at);
    }
    g_assert_cmpint(fd, ==, BITMAP);
    g_assert_cmpuint(len, ==, sizeof(word));
    kernel.reads++;
    for (int i = 0; i < 64; i++) {
        Frame *f = &kernel.frames[at * 8 + i];

        if (f->idle && f->accesses) {
            f->idle = false;
            f->accesses--;
        }
        word |= (uint64_t)f->idle << i;
    }
    memcpy(buf, &word, sizeof(word));
    return sizeof(word);
}

static ssize_t fake_pwrite(int fd, const void *buf, size_t len, off_t at)
{
    uint64_t word;

    g_assert_cmpint(fd, ==, BITMAP);
    g_assert_cmpuint(len, ==, sizeof(word));
    g_assert_cmpint(at % sizeof(word), ==, 0);
    if (kernel.fail_fd == -BITMAP) {
        errno = kernel.error;
        return -1;
    }
    memcpy(&word, buf, sizeof(word));
    kernel.words[kernel.writes % 16] = word;
    kernel.at[kernel.writes++ % 16] = at;
    for (int i = 0; i < 64; i++) {
        if ((word >> i & 1) && !kernel.frames[at * 8 + i].off_lru) {
            kernel.frames[at * 8 + i].idle = true;
        }
    }
    return sizeof(word);
}

static unsigned fake_query(const VhPagemap *pm, const void *addr)
{
    return VH_PAGE_PRESENT |
           (kernel.huge[((uintptr_t)addr - BASE) / VH_PAGE_SIZE] ? VH_PAGE_HUGE
                                                                 : 0);
}

static int fake_close(int fd)
{
    return 0;
}

#define pread fake_pread
#define pwrite fake_pwrite
#define close fake_close
#define vh_pagemap_query fake_query
#include "accel/page-idle.c"
#undef GAIN

static bool fake_take(VhPageIdle *pi, const VhHost *host, char **why)
{
    *pi = (VhPageIdle){ .bitmap = BITMAP, .pagemap = PAGEMAP };
    if (!vh_page_idle_granted(host)) {
        *why = g_strdup("page-idle-bitmap was not granted");
        return false;
    }
    return true;
}

#define vh_page_idle_take fake_take

#endif
