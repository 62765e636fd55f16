/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "report heatmap" verb. */
#include "heatmap-draw.h"
#include "image.h"

#define RAW_ROWS 500 /* as many as damo makes */
#define RAW_COLUMNS 500
#define CELLS_MAX 16000000 /* 400 MB of memory */

static VhHeatSize size_of(const VhOptions *o, const VhTerm *term)
{
    VhTerm wish = *term;

    if (o->output) {
        return vh_heat_image_size(o->width ? o->width : VH_HEAT_IMAGE_WIDTH,
                                  o->height ? o->height : VH_HEAT_IMAGE_HEIGHT);
    }
    if (o->raw || o->json) {
        return (VhHeatSize){ .rows = o->height ? o->height : RAW_ROWS,
                             .width = o->width ? o->width : RAW_COLUMNS };
    }
    wish.width = o->width ? o->width : term->width;
    return vh_heat_term_size(&wish, o->height);
}

static int print_text(const VhHeatRecord *rec, const VhOptions *o,
                      const VhTerm *term)
{
    VhTerm wish = *term;
    g_autoptr(VhPage) page = NULL;

    wish.width = o->width ? o->width : term->width;
    page = vh_page_new(&wish);
    vh_heat_term_draw(page, rec);
    return vh_cli_print_page(page);
}

/* What is damaged from its begin on is told elsewhere. */
static int print_nothing(const VhHeatRecord *rec, const VhOptions *o,
                         const VhTerm *term)
{
    g_autoptr(VhPage) page = vh_page_new(term);
    bool text = !o->raw && !o->output && !rec->damage;

    vh_about_nothing(&rec->about, text ? page : NULL);
    return vh_cli_print_page(page);
}

static int print(const VhHeatRecord *rec, const VhOptions *o,
                 const VhTerm *term)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) json = NULL;
    g_autofree char *raw = NULL;

    if (!rec->map && (!o->json || rec->damage)) {
        return print_nothing(rec, o, term);
    }
    if (o->output) {
        return vh_image_write(o->output,
                              o->width ? o->width : VH_HEAT_IMAGE_WIDTH,
                              o->height ? o->height : VH_HEAT_IMAGE_HEIGHT,
                              vh_heat_image_draw, rec, &error)
                   ? VH_EXIT_OK
                   : vh_cli_fail(error);
    }
    if (o->json) {
        json = vh_heat_json(rec);
        return vh_cli_print_json(json);
    }
    if (o->raw) {
        raw = vh_heat_raw(rec);
        return vh_cli_print(raw);
    }
    return print_text(rec, o, term);
}

/* Rates and parts of checks cannot be in one picture. */
static void tell_strangers(const VhHeatRecord *rec)
{
    if (rec->map && rec->map->strangers) {
        g_autofree char *text = g_strdup_printf(
            "%zu snapshots are left out: they have %s, the first one has %s; "
            "see --from and --to",
            rec->map->strangers, rec->map->rates ? "no rates" : "rates",
            rec->map->rates ? "some" : "none");

        vh_cli_complain(text);
    }
}

static char *contradiction(const VhOptions *o)
{
    if ((uint64_t)o->width * o->height > CELLS_MAX) {
        return g_strdup_printf("--width %u and --height %u make a picture that "
                               "is too large: at most %u pixels or cells, such "
                               "as 4000 times 4000",
                               o->width, o->height, CELLS_MAX);
    }
    return o->output ? vh_image_check(o->output) : NULL;
}

int vh_cmd_report_heatmap(const VhOptions *options, const VhTerm *term)
{
    g_autofree char *why = contradiction(options);
    g_autoptr(VhHeatRecord) rec = NULL;
    g_autoptr(GError) error = NULL;
    VhHeatSize size = size_of(options, term);
    int code;

    if (why) {
        vh_cli_complain(why);
        return VH_EXIT_USAGE;
    }
    if (vh_cli_may_draw(options, &error)) {
        rec = vh_heat_record_read(options, &size, &error);
    }
    if (!rec) {
        return vh_cli_fail(error);
    }
    code = print(rec, options, term);
    tell_strangers(rec);
    if (rec->damage) {
        vh_cli_complain(rec->damage);
    }
    return code || !rec->damage ? code : VH_EXIT_DAMAGED;
}
