/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The parts of a picture, from what one looks for first: state, memory and
 * working set, how long memory has been idle, cost, heatmap, regions. Each is
 * as high as it needs; the heatmap gets more rows on a higher terminal, and the
 * region table what is left. A terminal too low for it all loses the lower
 * parts, one too narrow the less important words of a line.
 *
 * Costs are rates between this picture and the one before. The first picture
 * has none before it and shows totals.
 */
#include <inttypes.h>
#include <string.h>

#include "fields.h"
#include "frame.h"
#include "heatbar.h"
#include "table.h"
#include "units.h"

#define TABLE_ROWS_MIN 4

/* Appends words unless they would be cut. */
static bool add_if_fits(VhPage *page, VhStyle style, const char *text)
{
    bool fits = g_utf8_strlen(text, -1) <= (glong)vh_page_left(page);

    if (fits) {
        vh_page_add(page, style, "%s", text);
    }
    return fits;
}

static void draw_title(VhPage *page, const VhFrame *f)
{
    const VhInfo *info = f->info;
    g_autofree char *id =
        g_strdup_printf("  %s", info->id ? info->id : "(no id)");
    g_autofree char *where = g_strdup_printf("  %s", f->socket);

    vh_page_add(page, vh_state_style(info->state), "%s", info->state);
    add_if_fits(page, VH_STYLE_BOLD, id);
    add_if_fits(page, VH_STYLE_PLAIN, where);
    if (page->term->tty) {
        static const char keys[] = "q: quit";
        unsigned at = page->term->width - MIN(strlen(keys), page->term->width);

        if (page->column + 2 < at) {
            vh_page_to(page, at);
            vh_page_add(page, VH_STYLE_DIM, "%s", keys);
        }
    }
    vh_page_end(page);
    if (info->reason) {
        vh_field(page, vh_state_style(info->state), "Because", "%s",
                 info->reason);
    }
}

static void draw_setup(VhPage *page, const VhInfo *info)
{
    g_autofree char *sampling =
        vh_duration_str(info->stats.effective_sampling_interval);
    g_autofree char *asked = vh_duration_str(info->attrs.sampling_interval);
    g_autofree char *aggregation =
        vh_duration_str(info->attrs.aggregation_interval);
    g_autofree char *update = vh_duration_str(info->attrs.update_interval);
    bool slow = !g_str_equal(sampling, asked);
    bool fits = true;
    char *parts[] = {
        g_strdup_printf("%s, %s, %s", info->primitive, info->accelerator,
                        info->estimator),
        g_strdup_printf("; sampling %s%s%s%s", sampling, slow ? " (asked " : "",
                        slow ? asked : "", slow ? ")" : ""),
        g_strdup_printf(", aggregation %s", aggregation),
        g_strdup_printf(", update %s", update),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        fits = fits && add_if_fits(page, VH_STYLE_DIM, parts[i]);
        g_free(parts[i]);
    }
    vh_page_end(page);
}

/* Bytes not accessed for at least so long. */
static uint64_t idle_bytes(const VhSnapshot *snap, uint64_t us)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < snap->nr; i++) {
        const VhRegion *r = &snap->regions[i];

        sum += r->idle_us >= us ? r->end - r->start : 0;
    }
    return sum;
}

static void draw_idle(VhPage *page, const VhSnapshot *snap)
{
    static const struct {
        const char *name;
        uint64_t us;
    } steps[] = { { "10 s", 10000000 },
                  { "1 min", 60000000 },
                  { "10 min", 600000000 } };
    const char *at_least = page->term->utf8 ? "\u2265" : ">=";

    vh_field_key(page, "Idle");
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        uint64_t bytes = idle_bytes(snap, steps[i].us);
        g_autofree char *size = vh_size_str(bytes);
        g_autofree char *percent = vh_percent_str(bytes, snap->total_size);
        g_autofree char *text =
            g_strdup_printf("%s%s %s: %s (%s)", i ? "   " : "", at_least,
                            steps[i].name, size, percent);
        g_autofree char *brief =
            g_strdup_printf("%s %s: %s", at_least, steps[i].name, percent);

        if (!add_if_fits(page, VH_STYLE_PLAIN, text)) {
            if (!i) {
                add_if_fits(page, VH_STYLE_PLAIN, brief);
            }
            break;
        }
    }
    vh_page_end(page);
}

