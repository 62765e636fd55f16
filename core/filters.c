/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters: the first that matches decides; what none matches gets the opposite
 * of the last filter's verdict (as in DAMOS).
 *
 * Answers come in extents. At an address each filter says whether it matches
 * and up to which address that holds; the verdict holds up to the nearest of
 * the ends of all filters that were asked. So a large range costs as many looks
 * as it has changes, not as it has pages.
 *
 * What differs: DAMOS looks at all filters of one kind (addresses) before all
 * of the other (pages); here the order is the user's.
 */
#include <glib.h>

#include "filters.h"

/* Does [@start, @end) hold @at? Up to where does the answer hold? */
static bool in_range(uint64_t start, uint64_t end, uint64_t at, uint64_t *until)
{
    /* down to whole pages, both, as DAMOS */
    start -= start % VH_PAGE_SIZE;
    end -= end % VH_PAGE_SIZE;
    if (at < start) {
        *until = MIN(*until, start);
        return false;
    }
    if (at >= end) {
        return false;
    }
    *until = MIN(*until, end);
    return true;
}

static bool page_is(const VhSchemesEnv *env, VhFilterType type,
                    const VhMapSection *s, uint64_t gpa, uint64_t *until)
{
    uint64_t offset = gpa - s->gpa, end = *until - s->gpa, to = end;
    bool is;

    if (!env->page) {
        return false;
    }
    is = env->page(env->opaque, type, s, offset, end, &to);
    to -= to % VH_PAGE_SIZE;
    *until = s->gpa + CLAMP(to, offset + VH_PAGE_SIZE, end);
    return is;
}

/* Is the memory at @gpa of the filter's type? Shortens @until. */
static bool is_of_type(const VhFilter *f, const VhSchemesEnv *env,
                       const VhMapSection *s, uint64_t gpa, uint64_t *until)
{
    switch (f->type) {
    case VH_FILTER_ADDRESS:
        return in_range(f->start, f->end, gpa, until);
    case VH_FILTER_NODE:
        return s->node && s->node - 1 == f->node;
    case VH_FILTER_BLOCK:
        return g_strcmp0(s->name, f->block) == 0;
    case VH_FILTER_FILE_BACKED:
        return s->file_backed;
    case VH_FILTER_SHARED:
        return s->shared;
    case VH_FILTER_HUGETLB:
        return s->page_size > VH_PAGE_SIZE;
    case VH_FILTER_PINNED:
        return s->flags & VH_SECTION_PINNED;
    default:
        return page_is(env, f->type, s, gpa, until);
    }
}

/* Those that look at pages come last in VhFilterType. */
static bool looks_at_pages(const VhFilter *f)
{
    return f->type >= VH_FILTER_HUGEPAGE;
}

/* @look: at pages, too; else "may be" counts as yes. */
static bool decide(const VhScheme *s, const VhSchemesEnv *env,
                   const VhMapSection *section, uint64_t gpa, uint64_t end,
                   uint64_t *until, bool look, bool *by_page)
{
    *until = end;
    *by_page = false;
    for (size_t i = 0; i < s->nr_filters; i++) {
        const VhFilter *f = &s->filters[i];

        *by_page |= looks_at_pages(f);
        if (*by_page && !look) {
            return true;
        }
        if (is_of_type(f, env, section, gpa, until) == f->matching) {
            return f->allow;
        }
    }
    return !s->nr_filters || !s->filters[s->nr_filters - 1].allow;
}

bool vh_filters_may_allow(const VhScheme *s, const VhSchemesEnv *env,
                          const VhMapSection *section, uint64_t gpa,
                          uint64_t end, uint64_t *until)
{
    bool by_page;

    return decide(s, env, section, gpa, end, until, false, &by_page);
}

bool vh_filters_allow(const VhScheme *s, const VhSchemesEnv *env,
                      const VhMapSection *section, uint64_t gpa, uint64_t end,
                      uint64_t *until, bool *by_page)
{
    return decide(s, env, section, gpa, end, until, true, by_page);
}
