/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMHEAT_TOOLS_PAGE_H
#define VMHEAT_TOOLS_PAGE_H

#include <glib.h>

#include "term.h"

/* How a piece of text looks when colours are on. */
typedef enum VhStyle {
    VH_STYLE_PLAIN,
    VH_STYLE_BOLD,
    VH_STYLE_DIM,
    VH_STYLE_GOOD,
    VH_STYLE_WARN,
    VH_STYLE_BAD,
    VH_STYLE_HEAT, /* + heat level: background of that heat */
} VhStyle;

/* Heat levels: 0 is not accessed, VH_HEAT_MAX is always. */
#define VH_HEAT_LEVELS 10
#define VH_HEAT_MAX (VH_HEAT_LEVELS - 1)

/**
 * struct VhPage - lines of styled text that fit a width
 * @term: what the output can show
 * @lines: GString each, with escape sequences
 * @line: the one being written, or NULL
 * @column: columns used in @line
 */
typedef struct VhPage {
    const VhTerm *term;
    GPtrArray *lines;
    GString *line;
    unsigned column;
} VhPage;

/**
 * vh_page_new() - an empty page
 * @term: must outlive the page
 *
 * Returns: a page; free with vh_page_free().
 */
VhPage *vh_page_new(const VhTerm *term);

/**
 * vh_page_free() - free a page
 * @page: the page
 */
void vh_page_free(VhPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhPage, vh_page_free)

/**
 * vh_page_add() - append to the line
 * @page: the page
 * @style: how it looks
 * @format: printf format
 *
 * Control characters are replaced by '?', and in a locale that is not UTF-8
 * so are characters beyond ASCII. What exceeds the width is cut off.
 */
void vh_page_add(VhPage *page, VhStyle style, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/**
 * vh_page_to() - append blanks up to a column
 * @page: the page
 * @column: counted from 0
 */
void vh_page_to(VhPage *page, unsigned column);

/**
 * vh_page_wrap() - append words, on as many lines as they need
 * @page: the page
 * @style: how they look
 * @indent: column at which further lines begin
 * @text: the words
 */
void vh_page_wrap(VhPage *page, VhStyle style, unsigned indent,
                  const char *text);

/**
 * vh_page_end() - finish the line
 * @page: the page
 */
void vh_page_end(VhPage *page);

/**
 * vh_page_left() - columns left in the line
 * @page: the page
 *
 * Returns: the number.
 */
unsigned vh_page_left(const VhPage *page);

/**
 * vh_page_text() - all lines, each with a newline
 * @page: the page
 *
 * Returns: text; free with g_free().
 */
char *vh_page_text(const VhPage *page);

/**
 * vh_page_screen() - what redraws a full screen with this page
 * @page: the page
 *
 * Returns: text with escape sequences, at most the terminal's height of
 * lines; free with g_free().
 */
char *vh_page_screen(const VhPage *page);

#endif
