/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Monitored memory, with the gaps in guest-physical addresses taken out, is
 * laid on one long line and cut into cells of equal size. So a cell is always
 * the same amount of memory, and half of the picture is half of the memory. A
 * cell's heat is the mean over its bytes: a hot page in a large cold cell is
 * hardly seen (the region table shows it), but never as cold as none.
 *
 * A gap takes one column, between the two cells whose boundary is nearest.
 */
#include <inttypes.h>

#include "heatbar.h"
#include "units.h"

#define CELL_GRANULE 4096

static const char heat_char[VH_HEAT_LEVELS + 1] = " .:-=+*#%@";

int vh_heat_level(double fraction)
{
    if (fraction <= 0) {
        return 0;
    }
    return CLAMP((int)(fraction * VH_HEAT_MAX + 1e-9), 1, VH_HEAT_MAX);
}

static uint64_t monitored_bytes(const VhSnapshot *snap)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < snap->nr; i++) {
        sum += snap->regions[i].end - snap->regions[i].start;
    }
    return sum;
}

static bool gap_before(const VhSnapshot *snap, size_t i)
{
    return i && snap->regions[i].start != snap->regions[i - 1].end;
}

static unsigned count_gaps(const VhSnapshot *snap)
{
    unsigned n = 0;

    for (size_t i = 0; i < snap->nr; i++) {
        n += gap_before(snap, i);
    }
    return n;
}

/* Cells being filled. */
typedef struct Cutter {
    GArray *cells;
    uint64_t cell_bytes;
    uint64_t filled; /* of the cell being filled */
    double heat;     /* bytes times frequency in it */
    uint64_t start;  /* its first address */
    bool gap;        /* a gap waits for the next boundary */
} Cutter;

static void end_cell(Cutter *c)
{
    VhCell cell = { c->start, vh_heat_level(c->heat / c->filled) };

    g_array_append_val(c->cells, cell);
    c->filled = 0;
    c->heat = 0;
}

static void put_gap(Cutter *c, uint64_t next)
{
    VhCell gap = { next, VH_CELL_GAP };

    guint n = c->cells->len;

    /* not with nothing before it, nor twice */
    if (n && g_array_index(c->cells, VhCell, n - 1).level != VH_CELL_GAP) {
        g_array_append_val(c->cells, gap);
    }
    c->gap = false;
}

static void add_region(Cutter *c, const VhRegion *region, double frequency)
{
    uint64_t at = region->start;

    while (at < region->end) {
        uint64_t n = MIN(c->cell_bytes - c->filled, region->end - at);

        if (!c->filled) {
            if (c->gap) {
                put_gap(c, at);
            }
            c->start = at;
        }
        c->filled += n;
        c->heat += n * frequency;
        at += n;
        if (c->filled == c->cell_bytes) {
            end_cell(c);
        }
    }
}

/* The boundary nearest to the gap may be the one just passed. */
static void meet_gap(Cutter *c, uint64_t next)
{
    if (c->filled && c->filled < c->cell_bytes / 2) {
        put_gap(c, next);
    } else {
        c->gap = true;
    }
}

GArray *vh_heatbar_cells(const VhSnapshot *snap, unsigned columns,
                         uint64_t *cell_bytes)
{
    unsigned gaps = count_gaps(snap);
    bool show_gaps = gaps <= columns / 4;
    unsigned cells = columns - (show_gaps ? gaps : 0);
    uint64_t per = (monitored_bytes(snap) + cells - 1) / cells;
    Cutter c = {
        .cells = g_array_new(false, false, sizeof(VhCell)),
        .cell_bytes =
            MAX((per + CELL_GRANULE - 1) / CELL_GRANULE * CELL_GRANULE,
                CELL_GRANULE),
    };

    for (size_t i = 0; i < snap->nr; i++) {
        const VhRegion *r = &snap->regions[i];

        if (show_gaps && gap_before(snap, i)) {
            meet_gap(&c, r->start);
        }
        add_region(&c, r,
                   snap->max_nr_accesses
                       ? (double)r->nr_accesses / snap->max_nr_accesses
                       : 0);
    }
    if (c.filled) {
        end_cell(&c);
    }
    *cell_bytes = c.cell_bytes;
    return c.cells;
}

char *vh_heat_text(int level)
{
    return g_strndup(&heat_char[level], 1);
}

void vh_heat_mark(VhPage *page, int level)
{
    if (level == VH_CELL_GAP) {
        vh_page_add(page, VH_STYLE_DIM, "|");
    } else if (page->term->color) {
        vh_page_add(page, VH_STYLE_HEAT + level, " ");
    } else {
        vh_page_add(page, VH_STYLE_PLAIN, "%c", heat_char[level]);
    }
}

static unsigned address_digits(const VhSnapshot *snap)
{
    uint64_t last = snap->nr ? snap->regions[snap->nr - 1].end : 0;
    unsigned digits = 8;

    while (digits < 16 && last >> (digits * 4)) {
        digits++;
    }
    return digits;
}

static void draw_legend(VhPage *page, uint64_t cell_bytes, bool gaps)
{
    g_autofree char *size = vh_size_str(cell_bytes);

    vh_page_add(page, VH_STYLE_PLAIN, "cold ");
    for (int level = 0; level < VH_HEAT_LEVELS; level++) {
        vh_heat_mark(page, level);
    }
    vh_page_add(page, VH_STYLE_PLAIN, " hot   1 cell = %s", size);
    if (gaps) {
        vh_page_add(page, VH_STYLE_PLAIN, "   | = gap");
    }
    vh_page_end(page);
}

static void draw_rows(VhPage *page, const GArray *cells, bool label,
                      unsigned digits, unsigned columns)
{
    for (guint i = 0; i < cells->len; i += columns) {
        const VhCell *cell = &g_array_index(cells, VhCell, i);
        guint end = MIN(i + columns, cells->len);

        if (label) {
            vh_page_add(page, VH_STYLE_DIM, "0x%0*" PRIx64, (int)digits,
                        cell->start);
            vh_page_to(page, digits + 3);
        }
        vh_page_add(page, VH_STYLE_PLAIN, "[");
        for (guint j = i; j < end; j++, cell++) {
            vh_heat_mark(page, cell->level);
        }
        vh_page_add(page, VH_STYLE_PLAIN, "]");
        vh_page_end(page);
    }
}

void vh_heatbar_draw(VhPage *page, const VhSnapshot *snap, unsigned rows)
{
    unsigned width = page->term->width;
    unsigned digits = address_digits(snap);
    /* rather a map without addresses than half a map */
    bool label = width >= digits + 3 + 18;
    unsigned columns = MAX((int)width - 2 - (label ? digits + 3 : 0), 1);
    uint64_t cell_bytes;
    g_autoptr(GArray) cells = NULL;
    bool gaps = false;

    cells = vh_heatbar_cells(snap, columns * MAX(rows, 1), &cell_bytes);
    draw_rows(page, cells, label, digits, columns);
    for (guint i = 0; i < cells->len; i++) {
        gaps |= g_array_index(cells, VhCell, i).level == VH_CELL_GAP;
    }
    draw_legend(page, cell_bytes, gaps);
}
