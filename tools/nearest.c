/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "nearest.h"

#define LONGEST 40 /* longer words are compared up to there */

unsigned vh_typing_errors(const char *a, const char *b)
{
    size_t la = MIN(strlen(a), LONGEST), lb = MIN(strlen(b), LONGEST);
    unsigned d[LONGEST + 1][LONGEST + 1];

    for (size_t i = 0; i <= la; i++) {
        d[i][0] = i;
    }
    for (size_t j = 0; j <= lb; j++) {
        d[0][j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        for (size_t j = 1; j <= lb; j++) {
            unsigned edit = MIN(d[i - 1][j], d[i][j - 1]) + 1;

            d[i][j] = MIN(edit, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[la][lb];
}

void vh_nearest_try(VhNearest *n, const char *name, const char *means)
{
    size_t len = strlen(n->typed);
    /* the begin of a word is one error, whatever is missing */
    unsigned errors = len > 1 && g_str_has_prefix(name, n->typed) && name[len]
                          ? 1
                          : vh_typing_errors(n->typed, name);
    unsigned allowed = (MIN(len, strlen(name)) + 1) / 3;

    if (errors <= allowed && (!n->name || errors < n->distance)) {
        n->name = means;
        n->distance = errors;
    }
}
