/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The bitmap has a bit for each page frame of the host, in 64-bit words of
 * native byte order; the kernel refuses anything but whole, aligned words.
 * Ones that are written are ORed to what is there, so a word with only our bits
 * marks only our pages. To answer a read, the kernel looks through all page
 * tables that map the page, those of KVM too, for accessed bits.
 * (Documentation/admin-guide/mm/idle_page_tracking.rst, mm/page_idle.c)
 *
 * Both files need privilege when they are opened, not when they are used, so an
 * unprivileged QEMU can work with descriptors that it was given. It was given
 * them by somebody over a monitor, who may have been wrong: writing into
 * another sysfs file would be a disaster, and another process' PFNs would mark
 * its pages. So both are verified by what they do before they are used.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "accel/page-idle.h"
#include "accel/pagemap.h"

#define WORD_BITS 64
#define PROC_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
/* Documentation/admin-guide/mm/pagemap.rst */
#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_PFN ((1ULL << 55) - 1)

char *vh_page_idle_refusal(const char *what, const VhMapSection *s)
{
    if (s->flags & VH_SECTION_HUGETLB) {
        return g_strdup_printf(
            "%s is in hugetlb pages, which the kernel's idle "
            "page tracking leaves out",
            what);
    }
    return g_strdup_printf("%s is in pages of %" PRIu64 " KiB; idle page "
                           "tracking is used on hosts with pages of 4 KiB only",
                           what, s->page_size / 1024);
}

bool vh_page_idle_granted(const VhHost *host)
{
    return host->granted &&
           host->granted(host->grant_opaque, VH_GRANT_PAGE_IDLE, NULL) &&
           host->granted(host->grant_opaque, VH_GRANT_PAGEMAP, NULL);
}

/* A file of the pseudo file system @magic whose path ends so? */
static bool is_file_of(int fd, long magic, const char *end)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *path = g_file_read_link(link, NULL);
    struct statfs fs;

    return path && g_str_has_suffix(path, end) && fstatfs(fd, &fs) == 0 &&
           (long)fs.f_type == magic;
}

bool vh_page_idle_verify_bitmap(int fd, char **why)
{
    int flags = fcntl(fd, F_GETFL);
    uint64_t word;

    if (!is_file_of(fd, SYSFS_MAGIC, "page_idle/bitmap") ||
        pread(fd, &word, sizeof(word), 0) != sizeof(word)) {
        *why = g_strdup("the descriptor given as " VH_GRANT_PAGE_IDLE
                        " is not /sys/kernel/mm/page_idle/bitmap");
        return false;
    }
    if ((flags & O_ACCMODE) != O_RDWR) {
        *why = g_strdup("the descriptor given as " VH_GRANT_PAGE_IDLE
                        " is not open for reading and writing");
        return false;
    }
    return true;
}

static uint64_t entry(int fd, const void *addr)
{
    uint64_t e;
    off_t at = vh_pagemap_offset(sysconf(_SC_PAGESIZE), addr);

    return pread(fd, &e, sizeof(e), at) == sizeof(e) ? e : 0;
}

/* Ours shows a page of ours come and go. */
static bool shows_pages(int fd, uint8_t *page, uint64_t *pfn)
{
    if (entry(fd, page) & ENTRY_PRESENT) {
        return false;
    }
    *(volatile uint8_t *)page = 1;
    *pfn = entry(fd, page) & ENTRY_PFN;
    return entry(fd, page) & ENTRY_PRESENT;
}

