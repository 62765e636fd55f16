/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of the working set over time. */
#include "area.h"
#include "chart.h"
#include "image.h"
#include "wss.h"
#include "../units.h"

#define ROWS_MIN 4
#define ROWS_MAX 20
#define ROWS_AROUND 8 /* lines that are not the picture */

void vh_wss_plot(const VhWss *w, VhPage *page)
{
    g_auto(GStrv) names = vh_wss_names(w);
    uint64_t from = w->about.begin, to = vh_wss_end(w);
    g_autofree char *left = vh_about_time(&w->about, from, "%T");
    g_autofree char *right = vh_about_time(&w->about, to, "%T");
    unsigned height = page->term->height;
    VhArea area = { .series = w->series,
                    .names = (const char *const *)names,
                    .from = from,
                    .to = to,
                    .left = left,
                    .right = right };

    area.rows = height > ROWS_AROUND ? height - ROWS_AROUND : 0;
    area.rows = CLAMP(area.rows, ROWS_MIN, ROWS_MAX);
    vh_about_draw(&w->about, page);
    vh_area_draw(page, &area);
}

/* Free with g_free(). */
static char *title(const VhWss *w)
{
    g_autoptr(GString) out = g_string_new("Working set");

    for (unsigned i = 0; i < w->set.nr; i++) {
        g_autofree char *time = vh_duration_str(w->set.within[i]);

        g_string_append_printf(
            out, "%s%s", i ? ", " : ": memory accessed in the last ", time);
    }
    return g_strdup(out->str);
}

bool vh_wss_image(const VhWss *w, GError **error)
{
    g_auto(GStrv) names = vh_wss_names(w);
    g_autofree char *subtitle = vh_about_str(&w->about);
    g_autofree char *first = title(w);
    VhChart chart = { .title = first,
                      .subtitle = subtitle,
                      .series = w->series,
                      .names = (const char *const *)names,
                      .from = w->about.begin,
                      .to = vh_wss_end(w),
                      .unix_from = vh_about_unix(&w->about, w->about.begin),
                      .total = w->about.total };

    return vh_image_write(w->options->output, VH_CHART_WIDTH, VH_CHART_HEIGHT,
                          vh_chart_draw, &chart, error);
}
