/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <zlib.h>

#include "level.h"
#include "merge.h"

#define ENTRIES_MAX 256
#define SPANS_MAX 1024
#define PACK_LEVEL 4
#define ALLOCATED 16 /* what malloc() adds to each piece, about */

/* ---- blocks ---- */

VhHistoryBlock *vh_history_block_ref(VhHistoryBlock *b)
{
    g_atomic_int_inc(&b->refs);
    return b;
}

void vh_history_block_unref(VhHistoryBlock *b)
{
    if (g_atomic_int_dec_and_test(&b->refs)) {
        g_free(b->entries);
        g_free(b->spans);
        g_free(b->data);
        g_free(b);
    }
}

size_t vh_history_block_bytes(const VhHistoryBlock *b)
{
    return sizeof(*b) + b->nr * sizeof(VhEntry) + b->stored +
           b->nr_spans * sizeof(VhRamSpan) + sizeof(GList) + 5 * ALLOCATED;
}

void vh_history_block_data(const VhHistoryBlock *b, GByteArray *buffer,
                           VhBytes *bytes)
{
    uLongf size = b->unpacked;

    *bytes = (VhBytes){ b->data, b->data + b->stored, false };
    if (b->stored < b->unpacked) {
        g_byte_array_set_size(buffer, b->unpacked);
        if (uncompress(buffer->data, &size, b->data, b->stored) != Z_OK) {
            size = 0; /* never, as it was packed here */
        }
        *bytes = (VhBytes){ buffer->data, buffer->data + size, false };
    }
}

/* The same, packed, if that makes it smaller. */
static VhHistoryBlock *packed(const VhHistoryBlock *b)
{
    VhHistoryBlock *out = g_memdup2(b, sizeof(*b));
    uLongf stored = compressBound(b->stored);
    g_autofree uint8_t *data = g_malloc(stored);

    if (compress2(data, &stored, b->data, b->stored, PACK_LEVEL) != Z_OK ||
        stored >= b->stored) {
        stored = b->stored;
        memcpy(data, b->data, stored);
    }
    out->refs = 1;
    out->stored = stored;
    out->data = g_memdup2(data, stored);
    out->entries = g_memdup2(b->entries, b->nr * sizeof(VhEntry));
    out->spans = g_memdup2(b->spans, b->nr_spans * sizeof(VhRamSpan));
    return out;
}

/* Of what is not in a block yet. */
static VhHistoryBlock *block_of(const VhLevel *l)
{
    VhHistoryBlock *b = g_new0(VhHistoryBlock, 1);

    b->refs = 1;
    b->nr = l->entries->len;
    b->entries = g_memdup2(l->entries->data, b->nr * sizeof(VhEntry));
    b->nr_spans = l->axis.spans->len;
    b->spans = g_memdup2(l->axis.spans->data, b->nr_spans * sizeof(VhRamSpan));
    b->data = g_memdup2(l->raw->data, l->raw->len);
    b->stored = b->unpacked = l->raw->len;
    return b;
}

/* ---- addresses ---- */

static VhRamSpan *span(const VhHeatAxis *axis, guint i)
{
    return &g_array_index(axis->spans, VhRamSpan, i);
}

/* Too many holes: the smallest ones are taken for memory. */
static void limit_spans(VhHeatAxis *axis)
{
    for (uint64_t hole = 4096; axis->spans->len > SPANS_MAX; hole *= 2) {
        guint n = 0;

        for (guint i = 1; i < axis->spans->len; i++) {
            if (span(axis, i)->start - span(axis, n)->end <= hole) {
                span(axis, n)->end = span(axis, i)->end;
            } else {
                *span(axis, ++n) = *span(axis, i);
            }
        }
        g_array_set_size(axis->spans, n + 1);
    }
}

static bool same_spans(const VhHeatAxis *axis, const GArray *spans)
{
    bool same = axis->spans->len == spans->len;

    for (guint i = 0; same && i < spans->len; i++) {
        const VhRamSpan *s = &g_array_index(spans, VhRamSpan, i);

        same = s->start == span(axis, i)->start && s->end == span(axis, i)->end;
    }
    return same;
}

static void see_regions(VhLevel *l, const VhCodedRegion *regions, size_t nr)
{
    VhHeatAxis now;

    vh_heat_axis_init(&now, 0, UINT64_MAX);
    for (size_t i = 0; i < nr; i++) {
        VhRamSpan s = { regions[i].start, regions[i].end, 0 };

        if (now.spans->len && span(&now, now.spans->len - 1)->end == s.start) {
            span(&now, now.spans->len - 1)->end = s.end;
        } else {
            g_array_append_val(now.spans, s);
        }
    }
    limit_spans(&now);
    if (same_spans(&l->last, now.spans)) {
        vh_heat_axis_clear(&now);
        return;
    }
    vh_heat_axis_join(&l->axis, &now);
    limit_spans(&l->axis);
    vh_heat_axis_clear(&l->last);
    l->last = now;
}

