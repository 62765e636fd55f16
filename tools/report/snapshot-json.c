/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Written by hand: all of it is numbers, never inf or nan, and a record has
 * millions of regions. Numbers are not localized; see main().
 */
#include <inttypes.h>

#include "snapshot-json.h"

static void add_count(GString *out, const char *name, uint64_t v)
{
    g_string_append_printf(out, "\"%s\": %" PRIu64 ", ", name, v);
}

static void add_region(GString *out, const VhSnapshot *s, const VhRegion *r)
{
    g_string_append_printf(out,
                           "{\"start\": %" PRIu64 ", \"end\": %" PRIu64
                           ", \"nr-accesses\": %" PRIu64 ", \"age\": %" PRIu64,
                           r->start, r->end, r->nr_accesses, r->age);
    if (s->has_writes) {
        g_string_append_printf(out, ", \"nr-writes\": %" PRIu64, r->nr_writes);
    }
    if (s->has_rates) {
        g_string_append_printf(out,
                               ", \"rate\": %.17g, \"rate-low\": %.17g, "
                               "\"rate-high\": %.17g, \"idle-ms\": %" PRIu64,
                               r->rate, r->rate_low, r->rate_high,
                               r->idle_us / 1000);
    }
    if (s->has_write_rates) {
        g_string_append_printf(out, ", \"write-rate\": %.17g", r->write_rate);
    }
    g_string_append_c(out, '}');
}

static void add_header(GString *out, const VhSnapshot *s, bool truncated)
{
    add_count(out, "sequence", s->sequence);
    add_count(out, "start-time", s->start_time);
    add_count(out, "end-time", s->end_time);
    add_count(out, "sampling-interval", s->sampling_interval);
    add_count(out, "aggregation-interval", s->aggregation_interval);
    add_count(out, "max-nr-accesses", s->max_nr_accesses);
    add_count(out, "working-set-size", s->working_set_size);
    add_count(out, "total-size", s->total_size);
    add_count(out, "nr-regions", s->nr_regions);
    g_string_append_printf(out, "\"truncated\": %s, ",
                           truncated ? "true" : "false");
}

char *vh_snapshot_json(const VhChosen *c)
{
    GString *out = g_string_sized_new(256 + 160 * c->nr);

    g_string_append_c(out, '{');
    add_header(out, c->snap, c->snap->truncated || c->nr < c->snap->nr);
    g_string_append(out, "\"regions\": [");
    for (size_t i = 0; i < c->nr; i++) {
        g_string_append(out, i ? ", " : "");
        add_region(out, c->snap, c->regions[i]);
    }
    g_string_append(out, "]}\n");
    return g_string_free(out, false);
}
