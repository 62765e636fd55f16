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

/* What a plan is made from: levels in the order in which they are wanted. */
typedef struct Plan {
    const VhHistoryView *v;
    unsigned order[VH_LEVELS];
    GArray *parts;
} Plan;

static void put(GArray *parts, VhPart part)
{
    VhPart *last =
        parts->len ? &g_array_index(parts, VhPart, parts->len - 1) : NULL;

    if (last && last->level == part.level && last->to_us == part.from_us) {
        last->to_us = part.to_us;
    } else {
        g_array_append_val(parts, part);
    }
}

static void cover(Plan *p, unsigned nth, int64_t from_us, int64_t to_us);

/* What the level has of a block; returns up to when it is known. */
static int64_t cover_block(Plan *p, unsigned nth, const VhHistoryBlock *b,
                           int64_t from_us, int64_t to_us)
{
    for (unsigned i = vh_history_entry_at(b, from_us);
         i < b->nr && b->entries[i].start_us < to_us; i++) {
        VhPart part = { MAX(b->entries[i].start_us, from_us),
                        MIN(b->entries[i].end_us, to_us), p->order[nth] };

        cover(p, nth + 1, from_us, part.from_us);
        put(p->parts, part);
        from_us = part.to_us;
    }
    return from_us;
}

/* What the first level has, and the next ones where that has nothing. */
static void cover(Plan *p, unsigned nth, int64_t from_us, int64_t to_us)
{
    const GPtrArray *blocks;

    if (from_us >= to_us || nth == VH_LEVELS) {
        return;
    }
    blocks = p->v->blocks[p->order[nth]];
    for (guint i = vh_history_block_at(blocks, from_us);
         i < blocks->len && vh_history_block_start(blocks->pdata[i]) < to_us;
         i++) {
        from_us = cover_block(p, nth, blocks->pdata[i], from_us, to_us);
    }
    cover(p, nth + 1, from_us, to_us);
}

static void set_order(Plan *p, unsigned level)
{
    for (unsigned i = 0; i < VH_LEVELS; i++) {
        p->order[i] = i <= level ? level - i : i;
    }
}

GArray *vh_plan(const VhHistoryView *v, int64_t from_us, int64_t to_us,
                unsigned level)
{
    Plan p = { .v = v, .parts = g_array_new(false, false, sizeof(VhPart)) };
    int64_t start = to_us;

    for (unsigned i = 0; i < VH_LEVELS; i++) {
        start = CLAMP(level_start(v, i), from_us, start);
    }
    if (v->source && from_us < start) {
        put(p.parts, (VhPart){ from_us, start, VH_LEVELS });
    }
    set_order(&p, level);
    cover(&p, 0, start, to_us);
    return p.parts;
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

unsigned vh_history_entry_at(const VhHistoryBlock *b, int64_t us)
{
    unsigned lo = 0, hi = b->nr;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (b->entries[mid].end_us > us) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

/*
 * How far a level was read: parts of several levels take turns, and what was
 * decoded need not be decoded again.
 * block: NULL: nothing yet; next: the snapshot to be decoded
 */
typedef struct Place {
    VhSnapCodec *codec;
    GByteArray *buffer;
    VhBytes bytes;
    const VhHistoryBlock *block;
    unsigned next;
} Place;

/* What is needed to read. */
typedef struct Walk {
    Place places[VH_LEVELS];
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

static void go_to(Place *p, const VhHistoryBlock *b, int64_t from_us)
{
    if (b == p->block && p->next && b->entries[p->next - 1].end_us <= from_us) {
        return;
    }
    if (!p->codec) {
        p->codec = vh_snap_codec_new();
        p->buffer = g_byte_array_new();
    }
    vh_snap_codec_reset(p->codec);
    vh_history_block_data(b, p->buffer, &p->bytes);
    p->block = b;
    p->next = 0;
}

static void read_block(const Walk *w, Place *p, const VhHistoryBlock *b)
{
    go_to(p, b, w->from_us);
    while (p->next < b->nr && b->entries[p->next].start_us < w->to_us) {
        const VhEntry *e = &b->entries[p->next++];

        if (!vh_snap_decode(p->codec, &p->bytes)) {
            p->next = b->nr; /* never, as it was encoded here */
            return;
        }
        tell(w, &(VhPiece){ e->start_us, e->end_us, e, p->codec });
    }
}

static void read_level(Walk *w, Place *p, const GPtrArray *blocks)
{
    for (guint i = vh_history_block_at(blocks, w->from_us);
         i < blocks->len && vh_history_block_start(blocks->pdata[i]) < w->to_us;
         i++) {
        read_block(w, p, blocks->pdata[i]);
    }
}

static void tell_old(void *opaque, int64_t start_us, int64_t end_us,
                     const VhSnapCodec *codec)
{
    tell(opaque, &(VhPiece){ start_us, end_us, NULL, codec });
}

static void read_part(Walk *w, const VhHistoryView *v, const VhPart *p)
{
    double part =
        (double)(w->to_us - w->from_us) / MAX(p->to_us - p->from_us, 1);

    if (p->level < VH_LEVELS) {
        read_level(w, &w->places[p->level], v->blocks[p->level]);
    } else {
        vh_source_read(v->source, w->from_us, w->to_us,
                       MAX(VH_SOURCE_BLOCKS * part, 1), tell_old, w);
    }
}

static void end_walk(Walk *w)
{
    for (unsigned i = 0; i < VH_LEVELS; i++) {
        if (w->places[i].codec) {
            vh_snap_codec_free(w->places[i].codec);
            g_byte_array_unref(w->places[i].buffer);
        }
    }
}

void vh_walk(const VhHistoryView *v, const GArray *parts, int64_t from_us,
             int64_t to_us, VhPieceFunc *func, void *opaque)
{
    Walk w = { .func = func, .opaque = opaque };

    for (guint i = 0; i < parts->len; i++) {
        const VhPart *p = &g_array_index(parts, VhPart, i);

        w.from_us = MAX(p->from_us, from_us);
        w.to_us = MIN(p->to_us, to_us);
        if (w.from_us < w.to_us) {
            read_part(&w, v, p);
        }
    }
    end_walk(&w);
}

void vh_walk_last(const VhHistoryView *v, unsigned level, int64_t end_us,
                  VhPieceFunc *func, void *opaque)
{
    VhPart part = { end_us - 1, end_us, level };
    Walk w = {
        .from_us = part.from_us, .to_us = end_us, .func = func, .opaque = opaque
    };

    read_part(&w, v, &part);
    end_walk(&w);
}
