/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading snapshots of a view; theory of operation in history.h. */
#include "internal.h"

void vh_history_view_free(VhHistoryView *v)
{
    if (v) {
        for (unsigned i = 0; i < VH_LEVELS; i++) {
            g_ptr_array_unref(v->blocks[i]);
        }
        g_ptr_array_unref(v->ranges);
        vh_source_unref(v->source);
        g_free(v);
    }
}

static int64_t level_start(const VhHistoryView *v, unsigned level)
{
    const GPtrArray *b = v->blocks[level];

    return b->len ? vh_history_block_start(b->pdata[0]) : INT64_MAX;
}

static int64_t level_end(const VhHistoryView *v, unsigned level)
{
    const GPtrArray *b = v->blocks[level];

    return b->len ? vh_history_block_end(b->pdata[b->len - 1]) : INT64_MIN;
}

bool vh_history_level(const VhHistoryView *v, unsigned level, int64_t *from_us,
                      int64_t *to_us)
{
    if (level >= VH_LEVELS || !v->blocks[level]->len) {
        return false;
    }
    *from_us = level_start(v, level);
    *to_us = level_end(v, level);
    return true;
}

bool vh_history_span(const VhHistoryView *v, int64_t *from_us, int64_t *to_us)
{
    int64_t from, to;

    *from_us = INT64_MAX;
    *to_us = INT64_MIN;
    for (unsigned i = 0; i < VH_LEVELS; i++) {
        *from_us = MIN(*from_us, level_start(v, i));
        *to_us = MAX(*to_us, level_end(v, i));
    }
    if (v->source && vh_source_span(v->source, &from, &to)) {
        *from_us = MIN(*from_us, from);
        *to_us = MAX(*to_us, to);
    }
    return *from_us < *to_us;
}

/* ---- from where ---- */

unsigned vh_plan_level(const VhHistoryView *v, int64_t step_us)
{
    unsigned level = 0;

    while (level + 1 < VH_LEVELS && v->step_us[level + 1] <= step_us) {
        level++;
    }
    return level;
}

static void put_first(VhPart *parts, unsigned *nr, VhPart part)
{
    if (part.from_us < part.to_us) {
        for (unsigned i = (*nr)++; i; i--) {
            parts[i] = parts[i - 1];
        }
        parts[0] = part;
    }
}

static void put_last(VhPart *parts, unsigned *nr, VhPart part)
{
    if (part.from_us < part.to_us) {
        parts[(*nr)++] = part;
    }
}

unsigned vh_plan(const VhHistoryView *v, int64_t from_us, int64_t to_us,
                 unsigned level, VhPart parts[static VH_PARTS_MAX])
{
    unsigned nr = 0;
    int64_t low = to_us, high = to_us;

    while (level && !v->blocks[level]->len) {
        level--;
    }
    if (v->blocks[level]->len) {
        low = CLAMP(level_start(v, level), from_us, to_us);
        high = CLAMP(level_end(v, level), from_us, to_us);
        put_last(parts, &nr, (VhPart){ low, high, level });
    }
    for (unsigned i = level; i-- > 0;) {
        int64_t end = MIN(to_us, level_end(v, i));

        put_last(parts, &nr, (VhPart){ MAX(high, level_start(v, i)), end, i });
        high = MAX(high, end);
    }
    for (unsigned i = level + 1; i < VH_LEVELS; i++) {
        int64_t start = MAX(from_us, level_start(v, i));

        put_first(parts, &nr, (VhPart){ start, MIN(low, level_end(v, i)), i });
        low = MIN(low, start);
    }
    if (v->source) {
        put_first(parts, &nr, (VhPart){ from_us, low, VH_LEVELS });
    }
    return nr;
}

/* ---- reading ---- */

guint vh_history_block_at(const GPtrArray *blocks, int64_t us)
{
    guint lo = 0, hi = blocks->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;

        if (vh_history_block_end(blocks->pdata[mid]) > us) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

/* What is needed to read. */
typedef struct Walk {
    VhSnapCodec *codec;
    GByteArray *buffer;
    int64_t from_us, to_us;
    VhPieceFunc *func;
    void *opaque;
} Walk;

static void tell(const Walk *w, const VhPiece *p)
{
    VhPiece cut = *p;

    cut.start_us = MAX(p->start_us, w->from_us);
    cut.end_us = MIN(p->end_us, w->to_us);
    if (cut.start_us < cut.end_us) {
        w->func(w->opaque, &cut);
    }
}

static void read_block(const Walk *w, const VhHistoryBlock *b)
{
    VhBytes bytes;

    vh_history_block_data(b, w->buffer, &bytes);
    vh_snap_codec_reset(w->codec);
    for (unsigned i = 0; i < b->nr && b->entries[i].start_us < w->to_us; i++) {
        const VhEntry *e = &b->entries[i];

        if (!vh_snap_decode(w->codec, &bytes)) {
            return;
        }
        tell(w, &(VhPiece){ e->start_us, e->end_us, e, w->codec });
    }
}

static void read_level(const Walk *w, const GPtrArray *blocks)
{
    for (guint i = vh_history_block_at(blocks, w->from_us);
         i < blocks->len && vh_history_block_start(blocks->pdata[i]) < w->to_us;
         i++) {
        read_block(w, blocks->pdata[i]);
    }
}

static void tell_old(void *opaque, int64_t start_us, int64_t end_us,
                     const VhSnapCodec *codec)
{
    tell(opaque, &(VhPiece){ start_us, end_us, NULL, codec });
}

void vh_walk(const VhHistoryView *v, const VhPart *parts, unsigned nr,
             int64_t from_us, int64_t to_us, VhPieceFunc *func, void *opaque)
{
    Walk w = { .codec = vh_snap_codec_new(),
               .buffer = g_byte_array_new(),
               .func = func,
               .opaque = opaque };

    for (unsigned i = 0; i < nr; i++) {
        const VhPart *p = &parts[i];

        w.from_us = MAX(p->from_us, from_us);
        w.to_us = MIN(p->to_us, to_us);
        if (w.from_us >= w.to_us) {
            continue;
        }
        if (p->level < VH_LEVELS) {
            read_level(&w, v->blocks[p->level]);
        } else {
            double part =
                (double)(w.to_us - w.from_us) / MAX(p->to_us - p->from_us, 1);

            vh_source_read(v->source, w.from_us, w.to_us,
                           MAX(VH_SOURCE_BLOCKS * part, 1), tell_old, &w);
        }
    }
    vh_snap_codec_free(w.codec);
    g_byte_array_unref(w.buffer);
}
