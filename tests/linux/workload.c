/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest program with a known hot set; runs as the only process of a Linux
 * guest (tests/linux/mkguest makes the guest).
 *
 * It fills a cold buffer once and never looks at it again, then reads every
 * page of a hot buffer a given number of times a second, for ever. The hot
 * buffer is made of huge pages reserved on the kernel's command line, so that
 * it is a few extents of guest-physical memory. /proc/self/pagemap says which;
 * they are printed on the console, as the truth to compare with:
 *
 *     COLD <bytes>
 *     HOT <start> <end>      guest-physical, hexadecimal, once per extent
 *     READY <hot bytes> <passes per second>
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

/* Print where @p is, as few extents as possible. */
static void print_extents(const volatile uint8_t *p, size_t size)
{
    size_t nr = size / HUGE;
    uint64_t *gpa = calloc(nr + 1, sizeof(*gpa));
    int pagemap = open("/proc/self/pagemap", O_RDONLY);

    if (!gpa || pagemap < 0) {
        die("can't read /proc/self/pagemap: %s", strerror(errno));
    }
    for (size_t i = 0; i < nr; i++) {
        gpa[i] = physical(pagemap, p + i * HUGE);
    }
    qsort(gpa, nr, sizeof(*gpa), by_address);
    for (size_t first = 0, i = 0; i < nr; i++) {
        if (i + 1 == nr || gpa[i + 1] != gpa[i] + HUGE) {
            printf("HOT 0x%llx 0x%llx\n", (unsigned long long)gpa[first],
                   (unsigned long long)(gpa[i] + HUGE));
            first = i + 1;
        }
    }
    close(pagemap);
    free(gpa);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Read every page of @p @passes times a second; 0: without a rest. */
static void touch_for_ever(const volatile uint8_t *p, size_t size,
                           unsigned long passes)
{
    uint64_t next = now_ns();

    for (;;) {
        for (size_t i = 0; i < size; i += PAGE) {
            (void)p[i];
        }
        if (passes) {
            uint64_t now = now_ns();

            next += 1000000000ULL / passes;
            if (next > now) {
                struct timespec ts = { .tv_nsec = next - now };

                if (ts.tv_nsec > 999999999) {
                    ts.tv_nsec = 999999999;
                }
                nanosleep(&ts, NULL);
            } else {
                next = now; /* can't keep up: don't try to catch up */
            }
        }
    }
}

int main(int argc, char **argv)
{
    volatile uint8_t *hot;
    size_t cold_size, hot_size;
    unsigned long passes;

    if (argc != 4) {
        die("usage: workload COLD-MIB HOT-MIB PASSES-PER-SECOND");
    }
    cold_size = number("COLD-MIB", argv[1], 1 << 20) * MIB;
    hot_size = number("HOT-MIB", argv[2], 1 << 20) * MIB;
    passes = number("PASSES-PER-SECOND", argv[3], 1000000);
    if (!hot_size || hot_size % HUGE) {
        die("HOT-MIB '%s' must be a multiple of 2, at least 2", argv[2]);
    }
    hot = get_memory(hot_size, MAP_HUGETLB);
    get_memory(cold_size ? cold_size : PAGE, 0);
    printf("COLD %zu\n", cold_size);
    print_extents(hot, hot_size);
    printf("READY %zu %lu\n", hot_size, passes);
    fflush(stdout);
    touch_for_ever(hot, hot_size, passes);
    return 0;
}
