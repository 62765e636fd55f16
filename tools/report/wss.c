/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report wss" verb: the working set of each snapshot of a record. */
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "input.h"
#include "wss.h"

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* In use is what was accessed, unless the user says it by other means. */
static void choose(VhWss *w)
{
    static const uint64_t pictured[] = { 1000000, 10000000, 60000000 };
    const VhOptions *o = w->options;
    VhFilter all = { 0 };

    vh_filter_init(&all);
    w->set.filter = vh_cli_filter(o);
    w->set.within = w->within;
    w->set.nr = o->nr_within;
    memcpy(w->within, o->within, sizeof(w->within));
    if (!w->set.nr && (o->plot || o->output)) {
        w->set.nr = G_N_ELEMENTS(pictured);
        memcpy(w->within, pictured, sizeof(pictured));
    }
    qsort(w->within, w->set.nr, sizeof(w->within[0]), by_time);
    if (!w->set.nr && o->min_nr_accesses == UINT64_MAX &&
        !memcmp(&o->filter.rate, &all.rate, sizeof(all.rate)) &&
        !memcmp(&o->filter.idle, &all.idle, sizeof(all.idle))) {
        w->set.filter.nr_accesses.min = 1;
    }
}

static void take(void *opaque, const VhRecordItem *item)
{
    VhWss *w = opaque;
    uint64_t sizes[VH_SERIES_MAX];

    if (item->type == VH_RECORD_SNAPSHOTS) {
        vh_wss_sizes(&w->set, item->snapshot, sizes);
        vh_series_add(w->series, item->snapshot->end_time, sizes);
    }
}

static int print_text(const VhWss *w, const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);

    if (!w->about.nr) {
        vh_about_nothing(&w->about, page);
    } else if (w->options->plot) {
        vh_wss_plot(w, page);
    } else {
        vh_wss_draw(w, page);
    }
    return vh_cli_print_page(page);
}

static int print(const VhWss *w, const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) json = NULL;
    g_autofree char *raw = NULL;

    if (!w->about.nr && (w->options->output || w->options->raw)) {
        vh_about_nothing(&w->about, NULL);
        return VH_EXIT_OK;
    }
    if (w->options->output) {
        return vh_wss_image(w, &error) ? VH_EXIT_OK : vh_cli_fail(error);
    }
    if (w->options->json) {
        json = vh_wss_json(w);
        return vh_cli_print_json(json);
    }
    if (w->options->raw) {
        raw = vh_wss_raw(w);
        return vh_cli_print(raw);
    }
    return print_text(w, term);
}

int vh_cmd_report_wss(const VhOptions *options, const VhTerm *term)
{
    g_autofree char *why =
        options->output ? vh_image_check(options->output) : NULL;
    g_autoptr(GError) error = NULL;
    VhWss w = { .options = options };
    int code, damage;

    if (why) {
        vh_cli_complain(why);
        return VH_EXIT_USAGE;
    }
    if (!vh_cli_may_draw(options, &error)) {
        return vh_cli_fail(error);
    }
    choose(&w);
    w.series = vh_series_new(vh_wss_columns(&w.set));
    damage = vh_input_read(options, &w.about, take, &w);
    code = damage && damage != VH_EXIT_DAMAGED ? damage : print(&w, term);
    vh_series_free(w.series);
    vh_about_clear(&w.about);
    return code ? code : damage;
}
