/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest program whose working set is told to grow and shrink; runs as the
 * only process of a Linux guest (tests/linux/mkguest makes the guest).
 *
 * It reads and writes every page of its buffer ten times a second, and checks
 * that each holds what was last written to it. Lines on its standard input
 * change the size of the buffer:
 *
 *     <MiB> <MiB a second>   grow or shrink to so much, at that speed; 0: at
 *                            once
 *
 * It answers, one line each:
 *     READY                  at the beginning
 *     AT <MiB> <passes>      the size asked for is reached
 *     BAD <page>             a page does not hold what it should
 *
 * Memory it gives up goes back to the guest's kernel.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define MOST (4096 * MIB)
#define PASSES_PER_S 10

typedef struct Buffer {
    uint64_t *words;
    size_t size;  /* in use */
    size_t goal;  /* to be in use */
    size_t speed; /* bytes a pass */
    unsigned long passes;
} Buffer;

static uint64_t *page_at(Buffer *b, size_t offset)
{
    return b->words + offset / sizeof(uint64_t);
}

/* The first word counts passes, the last is made of it and of the address. */
static void write_page(Buffer *b, size_t offset, uint64_t count)
{
    uint64_t *page = page_at(b, offset);

    page[0] = count;
    page[PAGE / sizeof(*page) - 1] = count * 0x9e3779b97f4a7c15ULL + offset;
}

static void check_page(Buffer *b, size_t offset)
{
    uint64_t *page = page_at(b, offset);
    uint64_t last = page[PAGE / sizeof(*page) - 1];

    if (!page[0] || last != page[0] * 0x9e3779b97f4a7c15ULL + offset) {
        printf("BAD %zu\n", offset / PAGE);
        fflush(stdout);
    }
    write_page(b, offset, page[0] + 1);
}

static void change_size(Buffer *b)
{
    size_t old = b->size;

    if (b->size == b->goal) {
        return;
    }
    if (b->size < b->goal) {
        b->size = b->goal - old > b->speed ? old + b->speed : b->goal;
        for (size_t at = old; at < b->size; at += PAGE) {
            write_page(b, at, 1);
        }
    } else {
        b->size = old - b->goal > b->speed ? old - b->speed : b->goal;
        madvise(page_at(b, b->size), old - b->size, MADV_DONTNEED);
    }
    if (b->size == b->goal) {
        printf("AT %zu %lu\n", b->size / MIB, b->passes);
        fflush(stdout);
    }
}

static void obey(Buffer *b, const char *line)
{
    unsigned long size, speed;

    if (sscanf(line, "%lu %lu", &size, &speed) != 2 || size * MIB > MOST) {
        printf("grower: '%s' is not '<MiB> <MiB a second>'\n", line);
        fflush(stdout);
        return;
    }
    b->goal = size * MIB;
    b->speed = speed ? speed * MIB / PASSES_PER_S / PAGE * PAGE : MOST;
    b->speed = b->speed ? b->speed : PAGE;
}

/* Lines that came, until it is time for the next pass. */
static void listen_until(Buffer *b, uint64_t end_ms)
{
    char line[64];

    for (;;) {
        struct pollfd in = { .fd = 0, .events = POLLIN };
        struct timespec now;
        int64_t left;

        clock_gettime(CLOCK_MONOTONIC, &now);
        left = end_ms - (now.tv_sec * 1000ULL + now.tv_nsec / 1000000);
        if (left <= 0 || poll(&in, 1, left) <= 0) {
            return;
        }
        ssize_t n = read(0, line, sizeof(line) - 1); /* one line: a terminal */

        if (n <= 0) {
            usleep(left * 1000);
            return;
        }
        line[n] = 0;
        line[strcspn(line, "\r\n")] = 0;
        obey(b, line);
    }
}

int main(void)
{
    Buffer b = { .speed = MOST };

    b.words = mmap(NULL, MOST, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (b.words == MAP_FAILED) {
        printf("grower: no memory: %s\n", strerror(errno));
        return 1;
    }
    printf("READY\n");
    fflush(stdout);
    for (;; b.passes++) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        for (size_t at = 0; at < b.size; at += PAGE) {
            check_page(&b, at);
        }
        change_size(&b);
        listen_until(&b, now.tv_sec * 1000ULL + now.tv_nsec / 1000000 +
                             1000 / PASSES_PER_S);
    }
}
