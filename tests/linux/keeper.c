/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest program that keeps memory and a disk, and knows what is in them; runs
 * as the only process of a Linux guest (tests/linux/mkguest makes the guest).
 *
 * Of each page every word is <seed> << 32 | <number of the page>. It obeys
 * lines on its standard input, and answers each with one:
 *
 *     keep <MiB>     grow or shrink what is written once and left alone then:
 *                    KEEPS <MiB> <MiB that are above 4 GiB>; that is where
 *                    memory is plugged in
 *     thin           give up every second page of it, for good: THINNED
 *     heat <MiB>     so much is written a hundred times a second: HEATS <MiB>
 *     check          read all of it: INTACT <MiB>
 *     fill <seed>    the disk's buffer: FILLED <seed>
 *     write <seed>   the buffer to the disk, as it is: WROTE <seed>
 *     read <seed>    the disk to the buffer, and read all of that: HAS <seed>
 *
 * or with "BAD <what> <page> <word found>" where something is not what it
 * should be. The disk is /dev/vda, past the guest's cache. READY is said at the
 * beginning.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uint64_t))
#define MIB (1UL << 20)
#define MOST (2048 * MIB)
#define DISK (16 * MIB)
#define REST_MS 10
#define PLUGGED (4UL << 30)
#define PFN_MASK ((1ULL << 55) - 1)
#define PRESENT (1ULL << 63)

typedef struct Buffer {
    const char *name;
    uint64_t *words;
    size_t size;
    size_t step; /* pages; those between are not used */
    uint64_t seed;
    uint64_t counts; /* the first word of each page has grown by so much */
} Buffer;

static uint64_t value(const Buffer *b, size_t page)
{
    return b->seed << 32 | page;
}

static void fill(Buffer *b, size_t from, size_t to)
{
    for (size_t page = from / PAGE; page < to / PAGE; page += b->step) {
        for (size_t i = 0; i < WORDS; i++) {
            b->words[page * WORDS + i] = value(b, page);
        }
        b->words[page * WORDS] += b->counts;
    }
}

static bool intact(const Buffer *b)
{
    for (size_t page = 0; page < b->size / PAGE; page += b->step) {
        for (size_t i = 0; i < WORDS; i++) {
            uint64_t want = value(b, page) + (i ? 0 : b->counts);
            uint64_t got = b->words[page * WORDS + i];

            if (got != want) {
                printf("BAD %s %zu %llx\n", b->name, page,
                       (unsigned long long)got);
                return false;
            }
        }
    }
    return true;
}

static void touch(Buffer *b)
{
    b->counts++;
    for (size_t at = 0; at < b->size / sizeof(uint64_t); at += WORDS) {
        b->words[at]++;
    }
}

static bool map(Buffer *b, size_t size)
{
    b->words = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return b->words != MAP_FAILED;
}

static void resize(Buffer *b, size_t size)
{
    if (size < b->size) {
        madvise((uint8_t *)b->words + size, b->size - size, MADV_DONTNEED);
    } else {
        fill(b, b->size, size);
    }
    b->size = size;
}

static void thin(Buffer *b)
{
    b->step = 2;
    for (size_t page = 1; page < b->size / PAGE; page += b->step) {
        madvise(b->words + page * WORDS, PAGE, MADV_DONTNEED);
    }
}

static size_t plugged(const Buffer *b, int pagemap)
{
    size_t n = 0;

    for (size_t page = 0; page < b->size / PAGE; page++) {
        uint64_t at = (uintptr_t)b->words / PAGE + page, entry = 0;

        if (pread(pagemap, &entry, sizeof(entry), at * sizeof(entry)) ==
                sizeof(entry) &&
            entry & PRESENT && (entry & PFN_MASK) * PAGE >= PLUGGED) {
            n++;
        }
    }
    return n * PAGE;
}

/* To or from all of the disk. */
static bool disk(Buffer *b, bool to)
{
    int fd = open("/dev/vda", O_RDWR | O_DIRECT);
    size_t done = 0;

    while (fd >= 0 && done < b->size) {
        uint8_t *at = (uint8_t *)b->words + done;
        ssize_t n = to ? pwrite(fd, at, MIB, done) : pread(fd, at, MIB, done);

        if (n <= 0) {
            break;
        }
        done += n;
    }
    if (done < b->size || (to && fsync(fd) < 0)) {
        printf("BAD disk: %s\n", strerror(errno));
    }
    close(fd);
    return done == b->size;
}

typedef struct Keeper {
    Buffer kept, hot, disk;
    int pagemap;
} Keeper;

static void do_memory(Keeper *k, const char *verb, size_t size)
{
    if (!strcmp(verb, "keep") && size <= MOST) {
        resize(&k->kept, size);
        printf("KEEPS %zu %zu\n", size / MIB,
               plugged(&k->kept, k->pagemap) / MIB);
    } else if (!strcmp(verb, "heat") && size <= MOST) {
        resize(&k->hot, size);
        printf("HEATS %zu\n", size / MIB);
    } else if (!strcmp(verb, "thin")) {
        thin(&k->kept);
        printf("THINNED\n");
    } else if (!strcmp(verb, "check")) {
        if (intact(&k->kept) && intact(&k->hot)) {
            printf("INTACT %zu\n", (k->kept.size + k->hot.size) / MIB);
        }
    } else {
        printf("BAD order: %s %zu\n", verb, size);
    }
}

static void obey(Keeper *k, const char *line)
{
    unsigned long number = 0;
    char verb[16] = "";

    sscanf(line, "%15s %lu", verb, &number);
    if (!strcmp(verb, "fill")) {
        k->disk.seed = number;
        fill(&k->disk, 0, k->disk.size);
        printf("FILLED %lu\n", number);
    } else if (!strcmp(verb, "write")) {
        if (disk(&k->disk, true)) {
            printf("WROTE %lu\n", number);
        }
    } else if (!strcmp(verb, "read")) {
        k->disk.seed = number;
        if (disk(&k->disk, false) && intact(&k->disk)) {
            printf("HAS %lu\n", number);
        }
    } else {
        do_memory(k, verb, number * MIB);
    }
    fflush(stdout);
}

static void listen_for(Keeper *k, int ms)
{
    struct pollfd in = { .fd = 0, .events = POLLIN };
    char line[64];
    ssize_t n;

    if (poll(&in, 1, ms) <= 0) {
        return;
    }
    n = read(0, line, sizeof(line) - 1); /* one line: a terminal */
    if (n <= 0) {
        usleep(ms * 1000);
        return;
    }
    line[n] = 0;
    obey(k, line);
}

int main(void)
{
    Keeper k = { .kept = { .name = "kept", .step = 1, .seed = 1 },
                 .hot = { .name = "hot", .step = 1, .seed = 2 },
                 .disk = { .name = "buffer", .step = 1 } };

    k.pagemap = open("/proc/self/pagemap", O_RDONLY);
    if (k.pagemap < 0 || !map(&k.kept, MOST) || !map(&k.hot, MOST) ||
        !map(&k.disk, DISK)) {
        printf("BAD keeper: %s\n", strerror(errno));
        return 1;
    }
    /* in the guest's own huge pages, so that the host can make some of it */
    madvise(k.hot.words, MOST, MADV_HUGEPAGE);
    k.disk.size = DISK;
    printf("READY\n");
    fflush(stdout);
    for (;;) {
        touch(&k.hot);
        listen_for(&k, REST_MS);
    }
}
