/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest program with a known hot set; runs as the only process of a Linux
 * guest (tests/linux/mkguest makes the guest).
 *
 * It fills a cold buffer once and never looks at it again, then reads every
 * page of a hot buffer a given number of times a second, for ever, and of a
 * warm buffer once a second. So that hot memory is not in one piece, there may
 * be spots too: hot huge pages that are each followed by seven cold ones. All
 * these are made of huge pages reserved on the kernel's command line, so that
 * they are a few extents of guest-physical memory. /proc/self/pagemap says
 * which; they are printed on the console, as the truth to compare with:
 *
 *     COLD <bytes>
 *     WARM <start> <end>     guest-physical, hexadecimal, once per extent
 *     HOT <start> <end>
 *     COUNTER <address>      a word that counts the pages read so far
 *     READY <hot bytes> <passes per second>
 *
 * The counter is the first word of the hot buffer.
 *
 * What it cannot promise: that nothing else is hot. The kernel's own timer and
 * data pages, and this program's stack and text, are; they are not declared.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define HUGE (2 * MIB)
#define SPOT_STEP 8
#define PFN_MASK ((1ULL << 55) - 1)
#define PRESENT (1ULL << 63)

static void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("workload: ", stdout);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
    fflush(stdout);
    exit(1);
}

static unsigned long number(const char *name, const char *text,
                            unsigned long max)
{
    char *end;
    unsigned long v;

    errno = 0;
    v = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || v > max) {
        die("%s '%s' must be a number, 0 .. %lu", name, text, max);
    }
    return v;
}

static volatile uint8_t *get_memory(size_t size, int flags)
{
    uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

    if (p == MAP_FAILED) {
        die("no memory for %zu bytes: %s", size, strerror(errno));
    }
    for (size_t i = 0; i < size; i += PAGE) {
        memset(p + i, (int)(i / PAGE) | 1, PAGE);
    }
    return p;
}

static uint64_t physical(int pagemap, const volatile void *p)
{
    uint64_t entry;
    off_t at = (off_t)((uintptr_t)p / PAGE * sizeof(entry));

    if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry)) {
        die("can't read pagemap: %s", strerror(errno));
    }
    if (!(entry & PRESENT) || !(entry & PFN_MASK)) {
        die("pagemap tells no page frame: not root?");
    }
    return (entry & PFN_MASK) * PAGE;
}

static int by_address(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int open_pagemap(void)
{
    int pagemap = open("/proc/self/pagemap", O_RDONLY);

    if (pagemap < 0) {
        die("can't read /proc/self/pagemap: %s", strerror(errno));
    }
    return pagemap;
}

/* Memory that is read: of @step huge pages the first. */
typedef struct Buffer {
    volatile uint8_t *p;
    size_t size;
    size_t step;
} Buffer;

/* Addresses of the huge pages of @b and @more, sorted; *@nr of them. */
static uint64_t *addresses(const Buffer *b, const Buffer *more, size_t *nr)
{
    size_t most = (b->size + more->size) / HUGE + 1;
    uint64_t *gpa = calloc(most, sizeof(*gpa));
    int pagemap = open_pagemap();

    if (!gpa) {
        die("no memory");
    }
    *nr = 0;
    for (size_t i = 0; i < b->size; i += b->step * HUGE) {
        gpa[(*nr)++] = physical(pagemap, b->p + i);
    }
    for (size_t i = 0; i < more->size; i += more->step * HUGE) {
        gpa[(*nr)++] = physical(pagemap, more->p + i);
    }
    qsort(gpa, *nr, sizeof(*gpa), by_address);
    close(pagemap);
    return gpa;
}

/* Print where @b and @more are, as few extents as possible. */
static void print_extents(const char *what, const Buffer *b, const Buffer *more)
{
    size_t nr;
    uint64_t *gpa = addresses(b, more, &nr);

    for (size_t first = 0, i = 0; i < nr; i++) {
        if (i + 1 == nr || gpa[i + 1] != gpa[i] + HUGE) {
            printf("%s 0x%llx 0x%llx\n", what, (unsigned long long)gpa[first],
                   (unsigned long long)(gpa[i] + HUGE));
            first = i + 1;
        }
    }
    free(gpa);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void print_counter(const Buffer *hot)
{
    int pagemap = open_pagemap();

    printf("COUNTER 0x%llx\n", (unsigned long long)physical(pagemap, hot->p));
    close(pagemap);
}

static void read_pages(const Buffer *b, volatile uint64_t *counter)
{
    for (size_t at = 0; at < b->size; at += b->step * HUGE) {
        for (size_t i = at; i < at + HUGE; i += PAGE) {
            (void)b->p[i];
            ++*counter;
        }
    }
}

static void sleep_ns(uint64_t ns)
{
    struct timespec ts = { .tv_nsec = ns > 999999999 ? 999999999 : ns };

    nanosleep(&ts, NULL);
}

/* All that is read. */
typedef struct Work {
    Buffer hot;
    Buffer spots;
    Buffer warm;
    unsigned long passes; /* a second, over hot and spots; 0: without a rest */
} Work;

static void touch_for_ever(const Work *w)
{
    volatile uint64_t *counter = (volatile uint64_t *)w->hot.p;
    uint64_t next = now_ns(), next_warm = next;

    for (;;) {
        uint64_t now;

        read_pages(&w->hot, counter);
        read_pages(&w->spots, counter);
        now = now_ns();
        if (now >= next_warm) {
            read_pages(&w->warm, counter);
            next_warm = now + 1000000000ULL;
        }
        if (w->passes) {
            next += 1000000000ULL / w->passes;
            if (next > now) {
                sleep_ns(next - now);
            } else {
                next = now; /* can't keep up: don't try to catch up */
            }
        }
    }
}

/* Huge pages; @size 0: none. */
static Buffer get_buffer(size_t size, size_t step)
{
    Buffer b = { .size = size, .step = step };

    if (size) {
        b.p = get_memory(size, MAP_HUGETLB);
    }
    return b;
}

static size_t huge_size(const char *name, const char *text)
{
    size_t size = number(name, text, 1 << 20) * MIB;

    if (size % HUGE) {
        die("%s '%s' must be a multiple of 2", name, text);
    }
    return size;
}

static void print_truth(const Work *w, size_t cold_size)
{
    const Buffer none = { .step = 1 };

    printf("COLD %zu\n", cold_size);
    print_extents("WARM", &w->warm, &none);
    print_extents("HOT", &w->hot, &w->spots);
    print_counter(&w->hot);
    printf("READY %zu %lu\n", w->hot.size + w->spots.size / SPOT_STEP,
           w->passes);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t cold_size;
    Work w;

    if (argc != 6) {
        die("usage: workload COLD-MIB WARM-MIB HOT-MIB SPOTS "
            "PASSES-PER-SECOND");
    }
    cold_size = number("COLD-MIB", argv[1], 1 << 20) * MIB;
    w.passes = number("PASSES-PER-SECOND", argv[5], 1000000);
    w.hot = get_buffer(huge_size("HOT-MIB", argv[3]), 1);
    if (!w.hot.size) {
        die("HOT-MIB '%s' must be at least 2", argv[3]);
    }
    w.warm = get_buffer(huge_size("WARM-MIB", argv[2]), 1);
    w.spots = get_buffer(number("SPOTS", argv[4], 1 << 16) * SPOT_STEP * HUGE,
                         SPOT_STEP);
    get_memory(cold_size ? cold_size : PAGE, 0);
    print_truth(&w, cold_size);
    touch_for_ever(&w);
    return 0;
}
