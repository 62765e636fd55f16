/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <string.h>

#include "json-text.h"

/* Behind a string's first quote: where its last one is, or the end. */
static const char *skip_string(const char *p)
{
    for (;;) {
        p += strcspn(p, "\\\"");
        if (*p != '\\' || !p[1]) {
            return *p == '\\' ? p + 1 : p;
        }
        p += 2;
    }
}

/* What json-glib takes for a comment or a string and JSON does not know would
 * hide brackets from this, so that is refused. */
static bool is_harmless(const char *text)
{
    unsigned depth = 0;

    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '"':
            p = skip_string(p + 1);
            if (!*p) {
                return false;
            }
            break;
        case '/':
        case '#':
        case '\'':
            return false;
        case '[':
        case '{':
            if (++depth > VH_JSON_DEPTH_MAX) {
                return false;
            }
            break;
        case ']':
        case '}':
            depth -= depth > 0;
            break;
        }
    }
    return true;
}

JsonNode *vh_json_parse(const char *text)
{
    return text && g_utf8_validate(text, -1, NULL) && is_harmless(text)
               ? json_from_string(text, NULL)
               : NULL;
}
