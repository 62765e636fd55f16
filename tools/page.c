/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All text output goes through a page, so that width, colour and character
 * set are dealt with in one place. Text that came from QEMU could hold
 * anything; escape sequences in it must not reach the terminal.
 */
#include <string.h>

#include "page.h"

/* 256-colour backgrounds: black, blue, red, yellow. */
static const guchar heat_background[VH_HEAT_LEVELS] = {
    235, 17, 19, 54, 90, 125, 160, 202, 214, 226,
};

VhPage *vh_page_new(const VhTerm *term)
{
    VhPage *page = g_new0(VhPage, 1);

    page->term = term;
    page->lines = g_ptr_array_new();
    page->line = g_string_new(NULL);
    return page;
}

void vh_page_free(VhPage *page)
{
    for (guint i = 0; i < page->lines->len; i++) {
        g_string_free(g_ptr_array_index(page->lines, i), true);
    }
    g_ptr_array_free(page->lines, true);
    g_string_free(page->line, true);
    g_free(page);
}

unsigned vh_page_left(const VhPage *page)
{
    return page->column < page->term->width ? page->term->width - page->column
                                            : 0;
}

static void style_on(VhPage *page, VhStyle style)
{
    static const char *const codes[] = {
        [VH_STYLE_BOLD] = "1",  [VH_STYLE_DIM] = "2",    [VH_STYLE_GOOD] = "32",
        [VH_STYLE_WARN] = "33", [VH_STYLE_BAD] = "1;31",
    };

    if (style >= VH_STYLE_HEAT) {
        g_string_append_printf(page->line, "\033[48;5;%um",
                               heat_background[style - VH_STYLE_HEAT]);
    } else {
        g_string_append_printf(page->line, "\033[%sm", codes[style]);
    }
}

static unsigned char_width(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

/* What is written for a character. */
static gunichar shown(const VhPage *page, gunichar c)
{
    if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ||
        g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR) {
        return '?';
    }
    return c > 0x7e && !page->term->utf8 ? '?' : c;
}

static void add_text(VhPage *page, const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = shown(page, g_utf8_get_char(p));

        if (char_width(c) > vh_page_left(page)) {
            return;
        }
        g_string_append_unichar(page->line, c);
        page->column += char_width(c);
    }
}

static void add_styled(VhPage *page, VhStyle style, const char *text)
{
    bool styled = style != VH_STYLE_PLAIN && page->term->color;

    if (!*text || !vh_page_left(page)) {
        return;
    }
    if (styled) {
        style_on(page, style);
    }
    add_text(page, text);
    if (styled) {
        g_string_append(page->line, "\033[0m");
    }
}

void vh_page_add(VhPage *page, VhStyle style, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    valid = g_utf8_make_valid(text, -1);
    add_styled(page, style, valid);
}

void vh_page_to(VhPage *page, unsigned column)
{
    while (page->column < column && vh_page_left(page)) {
        g_string_append_c(page->line, ' ');
        page->column++;
    }
}

/* Columns of a word; it may be wider than a line, then it is cut there. */
static unsigned text_width(const char *text)
{
    unsigned n = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        n += char_width(g_utf8_get_char(p));
    }
    return n;
}

static void break_line(VhPage *page, unsigned indent)
{
    vh_page_end(page);
    vh_page_to(page, indent);
}

/* A word that no line could hold. */
static void wrap_long_word(VhPage *page, VhStyle style, unsigned indent,
                           const char *word)
{
    while (*word) {
        const char *end = word;
        g_autofree char *piece = NULL;

        for (unsigned n = 0; *end && n < vh_page_left(page); n++) {
            end = g_utf8_next_char(end);
        }
        piece = g_strndup(word, end - word);
        add_styled(page, style, piece);
        word = end;
        if (*word) {
            break_line(page, indent);
        }
    }
}

void vh_page_wrap(VhPage *page, VhStyle style, unsigned indent,
                  const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_auto(GStrv) words = g_strsplit(valid, " ", -1);
    bool first = true;

    indent = MIN(indent, page->term->width / 2);
    for (char **w = words; *w; w++) {
        unsigned width = text_width(*w);

        if (!width) {
            continue;
        }
        if (!first && width + 1 > vh_page_left(page)) {
            break_line(page, indent);
        } else if (!first) {
            add_styled(page, VH_STYLE_PLAIN, " ");
        }
        first = false;
        if (width > vh_page_left(page) && page->column > indent) {
            break_line(page, indent);
        }
        wrap_long_word(page, style, indent, *w);
    }
}

static void trim_right(GString *line)
{
    while (line->len && line->str[line->len - 1] == ' ') {
        g_string_truncate(line, line->len - 1);
    }
}

void vh_page_end(VhPage *page)
{
    trim_right(page->line);
    g_ptr_array_add(page->lines, page->line);
    page->line = g_string_new(NULL);
    page->column = 0;
}

char *vh_page_text(const VhPage *page)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < page->lines->len; i++) {
        GString *line = g_ptr_array_index(page->lines, i);

        g_string_append_len(out, line->str, line->len);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, false);
}

char *vh_page_screen(const VhPage *page)
{
    /* "synchronized update": terminals that know it do not show halves */
    GString *out = g_string_new("\033[?2026h\033[H");
    guint n = MIN(page->lines->len, page->term->height);

    for (guint i = 0; i < n; i++) {
        GString *line = g_ptr_array_index(page->lines, i);

        /* clear first: after a full line the cursor sits on its last cell */
        g_string_append_printf(out, "%s\033[K", i ? "\r\n" : "");
        g_string_append_len(out, line->str, line->len);
    }
    if (n < page->term->height) {
        g_string_append(out, "\033[J");
    }
    g_string_append(out, "\033[?2026l");
    return g_string_free(out, false);
}
