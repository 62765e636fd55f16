/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * What a map says of a section holds for all of it. So memory that differs, as
 * a range that firmware keeps, must be a section of its own. An action works on
 * whole pages of the mapping: where these are huge, all of a page that is
 * touched by the range belongs to it.
 */
#include "carve.h"

/* The part of @s that @range touches; false: none. */
static bool part_of(const VhMapSection *s, VhRange range, VhRange *part)
{
    uint64_t end = s->gpa + s->size, page = MAX(s->page_size, VH_PAGE_SIZE);
    /* pages of the mapping begin where the host has them */
    uint64_t first = (uintptr_t)s->hva % page;
    uint64_t from, to;

    if (range.start >= range.end || range.end <= s->gpa || range.start >= end) {
        return false;
    }
    from = MAX(range.start, s->gpa) - s->gpa + first;
    to = MIN(range.end, end) - s->gpa + first;
    from -= from % page;
    to += (page - to % page) % page;
    part->start = s->gpa + (from > first ? from - first : 0);
    part->end = MIN(s->gpa + to - first, end);
    return true;
}

/* Cuts section @i at @at, which is inside of it. */
static void cut(GArray *sections, guint i, uint64_t at)
{
    VhMapSection *s = &g_array_index(sections, VhMapSection, i);
    VhMapSection rest = vh_section_copy(s);
    uint64_t size = at - s->gpa;

    s->size = size;
    rest.gpa += size;
    rest.hva += size;
    rest.region_offset += size;
    rest.size -= size;
    g_array_insert_val(sections, i + 1, rest);
}

void vh_carve(GArray *sections, VhRange range,
              void (*mark)(VhMapSection *s, void *opaque), void *opaque)
{
    for (guint i = 0; i < sections->len; i++) {
        VhMapSection *s = &g_array_index(sections, VhMapSection, i);
        VhRange part;

        if (!part_of(s, range, &part)) {
            continue;
        }
        if (part.end < s->gpa + s->size) {
            cut(sections, i, part.end);
            s = &g_array_index(sections, VhMapSection, i);
        }
        if (part.start > s->gpa) {
            cut(sections, i++, part.start);
        }
        mark(&g_array_index(sections, VhMapSection, i), opaque);
    }
}
