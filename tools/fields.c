/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that "status" and "top" have in common. */
#include "fields.h"
#include "units.h"

#define KEY_COLUMNS 13
#define BAR_MIN 8
#define BAR_MAX 40

/* On a narrow terminal the key gets a line of its own. */
static unsigned key_columns(const VhPage *page)
{
    return page->term->width < 3 * KEY_COLUMNS ? 2 : KEY_COLUMNS;
}

void vh_field_key(VhPage *page, const char *key)
{
    vh_page_add(page, VH_STYLE_BOLD, "%s", key);
    if (*key && key_columns(page) < KEY_COLUMNS) {
        vh_page_end(page);
    }
    vh_page_to(page, key_columns(page));
}

void vh_field(VhPage *page, VhStyle style, const char *key, const char *format,
              ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    vh_field_key(page, key);
    vh_page_wrap(page, style, key_columns(page), text);
    vh_page_end(page);
}

void vh_field_heading(VhPage *page, const char *text)
{
    vh_page_end(page);
    vh_page_add(page, VH_STYLE_BOLD, "%s", text);
    vh_page_end(page);
}

static void add_bar(VhPage *page, double fraction)
{
    unsigned left = vh_page_left(page);
    unsigned width = MIN(left > 4 ? left - 4 : 0, BAR_MAX);
    unsigned full = CLAMP(fraction, 0, 1) * width + 0.5;

    if (width < BAR_MIN) {
        return;
    }
    vh_page_add(page, VH_STYLE_PLAIN, "  [");
    for (unsigned i = 0; i < width; i++) {
        bool on = i < MAX(full, fraction > 0);

        if (page->term->utf8) {
            vh_page_add(page, on ? VH_STYLE_WARN : VH_STYLE_DIM, "%s",
                        on ? "\u2588" : "\u00b7");
        } else {
            vh_page_add(page, on ? VH_STYLE_WARN : VH_STYLE_DIM, "%c",
                        on ? '#' : '.');
        }
    }
    vh_page_add(page, VH_STYLE_PLAIN, "]");
}

void vh_field_working_set(VhPage *page, const VhInfo *info)
{
    double part = info->working_set_size, whole = info->total_size;
    g_autofree char *size = vh_size_str(info->working_set_size);
    g_autofree char *percent = vh_percent_str(part, whole);

    vh_field_key(page, "Working set");
    vh_page_add(page, VH_STYLE_PLAIN, "%8s %7s", size, percent);
    add_bar(page, whole > 0 ? part / whole : 0);
    vh_page_end(page);
}

VhStyle vh_state_style(const char *state)
{
    return g_str_equal(state, "running")  ? VH_STYLE_GOOD
           : g_str_equal(state, "failed") ? VH_STYLE_BAD
                                          : VH_STYLE_WARN;
}
