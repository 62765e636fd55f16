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
 * Where a type is not known, a filter that rejects matches and one that allows
 * does not. For either the verdict is the stricter of the two there could be:
 * to reject is never laxer, and what comes after a filter that allows never is.
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

static VhIs page_is(const VhSchemesEnv *env, VhFilterType type,
                    const VhMapSection *s, uint64_t gpa, uint64_t *until)
{
    uint64_t offset = gpa - s->gpa, end = *until - s->gpa, to = end;
    VhIs is;

    if (!env->page) {
        return VH_IS_NOT;
    }
    is = env->page(env->opaque, type, s, offset, end, &to);
    to -= to % VH_PAGE_SIZE;
    *until = s->gpa + CLAMP(to, offset + VH_PAGE_SIZE, end);
    return is;
}

static VhIs is(bool known)
{
    return known ? VH_IS : VH_IS_NOT;
}

/* Is the memory at @gpa of the filter's type? Shortens @until. */
static VhIs is_of_type(const VhFilter *f, const VhSchemesEnv *env,
                       const VhMapSection *s, uint64_t gpa, uint64_t *until)
{
    switch (f->type) {
    case VH_FILTER_ADDRESS:
        return is(in_range(f->start, f->end, gpa, until));
    case VH_FILTER_NODE:
        return is(s->node && s->node - 1 == f->node);
    case VH_FILTER_BLOCK:
        return is(g_strcmp0(s->name, f->id) == 0);
    case VH_FILTER_BACKEND:
        return is(s->label && g_strcmp0(s->label->backend, f->id) == 0);
    case VH_FILTER_DEVICE:
        return is(s->label && g_strcmp0(s->label->device, f->id) == 0);
    case VH_FILTER_FILE_BACKED:
        return is(s->file_backed);
    case VH_FILTER_SHARED:
        return is(s->shared);
    case VH_FILTER_HUGETLB:
        return is(s->flags & VH_SECTION_HUGETLB);
    case VH_FILTER_PINNED:
        return is(s->flags & VH_SECTION_PINNED);
    default:
        return page_is(env, f->type, s, gpa, until);
    }
}

static bool matches(const VhFilter *f, VhIs is)
{
    return is == VH_IS_UNKNOWN ? !f->allow : (is == VH_IS) == f->matching;
}

/* Those that look at pages come last in VhFilterType. */
static bool looks_at_pages(const VhFilter *f)
{
    return f->type >= VH_FILTER_HUGEPAGE;
}

/* @asked: see vh_filters_allow(); NULL: do not look at pages, "may be" counts
 * as yes. */
static bool decide(const VhScheme *s, const VhSchemesEnv *env,
                   const VhMapSection *section, uint64_t gpa, uint64_t end,
                   uint64_t *until, unsigned *asked)
{
    *until = end;
    if (section->flags & VH_SECTION_RESERVED) {
        return false;
    }
    for (size_t i = 0; i < s->nr_filters; i++) {
        const VhFilter *f = &s->filters[i];

        if (looks_at_pages(f)) {
            if (!asked) {
                return true;
            }
            *asked |= 1u << f->type;
        }
        if (matches(f, is_of_type(f, env, section, gpa, until))) {
            return f->allow;
        }
    }
    return !s->nr_filters || !s->filters[s->nr_filters - 1].allow;
}

bool vh_filters_may_allow(const VhScheme *s, const VhSchemesEnv *env,
                          const VhMapSection *section, uint64_t gpa,
                          uint64_t end, uint64_t *until)
{
    return decide(s, env, section, gpa, end, until, NULL);
}

bool vh_filters_allow(const VhScheme *s, const VhSchemesEnv *env,
                      const VhMapSection *section, uint64_t gpa, uint64_t end,
                      uint64_t *until, unsigned *asked)
{
    *asked = 0;
    return decide(s, env, section, gpa, end, until, asked);
}
