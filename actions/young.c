/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Young: accessed since the page was marked idle last, by whomever.
 *
 * Theory of operation
 * -------------------
 * A look finds the page frames (PFNs) of pages and reads their idle flags
 * (accel/page-idle.h). The kernel takes over what accessed bits say into the
 * flags, and as long as nobody marks, all looks give the same answer or a
 * younger one. Young pages are marked when the engine says that they were dealt
 * with; pages that are old need no mark.
 *
 * A look goes on from page to page as long as they are alike, and reads the
 * flags of those together that share a word of the bitmap: to answer, the
 * kernel walks through the page tables of all 64 pages of the word. So what is
 * read is about what the answer is for.
 *
 * What is remembered of the latest look is which pages were young. Before they
 * are marked their PFNs are looked up again: the action may have taken them
 * away, and the frames may be somebody else's now.
 *
 * Which answer
 * ------------
 * - Mapped, flag clear: young. So is what never was marked, and what the kernel
 *   does not let be marked: just faulted in, isolated, pages but the first of a
 *   folio that is mapped by small pages.
 * - Mapped, flag set: old.
 * - Not mapped: old. QEMU and the guest map it before they access it.
 * - hugetlb: unknown; the kernel leaves it out. So it is without the files, and
 *   after an error.
 *
 * A huge page has one flag, on its first page frame (accel/idle-page.c). Pieces
 * that the engine deals with may end inside it, and what comes behind must not
 * seem old for that; so it is marked by the piece that reaches its end. Where
 * no piece does, it stays young.
 *
 * The worker owns the descriptors: duplicates of what was granted, closed when
 * it is told that grants changed.
 */
#include <glib.h>

#include "accel/page-idle.h"
#include "accel/pagemap.h"
#include "actions/young.h"

#define HUGE_SIZE (2ULL << 20)
#define HUGE_PAGES (HUGE_SIZE / VH_PAGE_SIZE)
#define PAGES_MAX 128

/* What was looked at: from @offset of @s up to @end. */
typedef struct Look {
    const VhMapSection *s;
    uint64_t offset;
    uint64_t end;
    bool huge;
} Look;

struct VhYoung {
    const VhHost *host;
    VhPageIdle files;
    VhPagemap pagemap; /* the same descriptor */
    bool open;
    char *why; /* not open although wanted */
    Look look;
    size_t nr; /* of @pages, which were young; 0: nothing to be marked */
    VhIdlePage pages[PAGES_MAX];
};

static bool tracked(const VhMapSection *s)
{
    return s->page_size == VH_PAGE_SIZE;
}

bool vh_young_probe(const VhHost *host, const VhMap *map, char **why)
{
    bool any = false;

    if (!vh_page_idle_granted(host)) {
        *why = g_strdup(VH_PAGE_IDLE_NEEDS);
        return false;
    }
    for (size_t i = 0; i < map->nr; i++) {
        any |= tracked(&map->sections[i]);
    }
    if (!any) {
        *why = map->nr ? vh_page_idle_refusal("all guest RAM", map->sections)
                       : g_strdup("the guest has no RAM");
    }
    return any;
}

VhYoung *vh_young_new(const VhHost *host)
{
    VhYoung *y = g_new0(VhYoung, 1);

    y->host = host;
    return y;
}

void vh_young_free(VhYoung *y)
{
    vh_young_use(y, false);
    g_free(y);
}

void vh_young_use(VhYoung *y, bool wanted)
{
    if (y->open) {
        vh_page_idle_close(&y->files);
    }
    g_clear_pointer(&y->why, g_free);
    y->nr = 0;
    y->open = wanted && vh_page_idle_take(&y->files, y->host, &y->why);
    if (y->open) {
        y->pagemap = vh_pagemap_wrap(y->files.pagemap);
    }
}

char *vh_young_trouble(const VhYoung *y)
{
    if (!y->open) {
        return g_strdup(y->why);
    }
    return y->files.failed ? g_strdup_printf("%s failed: %s", y->files.failed,
                                             g_strerror(y->files.error))
                           : NULL;
}

