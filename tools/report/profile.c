/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report profile" verb: which memory is how hot, over a whole record. */
#include "input.h"
#include "profile.h"

#define RANGE_PART 1024 /* of all memory: what a range has at least */

static const VhGroup *group_nth(const VhProfile *p, guint i)
{
    return &g_array_index(p->classes.groups, VhGroup, i);
}

static const VhPlace *place_nth(const VhProfile *p, guint i)
{
    return &g_array_index(p->classes.places, VhPlace, i);
}

uint64_t vh_profile_never(const VhProfile *p, guint group)
{
    uint64_t sum = 0;

    if (!group) {
        return p->cells ? vh_cells_never(p->cells, 0, UINT64_MAX) : 0;
    }
    for (guint i = 0; p->cells && i < p->classes.places->len; i++) {
        const VhPlace *at = place_nth(p, i);

        if (at->block == (int)group || at->node == (int)group) {
            sum += vh_cells_never(p->cells, at->start, at->end);
        }
    }
    return sum;
}

const char *vh_profile_block(const VhProfile *p, uint64_t address)
{
    for (guint i = 0; i < p->classes.places->len; i++) {
        const VhPlace *at = place_nth(p, i);

        if (address >= at->start && address < at->end && at->block >= 0) {
            return group_nth(p, at->block)->name;
        }
    }
    return "";
}

/* A record keeps idle times to 0.8 %: was that within @us? */
static VhCellUse use_of(const VhRegion *r, uint64_t us)
{
    return r->nr_accesses                             ? VH_CELL_NOW
           : r->idle_us + r->idle_us / 64 + 2000 < us ? VH_CELL_BEFORE
                                                      : VH_CELL_NEVER;
}

static void add_cells(VhProfile *p, const VhSnapshot *s)
{
    VhCellHeat heat = { .ns = s->end_time > s->start_time
                                  ? s->end_time - s->start_time
                                  : 1 };
    uint64_t begin = p->about.begin;
    uint64_t us = s->end_time > begin ? (s->end_time - begin) / 1000 : 0;

    vh_cells_next(p->cells);
    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        heat.rate = vh_region_rate(s, r);
        heat.use = use_of(r, us);
        vh_cells_add(p->cells, r->start, r->end, &heat);
    }
}

static void add_snapshot(VhProfile *p, const VhSnapshot *s)
{
    const VhSnapshot *chosen = s;

    if (!p->cells) {
        p->cells = vh_cells_new(s->nr ? s->regions[s->nr - 1].end : 0);
    }
    if (!vh_filter_is_all(&p->filter)) {
        vh_filter_apply(&p->filter, s, &p->filtered);
        chosen = &p->filtered;
    }
    vh_classes_add(&p->classes, chosen);
    add_cells(p, chosen);
}

static void take(void *opaque, const VhRecordItem *item)
{
    VhProfile *p = opaque;

    if (item->type == VH_RECORD_STATE) {
        vh_classes_state(&p->classes, item->json);
    } else if (item->type == VH_RECORD_SNAPSHOTS) {
        add_snapshot(p, item->snapshot);
    }
}

static gint hottest_first(gconstpointer a, gconstpointer b)
{
    const VhHeatRange *x = a, *y = b;
    uint64_t sx = x->end - x->start, sy = y->end - y->start;

    if (x->rate != y->rate) {
        return x->rate > y->rate ? -1 : 1;
    }
    /* of the cold ones the large ones come last: they are of interest */
    return sx != sy ? (sx < sy ? -1 : 1) : (x->start < y->start ? -1 : 1);
}

static void rank(VhProfile *p)
{
    if (p->cells) {
        vh_cells_finish(p->cells, group_nth(p, 0)->ns);
        p->ranges = vh_cells_ranges(p->cells, p->about.total / RANGE_PART);
        g_array_sort(p->ranges, hottest_first);
    }
}

static int print(const VhProfile *p, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);
    g_autoptr(JsonNode) json = NULL;
    g_autofree char *raw = NULL;

    if (p->options->json) {
        json = vh_profile_json(p);
        return vh_cli_print_json(json);
    }
    if (!p->about.nr) {
        vh_about_nothing(&p->about, p->options->raw ? NULL : page);
    } else if (p->options->raw) {
        raw = vh_profile_raw(p);
        return vh_cli_print(raw);
    } else {
        vh_profile_draw(p, page);
    }
    return vh_cli_print_page(page);
}

int vh_cmd_report_profile(const VhOptions *options, const VhTerm *term)
{
    VhProfile p = { .options = options, .filter = vh_cli_filter(options) };
    int code, damage;

    vh_classes_init(&p.classes);
    damage = vh_input_read(options, &p.about, take, &p);
    g_free(p.filtered.regions);
    rank(&p);
    code = damage && damage != VH_EXIT_DAMAGED ? damage : print(&p, term);
    vh_classes_clear(&p.classes);
    vh_cells_free(p.cells);
    if (p.ranges) {
        g_array_free(p.ranges, true);
    }
    vh_about_clear(&p.about);
    return code ? code : damage;
}
