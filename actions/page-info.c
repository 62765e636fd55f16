/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "accel/pagemap.h"
#include "actions/page-info.h"
#include "actions/resident.h"

#define HUGE_SIZE (2ULL << 20)

struct VhPageInfo {
    VhPagemap pagemap;
    bool open;
    VhYoung *young;
};

VhPageInfo *vh_page_info_new(const VhHost *host)
{
    VhPageInfo *p = g_new0(VhPageInfo, 1);
    g_autofree char *why = NULL;

    p->open = vh_pagemap_open(&p->pagemap, &why);
    p->young = vh_young_new(host);
    return p;
}

void vh_page_info_free(VhPageInfo *p)
{
    if (p->open) {
        vh_pagemap_close(&p->pagemap);
    }
    vh_young_free(p->young);
    g_free(p);
}

VhYoung *vh_page_info_young(VhPageInfo *p)
{
    return p->young;
}

/* Where the next huge page may begin. */
static uint64_t next_huge(const VhMapSection *s, uint64_t offset, uint64_t end)
{
    uint64_t lead = (uintptr_t)(s->hva + offset) % HUGE_SIZE;

    return MIN(end, offset + HUGE_SIZE - lead);
}

static bool is_huge(VhPageInfo *p, const VhMapSection *s, uint64_t offset)
{
    return (s->flags & VH_SECTION_HUGETLB) ||
           (p->open &&
            vh_pagemap_query(&p->pagemap, s->hva + offset) & VH_PAGE_HUGE);
}

static bool is_present(const VhMapSection *s, uint64_t offset, uint64_t end,
                       uint64_t *until)
{
    uint64_t bits[VH_RESIDENT_WORDS];
    unsigned pages = MIN((end - offset) / VH_PAGE_SIZE, VH_RESIDENT_PAGES), i;
    bool first;

    vh_resident(s->hva + offset, pages, bits);
    first = vh_resident_bit(bits, 0);
    for (i = 1; i < pages && vh_resident_bit(bits, i) == first; i++) {
    }
    *until = offset + i * VH_PAGE_SIZE;
    return first;
}

VhIs vh_page_info(VhPageInfo *p, VhFilterType type, const VhMapSection *s,
                  uint64_t offset, uint64_t end, uint64_t *until)
{
    switch (type) {
    case VH_FILTER_HUGEPAGE:
        *until = next_huge(s, offset, end);
        return is_huge(p, s, offset) ? VH_IS : VH_IS_NOT;
    case VH_FILTER_PRESENT:
        return is_present(s, offset, end, until) ? VH_IS : VH_IS_NOT;
    case VH_FILTER_YOUNG:
        return vh_young_is(p->young, s, offset, end, until);
    default:
        *until = end;
        return VH_IS_UNKNOWN;
    }
}
