/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * One bit for each page of a section, for each scheme that paged something out
 * of it: 32 KiB for a GiB. A page that is in host memory again, as mincore()
 * has it, came back: its bit is cleared and it is counted. Why it came back is
 * not known: the guest touched it, or the kernel read ahead from swap, or a
 * device of QEMU's did; all of it is work that paging out has caused.
 *
 * A scan goes through all bits of all schemes, 2 MiB at a time, as far as its
 * time lasts, and the next one goes on from there. Pieces without a bit cost
 * next to nothing.
 */
#include <glib.h>
#include <string.h>

#include "actions/paged.h"
#include "actions/resident.h"

/* Pages of one section that one scheme paged out. */
typedef struct Area {
    char *block;
    uint64_t gpa;
    uint64_t size;
    const uint8_t *hva; /* NULL: not in the map now */
    uint64_t *bits;
} Area;

typedef struct Target {
    char *name;
    const VhActionOps *action;
    GPtrArray *areas;
    uint64_t refaulted;
} Target;

struct VhPaged {
    GPtrArray *targets;
    VhMap *map;
    /* where the scan is */
    size_t target;
    size_t area;
    uint64_t page;
};

static void area_free(gpointer opaque)
{
    Area *a = opaque;

    g_free(a->block);
    g_free(a->bits);
    g_free(a);
}

static void target_free(gpointer opaque)
{
    Target *t = opaque;

    if (t) {
        g_free(t->name);
        g_ptr_array_unref(t->areas);
        g_free(t);
    }
}

static Target *target_new(const VhScheme *s)
{
    Target *t = g_new0(Target, 1);

    t->name = g_strdup(s->name);
    t->action = s->action;
    t->areas = g_ptr_array_new_with_free_func(area_free);
    return t;
}

VhPaged *vh_paged_new(void)
{
    VhPaged *p = g_new0(VhPaged, 1);

    p->targets = g_ptr_array_new_with_free_func(target_free);
    return p;
}

void vh_paged_free(VhPaged *p)
{
    if (p) {
        g_ptr_array_unref(p->targets);
        vh_map_unref(p->map);
        g_free(p);
    }
}

static Target *target_at(const VhPaged *p, size_t index)
{
    return index < p->targets->len ? g_ptr_array_index(p->targets, index)
                                   : NULL;
}

/* Takes the target of the same scheme out of @old, or makes one. */
static Target *take_target(GPtrArray *old, const VhScheme *s)
{
    for (guint i = 0; i < old->len; i++) {
        Target *t = g_ptr_array_index(old, i);

        if (t && t->action == s->action && g_strcmp0(t->name, s->name) == 0) {
            old->pdata[i] = NULL;
            return t;
        }
    }
    return target_new(s);
}

void vh_paged_retarget(VhPaged *p, const VhScheme *v, size_t n)
{
    GPtrArray *old = p->targets;

    p->targets = g_ptr_array_new_with_free_func(target_free);
    for (size_t i = 0; i < n; i++) {
        g_ptr_array_add(p->targets, take_target(old, &v[i]));
    }
    g_ptr_array_unref(old);
    p->target = p->area = p->page = 0;
}

static const VhMapSection *section_of(const VhMap *map, const Area *a)
{
    for (size_t i = 0; i < map->nr; i++) {
        const VhMapSection *s = &map->sections[i];

        if (s->gpa == a->gpa && s->size == a->size &&
            g_str_equal(s->name, a->block)) {
            return s;
        }
    }
    return NULL;
}

static void find_areas(Target *t, const VhMap *map)
{
    for (guint i = t->areas->len; i-- > 0;) {
        Area *a = g_ptr_array_index(t->areas, i);
        const VhMapSection *s = map ? section_of(map, a) : NULL;

        a->hva = s ? s->hva : NULL;
        if (map && !s) {
            g_ptr_array_remove_index_fast(t->areas, i);
        }
    }
}

void vh_paged_set_map(VhPaged *p, VhMap *map)
{
    VhMap *old = p->map;

    p->map = vh_map_ref(map);
    vh_map_unref(old);
    for (guint i = 0; i < p->targets->len; i++) {
        find_areas(g_ptr_array_index(p->targets, i), map);
    }
    p->target = p->area = p->page = 0;
}

static Area *area_for(Target *t, const VhMapSection *s)
{
    Area *a;

    for (guint i = 0; i < t->areas->len; i++) {
        a = g_ptr_array_index(t->areas, i);
        if (a->gpa == s->gpa && a->hva == s->hva) {
            return a;
        }
    }
    a = g_new0(Area, 1);
    a->block = g_strdup(s->name);
    a->gpa = s->gpa;
    a->size = s->size;
    a->hva = s->hva;
    a->bits = g_new0(uint64_t, s->size / VH_PAGE_SIZE / 64 + 1);
    g_ptr_array_add(t->areas, a);
    return a;
}

void vh_paged_add(VhPaged *p, size_t index, const VhMapSection *s,
                  uint64_t offset, const uint64_t *left, size_t pages)
{
    Target *t = target_at(p, index);
    uint64_t first = offset / VH_PAGE_SIZE;
    Area *a;

    if (!t) {
        return;
    }
    a = area_for(t, s);
    for (size_t i = 0; i < pages; i++) {
        uint64_t bit = 1ULL << ((first + i) % 64);

        if (vh_resident_bit(left, i)) {
            /* it had left before, so it came back unseen */
            t->refaulted += a->bits[(first + i) / 64] & bit ? VH_PAGE_SIZE : 0;
            a->bits[(first + i) / 64] |= bit;
        }
    }
}

static bool any_bit(const Area *a, uint64_t page, unsigned pages)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < pages; i += 64) {
        any |= a->bits[(page + i) / 64];
    }
    return any != 0;
}

/* One piece: @page is a multiple of VH_RESIDENT_PAGES. */
static void scan_piece(Target *t, Area *a, uint64_t page, unsigned pages)
{
    uint64_t resident[VH_RESIDENT_WORDS];

    if (!any_bit(a, page, pages)) {
        return;
    }
    vh_resident(a->hva + page * VH_PAGE_SIZE, pages, resident);
    for (unsigned i = 0; i * 64 < pages; i++) {
        uint64_t *bits = &a->bits[page / 64 + i], back = *bits & resident[i];

        t->refaulted += __builtin_popcountll(back) * VH_PAGE_SIZE;
        *bits &= ~back;
    }
}

/* Scans at the cursor and moves it; false at the end of everything. */
static bool scan_next(VhPaged *p)
{
    Target *t = target_at(p, p->target);
    Area *a;
    unsigned pages;

    if (!t) {
        p->target = p->area = p->page = 0;
        return false;
    }
    if (p->area >= t->areas->len) {
        p->target++;
        p->area = p->page = 0;
        return true;
    }
    a = g_ptr_array_index(t->areas, p->area);
    if (!a->hva || p->page >= a->size / VH_PAGE_SIZE) {
        p->area++;
        p->page = 0;
        return true;
    }
    pages = MIN(VH_RESIDENT_PAGES, a->size / VH_PAGE_SIZE - p->page);
    scan_piece(t, a, p->page, pages);
    p->page += pages;
    return true;
}

void vh_paged_scan(VhPaged *p, const VhClock *clock, uint64_t max_ns)
{
    uint64_t end = vh_clock_now(clock) + max_ns;

    while (scan_next(p) && vh_clock_now(clock) < end) {
    }
}

uint64_t vh_paged_refaults(const VhPaged *p, size_t index)
{
    const Target *t = target_at(p, index);

    return t ? t->refaulted : 0;
}
