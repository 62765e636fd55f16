/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

char *vh_clean_text(const char *text, size_t max)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        size_t n = g_utf8_next_char(p) - p;

        if (max && out->len + n > max) {
            break;
        }
        if (g_unichar_iscntrl(c)) {
            g_string_append_c(out, '?');
        } else {
            g_string_append_len(out, p, n);
        }
    }
    return g_string_free(out, false);
}

void vh_log(const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *clean = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    clean = vh_clean_text(text, 0);
    fprintf(stderr, "vmheat-exporter: %s\n", clean);
}
