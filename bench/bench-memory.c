/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "actions/advise.h"
#include "bench-memory.h"

uint64_t bench_now_ns(void *opaque)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

const VhActionOps *bench_action(const char *name)
{
    const VhActionOps *const *o = vh_actions();

    while (!g_str_equal((*o)->name, name)) {
        o++;
    }
    return *o;
}

uint8_t *bench_memory(uint64_t size, bool shared)
{
    int flags = MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE);
    uint8_t *room = mmap(NULL, size + VH_HUGE_SIZE, PROT_NONE,
                         MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
    uint8_t *p;

    if (room == MAP_FAILED) {
        return NULL;
    }
    /* In the middle, so that of shared memory offsets are aligned as well. */
    p = mmap(room + vh_advise_lead(room), size, PROT_READ | PROT_WRITE,
             flags | MAP_FIXED, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    madvise(p, size, MADV_NOHUGEPAGE);
    return p;
}

VhMap *bench_map(uint8_t *mem, uint64_t size, bool shared)
{
    VhMapSection *s = g_new0(VhMapSection, 1);

    s->hva = mem;
    s->size = s->block_size = size;
    s->page_size = PAGE;
    s->shared = s->file_backed = shared;
    s->name = g_strdup("ram");
    return vh_map_new(s, 1);
}

static uint64_t word(uint64_t at, unsigned i)
{
    return i % 4 ? 0 : at * 0x9e3779b97f4a7c15ULL + i;
}

void bench_fill(uint8_t *mem, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at += PAGE) {
        for (unsigned i = 0; i < PAGE / 8; i++) {
            ((uint64_t *)(mem + at))[i] = word(at, i);
        }
    }
}

bool bench_intact(const uint8_t *mem, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at += PAGE) {
        for (unsigned i = 0; i < PAGE / 8; i++) {
            if (i != BENCH_COUNTER &&
                ((const uint64_t *)(mem + at))[i] != word(at, i)) {
                return false;
            }
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *values, int n)
{
    qsort(values, n, sizeof(*values), compare);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}
