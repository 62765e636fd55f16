/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <math.h>

#include "history-json.h"

#define COST_DIGITS 6

/* A number as JSON has them, whatever the locale. */
static void put_number(GString *out, double v, unsigned digits)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE], format[] = "%.0f";

    if (!isfinite(v)) {
        g_string_append(out, "null");
        return;
    }
    format[2] = '0' + digits;
    g_string_append(out, g_ascii_formatd(text, sizeof(text), format, v));
}

static void put_rate(GString *out, double v)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_formatd(text, sizeof(text), "%.4g", v));
}

static void put_time(GString *out, const char *name, int64_t us)
{
    g_string_append_printf(out, "\"%s\":", name);
    put_number(out, (double)us / G_USEC_PER_SEC, 6);
}

static void put_string(GString *out, const char *text)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);
    g_autofree char *quoted = json_to_string(node, false);

    g_string_append(out, quoted);
}

/* ---- charts ---- */

static void put_times(GString *out, const VhHistorySeries *s)
{
    double step = (double)(s->to_us - s->from_us) / s->columns;

    g_string_append(out, ",\"times\":[");
    for (unsigned i = 0; i < s->columns; i++) {
        g_string_append(out, i ? "," : "");
        put_number(out, (s->from_us + step * i) / G_USEC_PER_SEC, 3);
    }
    g_string_append_c(out, ']');
}

static void put_values(GString *out, const VhHistorySeries *s,
                       VhHistoryValue value)
{
    unsigned digits = value == VH_VALUE_COST ? COST_DIGITS : 0;

    g_string_append_printf(out, ",\"%s\":[", vh_history_value_name(value));
    for (unsigned i = 0; i < s->columns; i++) {
        g_string_append(out, i ? "," : "");
        put_number(out, s->values[value][i], digits);
    }
    g_string_append_c(out, ']');
}

char *vh_history_series_json(const VhHistorySeries *s)
{
    GString *out = g_string_sized_new(65536);

    g_string_append_c(out, '{');
    put_time(out, "from", s->from_us);
    g_string_append_c(out, ',');
    put_time(out, "to", s->to_us);
    g_string_append(out, ",\"step\":");
    put_number(
        out, (double)(s->to_us - s->from_us) / s->columns / G_USEC_PER_SEC, 6);
    put_times(out, s);
    for (unsigned i = 0; i < VH_VALUES; i++) {
        put_values(out, s, i);
    }
    g_string_append_c(out, '}');
    return g_string_free(out, false);
}

/* ---- rasters ---- */

static void put_base64(GString *out, const char *name, const uint8_t *data,
                       size_t size)
{
    int state = 0, save = 0;
    gsize at;

    g_string_append_printf(out, ",\"%s\":\"", name);
    at = out->len;
    g_string_set_size(out, at + (size / 3 + 1) * 4 + 4);
    at += g_base64_encode_step(data, size, false, out->str + at, &state, &save);
    at += g_base64_encode_close(false, out->str + at, &state, &save);
    g_string_truncate(out, at);
    g_string_append_c(out, '"');
}

static void put_cells(GString *out, const VhRaster *r)
{
    size_t cells = (size_t)r->query.columns * r->query.rows;

    put_base64(out, "data", r->data, cells);
    put_base64(out, "idle", r->idle, cells);
}

static void put_spans(GString *out, const VhRaster *r)
{
    g_string_append(out, ",\"spans\":[");
    for (guint i = 0; i < r->spans->len; i++) {
        const VhRasterSpan *s = &g_array_index(r->spans, VhRasterSpan, i);

        g_string_append_printf(
            out, "%s{\"start\":%" PRIu64 ",\"end\":%" PRIu64 ",\"row\":%u}",
            i ? "," : "", s->start, s->end, s->row);
    }
    g_string_append_c(out, ']');
}

char *vh_raster_json(const VhRaster *r)
{
    size_t cells = (size_t)r->query.columns * r->query.rows;
    GString *out = g_string_sized_new(cells * 8 / 3 + 4096);

    g_string_append_c(out, '{');
    put_time(out, "from", r->query.from_us);
    g_string_append_c(out, ',');
    put_time(out, "to", r->query.to_us);
    g_string_append_printf(out, ",\"columns\":%u,\"rows\":%u", r->query.columns,
                           r->query.rows);
    put_spans(out, r);
    g_string_append(out, ",\"scale\":{\"low\":0.01,\"high\":1000,\"log\":true}"
                         ",\"idle_scale\":{\"low\":0.001,\"high\":86400,"
                         "\"log\":true}");
    put_cells(out, r);
    g_string_append_c(out, '}');
    return g_string_free(out, false);
}

char *vh_raster_column_json(const VhRaster *r, const VhRaster *before)
{
    GString *out = g_string_sized_new(r->query.rows * 3 + 256);

    g_string_append_c(out, '{');
    put_time(out, "time", r->query.to_us);
    g_string_append_printf(out, ",\"rows\":%u", r->query.rows);
    put_cells(out, r);
    if (!before || !vh_raster_same_rows(r, before)) {
        put_spans(out, r);
    }
    g_string_append_c(out, '}');
    return g_string_free(out, false);
}

/* ---- a region ---- */

static void put_heat(GString *out, const VhHistoryRegion *r)
{
    g_string_append(out, ",\"rate\":");
    put_rate(out, r->region.rate);
    g_string_append(out, ",\"rate_low\":");
    put_rate(out, r->region.rate_low);
    g_string_append(out, ",\"rate_high\":");
    put_rate(out, r->region.rate_high);
    g_string_append(out, ",\"write_rate\":");
    if (r->has_writes) {
        put_rate(out, r->region.write_rate);
    } else {
        g_string_append(out, "null");
    }
    g_string_append(out, ",\"idle_seconds\":");
    put_number(out, r->region.idle_us / 1e6, 3);
    g_string_append(out, ",\"age_seconds\":");
    put_number(out, r->age_us / 1e6, 3);
}

/* @text may be NULL. */
static void put_text(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, ",\"%s\":", name);
    if (text) {
        put_string(out, text);
    } else {
        g_string_append(out, "null");
    }
}

char *vh_history_region_json(const VhHistoryRegion *r)
{
    GString *out = g_string_new("{");

    put_time(out, "time", r->time_us);
    g_string_append_printf(out, ",\"start\":%" PRIu64 ",\"end\":%" PRIu64,
                           r->region.start, r->region.end);
    put_heat(out, r);
    g_string_append_printf(
        out, ",\"nr_accesses\":%" PRIu64 ",\"max_nr_accesses\":%" PRIu64,
        r->region.nr_accesses, r->max_nr_accesses);
    put_text(out, "block", r->block);
    put_text(out, "device", r->device);
    put_text(out, "reserved", r->reserved);
    g_string_append(out, ",\"node\":");
    if (r->node >= 0) {
        g_string_append_printf(out, "%" PRId64 "}", r->node);
    } else {
        g_string_append(out, "null}");
    }
    return g_string_free(out, false);
}