/* End of the aligned 2 MiB that @offset is in. */
static uint64_t huge_end(const VhMapSection *s, uint64_t offset)
{
    return offset + HUGE_SIZE - (uintptr_t)(s->hva + offset) % HUGE_SIZE;
}

/* The pages of the look and the frames that have their flags; 0: error. */
static size_t find_frames(VhYoung *y, const Look *l)
{
    uint64_t pfns[PAGES_MAX];
    size_t n = l->huge ? 1 : (l->end - l->offset) / VH_PAGE_SIZE;

    if (!vh_page_idle_pfns(&y->files, l->s->hva + l->offset, pfns, n)) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        y->pages[i] = (VhIdlePage){
            .pfn = l->huge ? pfns[i] & ~(HUGE_PAGES - 1) : pfns[i],
            .idle = !pfns[i],
        };
    }
    return n;
}

/* How many pages from @i on can be read together; all absent, or none. */
static size_t together(const VhYoung *y, size_t i, size_t n)
{
    const VhIdlePage *p = y->pages;
    size_t k = 1;

    while (i + k < n && !p[i + k].pfn == !p[i].pfn &&
           p[i + k].pfn / 64 == p[i].pfn / 64) {
        k++;
    }
    return k;
}

/* How many of the first of @n pages are alike; 0: error. */
static size_t count_alike(VhYoung *y, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        k = together(y, i, n);
        if (y->pages[i].pfn && !vh_page_idle_read(&y->files, y->pages + i, k)) {
            return 0;
        }
        for (size_t j = i; j < i + k; j++) {
            if (y->pages[j].idle != y->pages[0].idle) {
                return j;
            }
        }
    }
    return n;
}

static Look look_at(VhYoung *y, const VhMapSection *s, uint64_t offset,
                    uint64_t end)
{
    Look l = { .s = s, .offset = offset };

    l.huge = vh_pagemap_query(&y->pagemap, s->hva + offset) & VH_PAGE_HUGE;
    l.end = MIN(end, huge_end(s, offset));
    if (!l.huge) {
        l.end = MIN(l.end, offset + PAGES_MAX * VH_PAGE_SIZE);
    }
    return l;
}

VhIs vh_young_is(VhYoung *y, const VhMapSection *s, uint64_t offset,
                 uint64_t end, uint64_t *until)
{
    size_t n;
    Look l;

    y->nr = 0;
    *until = end;
    if (!tracked(s) || !y->open || y->files.failed) {
        return VH_IS_UNKNOWN;
    }
    l = look_at(y, s, offset, end);
    n = find_frames(y, &l);
    n = count_alike(y, n);
    if (!n) {
        return VH_IS_UNKNOWN;
    }
    if (!l.huge) {
        l.end = offset + n * VH_PAGE_SIZE;
    }
    *until = l.end;
    y->look = l;
    y->nr = y->pages[0].idle ? 0 : n;
    return y->nr ? VH_IS : VH_IS_NOT;
}

/* How many of the young pages lie below @end all. */
static size_t dealt_with(const VhYoung *y, uint64_t end)
{
    const Look *l = &y->look;

    if (l->huge) {
        return end >= huge_end(l->s, l->offset);
    }
    return MIN(y->nr, (end - l->offset) / VH_PAGE_SIZE);
}

/* Keeps those of the first @n that are where they were; returns how many. */
static size_t still_there(VhYoung *y, size_t n)
{
    uint64_t pfns[PAGES_MAX];
    size_t kept = 0;

    if (!vh_page_idle_pfns(&y->files, y->look.s->hva + y->look.offset, pfns,
                           n)) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (y->look.huge) {
            pfns[i] &= ~(HUGE_PAGES - 1);
        }
        if (pfns[i] == y->pages[i].pfn) {
            y->pages[kept++] = y->pages[i];
        }
    }
    return kept;
}

void vh_young_make_old(VhYoung *y, const VhMapSection *s, uint64_t offset,
                       uint64_t end)
{
    size_t n = 0;

    if (y->nr && y->look.s == s && y->look.offset == offset) {
        n = dealt_with(y, end);
    }
    y->nr = 0;
    if (n) {
        n = still_there(y, n);
        vh_page_idle_sort(y->pages, n);
        vh_page_idle_mark(&y->files, y->pages, n);
    }
}
