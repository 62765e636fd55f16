/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The idle-page bitmap: a page marked idle stays so until it is touched. Only
 * pages of this program are marked.
 */
#include <fcntl.h>

#include "check.h"

#define BITMAP "/sys/kernel/mm/page_idle/bitmap"
#define PAGES 256 /* the last ones may still wait for a place in the LRU */
#define PFN_MASK ((1ULL << 55) - 1)

static int open_bitmap(void)
{
    int fd = open(BITMAP, O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        return fd;
    }
    if (errno == EACCES || errno == EPERM) {
        SKIP_PRIVILEGE("run as root", "cannot open " BITMAP ": %s",
                       strerror(errno));
    }
    SKIP_FIX("a kernel with CONFIG_IDLE_PAGE_TRACKING=y",
             "there is no " BITMAP);
}

static uint64_t pfn(const VhPagemap *pm, const uint8_t *p)
{
    uint64_t e = 0;

    CHECK(pread(pm->fd, &e, sizeof(e), (uintptr_t)p / PAGE * sizeof(e)) ==
              sizeof(e),
          "cannot read pagemap");
    if (!(e & PFN_MASK)) {
        SKIP_PRIVILEGE("run as root (CAP_SYS_ADMIN)",
                       "pagemap shows no page frame numbers");
    }
    return e & PFN_MASK;
}

static bool is_idle(int fd, uint64_t n)
{
    uint64_t word = 0;
    ssize_t got = pread(fd, &word, sizeof(word), n / 64 * sizeof(word));

    CHECK(got == sizeof(word), "reading " BITMAP " gives %zd bytes", got);
    return word >> n % 64 & 1;
}

/* False for the last pages of the host, when they do not fill a word. */
static bool mark_idle(int fd, uint64_t n)
{
    uint64_t word = 1ULL << n % 64; /* zeros change nothing */
    ssize_t put = pwrite(fd, &word, sizeof(word), n / 64 * sizeof(word));

    CHECK(put == sizeof(word) || put == 0, "writing " BITMAP " takes %zd bytes",
          put);
    return put;
}

/* Or the CPU would use what it remembers and not note the access. */
static void flush_tlb(uint8_t *p)
{
    CHECK(mprotect(p, PAGES * PAGE, PROT_READ) == 0, "mprotect");
    CHECK(mprotect(p, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
}

int main(void)
{
    int fd = open_bitmap();
    VhPagemap pm = check_pagemap();
    uint8_t *p = check_shared(PAGES * PAGE, PAGE);
    unsigned marked = 0, cleared = 0;
    bool can[PAGES];

    check_fill(p, PAGES * PAGE);
    for (unsigned i = 0; i < PAGES; i++) {
        can[i] = mark_idle(fd, pfn(&pm, p + i * PAGE));
    }
    flush_tlb(p);
    for (unsigned i = 0; i < PAGES; i++) {
        if (can[i] && is_idle(fd, pfn(&pm, p + i * PAGE))) {
            marked++;
            (void)*(volatile uint8_t *)(p + i * PAGE);
            cleared += !is_idle(fd, pfn(&pm, p + i * PAGE));
        }
    }
    CHECK(marked > PAGES / 2, "only %u of %d pages became idle", marked, PAGES);
    CHECK(cleared == marked,
          "only %u of %u idle pages lost the mark when they "
          "were touched",
          cleared, marked);
    check_seen("%u of %d pages marked idle, all seen when touched", marked,
               PAGES);
    return 0;
}
