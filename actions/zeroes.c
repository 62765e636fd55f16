/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A huge page that was filled in for a sparse use holds pages that nobody has
 * ever written: the bloat of huge pages. When it is split they are ordinary
 * pages that read as zeroes. They are not punched out of the file or zapped,
 * which would lose what the guest writes at that moment: they are paged out,
 * which the kernel does safely, and a page of zeroes takes no space in swap,
 * only a note (Linux 6.12; zram and zswap did so before). When the guest uses
 * one later it is filled in anew.
 *
 * Of private memory Linux 6.12 does as much by itself when it splits a huge
 * page: it maps the one page of zeroes that all share. That counts as being in
 * memory here, so it is not counted as given back.
 *
 * Shared memory is read and paged out through the second mapping, as pageout.c
 * does and for the same reason.
 */
#include <glib.h>
#include <string.h>

#include "actions/advise.h"
#include "actions/resident.h"
#include "actions/zeroes.h"

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, VH_PAGE_SIZE - 1) == 0;
}

/* Keeps the bits of pages that hold only zeroes; how many. */
static unsigned keep_zeroes(const uint8_t *addr, uint64_t *bits)
{
    unsigned n = 0;

    for (unsigned i = 0; i < VH_RESIDENT_PAGES; i++) {
        uint64_t bit = 1ULL << (i % 64);

        if (!(bits[i / 64] & bit)) {
            continue;
        }
        if (is_zero(addr + i * VH_PAGE_SIZE)) {
            n++;
        } else {
            bits[i / 64] &= ~bit;
        }
    }
    return n;
}

static void out_through_alias(const VhAlias *alias, uint64_t offset,
                              uint64_t *bits)
{
    uint8_t *addr = vh_alias_show(alias, offset, VH_HUGE_SIZE, bits);

    if (!addr) {
        return; /* locked */
    }
    if (keep_zeroes(addr, bits) &&
        vh_alias_conceal(alias, offset, VH_HUGE_SIZE)) {
        vh_advise_runs(addr, VH_RESIDENT_PAGES, bits, MADV_PAGEOUT);
    }
    vh_alias_forget(alias, offset, VH_HUGE_SIZE);
}

uint64_t vh_zeroes_out(const VhAlias *alias, const VhMapSection *s,
                       uint64_t offset)
{
    uint64_t bits[VH_RESIDENT_WORDS], after[VH_RESIDENT_WORDS];
    uint8_t *addr = s->hva + offset;
    unsigned was = vh_resident(addr, VH_RESIDENT_PAGES, bits), is;

    if (!was || vh_swap_bytes(true) < 2 * VH_HUGE_SIZE) {
        return 0;
    }
    if (alias->section == s) {
        out_through_alias(alias, offset, bits);
    } else if (keep_zeroes(addr, bits)) {
        vh_advise_runs(addr, VH_RESIDENT_PAGES, bits, MADV_PAGEOUT);
    }
    is = vh_resident(addr, VH_RESIDENT_PAGES, after);
    return was > is ? (was - is) * VH_PAGE_SIZE : 0;
}
