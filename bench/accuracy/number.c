/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that people write. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "number.h"

bool parse_bytes(const char *text, uint64_t *out)
{
    const char *units = "KMGT", *unit;
    bool hex = g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X");
    unsigned shift = 0;
    uint64_t n;
    char *end;

    if (!g_ascii_isdigit(*text)) {
        return false; /* strtoull takes signs and spaces */
    }
    errno = 0;
    n = g_ascii_strtoull(text, &end, hex ? 16 : 10);
    if (errno || end == text) {
        return false;
    }
    unit = *end ? strchr(units, g_ascii_toupper(*end)) : NULL;
    if (unit) {
        shift = 10 * (unit - units + 1);
        end++;
    }
    if (*end || n > UINT64_MAX >> shift) {
        return false;
    }
    *out = n << shift;
    return true;
}

bool parse_real(const char *text, double least, double most, double *out)
{
    char *end;

    if (!g_ascii_isdigit(*text) && *text != '.' && *text != '-') {
        return false; /* strtod takes spaces, "inf" and "nan" */
    }
    *out = g_ascii_strtod(text, &end);
    return end != text && !*end && *out >= least && *out <= most;
}
