/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With asynchronous write-protection the kernel itself resolves a write to a
 * protected page, and PAGEMAP_SCAN tells that it was written. Reads are not
 * seen. The scan that tells may protect the page again in the same call. This
 * holds for shared and for private memory, for pages that are mapped and
 * for such that never were.
 */
#include "accel/uffd.h"
#include "check.h"
#include "wp.h"

#define PAGES 32 /* the upper half is never touched before it is protected */
#define HALF (PAGES / 2)
#define LOWER ((1UL << HALF) - 1)
#define ALL ((1UL << PAGES) - 1)

/* Plain pagemap has a bit for it too. */
static void expect_protected(int pagemap, const uint8_t *p, unsigned long want,
                             const char *kind, const char *when)
{
    unsigned long got = wp_protected(pagemap, p, PAGES);

    CHECK(got == want,
          "%s memory, %s: pagemap has pages 0x%lx as protected, not 0x%lx",
          kind, when, got, want);
}

static void expect(int pagemap, const uint8_t *p, bool protect,
                   unsigned long want, const char *kind, const char *when)
{
    unsigned long got = wp_written(pagemap, p, PAGES, protect);

    CHECK(got == want,
          "%s memory, %s: pages 0x%lx are told as written, not "
          "0x%lx",
          kind, when, got, want);
    expect_protected(pagemap, p, protect ? ALL : ALL & ~want, kind, when);
}

static void try(int uffd, int pagemap, uint8_t *p, const char *kind)
{
    CHECK(madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE) == 0 || errno == EINVAL,
          "MADV_NOHUGEPAGE");
    check_fill(p, HALF * PAGE);
    CHECK(vh_uffd_register(uffd, p, PAGES * PAGE),
          "userfaultfd does not register %s memory", kind);
    CHECK((wp_written(pagemap, p, PAGES, true) & LOWER) == LOWER,
          "%s memory: pages written before look unwritten", kind);
    expect(pagemap, p, false, 0, kind, "after protecting");
    check_filled(p, HALF * PAGE);
    (void)*(volatile uint8_t *)(p + 20 * PAGE);
    expect(pagemap, p, false, 0, kind, "after reads");
    p[5 * PAGE] = p[21 * PAGE] = 1;
    expect(pagemap, p, false, 1UL << 5 | 1UL << 21, kind, "after two writes");
    expect(pagemap, p, true, 1UL << 5 | 1UL << 21, kind, "asked again");
    expect(pagemap, p, false, 0, kind, "after protecting again");
    p[5 * PAGE] = 2;
    expect(pagemap, p, true, 1UL << 5, kind, "after one more write");
    CHECK(p[5 * PAGE] == 2 && p[21 * PAGE] == 1, "%s memory lost a write",
          kind);
}

int main(void)
{
    int uffd = wp_async_open();
    VhPagemap pm = check_pagemap();
    size_t len = PAGES * PAGE;

    try(uffd, pm.fd, check_shared(len, PAGE), "shared");
    try(uffd, pm.fd, check_mmap(len, MAP_PRIVATE | MAP_ANONYMOUS, -1),
        "private");
    check_seen("writes to protected pages are told, reads are not, in shared "
               "and in private memory");
    return 0;
}
