/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two texts of some hundred lines, compared: longest common subsequence. */
#include "diff.h"

#include <string.h>

#define AROUND 2
#define LINES_MAX 20000

typedef struct Line {
    char sign;
    const char *text;
} Line;

/* length[i * (nb + 1) + j]: of the subsequence common to a[i..] and b[j..] */
static guint16 *lengths(char **a, guint na, char **b, guint nb)
{
    guint16 *length = g_new0(guint16, (size_t)(na + 1) * (nb + 1));

    for (guint i = na; i-- > 0;) {
        for (guint j = nb; j-- > 0;) {
            guint16 *at = &length[(size_t)i * (nb + 1) + j];

            *at = g_str_equal(a[i], b[j]) ? at[nb + 2] + 1
                                          : MAX(at[1], at[nb + 1]);
        }
    }
    return length;
}

static void add(GArray *out, char sign, const char *text)
{
    Line line = { sign, text };

    g_array_append_val(out, line);
}

static GArray *compare(char **a, char **b)
{
    guint na = g_strv_length(a), nb = g_strv_length(b), i = 0, j = 0;
    GArray *out = g_array_new(false, false, sizeof(Line));
    g_autofree guint16 *length = lengths(a, na, b, nb);

    while (i < na || j < nb) {
        const guint16 *at = &length[(size_t)i * (nb + 1) + j];

        if (i < na && j < nb && g_str_equal(a[i], b[j])) {
            add(out, ' ', a[i++]);
            j++;
        } else if (i < na && (j == nb || at[nb + 1] >= at[1])) {
            add(out, '-', a[i++]);
        } else {
            add(out, '+', b[j++]);
        }
    }
    return out;
}

static bool is_near_change(const GArray *lines, guint at)
{
    guint from = at > AROUND ? at - AROUND : 0;
    guint to = MIN(at + AROUND + 1, lines->len);

    for (guint i = from; i < to; i++) {
        if (g_array_index(lines, Line, i).sign != ' ') {
            return true;
        }
    }
    return false;
}

void vh_diff_draw(VhPage *page, const char *before, const char *after)
{
    g_auto(GStrv) a = g_strsplit(before, "\n", LINES_MAX);
    g_auto(GStrv) b = g_strsplit(after, "\n", LINES_MAX);
    g_autoptr(GArray) lines = compare(a, b);
    bool gap = false;

    for (guint i = 0; i < lines->len; i++) {
        const Line *l = &g_array_index(lines, Line, i);
        VhStyle style = l->sign == ' ' ? VH_STYLE_DIM : VH_STYLE_PLAIN;

        if (!is_near_change(lines, i)) {
            gap = true;
            continue;
        }
        if (gap) {
            vh_page_add(page, VH_STYLE_DIM, "...");
            vh_page_end(page);
            gap = false;
        }
        vh_page_add(page, style, "%c%s", l->sign, l->text);
        vh_page_end(page);
    }
}
