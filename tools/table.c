/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#define BETWEEN 2
#define NOTE_INDENT 4

typedef struct Cell {
    VhStyle style;
    char *text;
} Cell;

typedef struct Note {
    unsigned row;
    VhStyle style;
    char *text;
} Note;

struct VhTable {
    const VhColumn *columns;
    unsigned nr;
    GArray *cells;
    GArray *notes;
};

static void clear_cell(void *cell)
{
    g_free(((Cell *)cell)->text);
}

static void clear_note(void *note)
{
    g_free(((Note *)note)->text);
}

VhTable *vh_table_new(const VhColumn *columns, unsigned nr)
{
    VhTable *table = g_new0(VhTable, 1);

    table->columns = columns;
    table->nr = nr;
    table->cells = g_array_new(false, false, sizeof(Cell));
    g_array_set_clear_func(table->cells, clear_cell);
    table->notes = g_array_new(false, false, sizeof(Note));
    g_array_set_clear_func(table->notes, clear_note);
    return table;
}

void vh_table_free(VhTable *table)
{
    g_array_free(table->notes, true);
    g_array_free(table->cells, true);
    g_free(table);
}

void vh_table_put(VhTable *table, VhStyle style, char *text)
{
    Cell cell = { style, text };

    g_array_append_val(table->cells, cell);
}

void vh_table_note(VhTable *table, VhStyle style, char *text)
{
    Note note = { table->cells->len / table->nr - 1, style, text };

    g_array_append_val(table->notes, note);
}

static const Cell *cell_at(const VhTable *table, unsigned row, unsigned col)
{
    return &g_array_index(table->cells, Cell, row * table->nr + col);
}

static unsigned text_columns(const char *text)
{
    return g_utf8_strlen(text, -1);
}

static unsigned column_width(const VhTable *table, unsigned col)
{
    unsigned width = text_columns(table->columns[col].title);

    for (unsigned row = 0; row < table->cells->len / table->nr; row++) {
        width = MAX(width, text_columns(cell_at(table, row, col)->text));
    }
    return width;
}

static unsigned total_width(const unsigned *widths, unsigned nr)
{
    unsigned sum = 0;

    for (unsigned col = 0; col < nr; col++) {
        sum += widths[col] ? widths[col] + (sum ? BETWEEN : 0) : 0;
    }
    return sum;
}

/* Width 0 marks a column that is left out. One always stays. */
static void fit(const VhTable *table, unsigned *widths, unsigned width)
{
    for (unsigned n = 1; n < table->nr; n++) {
        unsigned least = table->nr;

        if (total_width(widths, table->nr) <= width) {
            return;
        }
        for (unsigned col = 0; col < table->nr; col++) {
            if (widths[col] &&
                (least == table->nr ||
                 table->columns[col].keep < table->columns[least].keep)) {
                least = col;
            }
        }
        widths[least] = 0;
    }
}

static void draw_cell(VhPage *page, const char *text, VhStyle style, bool right,
                      unsigned width)
{
    unsigned begin = page->column + (page->column ? BETWEEN : 0);
    unsigned pad = width - MIN(text_columns(text), width);

    vh_page_to(page, begin + (right ? pad : 0));
    vh_page_add(page, style, "%s", text);
    vh_page_to(page, begin + width);
}

static void draw_notes(const VhTable *table, VhPage *page, unsigned row)
{
    for (guint i = 0; i < table->notes->len; i++) {
        const Note *n = &g_array_index(table->notes, Note, i);

        if (n->row == row) {
            vh_page_to(page, NOTE_INDENT);
            vh_page_wrap(page, n->style, NOTE_INDENT + 2, n->text);
            vh_page_end(page);
        }
    }
}

void vh_table_draw(const VhTable *table, VhPage *page)
{
    g_autofree unsigned *widths = g_new(unsigned, table->nr);

    for (unsigned col = 0; col < table->nr; col++) {
        widths[col] = column_width(table, col);
    }
    fit(table, widths, page->term->width);
    for (unsigned col = 0; col < table->nr; col++) {
        if (widths[col]) {
            draw_cell(page, table->columns[col].title, VH_STYLE_BOLD,
                      table->columns[col].right, widths[col]);
        }
    }
    vh_page_end(page);
    for (unsigned row = 0; row < table->cells->len / table->nr; row++) {
        for (unsigned col = 0; col < table->nr; col++) {
            const Cell *cell = cell_at(table, row, col);

            if (widths[col]) {
                draw_cell(page, cell->text, cell->style,
                          table->columns[col].right, widths[col]);
            }
        }
        vh_page_end(page);
        draw_notes(table, page, row);
    }
}