static void forget_addresses(VhLevel *l)
{
    vh_heat_axis_clear(&l->axis);
    vh_heat_axis_clear(&l->last);
    vh_heat_axis_init(&l->axis, 0, UINT64_MAX);
    vh_heat_axis_init(&l->last, 0, UINT64_MAX);
}

/* ---- the level ---- */

static void begin_block(VhLevel *l)
{
    l->codec = vh_snap_codec_new();
    l->raw = g_byte_array_new();
    l->entries = g_array_new(false, false, sizeof(VhEntry));
    l->regions_peak = 0;
    l->raw_peak = 0;
    forget_addresses(l);
}

static void end_block(VhLevel *l)
{
    vh_snap_codec_free(l->codec);
    g_byte_array_unref(l->raw);
    g_array_unref(l->entries);
}

void vh_level_init(VhLevel *l, size_t block_bytes)
{
    *l = (VhLevel){ .block_bytes = block_bytes };
    g_queue_init(&l->blocks);
    begin_block(l);
}

void vh_level_clear(VhLevel *l)
{
    end_block(l);
    vh_heat_axis_clear(&l->axis);
    vh_heat_axis_clear(&l->last);
    g_queue_clear_full(&l->blocks, (GDestroyNotify)vh_history_block_unref);
}

void vh_level_seal(VhLevel *l)
{
    VhHistoryBlock *b;

    if (!l->entries->len) {
        return;
    }
    b = block_of(l);
    l->bytes += vh_history_block_bytes(b);
    l->plain += b->stored;
    l->nr_plain++;
    g_queue_push_tail(&l->blocks, b);
    end_block(l);
    begin_block(l);
}

void vh_level_pack(VhLevel *l)
{
    guint at = l->blocks.length - l->nr_plain;
    GList *link = g_queue_peek_nth_link(&l->blocks, at);
    VhHistoryBlock *old = link->data, *b = packed(old);

    l->plain -= old->stored;
    l->nr_plain--;
    l->bytes -= vh_history_block_bytes(old) - vh_history_block_bytes(b);
    link->data = b;
    vh_history_block_unref(old);
}

VhHistoryBlock *vh_level_open(const VhLevel *l)
{
    return l->entries->len ? block_of(l) : NULL;
}

bool vh_level_add(VhLevel *l, const VhSnapHead *head,
                  const VhCodedRegion *regions, size_t nr, const VhEntry *e)
{
    VhSnapHead h = *head;

    h.nr_regions = MAX(h.nr_regions, nr);
    if (vh_snap_encode(l->codec, &h, regions, nr, l->raw)) {
        return false;
    }
    g_array_append_vals(l->entries, e, 1);
    see_regions(l, regions, nr);
    l->regions_peak = MAX(l->regions_peak, nr);
    l->raw_peak = MAX(l->raw_peak, l->raw->len);
    if (l->entries->len >= ENTRIES_MAX || l->raw->len >= l->block_bytes) {
        vh_level_seal(l);
    }
    return true;
}

static void drop(VhLevel *l, VhHistoryBlock *b, bool plain)
{
    l->bytes -= vh_history_block_bytes(b);
    if (plain) {
        l->plain -= b->stored;
        l->nr_plain--;
    }
    vh_history_block_unref(b);
}

bool vh_level_drop(VhLevel *l)
{
    bool plain = l->nr_plain == l->blocks.length;
    VhHistoryBlock *b = g_queue_pop_head(&l->blocks);

    if (b) {
        drop(l, b, plain);
    }
    return b;
}

void vh_level_drop_from(VhLevel *l, int64_t us)
{
    VhHistoryBlock *b;

    vh_level_seal(l);
    while ((b = g_queue_peek_tail(&l->blocks)) &&
           vh_history_block_end(b) > us) {
        drop(l, g_queue_pop_tail(&l->blocks), l->nr_plain);
    }
}

size_t vh_level_bytes(const VhLevel *l)
{
    return sizeof(VhSnapCodec) +
           2 * vh_array_bytes(l->regions_peak, sizeof(VhCodedRegion)) +
           vh_array_bytes(l->raw_peak, 1) +
           vh_array_bytes(l->entries->len, sizeof(VhEntry)) +
           vh_array_bytes(l->axis.spans->len, sizeof(VhRamSpan)) * 2 +
           vh_array_bytes(l->last.spans->len, sizeof(VhRamSpan)) * 2;
}
