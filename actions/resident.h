/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are in host memory, whether or not they are mapped.
 */
#ifndef VMHEAT_ACTIONS_RESIDENT_H
#define VMHEAT_ACTIONS_RESIDENT_H

#include "vmheat/map.h"

/** Most pages vh_resident() looks at in one call: 2 MiB. */
#define VH_RESIDENT_PAGES 512
#define VH_RESIDENT_WORDS (VH_RESIDENT_PAGES / 64)

/**
 * vh_resident() - mincore(2) as bits
 * @addr: multiple of VH_PAGE_SIZE
 * @pages: of VH_PAGE_SIZE, also where the host's are larger: 1 ..
 * VH_RESIDENT_PAGES
 * @bits: out, a bit for each page; words of 64, all VH_RESIDENT_WORDS are set
 *
 * Of shared memory all that is in the page cache, mapped or not; of private
 * memory what is mapped or in the swap cache. Returns how many; 0 when the
 * kernel does not tell.
 */
unsigned vh_resident(const void *addr, unsigned pages, uint64_t *bits);

/**
 * vh_resident_spread() - bits of VH_PAGE_SIZE from mincore()'s answer
 * @vec: mincore()'s, a byte for each page of the host
 * @page_size: of the host: 4, 16 or 64 KiB
 * @lead: bytes from the beginning of the first of them on that are not asked
 * for
 *
 * Returns how many; the others are as for vh_resident().
 */
unsigned vh_resident_spread(const unsigned char *vec, size_t page_size,
                            size_t lead, unsigned pages, uint64_t *bits);

/** vh_resident_bit() - is the bit of page @i set? */
static inline bool vh_resident_bit(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/**
 * vh_advise_runs() - madvise() of the pages of @bits, run by run
 *
 * Returns 0 or the errno of the first that failed; goes on with the others.
 */
int vh_advise_runs(uint8_t *addr, unsigned pages, const uint64_t *bits,
                   int advice);

/** vh_populate() - the same with MADV_POPULATE_READ */
int vh_populate(uint8_t *addr, unsigned pages, const uint64_t *bits);

/** vh_resident_size() - bytes of a map's memory that are in host memory, all at
 * once: for small maps */
uint64_t vh_resident_size(VhMap *map);

/**
 * struct VhResidentCount - counts what of a map is in host memory, by and by
 * @map: NULL: nothing to count
 * @section: where the count is
 * @page: page of it
 * @sum: pages found so far
 * @size: bytes, of the last count that was finished
 * @known: there was one
 */
typedef struct VhResidentCount {
    VhMap *map;
    size_t section;
    uint64_t page;
    uint64_t sum;
    uint64_t size;
    bool known;
} VhResidentCount;

/** vh_resident_count_set_map() - begin anew; own reference; NULL: none */
void vh_resident_count_set_map(VhResidentCount *c, VhMap *map);

/** vh_resident_count() - go on counting for about @max_ns; at the end of the
 * map a new count begins with the next call */
void vh_resident_count(VhResidentCount *c, const VhClock *clock,
                       uint64_t max_ns);

#endif
