/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Immutable, reference counted guest memory maps. */
#include <glib.h>
#include <stdlib.h>

#include "vmheat/map.h"

static int by_gpa(const void *a, const void *b)
{
    uint64_t x = ((const VhMapSection *)a)->gpa;
    uint64_t y = ((const VhMapSection *)b)->gpa;

    return (x > y) - (x < y);
}

VhMap *vh_map_new(VhMapSection *sections, size_t nr)
{
    VhMap *m = g_new0(VhMap, 1);

    m->refs = 1;
    m->nr = nr;
    m->sections = sections;
    if (nr) {
        qsort(sections, nr, sizeof(*sections), by_gpa);
    }
    return m;
}

VhMapSection vh_section_copy(const VhMapSection *s)
{
    VhMapSection copy = *s;

    copy.name = g_strdup(s->name);
    if (s->label) {
        copy.label = g_new(VhLabel, 1);
        *copy.label =
            (VhLabel){ g_strdup(s->label->backend), g_strdup(s->label->device),
                       s->label->reserved };
    }
    return copy;
}

void vh_section_clear(VhMapSection *s)
{
    if (s->label) {
        g_free(s->label->backend);
        g_free(s->label->device);
    }
    g_clear_pointer(&s->label, g_free);
    g_clear_pointer(&s->name, g_free);
}

VhMap *vh_map_ref(VhMap *m)
{
    if (m) {
        g_atomic_int_inc(&m->refs);
    }
    return m;
}

void vh_map_unref(VhMap *m)
{
    if (!m || !g_atomic_int_dec_and_test(&m->refs)) {
        return;
    }
    if (m->release) {
        m->release(m);
    }
    for (size_t i = 0; i < m->nr; i++) {
        vh_section_clear(&m->sections[i]);
    }
    g_free(m->sections);
    g_free(m);
}

const VhMapSection *vh_map_find(const VhMap *m, uint64_t gpa)
{
    size_t lo = 0, hi = m->nr;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const VhMapSection *s = &m->sections[mid];

        if (gpa < s->gpa) {
            hi = mid;
        } else if (gpa - s->gpa >= s->size) {
            lo = mid + 1;
        } else {
            return s;
        }
    }
    return NULL;
}

static bool contains_section(const VhMap *now, const VhMapSection *old)
{
    uint64_t at = old->gpa, end = old->gpa + old->size;

    while (at < end) {
        const VhMapSection *s = vh_map_find(now, at);

        if (!s || s->hva + (at - s->gpa) != old->hva + (at - old->gpa)) {
            return false;
        }
        at = s->gpa + s->size;
    }
    return true;
}

bool vh_map_contains(const VhMap *now, const VhMap *old)
{
    for (size_t i = 0; i < old->nr; i++) {
        if (!contains_section(now, &old->sections[i])) {
            return false;
        }
    }
    return true;
}

/* The first section at @i or behind it that is reserved; NULL: none. */
static const VhMapSection *next_reserved(const VhMap *m, size_t *i)
{
    while (*i < m->nr) {
        const VhMapSection *s = &m->sections[(*i)++];

        if (s->flags & VH_SECTION_RESERVED) {
            return s;
        }
    }
    return NULL;
}

bool vh_map_same_reserved(const VhMap *a, const VhMap *b)
{
    const VhMapSection *x, *y;
    size_t i = 0, j = 0;

    do {
        x = next_reserved(a, &i);
        y = next_reserved(b, &j);
        if (!x != !y || (x && (x->gpa != y->gpa || x->size != y->size))) {
            return false;
        }
    } while (x);
    return true;
}

uint64_t vh_map_total(const VhMap *m)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < m->nr; i++) {
        sum += m->sections[i].size;
    }
    return sum;
}