static void draw_memory(VhPage *page, const VhFrame *f)
{
    g_autofree char *total = vh_size_str(f->snap->total_size);

    vh_field_key(page, "Memory");
    vh_page_add(page, VH_STYLE_PLAIN, "%8s", total);
    if (vh_page_left(page) > 45) {
        vh_page_add(page, VH_STYLE_PLAIN,
                    " in %" PRIu64 " regions, snapshot %" PRIu64,
                    f->snap->nr_regions, f->snap->sequence);
    }
    vh_page_end(page);
    vh_field_working_set(page, f->info);
    draw_idle(page, f->snap);
}

static void draw_totals(VhPage *page, const VhStatsInfo *s)
{
    g_autofree char *worker = vh_duration_str(s->worker_time / 1000);

    vh_field(page, VH_STYLE_PLAIN, "Cost",
             "so far %" PRIu64 " traps, worker CPU time %s", s->traps, worker);
}

/* Of a device that was replaced meanwhile, counters would run backwards. */
static bool comparable(const VhFrame *f)
{
    return f->before && f->taken_us > f->before_us &&
           f->info->stats.traps >= f->before->traps &&
           f->info->stats.worker_time >= f->before->worker_time &&
           f->info->stats.vcpu_time >= f->before->vcpu_time;
}

static void draw_cost(VhPage *page, const VhFrame *f)
{
    const VhStatsInfo *s = &f->info->stats, *b = f->before;
    double ns = (f->taken_us - f->before_us) * 1e3;
    g_autofree char *worker = NULL;
    g_autofree char *guest = NULL;
    uint64_t traps;

    if (!comparable(f)) {
        draw_totals(page, s);
        return;
    }
    traps = s->traps - b->traps;
    worker = vh_percent_str(s->worker_time - b->worker_time, ns);
    guest = vh_percent_str(
        s->vcpu_time - b->vcpu_time + (double)traps * s->trap_cost, ns);
    vh_field(page, VH_STYLE_PLAIN, "Cost",
             "%.0f traps/s, worker %s of a core, guest %s of a vCPU%s",
             traps / (ns / 1e9), worker, guest,
             s->throttled ? "; throttled" : "");
}

static unsigned heat_rows(unsigned height)
{
    return height < 20 ? 1 : height < 30 ? 2 : height < 45 ? 4 : 6;
}

static void draw_regions(VhPage *page, const VhSnapshot *snap, unsigned lines)
{
    g_autofree const VhRegion **sorted = vh_regions_sorted(snap, VH_SORT_RATE);
    size_t shown = snap->nr;

    if (lines < 2) {
        return;
    }
    if (shown > lines - 1) {
        shown = MAX(lines, 3) - 2; /* a line says that there are more */
    }
    vh_regions_draw(page, snap, sorted, shown);
    if (shown < snap->nr && lines > 2) {
        vh_page_add(page, VH_STYLE_DIM, "and %zu colder", snap->nr - shown);
        add_if_fits(page, VH_STYLE_DIM, " regions");
        vh_page_end(page);
    }
}

static void draw_picture(VhPage *page, const VhFrame *f)
{
    const VhSnapshot *snap = f->snap;
    unsigned height = page->term->height;
    unsigned rows = heat_rows(page->term->height);

    if (!snap->nr) {
        vh_page_wrap(page, VH_STYLE_PLAIN, 0,
                     snap->sequence
                         ? "No memory is monitored."
                         : "No snapshot yet: the first one comes after an "
                           "aggregation interval.");
        vh_page_end(page);
        return;
    }
    if (height > page->lines->len + rows + 3 + TABLE_ROWS_MIN) {
        vh_page_end(page);
    }
    vh_heatbar_draw(page, snap, rows);
    if (height > page->lines->len + 1 + TABLE_ROWS_MIN) {
        vh_page_end(page);
    }
    draw_regions(page, snap, height - MIN((unsigned)page->lines->len, height));
}

void vh_frame_draw(VhPage *page, const VhFrame *f)
{
    draw_title(page, f);
    draw_setup(page, f->info);
    draw_memory(page, f);
    draw_cost(page, f);
    if (f->news) {
        vh_field(page, VH_STYLE_WARN, "Event", "%s", f->news);
    }
    draw_picture(page, f);
}