bool vh_page_idle_verify_pagemap(int fd, char **why)
{
    uint64_t pfn = 0;
    void *page = mmap(NULL, VH_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool ours = page != MAP_FAILED && is_file_of(fd, PROC_MAGIC, "/pagemap") &&
                shows_pages(fd, page, &pfn);

    if (page != MAP_FAILED) {
        munmap(page, VH_PAGE_SIZE);
    }
    if (!ours) {
        *why = g_strdup("the descriptor given as " VH_GRANT_PAGEMAP
                        " is not the pagemap of this QEMU");
    } else if (!pfn) {
        *why = g_strdup("the descriptor given as " VH_GRANT_PAGEMAP
                        " shows no page frame numbers; it must be opened by "
                        "root (CAP_SYS_ADMIN)");
    }
    return ours && pfn;
}

static bool take(const VhHost *host, const char *what, int *fd, char **why)
{
    if (!host->granted || !host->granted(host->grant_opaque, what, fd)) {
        *fd = -1;
        *why = g_strdup_printf("%s was not granted", what);
        return false;
    }
    return true;
}

bool vh_page_idle_take(VhPageIdle *pi, const VhHost *host, char **why)
{
    *pi = (VhPageIdle){ .bitmap = -1, .pagemap = -1 };
    if (take(host, VH_GRANT_PAGE_IDLE, &pi->bitmap, why) &&
        take(host, VH_GRANT_PAGEMAP, &pi->pagemap, why) &&
        vh_page_idle_verify_bitmap(pi->bitmap, why) &&
        vh_page_idle_verify_pagemap(pi->pagemap, why)) {
        return true;
    }
    vh_page_idle_close(pi);
    return false;
}

void vh_page_idle_close(VhPageIdle *pi)
{
    if (pi->bitmap >= 0) {
        close(pi->bitmap);
    }
    if (pi->pagemap >= 0) {
        close(pi->pagemap);
    }
    pi->bitmap = pi->pagemap = -1;
}

/* Returns false, to be returned. */
static bool fail(VhPageIdle *pi, const char *what, int error)
{
    if (!pi->failed) {
        pi->failed = what;
        pi->error = error;
    }
    return false;
}

/* 0: nothing is mapped; false: its number is not shown */
static bool pfn_of(uint64_t e, uint64_t *pfn)
{
    *pfn = e & ENTRY_PRESENT ? e & ENTRY_PFN : 0;
    return *pfn || !(e & ENTRY_PRESENT);
}

bool vh_page_idle_pfns(VhPageIdle *pi, const void *addr, uint64_t *pfns,
                       size_t n)
{
    off_t at = vh_pagemap_offset(sysconf(_SC_PAGESIZE), addr);
    ssize_t got = pread(pi->pagemap, pfns, n * sizeof(*pfns), at);

    if (got != (ssize_t)(n * sizeof(*pfns))) {
        return fail(pi, "reading pagemap", got < 0 ? errno : ENODATA);
    }
    for (size_t i = 0; i < n; i++) {
        if (!pfn_of(pfns[i], &pfns[i])) {
            return fail(pi, "looking for page frame numbers in pagemap", EPERM);
        }
    }
    return true;
}

uint64_t vh_page_idle_pfn(VhPageIdle *pi, const void *addr)
{
    uint64_t pfn;

    return vh_page_idle_pfns(pi, addr, &pfn, 1) ? pfn : 0;
}

static int by_pfn(const void *a, const void *b)
{
    const VhIdlePage *x = a, *y = b;

    return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

void vh_page_idle_sort(VhIdlePage *pages, size_t n)
{
    qsort(pages, n, sizeof(*pages), by_pfn);
}

/* How many of @pages share the word of the first. */
static size_t same_word(const VhIdlePage *pages, size_t n)
{
    size_t i = 1;

    while (i < n && pages[i].pfn / WORD_BITS == pages[0].pfn / WORD_BITS) {
        i++;
    }
    return i;
}

bool vh_page_idle_read(VhPageIdle *pi, VhIdlePage *pages, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        off_t at = pages[i].pfn / WORD_BITS * sizeof(uint64_t);
        uint64_t word = 0;

        k = same_word(pages + i, n - i);
        /* 0 bytes: beyond the last page that the kernel tracks */
        if (pread(pi->bitmap, &word, sizeof(word), at) < 0) {
            return fail(pi, "reading the idle page bitmap", errno);
        }
        for (size_t j = i; j < i + k; j++) {
            pages[j].idle = word >> pages[j].pfn % WORD_BITS & 1;
        }
    }
    return true;
}

bool vh_page_idle_mark(VhPageIdle *pi, const VhIdlePage *pages, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        off_t at = pages[i].pfn / WORD_BITS * sizeof(uint64_t);
        uint64_t word = 0;

        k = same_word(pages + i, n - i);
        for (size_t j = i; j < i + k; j++) {
            word |= 1ULL << pages[j].pfn % WORD_BITS;
        }
        /* ENXIO: beyond the last page that the kernel tracks */
        if (pwrite(pi->bitmap, &word, sizeof(word), at) < 0 && errno != ENXIO) {
            return fail(pi, "writing the idle page bitmap", errno);
        }
    }
    return true;
}
