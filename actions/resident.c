/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "actions/advise.h"
#include "actions/resident.h"

unsigned vh_resident_spread(const unsigned char *vec, size_t page_size,
                            size_t lead, unsigned pages, uint64_t *bits)
{
    unsigned n = 0;

    memset(bits, 0, VH_RESIDENT_WORDS * sizeof(*bits));
    for (unsigned i = 0; i < pages; i++) {
        if (vec[(lead + i * VH_PAGE_SIZE) / page_size] & 1) {
            bits[i / 64] |= 1ULL << (i % 64);
            n++;
        }
    }
    return n;
}

unsigned vh_resident(const void *addr, unsigned pages, uint64_t *bits)
{
    unsigned char vec[VH_RESIDENT_PAGES] = { 0 };
    size_t page_size = sysconf(_SC_PAGESIZE);
    size_t lead = (uintptr_t)addr & (page_size - 1);

    /* none, if the kernel does not tell */
    mincore((uint8_t *)addr - lead, lead + pages * VH_PAGE_SIZE, vec);
    return vh_resident_spread(vec, page_size, lead, pages, bits);
}

int vh_advise_runs(uint8_t *addr, unsigned pages, const uint64_t *bits,
                   int advice)
{
    unsigned i = 0, start;
    int error = 0;

    while (i < pages) {
        if (!vh_resident_bit(bits, i)) {
            i++;
            continue;
        }
        for (start = i; i < pages && vh_resident_bit(bits, i); i++) {
        }
        if (madvise(addr + start * VH_PAGE_SIZE, (i - start) * VH_PAGE_SIZE,
                    advice) < 0 &&
            !error) {
            error = errno;
        }
    }
    return error;
}

int vh_populate(uint8_t *addr, unsigned pages, const uint64_t *bits)
{
    return vh_advise_runs(addr, pages, bits, MADV_POPULATE_READ);
}

void vh_resident_count_set_map(VhResidentCount *c, VhMap *map)
{
    VhMap *old = c->map;

    *c = (VhResidentCount){ .map = vh_map_ref(map) };
    vh_map_unref(old);
}

/* The next piece; false at the end of the map. */
static bool count_piece(VhResidentCount *c)
{
    uint64_t bits[VH_RESIDENT_WORDS], pages;
    const VhMapSection *s;

    if (c->section >= c->map->nr) {
        c->size = c->sum * VH_PAGE_SIZE;
        c->known = true;
        c->section = c->page = c->sum = 0;
        return false;
    }
    s = &c->map->sections[c->section];
    pages = MIN(s->size / VH_PAGE_SIZE - c->page, VH_RESIDENT_PAGES);
    if (!pages) {
        c->section++;
        c->page = 0;
        return true;
    }
    c->sum += vh_resident(s->hva + c->page * VH_PAGE_SIZE, pages, bits);
    c->page += pages;
    return true;
}

void vh_resident_count(VhResidentCount *c, const VhClock *clock,
                       uint64_t max_ns)
{
    uint64_t end = vh_clock_now(clock) + max_ns;

    while (c->map && count_piece(c) && vh_clock_now(clock) < end) {
    }
}

uint64_t vh_resident_size(VhMap *map)
{
    VhResidentCount c = { .map = map };

    while (count_piece(&c)) {
    }
    return c.size;
}
