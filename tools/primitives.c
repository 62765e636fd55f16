/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"
#include "primitives.h"
#include "units.h"

static void append_if(GString *s, bool yes, const char *what)
{
    if (yes) {
        g_string_append_printf(s, "%s%s", s->len ? ", " : "", what);
    }
}

static void draw_primitive(VhPage *page, const VhPrimitiveInfo *p)
{
    g_autofree char *granule = vh_size_str(p->granule);
    g_autoptr(GString) sees = g_string_new(NULL);

    append_if(sees, p->sees_reads, "reads");
    append_if(sees, p->sees_writes, "writes");
    append_if(sees, p->sees_dma, "device DMA");
    if (!p->available) {
        vh_field(page, VH_STYLE_DIM, p->name, "%s", p->summary);
        vh_field(page, VH_STYLE_WARN, "", "not available: %s",
                 p->reason ? p->reason : "no reason given");
        return;
    }
    vh_field(page, VH_STYLE_PLAIN, p->name, "%s%s", p->summary,
             p->chosen              ? " (in use)"
             : p->chosen_for_writes ? " (in use for writes)"
                                    : "");
    if (p->reason && !p->chosen_for_writes) {
        vh_field(page, VH_STYLE_DIM, "", "not in use: %s", p->reason);
    }
    vh_field(page, VH_STYLE_PLAIN, "", "sees %s in steps of %s%s",
             sees->len ? sees->str : "nothing", granule,
             p->persistent ? "; a page stays armed until touched" : "");
    if (p->blind_spots) {
        vh_field(page, VH_STYLE_PLAIN, "", "cannot see %s", p->blind_spots);
    }
}

void vh_primitives_draw(VhPage *page, const VhInfo *info)
{
    for (size_t i = 0; i < info->nr_primitives; i++) {
        draw_primitive(page, &info->primitives[i]);
    }
}
