/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>

#include "accel/sections.h"

const VhMapSection *vh_section_main(const VhMap *map)
{
    const VhMapSection *best = map->nr ? &map->sections[0] : NULL;

    for (size_t i = 1; i < map->nr; i++) {
        const VhMapSection *s = &map->sections[i];

        if (s->size > best->size && g_str_equal(s->name, best->name)) {
            best = s;
        }
    }
    return best;
}

const VhMapSection *vh_section_same(const VhMap *map, const VhMapSection *s)
{
    const VhMapSection *o = map ? vh_map_find(map, s->gpa) : NULL;

    return o && o->gpa == s->gpa && o->hva == s->hva && o->size == s->size &&
                   o->page_size == s->page_size
               ? o
               : NULL;
}
