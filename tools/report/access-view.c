/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "access-view.h"
#include "filter.h"
#include "quantity.h"
#include "../units.h"

/* The first name of each is ours. */
static const struct {
    const char *name;
    VhAccessStyle style;
} names[] = {
    { "table", VH_ACCESS_TABLE },
    { "boxes", VH_ACCESS_BOXES },
    { "temperature-sz-hist", VH_ACCESS_TEMPERATURE_HIST },
    { "recency-sz-hist", VH_ACCESS_RECENCY_HIST },
    { "rate-sz-hist", VH_ACCESS_RATE_HIST },
    { "size-hist", VH_ACCESS_SIZE_HIST },
    { "temperature-percentiles", VH_ACCESS_TEMPERATURE_PERCENTILES },
    { "recency-percentiles", VH_ACCESS_RECENCY_PERCENTILES },
    { "detailed", VH_ACCESS_TABLE },
    { "simple-boxes", VH_ACCESS_BOXES },
    { "cold-memory-tail", VH_ACCESS_RECENCY_HIST },
    { "idle-time-percentiles", VH_ACCESS_RECENCY_PERCENTILES },
};

bool vh_access_style_parse(const char *name, VhAccessStyle *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(names[i].name, name)) {
            *out = names[i].style;
            return true;
        }
    }
    return false;
}

const char *vh_access_style_names(void)
{
    return "table, boxes, temperature-sz-hist, recency-sz-hist, rate-sz-hist, "
           "size-hist, temperature-percentiles or recency-percentiles";
}

void vh_chosen_init(VhChosen *c, const VhSnapshot *snap,
                    const VhAccessView *view)
{
    c->snap = snap;
    c->regions = vh_regions_ordered(snap, &view->order);
    c->nr = MIN(snap->nr, view->limit);
}

void vh_chosen_clear(VhChosen *c)
{
    g_free(c->regions);
}

uint64_t vh_chosen_bytes(const VhChosen *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->nr; i++) {
        sum += c->regions[i]->end - c->regions[i]->start;
    }
    return sum;
}

/* All of it is shown by the second number of regions: then no size. */
static char *shown_size(const VhChosen *c)
{
    g_autofree char *size = vh_size_str(vh_chosen_bytes(c));

    return c->nr && vh_chosen_bytes(c) != c->snap->total_size
               ? g_strdup_printf(" (%s)", size)
               : g_strdup("");
}

static void draw_summary(VhPage *page, const VhChosen *c)
{
    const VhSnapshot *s = c->snap;
    g_autofree char *wss = vh_size_str(s->working_set_size);
    g_autofree char *total = vh_size_str(s->total_size);
    g_autofree char *percent =
        vh_percent_str(s->working_set_size, s->total_size);
    g_autofree char *size = shown_size(c);
    g_autofree char *text = g_strdup_printf(
        "snapshot %" PRIu64 ": %zu of %" PRIu64 " regions%s, working set %s of "
        "%s (%s)",
        s->sequence, c->nr, s->nr_regions, size, wss, total, percent);

    vh_page_wrap(page, VH_STYLE_PLAIN, 2, text);
    vh_page_end(page);
}

void vh_access_draw(VhPage *page, const VhChosen *c, const VhAccessView *view)
{
    if (!c->nr) {
        vh_page_wrap(page, VH_STYLE_PLAIN, 2,
                     "no region is like what was asked for");
        vh_page_end(page);
    } else if (view->style == VH_ACCESS_TABLE) {
        vh_regions_table(page, c->snap, c->regions, c->nr, &view->order);
    } else if (view->style == VH_ACCESS_BOXES) {
        vh_boxes_draw(page, c);
    } else {
        vh_spread_draw(page, c, view);
    }
    draw_summary(page, c);
}

/* A number that only some snapshots have. */
static void raw_rate(GString *out, bool has, double rate)
{
    g_autofree char *text = vh_quantity_raw(VH_QUANTITY_RATE, rate);

    g_string_append_printf(out, "\t%s", has ? text : "-");
}

static void raw_region(GString *out, const VhSnapshot *s, const VhRegion *r,
                       const VhWeights *weights)
{
    g_autofree char *temperature =
        vh_quantity_raw(VH_QUANTITY_TEMPERATURE, vh_temperature(s, r, weights));

    g_string_append_printf(
        out, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64,
        r->start, r->end, r->end - r->start, r->nr_accesses,
        s->max_nr_accesses);
    if (s->has_writes) {
        g_string_append_printf(out, "\t%" PRIu64, r->nr_writes);
    } else {
        g_string_append(out, "\t-");
    }
    raw_rate(out, s->has_rates, r->rate);
    raw_rate(out, s->has_rates, r->rate_low);
    raw_rate(out, s->has_rates, r->rate_high);
    raw_rate(out, s->has_write_rates, r->write_rate);
    g_string_append_printf(out, "\t%" PRIu64 "\t%" PRIu64 "\t%s\n", r->idle_us,
                           vh_snapshot_age_us(s, r), temperature);
}

void vh_access_raw(GString *out, const VhChosen *c, const VhAccessView *view)
{
    const VhSnapshot *s = c->snap;

    g_string_append_printf(out, "# snapshot %" PRIu64 " end-time %" PRIu64 "\n",
                           s->sequence, s->end_time);
    if (view->style != VH_ACCESS_TABLE && view->style != VH_ACCESS_BOXES) {
        vh_spread_raw(out, c, view);
        return;
    }
    g_string_append(out, "# start\tend\tsize\tnr-accesses\tmax-nr-accesses\t"
                         "nr-writes\trate\trate-low\trate-high\twrite-rate\t"
                         "idle-us\tage-us\ttemperature\n");
    for (size_t i = 0; i < c->nr; i++) {
        raw_region(out, s, c->regions[i], &view->order.weights);
    }
}
